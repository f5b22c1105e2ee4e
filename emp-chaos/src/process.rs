//! A process of the product that can be killed, frozen and started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::Failure;

/// For how long a process that was told to stop may take; more than a submit under way takes against a fake.
const STOP_PATIENCE: Duration = Duration::from_secs(80);

/// A process and how it is started.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    home: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts it. What it prints goes to `NAME.log` in the folder.
    pub(crate) fn start(name: &str, program: &Path, args: Vec<String>, home: &Path) -> Result<Self, Failure> {
        let mut process = Self {
            name: name.to_owned(),
            program: program.to_owned(),
            args,
            home: home.to_owned(),
            child: None,
        };
        process.run()?;
        Ok(process)
    }

    /// Starts it again, if it does not run.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        if let Some(child) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let log = self.home.join(format!("{}.log", self.name));
        let log = std::fs::File::options().create(true).append(true).open(&log);
        let log = log.map_err(Failure::io("cannot write a log"))?;
        let out = log.try_clone().map_err(Failure::io("cannot write a log"))?;
        let mut command = self.command();
        command.stdout(out).stderr(log);
        let child = command.spawn().map_err(Failure::io(format!("cannot start {}", self.name)))?;
        self.child = Some(child);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Nothing of what this machine has set for the product.
        command.env_clear().args(&self.args).current_dir(&self.home).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// Ends it with SIGKILL.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.map_err(Failure::io(format!("cannot kill {}", self.name)))?;
        }
        Ok(())
    }

    /// Stops it without a word, until [`thaw`](Self::thaw).
    pub(crate) fn freeze(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) -> Result<(), Failure> {
        self.signal(Signal::CONT)
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        self.signal(Signal::TERM)?;
        let Some(child) = &mut self.child else { return Ok(()) };
        match tokio::time::timeout(STOP_PATIENCE, child.wait()).await {
            Ok(ended) => {
                let status = ended.map_err(Failure::io(format!("cannot wait for {}", self.name)))?;
                if !status.success() {
                    return Err(Failure::Setup(format!(
                        "{} was told to stop and ended with {status}",
                        self.name
                    )));
                }
                Ok(())
            }
            Err(_) => Err(Failure::Setup(format!(
                "{} was told to stop and did not in {STOP_PATIENCE:?}",
                self.name
            ))),
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let id =
            self.child.as_ref().and_then(Child::id).and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        match id {
            Some(id) => kill_process(id, signal).map_err(|error| Failure::Io {
                what: format!("cannot signal {}", self.name),
                error: error.into(),
            }),
            None => Err(Failure::Setup(format!("{} has ended by itself; its log says why", self.name))),
        }
    }
}
