//! A way out for programs that make requests of their own: an HTTP proxy on loopback with the gateway's address rules.
//!
//! What is asked for by name is resolved here, once, and the connection goes to the address that was checked: whatever a page of a
//! browser redirects to, embeds or rebinds, nothing private is reached through this.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use emp_core::custom::Proxy;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Empty, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use url::Host;

use super::Gateway;
use super::address::{Reach, Resolver};

/// So many refusals are noted of one proxy.
const NOTED: usize = 100;

type Body = BoxBody<Bytes, hyper::Error>;

impl Gateway {
    /// Opens a proxy. `allow` has the private places (`host:port`) that may be reached.
    pub(crate) async fn proxy(&self, allow: &[String]) -> std::io::Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let vouched = self.options.allow.iter().map(|(host, port)| format!("{host}:{port}"));
        let door = Arc::new(Door {
            resolver: Arc::clone(&self.options.resolver),
            connect: self.options.patience.connect,
            allow: vouched.chain(allow.iter().map(|place| place.to_ascii_lowercase())).collect(),
            refused: Arc::default(),
        });
        let refused = Arc::clone(&door.refused);
        let open = AbortOnDropHandle::new(tokio::spawn(serve(listener, door)));
        let url = url.parse().map_err(std::io::Error::other)?;
        Ok(Proxy::new(url, refused, open))
    }
}

/// Whom a proxy lets out.
struct Door {
    resolver: Arc<dyn Resolver>,
    connect: Duration,
    allow: BTreeSet<String>,
    refused: Arc<Mutex<BTreeSet<String>>>,
}

/// Why there is no connection. The program that asked is told nothing more.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("this place may not be reached")]
    Refused,
    #[error("no connection: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the exchange broke off: {0}")]
    Broken(#[from] hyper::Error),
    #[error("not a request for a proxy")]
    Unknown,
}

/// Serves until it is dropped, and every connection with it.
async fn serve(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, for a while.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let door = Arc::clone(&door);
                let (tunnels, mut opened) = tokio::sync::mpsc::unbounded_channel();
                connections.spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&door), request, tunnels.clone()));
                    let served = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await;
                    if let Err(error) = served {
                        tracing::trace!(%error, "proxy: a connection was closed");
                    }
                    // A tunnel lives as long as its connection's task, so that it ends with the proxy.
                    if let Ok(tunnel) = opened.try_recv() {
                        through(tunnel).await;
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Both ends of a tunnel, once the client has been told that it is open.
struct Tunnel {
    client: hyper::upgrade::OnUpgrade,
    server: TcpStream,
}

async fn through(mut tunnel: Tunnel) {
    if let Ok(client) = tunnel.client.await {
        // How it ends is between the two ends.
        let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut tunnel.server).await;
    }
}

/// Answers one request. An error closes the connection without an answer, so that nobody takes our words for the other side's.
async fn answer(
    door: Arc<Door>,
    mut request: Request<Incoming>,
    tunnels: tokio::sync::mpsc::UnboundedSender<Tunnel>,
) -> Result<Response<Body>, Closed> {
    if request.method() == Method::CONNECT {
        let place = request.uri().authority().cloned().ok_or(Closed::Unknown)?;
        let server = door.dial(&place, 443).await?;
        let client = hyper::upgrade::on(&mut request);
        // The connection's own task takes it up; when that is gone, so is the tunnel.
        let _ = tunnels.send(Tunnel { client, server });
        return Ok(Response::new(Empty::new().map_err(|never: Infallible| match never {}).boxed()));
    }
    let uri = std::mem::take(request.uri_mut());
    let place = uri.authority().cloned().filter(|_| uri.scheme() == Some(&Scheme::HTTP));
    let server = door.dial(&place.clone().ok_or(Closed::Unknown)?, 80).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Incoming>(TokioIo::new(server)).await?;
    let driven = AbortOnDropHandle::new(tokio::spawn(connection));
    *request.uri_mut() = uri.path_and_query().map_or_else(Uri::default, |path| path.clone().into());
    end_to_end(request.headers_mut());
    if let Some(host) = place.and_then(|place| place.as_str().parse().ok()) {
        request.headers_mut().insert(header::HOST, host);
    }
    let mut response = sender.send_request(request).await?;
    end_to_end(response.headers_mut());
    Ok(response.map(|body| {
        // The connection lives as long as the answer is read.
        body.map_frame(move |frame| {
            let _ = &driven;
            frame
        })
        .boxed()
    }))
}

/// Takes out what is between two neighbours only.
fn end_to_end(headers: &mut HeaderMap) {
    for name in
        ["connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade"]
    {
        headers.remove(name);
    }
}

