//! The grammar of `emp export`, `emp machine` and `emp health`.

use std::path::PathBuf;

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
    /// The program that the files start.
    #[arg(long, default_value = "emp", value_name = "PATH")]
    pub(crate) program: String,
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
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// What to ask; this machine's worker (`EMP_METRICS_LISTEN`) or API when not given.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<emp_core::Url>,
    /// Ask whether it takes jobs, and not only whether it lives.
    #[arg(long, conflicts_with = "url")]
    pub(crate) ready: bool,
    #[command(flatten)]
    pub(crate) api: super::ApiArgs,
}
