//! The command line's grammar.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod kit;
mod machine;
pub(crate) mod openapi;

pub(crate) use machine::{Export, Health, Machine, Planned, Target};

pub(crate) use kit::{ConnectorNew, ConnectorRecord, ConnectorTest, TestFormat};
pub(crate) use openapi::OpenApi;

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
    /// What runs on a machine.
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

/// Where jobs live when nobody says otherwise.
pub(crate) const STORE: &str = "file:./emp-data";

/// What to do when the store's server comes back without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnEmpty {
    /// Take nothing in and claim nothing, until the data are there again.
    Refuse,
    /// Go on with an empty store; what workers have at that moment is put back.
    Accept,
}

/// A look at a store.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Whether its server can lose jobs, with the line to set for each reason, and the rights that a user of it needs.
    Doctor {
        /// Which store.
        #[arg(long, env = "EMP_STORE", default_value = STORE, value_name = "URL")]
        store: String,
    },
}

/// Where jobs live.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// `memory:`, `file:PATH`, `redis://..`, `rediss://..`, `redis+sentinel://..` or `redis+cluster://..`; a password is better given by the variable
    #[arg(long, env = "EMP_STORE", default_value = STORE, value_name = "URL")]
    pub(crate) store: String,

    /// Use a server that would lose jobs, such as one that throws keys away when it is full: for development.
    #[arg(long, env = "EMP_ALLOW_UNSAFE_STORE")]
    pub(crate) allow_unsafe_store: bool,

    /// What to do when the store's server comes back without its data.
    #[arg(long, env = "EMP_ON_EMPTY", value_enum, default_value_t = OnEmpty::Refuse, value_name = "CONDUCT")]
    pub(crate) on_empty: OnEmpty,

    /// For how long a worker may be silent before its jobs go to another.
    #[arg(long, env = "EMP_LEASE", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub(crate) lease: Duration,

    /// Where the files of results go: a directory, `s3://bucket/prefix`, `gs://..`, `az://..`; `outputs` in the store's directory when not given.
    #[arg(long, env = "EMP_OUTPUTS", value_name = "DIR|URL")]
    pub(crate) outputs: Option<String>,

    /// Where services on the internet reach the API, so that they can call when a job has news.
    #[arg(long, env = "EMP_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<emp_core::Url>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many jobs.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(3..=200))]
    pub(crate) jobs: u16,
    /// Where its jobs live, for example `redis://127.0.0.1:6379?queue=demo`; a file that is gone afterwards when not given.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Start a fake of every service that the workers use; no key and no network is needed.
    #[arg(long)]
    pub(crate) fake: bool,
    /// Which workers with how many slots; all workers of the mapping when not given.
    #[arg(long, env = "WORKERS", value_name = "NAME:SLOTS,..")]
    pub(crate) workers: Option<String>,
    /// The API's port; the next free one is taken when it is in use.
    #[arg(long, env = "EMP_PORT", default_value_t = 3000)]
    pub(crate) port: u16,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which workers with how many slots; none when not given.
    #[arg(long, env = "WORKERS", value_name = "NAME:SLOTS,..")]
    pub(crate) workers: Option<String>,
    /// The API's address.
    #[arg(long, env = "EMP_LISTEN", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// Which workers with how many slots.
    #[arg(long, env = "WORKERS", value_name = "NAME:SLOTS,..")]
    pub(crate) workers: String,
    /// Where the worker shows its health; nowhere when not given.
    #[arg(long, env = "EMP_METRICS_LISTEN", value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// A fake service in place of a connector's own, as `demo` starts it.
    #[arg(long = "fake", hide = true, value_name = "CONNECTOR=URL", value_parser = fake)]
    pub(crate) fakes: Vec<(String, emp_core::Url)>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
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

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder of the connectors' sources.
    #[arg(long, default_value = "connectors", value_name = "DIR")]
    pub(crate) connectors: PathBuf,
    /// The Dockerfile that has the build stages.
    #[arg(long, value_name = "FILE")]
    pub(crate) dockerfile: Option<PathBuf>,
    /// How findings are printed; `github` by itself in a GitHub workflow, else `human`.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Check again whenever a file changes, until Ctrl-C.
    #[arg(long)]
    pub(crate) watch: bool,
    /// First make the changes of the mapping that cannot do harm, and put its keys into the schema's order.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Exit as for errors when there are warnings.
    #[arg(long, value_enum)]
    pub(crate) deny: Option<Deny>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// All of them.
    Warnings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0, for code scanning and editors.
    Sarif,
    /// `JUnit` XML: each error is a case that failed.
    Junit,
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

/// Where the API is.
#[derive(Clone, Debug, Args)]
pub(crate) struct ApiArgs {
    /// The API's address.
    #[arg(long, env = "EMP_API", default_value = "http://127.0.0.1:3000", value_name = "URL")]
    pub(crate) api: emp_core::Url,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// Submit a job.
    Submit(Submit),
    /// A job, whole.
    Get {
        /// The job.
        id: String,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Jobs, newest first.
    List {
        /// Only this status: pending, running, completed, failed, cancelled, unknown.
        #[arg(long)]
        status: Option<String>,
        /// Only this service.
        #[arg(long)]
        service: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u16,
        /// The `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Follow a job's events until it ends.
    Watch {
        /// The job.
        id: String,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Wait until a job ends; the exit code says how.
    Wait {
        /// The job.
        id: String,
        /// For how long.
        #[arg(long, value_parser = duration)]
        timeout: Option<Duration>,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Cancel a job.
    Cancel {
        /// The job.
        id: String,
        /// Why, for the record.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        api: ApiArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The service.
    pub(crate) service: String,
    /// The payload: JSON, `@FILE`, `-` for stdin, or `key=value` (the value is JSON when it is valid JSON, else text). May be repeated.
    #[arg(long, short, value_name = "JSON | @FILE | - | KEY=VALUE")]
    pub(crate) input: Vec<String>,
    /// 0 to 9; 9 goes first. The API's own default, 0, when not given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) priority: Option<u8>,
    /// What a worker must have.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,
    /// The same key and payload give the same job.
    #[arg(long)]
    pub(crate) idempotency_key: Option<String>,
    /// Wait until it ends.
    #[arg(long)]
    pub(crate) wait: bool,
    /// For how long to wait.
    #[arg(long, value_parser = duration, requires = "wait")]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

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

fn duration(text: &str) -> Result<Duration, String> {
    emp_core::syntax::duration::parse(text).map_err(|error| error.to_string())
}

fn fake(text: &str) -> Result<(String, emp_core::Url), String> {
    let (name, url) = text.split_once('=').ok_or("write CONNECTOR=URL")?;
    Ok((name.to_owned(), url.parse().map_err(|error| format!("{error}"))?))
}