impl Door {
    /// A connection to a place that may be reached.
    async fn dial(&self, place: &Authority, port: u16) -> Result<TcpStream, Closed> {
        let port = place.port_u16().unwrap_or(port);
        // As the URL parser reads it: `2130706433` and `0x7f.1` are addresses too.
        let host = Host::parse(place.host()).map_err(|_| Closed::Unknown)?;
        let asked = format!("{host}:{port}");
        let reach = if self.allow.contains(&asked) { Reach::Configured } else { Reach::Public };
        let found = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            Host::Domain(name) => {
                timeout(self.connect, self.resolver.resolve(&name)).await.map_err(|_| late())??
            }
        };
        let allowed: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| reach.allows(*address))
            .map(|address| SocketAddr::new(address, port))
            .collect();
        if allowed.is_empty() {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.len() < NOTED {
                refused.insert(asked);
            }
            return Err(Closed::Refused);
        }
        let mut last = late();
        // Each has its time: one that leads nowhere must not use up that of those behind it.
        for address in allowed {
            match timeout(self.connect, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = late(),
            }
        }
        Err(last.into())
    }
}

fn late() -> std::io::Error {
    std::io::ErrorKind::TimedOut.into()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::GatewayOptions;
    use super::*;

    /// Every name is an address that was never looked up before.
    #[derive(Debug)]
    struct Always(&'static [&'static str]);

    #[async_trait]
    impl Resolver for Always {
        async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    /// A server that answers each connection with what it was sent.
    async fn echo() -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = vec![0; 4096];
                let size = stream.read(&mut heard).await.unwrap();
                let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                stream.write_all(length.as_bytes()).await.unwrap();
                stream.write_all(&heard[..size]).await.unwrap();
            }
        });
        port
    }

    async fn open(names: &'static [&'static str], allow: &[String]) -> Proxy {
        let options = GatewayOptions { resolver: Arc::new(Always(names)), ..GatewayOptions::default() };
        Gateway::new(options).proxy(allow).await.unwrap()
    }

    /// What comes back for so many bytes, up to the end or a pause.
    async fn say(proxy: &Proxy, texts: &[&str]) -> String {
        let place = (proxy.url().host_str().unwrap(), proxy.url().port().unwrap());
        let mut stream = TcpStream::connect(place).await.unwrap();
        let mut heard = Vec::new();
        for text in texts {
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut piece = vec![0; 4096];
            while let Ok(Ok(size)) = timeout(Duration::from_millis(150), stream.read(&mut piece)).await {
                if size == 0 {
                    return String::from_utf8(heard).unwrap();
                }
                heard.extend_from_slice(&piece[..size]);
            }
        }
        String::from_utf8(heard).unwrap()
    }

    #[tokio::test]
    async fn a_page_is_fetched_without_what_is_meant_for_the_proxy() {
        let port = echo().await;
        let proxy = open(&["127.0.0.1"], &[format!("site.test:{port}")]).await;
        let request = format!(
            "GET http://site.test:{port}/a?b=c HTTP/1.1\r\nHost: evil.test\r\nProxy-Connection: keep-alive\r\n\r\n"
        );
        let heard = say(&proxy, &[&request]).await;
        let (status, echoed) = heard.split_once("\r\n\r\n").unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        let host = format!("host: site.test:{port}\r\n");
        assert!(echoed.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{echoed}");
        assert!(echoed.to_ascii_lowercase().contains(&host) && !echoed.contains("roxy"), "{echoed}");
    }

    #[tokio::test]
    async fn a_tunnel_carries_what_it_is_given_and_ends_with_its_proxy() {
        let port = echo().await;
        let proxy = open(&[], &[format!("127.0.0.1:{port}")]).await;
        let connect = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
        let heard = say(&proxy, &[&connect, "any bytes"]).await;
        assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with("any bytes"), "{heard}");
        let place = (proxy.url().host_str().unwrap().to_owned(), proxy.url().port().unwrap());
        let mut open = TcpStream::connect(place.clone()).await.unwrap();
        open.write_all(connect.as_bytes()).await.unwrap();
        open.read_exact(&mut [0; 12]).await.unwrap();
        drop(proxy);
        let ended = timeout(Duration::from_secs(5), open.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "the tunnel has ended, and with it the server's end");
        assert!(TcpStream::connect(place).await.is_err());
    }

    #[tokio::test]
    async fn i12_to_i17_private_places_are_refused_and_noted() {
        let port = echo().await;
        for (names, host, noted) in [
            (&["127.0.0.1"][..], "localhost.", "localhost."),
            (&["10.0.0.1", "::1"], "intranet.test", "intranet.test"),
            (&[], "127.0.0.1", "127.0.0.1"),
            (&[], "2130706433", "127.0.0.1"),
            (&[], "0x7f.1", "127.0.0.1"),
            (&[], "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]"),
        ] {
            let proxy = open(names, &["elsewhere.test:80".to_owned()]).await;
            for request in [
                format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
                format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n"),
            ] {
                assert_eq!(say(&proxy, &[&request]).await, "", "{request}");
            }
            assert_eq!(proxy.refused(), [format!("{noted}:{port}")]);
        }
        let vouched = open(&[], &["169.254.169.254:80".to_owned()]).await;
        let metadata = "GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(say(&vouched, &[metadata]).await, "", "nobody can vouch for a metadata service");
        for odd in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"] {
            assert_eq!(say(&vouched, &[odd]).await, "", "{odd}");
        }
    }
}
