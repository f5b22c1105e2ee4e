//! Where jobs live, and what to do with it.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::duration;

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

    /// For how long files of results are kept from when they were written: `30d`, or `forever`.
    #[arg(long, env = "EMP_OUTPUTS_KEEP", default_value = "30d", value_name = "DURATION")]
    pub(crate) outputs_keep: Keep,

    /// Where services on the internet reach the API, so that they can call when a job has news.
    #[arg(long, env = "EMP_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<emp_core::Url>,
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
}
