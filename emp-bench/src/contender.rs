//! What is measured in a process of its own, so that its processor time and its memory are its own.
//!
//! `emp-bench contender NAME ..` is ours, or a bare loop; a peer is a program in its own language that understands the same words:
//!
//! | words | what it does | what it prints |
//! |---|---|---|
//! | `enqueue single\|bulk N` | takes N jobs in, one after another or as many at once as it can | `TOOK <seconds>` |
//! | `worker SLOTS` | does jobs until it is killed | `READY`; `DONE <first> <last>` when `EXPECT` jobs have run; `LATE <ns>` for each when `LATE` is set |
//! | `lone N` | takes N jobs in with pauses, each by itself | |
//!
//! `REDIS_URL` says where. A job does nothing but read its payload of about 200 bytes.

mod bare;
mod ours;

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The word that makes this program a contender.
pub(crate) const WORD: &str = "contender";

#[derive(Debug, Parser)]
struct Cli {
    #[arg(value_enum)]
    name: Name,
    #[command(subcommand)]
    words: Words,
}

/// Who it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    /// This project.
    Emp,
    /// A loop of one script that finishes and claims, and nothing else: what can be reached at most.
    Bare,
}

#[derive(Debug, Subcommand)]
enum Words {
    Enqueue { how: How, jobs: u64 },
    Worker { slots: usize },
    Lone { jobs: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    Single,
    Bulk,
}

/// Whatever went wrong; the harness shows it.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs as a contender.
pub(crate) fn run(args: impl Iterator<Item = String>) -> std::result::Result<(), Failure> {
    let Cli { name, words } = Cli::parse_from(args);
    let runtime = match name {
        Name::Emp => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
        Name::Bare => tokio::runtime::Builder::new_current_thread().enable_all().build(),
    };
    let runtime = runtime.map_err(Failure::io("cannot start the async runtime"))?;
    let url = std::env::var("REDIS_URL").map_err(|_| Failure::Ran("REDIS_URL is not set".to_owned()))?;
    let ended = runtime.block_on(async {
        match name {
            Name::Emp => ours::run(&url, words).await,
            Name::Bare => bare::run(&url, words).await,
        }
    });
    ended.map_err(|error| Failure::Ran(error.to_string()))
}

/// What every job asks for.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    /// When it was made, nanoseconds of Unix time.
    t: u64,
    job_id: String,
    service: String,
    model: String,
    prompt: String,
    pad: String,
}

impl Payload {
    fn of(number: u64) -> Self {
        Self {
            t: now(),
            job_id: format!("job-{number}"),
            service: "txt2img".to_owned(),
            model: "sdxl".to_owned(),
            prompt: "a photo of a cat on a chair".to_owned(),
            pad: "x".repeat(70),
        }
    }
}

/// Counts the jobs that have run, and says when all have.
#[derive(Debug, Default)]
struct Tally {
    expect: u64,
    late: bool,
    done: AtomicU64,
    first: AtomicU64,
}

impl Tally {
    fn from_env() -> Self {
        let expect = std::env::var("EXPECT").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        Self { expect, late: std::env::var_os("LATE").is_some(), ..Self::default() }
    }

    fn ran(&self, payload: &Payload) {
        if self.late {
            say(&format!("LATE {}", now().saturating_sub(payload.t)));
        }
        let _ = self.first.compare_exchange(0, now(), Ordering::Relaxed, Ordering::Relaxed);
        if self.done.fetch_add(1, Ordering::Relaxed) + 1 == self.expect {
            say(&format!("DONE {} {}", self.first.load(Ordering::Relaxed), now()));
        }
    }
}

/// Says how long it took.
fn took(since: Instant) {
    say(&format!("TOOK {}", since.elapsed().as_secs_f64()));
}

/// A line to the harness, which may be gone.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The pause between two lone jobs, in no step with anything.
fn pause(number: u64) -> Duration {
    Duration::from_millis(30 + number * 7919 % 31)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
