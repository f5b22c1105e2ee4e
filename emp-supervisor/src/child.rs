//! Starting a process: in a group of its own, behind its guard, marked, with its output in a log.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use emp_machine::Environment;
use emp_machine::supervise::Ending;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::leftovers::{MARK, Marked};
use crate::log;

/// Our own program, and what has it [guard](crate::guard) another.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) program: String,
    pub(crate) command: Vec<String>,
}

/// What is started.
pub(crate) struct Start<'a> {
    pub(crate) command: &'a [String],
    pub(crate) environment: &'a Environment,
    pub(crate) mark: &'a str,
    pub(crate) log: &'a Path,
}

/// Starts a process.
///
/// Only from the thread that lasts as long as the supervisor: the kernel takes the end of the *thread* that starts a process for its
/// parent's end.
pub(crate) fn start(guard: &Guard, start: &Start<'_>) -> std::io::Result<Child> {
    let (reader, writer) = std::io::pipe()?;
    let mut command = Command::new(&guard.program);
    command.args(&guard.command).arg(std::process::id().to_string()).arg("--").args(start.command);
    for name in &start.environment.unset {
        command.env_remove(name);
    }
    command.envs(&start.environment.set).env(MARK, start.mark);
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    // Ctrl-C of a terminal is for the supervisor, which ends the others in order.
    command.process_group(0);
    let child = command.spawn()?;
    log::capture(reader, start.log.to_owned(), &format!("started, pid {}", child.id().unwrap_or_default()));
    Ok(child)
}

/// Waits for the end of a process, and ends what it has left behind.
pub(crate) async fn ended(mut child: Child, mark: String) -> Ending {
    use std::os::unix::process::ExitStatusExt as _;
    let status = child.wait().await;
    let left = tokio::task::spawn_blocking(move || Marked::process(&mark).end(Duration::ZERO)).await;
    if let Ok((_, left)) = left
        && !left.is_empty()
    {
        tracing::error!(pids = ?left, "processes cannot be ended");
    }
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Code(code),
            (None, signal) => Ending::Signal(signal.unwrap_or_default()),
        },
        // Nobody else waits for it.
        Err(_) => Ending::Code(-1),
    }
}

/// Sends a signal to a process and its group.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process_group(pid, signal);
    }
}
