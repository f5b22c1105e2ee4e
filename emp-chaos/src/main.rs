//! A run under chaos: an API, three workers and fake services as processes of their own; clients that submit, cancel and look; and a
//! nemesis that kills, freezes, cuts off and fails over, by a schedule that one number decides. At the end everything is healed, and
//! [`emp_testkit::history::check`] says whether what was promised holds.
//!
//! ```text
//! clients --HTTP--> API ----proxy---+
//!                   workers --proxy-+--> Redis (primary, replica)
//!                      +------proxy----> fake services, which keep the ledger
//! ```
//!
//! `cargo xtask chaos --seconds 60 --seed 7`. The seed decides what happens and when; how processes run in between it cannot, so a
//! violation may take several runs to come again. The evidence of a violating run is kept: every process's log.

mod cast;
mod clients;
mod http;
mod nemesis;
mod plan;
mod process;
mod report;
mod servers;
mod stage;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use report::Report;
use stage::Stage;

/// For how long jobs may take to come to rest when everything is healed: leases, backoff, and the half minute for which an assigned
/// id must be absent.
const PATIENCE: Duration = Duration::from_secs(150);

/// Kills, freezes and cuts off everything at random, and proves that no job was lost or paid twice.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos")]
struct Cli {
    /// For how long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    /// What decides the schedule; a random one when not given. It is printed first.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the jobs live.
    #[arg(long, value_enum, default_value = "redis")]
    store: StoreKind,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// The product's binary.
    #[arg(long, hide = true, default_value = "target/debug/emp")]
    emp: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    /// A primary and a replica, restarted, frozen and failed over.
    Redis,
    /// The file that the processes of one machine share.
    File,
}

/// What kept a run from being made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A process, a file or a connection.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// Something is not as it should be.
    #[error("{0}")]
    Setup(String),
}

impl Failure {
    /// Says what was tried when it failed.
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        |error| Self::Io { what: what.into(), error }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let seed = cli.seed.unwrap_or_else(|| fastrand::u64(0..1_000_000));
    let store = if cli.store == StoreKind::Redis { "redis" } else { "file" };
    say(&format!("chaos: seed {seed}, {} s, store {store}", cli.seconds));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return failed(&Failure::Io { what: "cannot start the async runtime".to_owned(), error });
        }
    };
    match runtime.block_on(run(&cli, seed)) {
        Ok(report) => {
            let text = if cli.json { report.to_json() } else { report.to_string() };
            // Nobody reads it any more, perhaps.
            let _ = writeln!(std::io::stdout(), "{text}");
            if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(failure) => failed(&failure),
    }
}

async fn run(cli: &Cli, seed: u64) -> Result<Report, Failure> {
    let length = Duration::from_secs(cli.seconds);
    let plan = plan::plan(seed, length, cli.store);
    let stage = Arc::new(Stage::set(&cli.emp, cli.store).await?);
    let clients = clients::start(&stage, seed, length);
    let acts = nemesis::carry_out(&stage, plan).await;
    stage.heal().await?;
    say("chaos: everything is healed, and the jobs come to rest");
    let jobs = clients.rest(PATIENCE).await;
    let report = report::make(seed, cli.seconds, &stage, jobs, acts).await?;
    if report.holds() {
        stage.forget();
    }
    Ok(report)
}

fn failed(failure: &Failure) -> ExitCode {
    say(&format!("chaos: {failure}"));
    ExitCode::from(3)
}

/// One line of what is going on.
fn say(line: &str) {
    // Nobody listens, perhaps.
    let _ = writeln!(std::io::stderr(), "{line}");
}
