//! The command line's grammar.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

mod check;
mod job;
mod kit;
mod machine;
pub(crate) mod openapi;
mod run;
mod store;
mod tree;

pub(crate) use check::{Check, Deny, Format};
pub(crate) use job::{ApiArgs, Job, Submit};
pub(crate) use kit::{ConnectorNew, ConnectorRecord, ConnectorTest, TestFormat};
pub(crate) use machine::{Dir, Export, Health, Logs, Machine, Planned, Target, Up};
pub(crate) use openapi::OpenApi;
pub(crate) use run::{Demo, Dev, Serve, Worker};
pub(crate) use store::{Keep, OnEmpty, STORE, Store, StoreArgs};
pub(crate) use tree::{Env, MappingCommand, Schema, SchemaName};

/// Connect job queues to external AI services.
#[derive(Debug, Parser)]
#[command(name = "emp", version, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done · 1 the answer is no · 2 usage · 3 configuration · 4 auth · 5 not found · \
6 conflict · 7 unreachable · 9 uncertain · 70 our bug · 124 timed out · 130 interrupted"
)]
pub(crate) struct Cli {
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// `service-mapping.json`; the one that the build checked when not given.
    #[arg(long, global = true, env = "EMP_MAPPING", value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run jobs through fake services, kill a worker half-way, and show that nothing was paid twice.
    Demo(Demo),
    /// API and workers in one process, for development; with `--fake`, fake services too.
    Dev(Dev),
    /// API and workers in one process, for production.
    Serve(Serve),
    /// Workers alone, on the same store as an API elsewhere.
    Worker(Worker),
    /// Make a project of your own, with one connector, a mapping, a test and a CI file.
    New(New),
    /// Check a mapping against the connectors, without compiling them.
    Check(Check),
    /// Whether a worker or an API lives; for the health check of a container.
    Health(Health),
    /// Plan what runs on a machine, run it, and look after it.
    #[command(subcommand)]
    Machine(Machine),
    /// Files that start the workers under pm2, Docker Compose, systemd or Kubernetes.
    Export(Export),
    /// The connectors of this binary.
    #[command(subcommand)]
    Connector(Connector),
    /// Submit, watch and cancel jobs over the API.
    #[command(subcommand)]
    Job(Job),
    /// The store that jobs live in.
    #[command(subcommand)]
    Store(Store),
    /// The environment that the connectors need.
    #[command(subcommand)]
    Env(Env),
    /// Service mappings of elsewhere.
    #[command(subcommand)]
    Mapping(MappingCommand),
    /// The JSON Schemas and the OpenAPI document.
    Schema(Schema),
    /// Slices of vendors' `OpenAPI` descriptions, which the build checks connectors against.
    #[command(subcommand, name = "openapi")]
    OpenApi(OpenApi),
    /// What a code such as `EMP0104` or `E_AUTH` means, and what to do.
    Explain {
        /// The code.
        code: Option<String>,
    },
    /// Completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder; the project has its name.
    pub(crate) dir: PathBuf,
    /// The service of the project's first connector.
    #[arg(long, default_value = "my-service", value_name = "NAME")]
    pub(crate) connector: String,
    /// Build against a checkout of EMP connectors in this folder; against this program's version when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connector {
    /// All of them.
    List,
    /// One of them, whole.
    Show {
        /// Its name; all when not given.
        name: Option<String>,
        /// Only how many lines its declaration has.
        #[arg(long)]
        lines: bool,
    },
    /// A page for each, in Markdown.
    Docs(Docs),
    /// Hold connectors to their contract: states, cancels, faults and crashes, against fakes of their services.
    Test(ConnectorTest),
    /// Write down what a reviewed connector says of its service; `test` holds it against that from then on.
    Record(ConnectorRecord),
    /// Run a fake of a connector's service, made from its declaration, until Ctrl-C.
    Fake {
        /// The connector.
        name: String,
        /// The port on loopback.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Write a new connector, from nothing, a curl command or an `OpenAPI` description.
    New(Box<ConnectorNew>),
}

#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// Its name; all when not given.
    pub(crate) name: Option<String>,
    /// Write the pages of all of them into a folder.
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 6 when one in the folder is not fresh; `docs/connectors` when no folder is given.
    #[arg(long, conflicts_with = "name")]
    pub(crate) check: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    emp_core::syntax::duration::parse(text).map_err(|error| error.to_string())
}
