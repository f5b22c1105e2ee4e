//! Jobs, over the API.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::duration;

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
