//! Real Redis servers on free ports, for tests: started in milliseconds, gone with the value that stands for them.
//!
//! ```no_run
//! # use emp_testkit::redis::RedisBox;
//! # fn example() -> std::io::Result<()> {
//! let server = RedisBox::start()?;
//! let url = server.url(); // redis://127.0.0.1:PORT
//! server.freeze()?; // SIGSTOP: connections succeed, and no answer comes
//! server.thaw()?;
//! server.command(&["CONFIG", "SET", "maxmemory", "3mb"])?;
//! # Ok(())
//! # }
//! ```
//!
//! [`RedisBox`] is one server, [`Sentinels`] a primary and a replica with sentinels that fail over, and
//! [`RedisCluster`] a cluster. All of them run the `redis-server` of the `PATH`; [`Program::Valkey`] says `valkey-server`.

mod cluster;
mod process;
mod sentinel;
mod wire;

use std::io;
use std::time::{Duration, Instant};

pub use cluster::RedisCluster;
use process::Process;
pub use process::Program;
pub use sentinel::Sentinels;
pub use wire::Answer;

/// How long a server may take to come up, or to become what was asked of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server.
#[derive(Debug)]
pub struct RedisBox {
    process: Process,
}

impl RedisBox {
    /// A server that writes an append-only file, as the store wants it.
    pub fn start() -> io::Result<Self> {
        Self::start_with(Program::Redis, &["--appendonly", "yes"])
    }

    /// A server with options of its own.
    pub fn start_with(program: Program, options: &[&str]) -> io::Result<Self> {
        // A replica gets its copy at once, instead of waiting for others that might want one too.
        let own = ["--save", "", "--enable-debug-command", "local", "--repl-diskless-sync-delay", "0"];
        let options = [&own, options].concat();
        Ok(Self { process: Process::start(program, &options)? })
    }

    /// Where it is, for `--store`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.process.port()
    }

    /// Asks it something. A refusal is an answer; only a server that cannot be reached is an error.
    pub fn command(&self, words: &[&str]) -> io::Result<Answer> {
        wire::ask(self.port(), words)
    }

    /// Stops it without a word: connections succeed, and nothing is answered.
    pub fn freeze(&self) -> io::Result<()> {
        self.process.signal(rustix::process::Signal::STOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> io::Result<()> {
        self.process.signal(rustix::process::Signal::CONT)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// Starts it again with the data that it has on its disk.
    pub fn restart(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.run()
    }

    /// Starts it again without any data.
    pub fn restart_empty(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.forget()?;
        self.process.run()
    }

    /// Has no memory left: whatever brings something new is refused.
    pub fn fill(&self) -> io::Result<()> {
        self.command(&["CONFIG", "SET", "maxmemory", "1"]).map(drop)
    }

    /// Has memory again.
    pub fn unfill(&self) -> io::Result<()> {
        self.command(&["CONFIG", "SET", "maxmemory", "0"]).map(drop)
    }

    /// Makes it a copy of another one, and waits until it has everything.
    pub fn follow(&self, primary: &Self) -> io::Result<()> {
        let port = primary.port().to_string();
        // One that was just started may be reading its data still, and hears of nothing else.
        until("the replica takes its primary", || {
            Ok(!self.command(&["REPLICAOF", "127.0.0.1", &port])?.refused())
        })?;
        let followed = until("the replica has the primary's data", || {
            Ok(self.command(&["INFO", "replication"])?.text().contains("master_link_status:up"))
        });
        followed.map_err(|error| {
            let (here, there) = (self.process.last_words(), primary.process.last_words());
            io::Error::other(format!("{error}\nthe replica says:\n{here}\nthe primary says:\n{there}"))
        })
    }

    /// Makes it a primary.
    pub fn promote(&self) -> io::Result<()> {
        until("it is a primary", || Ok(!self.command(&["REPLICAOF", "NO", "ONE"])?.refused()))
    }
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        // A server that starts does not answer at once.
        if matches!(holds(), Ok(true)) {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("it never happened that {what}")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
