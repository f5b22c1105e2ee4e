//! A contender's process: what it says, and what it takes.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use procfs::process::Process;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Failure;
use crate::plan::scratch;

/// A contender at work; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Actor {
    child: Child,
    lines: Receiver<String>,
    log: std::path::PathBuf,
}

/// What a contender's processes took so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds of processor.
    pub(crate) cpu: f64,
    /// Bytes of memory now.
    pub(crate) memory: f64,
    /// The most bytes of memory that each had, together.
    pub(crate) peak: f64,
}

impl Actor {
    /// Starts one. What it writes to stderr goes to a file, as that of a service does.
    pub(crate) fn start(command: &mut Command, name: &str) -> Result<Self, Failure> {
        let log = scratch("logs")?.join(format!("{name}.log"));
        let file = std::fs::File::create(&log).map_err(Failure::io("cannot write a log"))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            // With the children that it may have, which are to end with it.
            .process_group(0)
            .spawn()
            .map_err(Failure::io(format!("cannot start {name}")))?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self { child, lines, log })
    }

    /// Waits for a line that begins with a word; gives the numbers after it.
    pub(crate) fn hear(&self, word: &str, patience: Duration) -> Result<Vec<f64>, Failure> {
        let until = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let mut words = line.split(' ');
                    if words.next() == Some(word) {
                        return Ok(words.filter_map(|number| number.parse().ok()).collect());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.failed(&format!("said no `{word}` for {patience:?}")));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.failed(&format!("ended before it said `{word}`")));
                }
            }
        }
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        let status = self.child.wait().map_err(Failure::io("cannot wait for a contender"))?;
        if status.success() { Ok(()) } else { Err(self.failed(&format!("ended with {status}"))) }
    }

    /// What it and its children took so far.
    pub(crate) fn usage(&self) -> Usage {
        let mut all = Usage::default();
        let ticks = procfs::ticks_per_second() as f64;
        let mut left = vec![self.child.id()];
        while let Some(pid) = left.pop() {
            let Some(process) = i32::try_from(pid).ok().and_then(|pid| Process::new(pid).ok()) else {
                continue;
            };
            if let Ok(stat) = process.stat() {
                all.cpu += (stat.utime + stat.stime) as f64 / ticks;
            }
            if let Ok(status) = process.status() {
                // In KiB.
                all.memory += status.vmrss.unwrap_or(0) as f64 * 1024.0;
                all.peak += status.vmhwm.unwrap_or(0) as f64 * 1024.0;
            }
            let tasks = process.tasks().into_iter().flatten().filter_map(Result::ok);
            left.extend(tasks.filter_map(|task| task.children().ok()).flatten());
        }
        all
    }

    fn failed(&self, what: &str) -> Failure {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let end = log.lines().rev().take(5).collect::<Vec<_>>().join("\n");
        Failure::Ran(format!("a contender {what}; the end of {}:\n{end}", self.log.display()))
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // It has nothing to lose: what it works on is thrown away.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
