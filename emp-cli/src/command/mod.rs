//! One file per command.

mod check;
mod connector;
mod demo;
mod dev;
mod docs;
mod env;
mod explain;
mod export;
mod health;
mod job;
mod machine;
mod mapping;
mod new;
mod openapi;
mod schema;
mod serve;
mod store;
mod welcome;

use clap::CommandFactory;
use emp_core::Registry;

use crate::args::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime;

/// Runs what the command line says.
pub(crate) fn run(cli: Cli, registry: &'static Registry, out: &Output) -> Result<Exit, Failure> {
    let mapping = cli.mapping.as_deref();
    let Some(command) = cli.command else { return Ok(welcome::run(registry, out)) };
    match command {
        Command::Demo(args) => runtime::block_on(demo::run(&args, registry, mapping, out)),
        Command::Dev(args) => runtime::block_on(dev::run(&args, registry, mapping, out)),
        Command::Serve(args) => runtime::block_on(serve::serve(&args, registry, mapping)),
        Command::Worker(args) => runtime::block_on(serve::worker(&args, registry, mapping)),
        Command::New(args) => new::run(&args, out),
        Command::Check(args) => check::run(&args, mapping, out),
        Command::Health(args) => runtime::block_on(health::run(&args, out)),
        Command::Machine(args) => machine::run(&args, registry, mapping, out),
        Command::Export(args) => export::run(&args, registry, mapping, out),
        Command::Connector(args) => connector::run(&args, registry, mapping, out),
        Command::Job(args) => runtime::block_on(job::run(args, out)),
        Command::Store(args) => runtime::block_on(store::run(&args, out)),
        Command::Env(args) => env::run(&args, registry, mapping, out),
        Command::Mapping(args) => mapping::run(&args, out),
        Command::Schema(args) => schema::run(&args, registry, mapping, out),
        Command::OpenApi(args) => openapi::run(&args, out),
        Command::Explain { code } => explain::run(code.as_deref(), out),
        Command::Completions { shell } => {
            // Not straight to stdout: the generator panics when its reader has gone away.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "emp", &mut script);
            out.line(String::from_utf8_lossy(&script).trim_end());
            Ok(Exit::Ok)
        }
    }
}
