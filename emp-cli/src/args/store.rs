//! Where jobs live, and what to do with it.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use emp_core::Secret;
use emp_store::Bounds;

use super::duration;
use crate::environment::Environment;

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

/// For how long files are kept: the duration, if it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keep(pub(crate) Option<Duration>);

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "forever" => Ok(Self(None)),
            text => match duration(text) {
                Ok(Duration::ZERO) => Err("is no time at all; `forever` keeps files for good".to_owned()),
                Ok(time) => Ok(Self(Some(time))),
                Err(error) => Err(format!("{error}; `forever` keeps files for good")),
            },
        }
    }
}

/// A look at a store.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Whether its server can lose jobs, with the line to set for each reason, and the rights that a user of it needs.
    Doctor {
        #[command(flatten)]
        store: StoreUrl,
    },
}

/// Which store.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreUrl {
    /// `memory:`, `file:PATH`, `redis://..`, `rediss://..`, `redis+sentinel://..` or `redis+cluster://..`; `file:./emp-data` when not given.
    /// A password is better given by the variable, or by `EMP_STORE_FILE`, which names a file with the URL.
    #[arg(long = "store", env = "EMP_STORE", hide_env_values = true, value_name = "URL")]
    given: Option<String>,
}

impl StoreUrl {
    /// The store's URL, wherever it stands: the flag, the variable, or the file that `EMP_STORE_FILE` names.
    pub(crate) fn url(&self, env: &Environment) -> String {
        let given = self.given.as_deref().filter(|url| !url.is_empty());
        let file = || env.file("EMP_STORE").map(Secret::expose);
        given.or_else(file).unwrap_or(STORE).to_owned()
    }
}

/// Where jobs live.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) store: StoreUrl,

    /// Use a server that would lose jobs, such as one that throws keys away when it is full: for development.
    #[arg(long, env = "EMP_ALLOW_UNSAFE_STORE")]
    pub(crate) allow_unsafe_store: bool,

    /// What to do when the store's server comes back without its data.
    #[arg(long, env = "EMP_ON_EMPTY", value_enum, default_value_t = OnEmpty::Refuse, value_name = "CONDUCT")]
    pub(crate) on_empty: OnEmpty,

    /// For how long a worker may be silent before its jobs go to another.
    #[arg(long, env = "EMP_LEASE", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub(crate) lease: Duration,

    /// Tell a client that its job is taken in, or cancelled, when so many replicas of the Redis store have it too.
    #[arg(long, env = "EMP_STORE_REPLICAS", default_value_t = 0, value_name = "N")]
    pub(crate) store_replicas: u32,

    /// How many jobs of a service may wait; what comes on top of them is refused with 429. `100000,comfyui=500` for another number of one service.
    #[arg(long, env = "EMP_MAX_QUEUED", default_value = "100000", value_parser = bounds, value_name = "N[,SERVICE=N..]")]
    pub(crate) max_queued: Bounds,

    /// For how long a job is kept that succeeded; never less than 48 hours for one with an idempotency key.
    #[arg(long, env = "EMP_KEEP_SUCCEEDED", default_value = "24h", value_parser = duration, value_name = "DURATION")]
    pub(crate) keep_succeeded: Duration,

    /// For how long a job is kept that failed or was cancelled.
    #[arg(long, env = "EMP_KEEP_FAILED", default_value = "7d", value_parser = duration, value_name = "DURATION")]
    pub(crate) keep_failed: Duration,

    /// For how long a job is kept that was taken out because it ends its workers.
    #[arg(long, env = "EMP_KEEP_QUARANTINED", default_value = "30d", value_parser = duration, value_name = "DURATION")]
    pub(crate) keep_quarantined: Duration,

    /// Where the files of results go: a directory, `s3://bucket/prefix`, `gs://..`, `az://..`; `outputs` in the store's directory when not given.
    #[arg(long, env = "EMP_OUTPUTS", value_name = "DIR|URL")]
    pub(crate) outputs: Option<String>,

    /// For how long files of results are kept from when they were written: `30d`, or `forever`.
    #[arg(long, env = "EMP_OUTPUTS_KEEP", default_value = "30d", value_name = "DURATION")]
    pub(crate) outputs_keep: Keep,

    /// Where services on the internet reach the API, so that they can call when a job has news.
    #[arg(long, env = "EMP_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<emp_core::Url>,
}

fn bounds(text: &str) -> Result<Bounds, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<u64>().ok().filter(|number| *number > 0);
        number.ok_or_else(|| {
            format!("`{text}` is no number of jobs from 1 on; write `100000` or `100000,comfyui=500`")
        })
    };
    let mut bounds = Bounds::default();
    for part in text.split(',') {
        match part.split_once('=') {
            Some((service, most)) => {
                bounds.of.insert(service.trim().to_owned(), number(most)?);
            }
            None => bounds.each = number(part)?,
        }
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_for_a_while_or_for_good() {
        assert_eq!("36h".parse(), Ok(Keep(Some(Duration::from_hours(36)))));
        assert_eq!("forever".parse(), Ok(Keep(None)));
        for other in ["0s", "always", "-1h"] {
            let error = other.parse::<Keep>().unwrap_err();
            assert!(error.contains("`forever` keeps files for good"), "{error}");
        }
    }

    #[test]
    fn p27_bounds_are_one_number_and_others_for_some_services() {
        let read = bounds("10, comfyui=3,replicate=7").unwrap();
        assert_eq!((read.of("other"), read.of("comfyui"), read.of("replicate")), (10, 3, 7));
        assert_eq!(bounds("comfyui=3").unwrap().each, Bounds::default().each);
        for wrong in ["", "0", "-1", "many", "10,comfyui", "10,comfyui="] {
            assert!(bounds(wrong).is_err(), "{wrong}");
        }
    }
}
