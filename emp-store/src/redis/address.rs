//! Which server, or servers, and which queue in it: the `--store` URL of a Redis store.
//!
//! ```text
//! redis://[USER:PASSWORD@]HOST[:PORT][/DB][?..]                    one server
//! rediss://..                                                      one server, over TLS
//! redis+sentinel://[USER:PASSWORD@]HOST[:PORT],../PRIMARY[/DB][?..] whoever the sentinels say is the primary
//! redis+cluster://[USER:PASSWORD@]HOST[:PORT],..[?..]              a cluster, found through any of its nodes
//! ```
//!
//! | query | what |
//! |---|---|
//! | `queue=NAME` | the queue, `emp` if not given: stores with different names do not see each other's jobs |
//! | `tls=true` | TLS where the scheme does not say it |
//! | `ca=FILE` | the PEM of the authority that signed the server's certificate, where it is a private one |
//! | `sentinel_user=`, `sentinel_password=` | for the sentinels, where they ask for a password of their own |

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::store::StoreError;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The shape of it.
    pub(super) shape: Shape,
    /// The user and the password.
    pub(super) login: Login,
    /// For the sentinels.
    pub(super) sentinel_login: Login,
    /// The database's number.
    pub(super) db: i64,
    /// Over TLS.
    pub(super) tls: bool,
    /// The authority to trust, where it is not a public one.
    pub(super) ca: Option<PathBuf>,
    /// The queue.
    pub(super) queue: String,
}

/// One host and port.
pub(super) type Node = (String, u16);

/// How the server that takes writes is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// It is named.
    One(Node),
    /// The sentinels know.
    Sentinel {
        /// The sentinels.
        sentinels: Vec<Node>,
        /// Their name for it.
        primary: String,
    },
    /// One of many, by the slot.
    Cluster(Vec<Node>),
}

/// A user and a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Address {
    /// Reads a URL. What is wrong is said without the part that may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it needs `//` after the scheme"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Login::parse(login)?, hosts),
            None => (Login::default(), authority),
        };
        let default_port = if scheme == "redis+sentinel" { 26379 } else { 6379 };
        let nodes: Vec<Node> =
            hosts.split(',').map(|host| node(host, default_port)).collect::<Result<_, _>>()?;
        let mut path = path.split('/').filter(|part| !part.is_empty());
        let shape = match scheme {
            "redis" | "rediss" => match <[Node; 1]>::try_from(nodes) {
                Ok([node]) => Shape::One(node),
                Err(_) => {
                    return Err(wrong(
                        "it names several hosts; write `redis+cluster://` or `redis+sentinel://`",
                    ));
                }
            },
            "redis+sentinel" => {
                let primary = path.next().ok_or_else(|| {
                    wrong("the path names the primary as the sentinels know it: `redis+sentinel://HOST:26379/mymaster`")
                })?;
                Shape::Sentinel { sentinels: nodes, primary: decoded(primary)? }
            }
            "redis+cluster" => Shape::Cluster(nodes),
            _ => {
                return Err(wrong(
                    "the scheme is none of `redis`, `rediss`, `redis+sentinel`, `redis+cluster`",
                ));
            }
        };
        let db = match path.next() {
            None => 0,
            Some(_) if matches!(shape, Shape::Cluster(_)) => {
                return Err(wrong("a cluster has one database; use `?queue=NAME` to keep things apart"));
            }
            Some(db) => db
                .parse::<u16>()
                .map(i64::from)
                .map_err(|_| wrong("the path is the number of a database: `redis://HOST:6379/0`"))?,
        };
        if path.next().is_some() {
            return Err(wrong("the path has a part too many"));
        }
        let mut address = Self {
            shape,
            login,
            sentinel_login: Login::default(),
            db,
            tls: scheme == "rediss",
            ca: None,
            queue: "emp".to_owned(),
        };
        query.split('&').filter(|pair| !pair.is_empty()).try_for_each(|pair| address.set(pair))?;
        Ok(address)
    }

    fn set(&mut self, pair: &str) -> Result<(), StoreError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value)?;
        match (name, value.as_str()) {
            ("queue", name) => self.queue = queue(name)?,
            ("tls", "true") => self.tls = true,
            ("ca", file) if !file.is_empty() => self.ca = Some(PathBuf::from(file)),
            ("sentinel_user", user) => self.sentinel_login.user = Some(user.to_owned()),
            ("sentinel_password", password) => self.sentinel_login.password = Some(password.to_owned()),
            // The value may be a password with a mistyped name.
            _ => {
                return Err(wrong(&format!(
                    "`{}` is no setting with a value that it can have: expected `queue=NAME`, `tls=true`, `ca=FILE`, \
                     `sentinel_user=` or `sentinel_password=`",
                    name.chars()
                        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .take(40)
                        .collect::<String>()
                )));
            }
        }
        Ok(())
    }

    /// Whether anybody logs in. A user without a password may be a password whose colon was forgotten.
    pub(crate) fn has_login(&self) -> bool {
        [&self.login, &self.sentinel_login].into_iter().any(|login| *login != Login::default())
    }

    /// The passwords.
    pub(crate) fn passwords(&self) -> impl Iterator<Item = &str> {
        [&self.login, &self.sentinel_login].into_iter().filter_map(|login| login.password.as_deref())
    }

    /// The address without a password, for people.
    pub(crate) fn shown(&self) -> String {
        let hosts = |nodes: &[Node]| {
            nodes.iter().map(|(host, port)| format!("{host}:{port}")).collect::<Vec<_>>().join(",")
        };
        let place = match &self.shape {
            Shape::One(node) => hosts(std::slice::from_ref(node)),
            Shape::Sentinel { sentinels, primary } => format!("{}/{primary}", hosts(sentinels)),
            Shape::Cluster(nodes) => hosts(nodes),
        };
        format!("{place} queue {}", self.queue)
    }
}

