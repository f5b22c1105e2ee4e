//! The store's servers: a primary, a replica, and the change of their parts without losing what was answered.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use emp_testkit::redis::{Program, RedisBox};

/// Nothing is written while the replica catches up, at most for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// A primary and its replica.
#[derive(Debug)]
pub(crate) struct Servers {
    primary: RedisBox,
    replica: RedisBox,
}

impl Servers {
    /// Starts both. They answer what is on the disk: everything else could be lost, and nothing would be proven.
    pub(crate) fn start() -> io::Result<Self> {
        let server =
            || RedisBox::start_with(Program::Redis, &["--appendonly", "yes", "--appendfsync", "always"]);
        let servers = Self { primary: server()?, replica: server()? };
        servers.replica.follow(&servers.primary)?;
        Ok(servers)
    }

    /// Where the primary is.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.primary.port()).into()
    }

    /// Kills the primary and starts it again.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.primary.restart()
    }

    /// Stops the primary without a word.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        self.primary.freeze()
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) -> io::Result<()> {
        self.primary.thaw()
    }

    /// Kills the primary, once the replica has all that was answered, and puts the replica in its place; says whether it did.
    pub(crate) fn fail_over(&mut self) -> io::Result<bool> {
        let millis = PAUSE.as_millis().to_string();
        self.primary.command(&["CLIENT", "PAUSE", &millis, "WRITE"])?;
        let begun = Instant::now();
        while !self.caught_up()? {
            if begun.elapsed() > PAUSE / 2 {
                self.primary.command(&["CLIENT", "UNPAUSE"])?;
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.primary.kill()?;
        self.replica.promote()?;
        std::mem::swap(&mut self.primary, &mut self.replica);
        Ok(true)
    }

    /// Makes the server that was the primary before a replica.
    pub(crate) fn rejoin(&mut self) -> io::Result<()> {
        self.replica.restart()?;
        self.replica.follow(&self.primary)
    }

    fn caught_up(&self) -> io::Result<bool> {
        let (here, there) = (info(&self.primary)?, info(&self.replica)?);
        let offset = |info: &str, field: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.trim().parse::<u64>().ok())
        };
        let (master, slave) = (offset(&here, "master_repl_offset"), offset(&there, "slave_repl_offset"));
        Ok(there.contains("master_link_status:up") && master.is_some() && master == slave)
    }
}

fn info(server: &RedisBox) -> io::Result<String> {
    Ok(server.command(&["INFO", "replication"])?.text())
}
