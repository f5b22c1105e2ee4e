//! The grammar of `emp connector test`, `record` and `new`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

/// Which connectors.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Every connector of this binary.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorTest {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Only the scenarios whose id has this in it: `F26`, `crash`, `cancel,states.word`. A comma means or, `*` anything.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) scenario: Option<String>,
    /// How the reports are printed.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: TestFormat,
    /// Write the reports to a file instead.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The folder of the records of the services.
    #[arg(long, default_value = "schemas/services", value_name = "DIR")]
    pub(crate) records: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people: scenario, result, milliseconds, reason.
    Table,
    /// `JUnit` XML: one suite for each connector, one case for each scenario.
    Junit,
    /// As `emp schema contract` describes.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorRecord {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The folder of the records of the services.
    #[arg(long, default_value = "schemas/services", value_name = "DIR")]
    pub(crate) records: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").args(["from_curl", "from_openapi"]))]
pub(crate) struct ConnectorNew {
    /// Its name, in any case: `acme-video`, `AcmeVideo`.
    pub(crate) name: String,
    /// The service that jobs ask for; the name in kebab case when not given.
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// A curl command that submits a job, as a service's documentation shows it. Its credential is not written anywhere.
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub(crate) from_curl: Option<String>,
    /// An `OpenAPI` description, JSON or YAML.
    #[arg(long, value_name = "FILE", requires = "operation")]
    pub(crate) from_openapi: Option<PathBuf>,
    /// The operation that submits a job: its `operationId`, or `POST /path`.
    #[arg(long, value_name = "ID", requires = "from_openapi")]
    pub(crate) operation: Option<String>,
    /// The operation that asks after a job; found by its path when not given.
    #[arg(long, value_name = "ID", requires = "from_openapi")]
    pub(crate) poll: Option<String>,
    /// The folder of the connectors' sources.
    #[arg(long, default_value = "connectors", value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
