//! The grammar of `emp export`, `emp machine` and `emp health`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// Which workers, on what machine.
#[derive(Clone, Debug, Args)]
pub(crate) struct Planned {
    /// Which workers: slots of an external one, instances of an internal one.
    #[arg(long, env = "WORKERS", value_name = "NAME:COUNT,..")]
    pub(crate) workers: Option<String>,
    /// How many GPUs the machine has; `NUM_GPUS`, the mapping's `machine`, or what there is here when not given.
    #[arg(long, value_name = "COUNT")]
    pub(crate) gpus: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// What for.
    #[arg(value_enum)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) planned: Planned,
    /// The program that the files start; this one, by its name, when not given.
    #[arg(long, value_name = "PATH")]
    pub(crate) program: Option<String>,
    /// The binary that a Dockerfile builds; the one that this program is when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Option<String>,
    /// The image that has it, without a tag: the tag is the build stage.
    #[arg(long, default_value = "emp", value_name = "NAME")]
    pub(crate) image: String,
    /// Write the files into a folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 6 when a file in the folder is not fresh; in this folder when none is given.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// A pm2 ecosystem.
    Pm2,
    /// A file for Docker Compose.
    Compose,
    /// Units of systemd.
    Systemd,
    /// Kubernetes manifests.
    K8s,
    /// A shell script that sets the environment, or stops.
    Env,
    /// A Dockerfile with the mapping's build stages.
    Dockerfile,
    /// A dashboard, as JSON.
    Grafana,
    /// Rules for Prometheus.
    Alerts,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Machine {
    /// What would run here: processes, GPUs, ports and variables; or everything that does not fit, with reasons.
    Plan {
        #[command(flatten)]
        planned: Planned,
    },
    /// Run it: install, start services, then workers, and start again what ends, until Ctrl-C or `emp machine down`.
    Up(Up),
    /// What runs: state, pid, restarts, health and ports of each process. Exits with 1 when something is not up.
    Status {
        #[command(flatten)]
        dir: Dir,
    },
    /// What processes and installers print.
    Logs(Logs),
    /// End a process, or all of a worker, and start it again; everything when not named.
    Restart {
        /// A process or a worker.
        name: Option<String>,
        #[command(flatten)]
        dir: Dir,
    },
    /// End everything: workers hand their jobs over, then the services end. Also what a killed `up` has left behind.
    Down {
        /// Wait for nobody.
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        dir: Dir,
    },
    /// Become a program that ends with its supervisor.
    #[command(hide = true)]
    Exec {
        /// The supervisor.
        parent: u32,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Which machine.
#[derive(Clone, Debug, Args)]
pub(crate) struct Dir {
    /// The folder of its lock, its state and its logs.
    #[arg(long, env = "EMP_MACHINE_DIR", default_value = "emp-data/machine", value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) planned: Planned,
    #[command(flatten)]
    pub(crate) dir: Dir,
    /// Install also what is installed already.
    #[arg(long)]
    pub(crate) reinstall: bool,
    /// How long a service may take until it answers.
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = super::duration)]
    pub(crate) start_timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// A process, a worker, or an installation as `WORKER-install`; everything when not named.
    pub(crate) name: Option<String>,
    /// How many of the last lines of each.
    #[arg(long, short = 'n', default_value_t = 20)]
    pub(crate) lines: usize,
    /// Go on with what comes, until Ctrl-C.
    #[arg(long, short)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) dir: Dir,
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// What to ask; this machine's worker (`EMP_METRICS_LISTEN`) or API when not given.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<emp_core::Url>,
    /// Only whether somebody listens at an address: for a service that has nothing to ask.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "url")]
    pub(crate) listens: Option<std::net::SocketAddr>,
    /// Ask whether it takes jobs, and not only whether it lives.
    #[arg(long, conflicts_with_all = ["url", "listens"])]
    pub(crate) ready: bool,
    #[command(flatten)]
    pub(crate) api: super::ApiArgs,
}
