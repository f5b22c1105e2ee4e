//! One server process in a folder of its own.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{until, wire};

/// So many ports are tried: another process may take one in the moment between.
const TRIES: usize = 5;
/// So many lines of a log say what happened last.
const LAST_LINES: usize = 12;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `redis-server`.
    Redis,
    /// `valkey-server`.
    Valkey,
}

impl Program {
    /// The name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Valkey => "valkey-server",
        }
    }

    /// It is installed here.
    pub fn installed(self) -> bool {
        let asked = Command::new(self.name()).arg("--version").stdout(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    }
}

/// A server process.
#[derive(Debug)]
pub(super) struct Process {
    program: Program,
    port: u16,
    options: Vec<String>,
    /// What its configuration file says, where it needs one.
    file: Option<String>,
    child: Option<Child>,
    folder: TempDir,
}

impl Process {
    /// Starts a server and waits until it answers.
    pub(super) fn start(program: Program, options: &[&str]) -> io::Result<Self> {
        Self::start_with(program, options, None)
    }

    /// Starts a server with a configuration file that it may write to.
    pub(super) fn start_with(program: Program, options: &[&str], file: Option<&str>) -> io::Result<Self> {
        let mut last = io::Error::other("no port was tried");
        for _ in 0..TRIES {
            let mut process = Self {
                program,
                port: free_port()?,
                options: options.iter().map(|option| (*option).to_owned()).collect(),
                file: file.map(str::to_owned),
                child: None,
                folder: tempfile::Builder::new().prefix("emp-redis-").tempdir()?,
            };
            match process.run() {
                Ok(()) => return Ok(process),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Starts the process and waits until it answers.
    pub(super) fn run(&mut self) -> io::Result<()> {
        let mut command = Command::new(self.program.name());
        let port = self.port.to_string();
        if let Some(content) = &self.file {
            let file = self.folder.path().join("server.conf");
            if !file.exists() {
                std::fs::write(&file, content)?;
            }
            command.arg(file);
        }
        command.args(["--port", &port, "--bind", "127.0.0.1", "--daemonize", "no"]).arg("--dir");
        command.arg(self.folder.path()).arg("--logfile").arg(self.log()).args(&self.options);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start `{}`: {error}", self.program.name()))
        })?;
        let up = until("the server answers", || {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("the server ended at once: {status}")));
            }
            let answer = wire::ask(port.parse().unwrap_or_default(), &["PING"])?.text();
            // One that asks for a password is up as well.
            Ok(answer == "PONG" || answer.starts_with("NOAUTH") || answer.starts_with("LOADING"))
        });
        let ended = child.try_wait()?.is_some();
        if up.is_err() || ended {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            return Err(up.err().unwrap_or_else(|| io::Error::other("another server has the port")));
        }
        self.child = Some(child);
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// The last lines of what the server says of itself.
    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = self.child.as_ref().and_then(|child| Pid::from_raw(i32::try_from(child.id()).ok()?));
        let pid = pid.ok_or_else(|| io::Error::other("the server does not run"))?;
        Ok(kill_process(pid, signal)?)
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Forgets what the server had on its disk.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        for entry in std::fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to be done for one that is gone already.
        let _ = self.kill();
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
