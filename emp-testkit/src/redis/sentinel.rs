//! A primary and a replica, and sentinels that watch them.

use std::io;

use super::process::{Process, Program};
use super::{RedisBox, until, wire};

/// The sentinels' name for the primary.
const NAME: &str = "emp";

/// A primary, a replica, and three sentinels that put the replica in the primary's place when that is gone for a second.
#[derive(Debug)]
pub struct Sentinels {
    /// The server that is the primary at first.
    pub first: RedisBox,
    /// The server that is its replica at first.
    pub second: RedisBox,
    watchers: Vec<Process>,
}

impl Sentinels {
    /// Starts all of them and waits until they know each other.
    pub fn start() -> io::Result<Self> {
        let (first, second) = (RedisBox::start()?, RedisBox::start()?);
        second.follow(&first)?;
        let watchers: Vec<Process> = (0..3).map(|_| sentinel(&first)).collect::<io::Result<_>>()?;
        let all = Self { first, second, watchers };
        until("the sentinels know each other and the replica", || {
            for sentinel in &all.watchers {
                let told = wire::ask(sentinel.port(), &["SENTINEL", "MASTER", NAME])?.text();
                if !told.contains("num-slaves 1 ") || !told.contains("num-other-sentinels 2 ") {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        Ok(all)
    }

    /// Where it is, for `--store`.
    pub fn url(&self) -> String {
        let nodes: Vec<String> =
            self.watchers.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
        format!("redis+sentinel://{}/{NAME}", nodes.join(","))
    }

    /// The port of the one that the sentinels take for the primary.
    pub fn primary(&self) -> io::Result<u16> {
        let sentinel = self.watchers.first().ok_or_else(|| io::Error::other("no sentinel"))?;
        let told = wire::ask(sentinel.port(), &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])?.text();
        told.split(' ').nth(1).and_then(|port| port.parse().ok()).ok_or_else(|| io::Error::other(told))
    }
}

/// A sentinel of a primary.
fn sentinel(primary: &RedisBox) -> io::Result<Process> {
    let port = primary.port();
    let file = format!(
        "sentinel monitor {NAME} 127.0.0.1 {port} 2\nsentinel down-after-milliseconds {NAME} 1000\n\
         sentinel failover-timeout {NAME} 3000\n"
    );
    Process::start_with(Program::Redis, &["--sentinel"], Some(&file))
}
