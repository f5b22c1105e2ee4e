//! What is made of declarations: environments, mappings, schemas.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Env {
    /// Which variables the workers need, and whether they are set and valid. Values are never shown.
    Check {
        /// Which workers; all of the mapping when not given.
        #[arg(long, env = "WORKERS", value_name = "NAME:SLOTS,..")]
        workers: Option<String>,
    },
    /// Where each variable is read, what it must be, and what for.
    Explain {
        /// Which variable; all when not given.
        variable: Option<String>,
        /// Of which workers; all of the mapping when not given.
        #[arg(long, env = "WORKERS", value_name = "NAME:SLOTS,..")]
        workers: Option<String>,
    },
    /// An example of the environment, for every connector.
    Example {
        /// For these workers only, with the variables of the mapping.
        #[arg(long, value_name = "NAME:SLOTS,..", conflicts_with_all = ["write", "check"])]
        workers: Option<String>,
        /// Write `.env.example`.
        #[arg(long, conflicts_with = "check")]
        write: bool,
        /// Exit with 6 when `.env.example` is not this.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MappingCommand {
    /// Turn a mapping of the system replaced, of either shape, into one of this, and say what could not be carried over.
    Migrate {
        /// The old mapping.
        file: PathBuf,
        /// Where the new one goes; stdout when not given.
        #[arg(long = "out", value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which one to print.
    #[arg(value_enum, default_value = "mapping")]
    pub(crate) which: SchemaName,
    /// Write all of them into the folder.
    #[arg(long, conflicts_with = "check")]
    pub(crate) write: bool,
    /// Exit with 6 when one in the folder is not fresh.
    #[arg(long)]
    pub(crate) check: bool,
    /// The folder.
    #[arg(long, default_value = "schemas", value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// `service-mapping.json`
    Mapping,
    /// The body of `POST /api/jobs`, with each service's payload.
    Job,
    /// What `emp check --format json` prints.
    Findings,
    /// The API's `OpenAPI` document.
    Api,
    /// What `emp machine plan --json` prints.
    MachinePlan,
    /// What `emp connector test --format json` prints.
    Contract,
    /// A record of a service, as `emp connector record` writes it.
    Record,
}
