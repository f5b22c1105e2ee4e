//! What starts workers and an API.

use std::net::SocketAddr;

use clap::Args;

use super::StoreArgs;

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

fn fake(text: &str) -> Result<(String, emp_core::Url), String> {
    let (name, url) = text.split_once('=').ok_or("write CONNECTOR=URL")?;
    Ok((name.to_owned(), url.parse().map_err(|error| format!("{error}"))?))
}
