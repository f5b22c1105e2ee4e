//! What a program's whole run takes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::Failure;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// By the clock on the wall.
    pub(crate) wall: Duration,
    /// Of processors, in the program and in the kernel for it. A busy machine changes it little.
    pub(crate) cpu: Duration,
}

/// Runs a program to its end. What it prints is not shown unless it fails.
pub(crate) fn run(command: &mut Command) -> Result<Sample, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Failure::io(format!("cannot start `{program}`")))?;
    let ended = child.wait4().map_err(Failure::io(format!("cannot wait for `{program}`")))?;
    let wall = started.elapsed();
    if !ended.status.success() {
        let output = command
            .stderr(Stdio::piped())
            .output()
            .map_err(Failure::io(format!("cannot start `{program}`")))?;
        return Err(Failure::Ran(format!("`{program}` failed: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(Sample { wall, cpu: ended.rusage.utime + ended.rusage.stime })
}

/// Milliseconds, as the tables have them.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The word after a program's name in what it says of its version: `rustc 1.95.0 (59807616e 2026-04-14)`.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(1).map(str::to_owned)
}
