//! The `emp` command line as a library, so that every user's own binary has it:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     emp_cli::main(&my_connectors::REGISTRY)
//! }
//! ```
//!
//! Data goes to stdout, everything else to stderr; every command has `--json`; the exit codes are [`Exit`].

mod args;
mod client;
mod command;
mod docs;
mod environment;
mod exit;
mod files;
mod logging;
mod machine;
mod output;
mod runtime;
mod signals;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;
use emp_core::Registry;

pub use exit::Exit;

/// Runs the command line over a binary's connectors.
pub fn main(registry: &'static Registry) -> ExitCode {
    let cli = args::Cli::parse();
    let out = output::Output::new(cli.json);
    match command::run(cli, registry, &out) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out.failure(&failure);
            failure.exit.into()
        }
    }
}
