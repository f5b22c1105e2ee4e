//! A redis-server of our own, as an operator would run one that must not lose jobs: an append-only file, and nothing evicted.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Client, Connection, RedisError};

use crate::Failure;
use crate::plan::scratch;

/// How long it may take to start.
const START: Duration = Duration::from_secs(10);

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

/// What a server has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    /// Seconds of processor.
    pub(crate) cpu: f64,
    /// Commands, those of scripts too.
    pub(crate) commands: f64,
    /// Times that it read from a connection: what comes in one packet is one.
    pub(crate) reads: f64,
    /// Bytes that came and went.
    pub(crate) bytes: f64,
    /// Bytes of memory that it has now.
    pub(crate) memory: f64,
}

impl Server {
    /// Starts one on a free port, with its file on the disk that the build is on.
    pub(crate) fn start() -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(scratch("redis")?).map_err(Failure::io("cannot make a folder"))?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(Failure::io("no free port"))?.port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"])
            // Between runs it is emptied instead: a rewrite in the middle of one would be paid by whoever happens to run.
            .args(["--auto-aof-rewrite-percentage", "0", "--maxclients", "15000"])
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::io("cannot start `redis-server`; install Redis 7 or Valkey"))?;
        let server = Self { child, port, _folder: folder };
        let begun = Instant::now();
        while server.connect().is_err() {
            if begun.elapsed() > START {
                return Err(Failure::Ran("redis-server does not answer".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its version.
    pub(crate) fn version(&self) -> Option<String> {
        self.info().ok()?.remove("redis_version")
    }

    /// Takes everything out, and off its disk.
    pub(crate) fn empty(&self) -> Result<(), Failure> {
        let mut link = self.connect()?;
        let () = redis::cmd("FLUSHALL").query(&mut link)?;
        // Refused while one is under way, which does as well.
        let _ = redis::cmd("BGREWRITEAOF").query::<String>(&mut link);
        let begun = Instant::now();
        while self.info()?.get("aof_rewrite_in_progress").is_some_and(|running| running != "0") {
            if begun.elapsed() > START {
                return Err(Failure::Ran("redis-server does not end its rewrite".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What it has done so far.
    pub(crate) fn work(&self) -> Result<Work, Failure> {
        let info = self.info()?;
        let number = |name: &str| info.get(name).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Ok(Work {
            cpu: number("used_cpu_user") + number("used_cpu_sys"),
            commands: number("total_commands_processed"),
            reads: number("total_reads_processed"),
            bytes: number("total_net_input_bytes") + number("total_net_output_bytes"),
            memory: number("used_memory"),
        })
    }

    fn info(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut link = self.connect()?;
        let text: String = redis::cmd("INFO").query(&mut link)?;
        let pairs = text.lines().filter_map(|line| line.trim_end().split_once(':'));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn connect(&self) -> Result<Connection, RedisError> {
        Client::open(self.url())?.get_connection()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is ours, and what it has is thrown away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Work {
    /// What was done since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            cpu: self.cpu - before.cpu,
            commands: self.commands - before.commands,
            reads: self.reads - before.reads,
            bytes: self.bytes - before.bytes,
            memory: self.memory,
        }
    }
}
