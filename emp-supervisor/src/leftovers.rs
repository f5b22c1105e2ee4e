//! Processes of a run that nobody supervises any more: found by the mark in their environment, which whatever they start inherits, by
//! what was written down of them, and by their parents.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sysinfo::{Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use crate::status::MachineStatus;

/// The variable that marks a process: `run/name`.
pub const MARK: &str = "EMP_MACHINE_MARK";
/// How often it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(50);
/// A process that is killed is gone after that, unless the kernel itself hangs.
const KILLED_WITHIN: Duration = Duration::from_secs(5);

/// Which processes are meant.
#[derive(Clone, Debug)]
pub struct Marked {
    /// `run/name`, or `run/` for all of a run.
    mark: String,
    whole: bool,
    /// Processes by pid and start: a program may write over its environment.
    known: BTreeSet<(u32, u64)>,
}

impl Marked {
    /// Everything of a run.
    pub fn run(status: &MachineStatus) -> Self {
        let known = status.processes.iter().filter_map(|process| Some((process.pid?, process.began?)));
        Self { mark: format!("{}/", status.run), whole: false, known: known.collect() }
    }

    /// One process and what it has started.
    pub(crate) fn process(mark: &str) -> Self {
        Self { mark: mark.to_owned(), whole: true, known: BTreeSet::new() }
    }

    /// Those that are there now.
    pub fn find(&self) -> Vec<u32> {
        let Ok(mut system) = System::new() else { return Vec::new() };
        let kind = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always).without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let there: Vec<&Process> = system
            .processes()
            .values()
            .filter(|process| !matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead))
            .collect();
        let mut found: BTreeSet<u32> = there
            .iter()
            .filter(|process| self.names(process))
            .map(|process| process.pid().as_u32())
            .collect();
        // A child may have neither: it was given another environment.
        loop {
            let before = found.len();
            let children = there
                .iter()
                .filter(|process| process.parent().is_some_and(|parent| found.contains(&parent.as_u32())));
            found.extend(children.map(|process| process.pid().as_u32()).collect::<Vec<_>>());
            if found.len() == before {
                break;
            }
        }
        found.remove(&std::process::id());
        found.into_iter().collect()
    }

    fn names(&self, process: &Process) -> bool {
        let marked = |pair: &OsString| {
            let value = pair.to_str().and_then(|pair| pair.strip_prefix(MARK)?.strip_prefix('='));
            value.is_some_and(
                |value| if self.whole { value == self.mark } else { value.starts_with(&self.mark) },
            )
        };
        process.environ().iter().any(marked)
            || self.known.contains(&(process.pid().as_u32(), process.start_time()))
    }

    /// Tells them to end, and ends them when they have not within a time. Gives how many there were, and those that are still there.
    pub fn end(&self, within: Duration) -> (usize, Vec<u32>) {
        let first = self.find();
        if first.is_empty() {
            return (0, first);
        }
        if !within.is_zero() {
            send(&first, Signal::TERM);
            if self.gone(within).is_empty() {
                return (first.len(), Vec::new());
            }
        }
        // What they start while they are ended is ended too.
        let deadline = Instant::now() + KILLED_WITHIN;
        loop {
            let left = self.find();
            if left.is_empty() || Instant::now() > deadline {
                return (first.len(), left);
            }
            send(&left, Signal::KILL);
            std::thread::sleep(LOOK);
        }
    }

    fn gone(&self, within: Duration) -> Vec<u32> {
        let deadline = Instant::now() + within;
        loop {
            let left = self.find();
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Sends a signal to processes that were there a moment ago.
fn send(pids: &[u32], signal: Signal) {
    for pid in pids {
        if let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) {
            // It may have ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }
}

/// When a process began, in seconds since 1970.
pub(crate) fn began(pid: u32) -> Option<u64> {
    let mut system = System::new().ok()?;
    let pid = sysinfo::Pid::from_u32(pid);
    let kind = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    Some(system.process(pid)?.start_time())
}
