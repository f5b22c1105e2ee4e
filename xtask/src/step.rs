//! One command of a chore: announced, timed, and its failure passed on.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Instant;

/// A step that did not succeed.
pub(crate) struct Failed {
    /// Its name.
    pub(crate) step: String,
    /// The exit code to end with.
    pub(crate) code: u8,
}

/// A command to run.
pub(crate) struct Step {
    name: String,
    command: Command,
}

impl Step {
    /// A cargo command. `CARGO` is the cargo that runs this xtask, so that a pinned toolchain stays pinned.
    pub(crate) fn cargo<const N: usize>(name: &str, args: [&str; N]) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::program(name, cargo, args)
    }

    /// Any command.
    pub(crate) fn program<const N: usize>(name: &str, program: impl AsRef<OsStr>, args: [&str; N]) -> Self {
        let mut command = Command::new(program);
        command.args(args);
        Self { name: name.to_owned(), command }
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, args: &[String]) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it, and says how long it took.
    pub(crate) fn run(mut self) -> Result<(), Failed> {
        say(&format!("{}: {}", self.name, describe(&self.command)));
        let started = Instant::now();
        let status = self.command.status();
        match status {
            Ok(status) if status.success() => {
                say(&format!("{}: done in {:.0?}", self.name, started.elapsed()));
                Ok(())
            }
            Ok(status) => Err(Failed {
                step: self.name,
                code: status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1),
            }),
            Err(error) => {
                say(&format!("{}: {error}", self.name));
                Err(Failed { step: self.name, code: 127 })
            }
        }
    }

    /// Runs it silently and says whether it succeeded: a question, not a step.
    pub(crate) fn holds(mut self) -> bool {
        self.command.output().is_ok_and(|output| output.status.success())
    }
}

fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    command.get_args().fold(program, |line, arg| line + " " + &arg.to_string_lossy())
}

/// One line of what is going on.
#[allow(clippy::print_stderr)] // a chore talks to the person who started it
pub(crate) fn say(line: &str) {
    eprintln!("==> {line}");
}