impl Login {
    fn parse(text: &str) -> Result<Self, StoreError> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let some = |text: &str| decoded(text).map(|text| Some(text).filter(|text| !text.is_empty()));
        Ok(Self { user: some(user)?, password: some(password)? })
    }
}

/// Printable and without what a key's name, a hash tag or a pattern of an ACL is made of.
fn queue(name: &str) -> Result<String, StoreError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(wrong("`queue` is 1 to 64 letters, digits, `-`, `_` or `.`"));
    }
    Ok(name.to_owned())
}

fn node(text: &str, default_port: u16) -> Result<Node, StoreError> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.map_or(Ok(default_port), str::parse);
    match port {
        Ok(port) if !host.is_empty() && port > 0 => Ok((host.to_owned(), port)),
        _ => Err(wrong("it needs `HOST` or `HOST:PORT` after the slashes")),
    }
}

fn decoded(text: &str) -> Result<String, StoreError> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| wrong("it has %-escapes that are no UTF-8"))
}

fn wrong(why: &str) -> StoreError {
    StoreError::Url(format!(
        "the `--store` URL cannot be read: {why}. For example `--store redis://127.0.0.1:6379`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        Address::parse(url).unwrap()
    }

    #[test]
    fn every_shape_is_read() {
        let plain = parse("redis://localhost");
        assert_eq!(plain.shape, Shape::One(("localhost".to_owned(), 6379)));
        assert_eq!((plain.db, plain.tls, plain.queue.as_str()), (0, false, "emp"));
        let full = parse("rediss://me:p%40ss@[::1]:7000/3?queue=night-2&ca=/etc/ca.pem");
        assert_eq!(full.shape, Shape::One(("::1".to_owned(), 7000)));
        assert_eq!((full.db, full.tls, full.queue.as_str()), (3, true, "night-2"));
        assert_eq!((full.login.user.as_deref(), full.login.password.as_deref()), (Some("me"), Some("p@ss")));
        let sentinel = parse("redis+sentinel://:secret@a,b:1/mymaster/2?tls=true&sentinel_password=x");
        let sentinels = vec![("a".to_owned(), 26379), ("b".to_owned(), 1)];
        assert_eq!(sentinel.shape, Shape::Sentinel { sentinels, primary: "mymaster".to_owned() });
        assert_eq!((sentinel.db, sentinel.tls, sentinel.login.user), (2, true, None));
        let cluster = parse("redis+cluster://a:1,b:2,c:3");
        assert!(matches!(&cluster.shape, Shape::Cluster(nodes) if nodes.len() == 3));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "redis:localhost",
            "redis://",
            "redis://a:hunter2@",
            "redis://a:hunter2@host:port",
            "redis://a:hunter2@host,other",
            "redis://a:hunter2@host/zero",
            "redis://a:hunter2@host/0/1",
            "redis://a:hunter2@host?queue=a{b}",
            "redis://a:hunter2@host?pass=hunter2",
            "redis+sentinel://a:hunter2@host",
            "redis+cluster://a:hunter2@host/1",
            "redis+tls://a:hunter2@host",
        ] {
            let StoreError::Url(message) = Address::parse(url).unwrap_err() else { panic!("{url}") };
            assert!(!message.contains("hunter2") && message.contains("For example"), "{url}: {message}");
        }
        assert!(!format!("{:?}", parse("redis://a:hunter2@host")).contains("hunter2"));
    }
}
