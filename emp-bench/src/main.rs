//! Measures of this project, each beside what it is compared with, taken in turns in one run: `cargo xtask bench`.
//!
//! A [`measure`] is a module: it makes its subjects, runs them in turns, and returns [`report::Taken`]: rows, the ratios between them, and the
//! goals that they are held to. Everything that a measure needs from outside comes from its [`plan::Plan`]; everything that it
//! says goes through the report, so that `--json` has all of it. What is measured by its own processor time and memory is a process of
//! its own, a [`contender`]: this program once more, or a [peer](peers) in its own language.

mod actor;
mod artifacts;
mod contender;
mod measure;
mod peers;
mod plan;
mod process;
mod report;
mod series;
mod server;
mod subjects;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use plan::Plan;
use report::Report;

/// Measures this project beside what it is compared with, in one run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", after_help = measure::list())]
struct Cli {
    /// Which measures; all when none is named.
    #[arg(value_name = "MEASURE", value_parser = measure::names())]
    measures: Vec<String>,
    /// Only comparisons with this one, such as `serde`; may be repeated.
    #[arg(long, value_name = "PEER", value_parser = measure::peers())]
    only: Vec<String>,
    /// Fewer rounds: shows that it runs, and the order of magnitude.
    #[arg(long)]
    quick: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What kept a measure from being taken.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A program could not be started, or a file not be written.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The server of a measure refused something.
    #[error("redis-server: {0}")]
    Server(#[from] redis::RedisError),
    /// A program ran and failed.
    #[error("{0}")]
    Ran(String),
}

impl Failure {
    /// Says what was tried when it failed.
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        |error| Self::Io { what: what.into(), error }
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(contender::WORD) {
        return match contender::run(std::env::args().skip(1)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                say(&failure.to_string());
                ExitCode::FAILURE
            }
        };
    }
    let Cli { measures, only, quick, json } = Cli::parse();
    let plan = Plan { measures, only, quick };
    let mut report = Report::new(quick);
    let mut failed = false;
    for measure in measure::ALL.iter().filter(|measure| plan.wants(measure)) {
        say(&format!("{}: {}", measure.name, measure.about));
        match (measure.take)(&plan) {
            Ok(taken) => report.add(measure.name, taken),
            Err(failure) => {
                say(&format!("{}: {failure}", measure.name));
                failed = true;
            }
        }
    }
    let text = if json { report.json() } else { report.table() };
    // A reader that has gone away is no failure of the measures.
    let _ = writeln!(std::io::stdout(), "{text}");
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One line of what is going on; what was measured goes to stdout.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "==> {line}");
}
