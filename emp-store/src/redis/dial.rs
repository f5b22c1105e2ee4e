//! Makes connections: to one server, to the primary that the sentinels name, to a cluster.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_routing::{Route, SlotAddr};
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo,
    RedisError, RedisResult, TlsCertificates, TlsMode,
};
use tokio::sync::Mutex;

use crate::redis::address::{Address, Login, Node, Shape};
use crate::redis::fault;
use crate::redis::link::{self, Connection};
use crate::store::StoreError;

/// What makes connections.
pub(super) struct Dial {
    way: Way,
}

enum Way {
    One(Box<Client>),
    /// Asked again for every connection, because the primary may be another one by then.
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>, Nodes, Route),
}

/// The nodes of a cluster that the URL names, to listen at one after the other.
struct Nodes {
    clients: Vec<Client>,
    next: AtomicUsize,
}

impl Nodes {
    /// Another one each time: the one before may be gone.
    fn next(&self) -> Option<&Client> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.clients.get(next.checked_rem(self.clients.len())?)
    }
}

impl Dial {
    /// For an address; reads the certificate that it names.
    pub(super) fn new(address: &Address) -> Result<Self, StoreError> {
        if address.tls {
            // Somebody else in this process may have chosen one before.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let certificates =
            TlsCertificates { client_tls: None, root_cert: address.ca.as_deref().map(read).transpose()? };
        let way = match &address.shape {
            Shape::One(node) => client(address, node, certificates).map(Box::new).map(Way::One),
            Shape::Sentinel { sentinels, primary } => sentinel(address, sentinels, primary, certificates)
                .map(|client| Way::Sentinel(Box::new(Mutex::new(client)))),
            Shape::Cluster(nodes) => cluster(address, nodes, &certificates),
        };
        Ok(Self { way: way.map_err(|error| fault::told(&error, &address.shown()))? })
    }

    /// A connection for commands.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        let config = link::patience();
        match &self.way {
            Way::One(client) => {
                client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One)
            }
            Way::Sentinel(sentinels) => {
                let client = sentinels.lock().await.async_get_client().await?;
                client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One)
            }
            Way::Cluster(cluster, _, queue) => {
                let connection = cluster.get_async_connection().await?;
                Ok(Connection::Cluster(connection, *queue))
            }
        }
    }

    /// A connection for hearing hints. In a cluster every node passes on what is published at any of them.
    pub(super) async fn listen(&self) -> RedisResult<redis::aio::PubSub> {
        match &self.way {
            Way::One(client) => client.get_async_pubsub().await,
            Way::Cluster(_, nodes, _) => nodes.next().ok_or_else(no_nodes)?.get_async_pubsub().await,
            Way::Sentinel(sentinels) => {
                let client = sentinels.lock().await.async_get_client().await?;
                client.get_async_pubsub().await
            }
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, StoreError> {
    std::fs::read(file).map_err(|error| {
        StoreError::Url(format!(
            "cannot read the certificate `ca={}` of the store's URL: {error}",
            file.display()
        ))
    })
}

/// Small requests must not wait for company.
fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn place(node: &Node, tls: bool) -> ConnectionAddr {
    let (host, port) = node.clone();
    if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    }
}

fn info(node: &Node, tls: bool, login: &Login, db: i64) -> RedisResult<ConnectionInfo> {
    Ok(place(node, tls)
        .into_connection_info()?
        .set_tcp_settings(tcp())
        .set_redis_settings(settings(login, db)))
}

fn settings(login: &Login, db: i64) -> RedisConnectionInfo {
    // RESP2: nothing here needs more, and every proxy speaks it.
    let mut settings = RedisConnectionInfo::default().set_db(db).set_protocol(ProtocolVersion::RESP2);
    settings = settings.set_skip_set_lib_name();
    if let Some(user) = &login.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &login.password {
        settings = settings.set_password(password);
    }
    settings
}

fn client(address: &Address, node: &Node, certificates: TlsCertificates) -> RedisResult<Client> {
    let info = info(node, address.tls, &address.login, address.db)?;
    if address.tls { Client::build_with_tls(info, certificates) } else { Client::open(info) }
}

fn sentinel(
    address: &Address,
    sentinels: &[Node],
    primary: &str,
    certificates: TlsCertificates,
) -> RedisResult<SentinelClient> {
    let nodes: Vec<_> = sentinels.iter().map(|node| place(node, address.tls)).collect();
    let mut builder = SentinelClientBuilder::new(nodes, primary, SentinelServerType::Master)?
        .set_client_to_redis_db(address.db)
        .set_client_to_redis_protocol(ProtocolVersion::RESP2)
        .set_client_to_redis_tcp_settings(tcp())
        .set_client_to_sentinel_protocol(ProtocolVersion::RESP2);
    if address.tls {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    if let Some(user) = &address.login.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = &address.login.password {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(user) = &address.sentinel_login.user {
        builder = builder.set_client_to_sentinel_username(user);
    }
    if let Some(password) = &address.sentinel_login.password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    builder.build()
}

fn cluster(address: &Address, nodes: &[Node], certificates: &TlsCertificates) -> RedisResult<Way> {
    let infos = nodes
        .iter()
        .map(|node| info(node, address.tls, &address.login, 0))
        .collect::<RedisResult<Vec<_>>>()?;
    let mut builder = ClusterClientBuilder::new(infos)
        .use_protocol(ProtocolVersion::RESP2)
        .tcp_settings(tcp())
        .connection_timeout(link::ANSWER)
        .response_timeout(link::ANSWER)
        // The link asks again, over another connection: who follows a slot to another server must know that it is another one.
        .retries(0);
    if address.tls {
        builder = builder.tls(TlsMode::Secure).certs(certificates.clone());
    }
    let clients = nodes
        .iter()
        .map(|node| client(address, node, certificates.clone()))
        .collect::<RedisResult<Vec<_>>>()?;
    if clients.is_empty() {
        return Err(no_nodes());
    }
    let nodes = Nodes { clients, next: AtomicUsize::new(0) };
    Ok(Way::Cluster(Box::new(builder.build()?), nodes, Route::new(slot(&address.queue), SlotAddr::Master)))
}

/// The slot of a queue's hash tag.
fn slot(queue: &str) -> u16 {
    crc16::State::<crc16::XMODEM>::calculate(queue.as_bytes()) % 16_384
}

fn no_nodes() -> RedisError {
    (redis::ErrorKind::InvalidClientConfig, "a cluster without nodes").into()
}
