//! The project's own chores. `cargo xtask test` installs what the tests need and runs them all; `cargo xtask ci` is what a
//! change must pass; `cargo xtask chaos` breaks everything at random; `cargo xtask bench` measures.

mod install;
mod step;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use step::{Failed, Step};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need (redis-server, valkey-server, chromium, systemd-analyze, promtool; others' validators, editors and pm2 under target/tools),
    /// then run every test of the workspace and half a minute of chaos.
    Test {
        /// Passed on to `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Formatting, lints, tests, docs, dependency policy, freshness of generated files.
    Ci,
    /// Kill, freeze and cut off everything at random for a while, and prove that no job was lost or paid twice; `cargo xtask chaos --help`.
    #[command(disable_help_flag = true)]
    Chaos {
        /// Passed on: `--seconds 60`, `--seed 7`, `--store file`, `--json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measure this project beside what it is compared with; `cargo xtask bench --help` lists the measures.
    #[command(disable_help_flag = true)]
    Bench {
        /// Passed on to the measures: `derive`, `--only serde`, `--quick`, `--json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Rewrite the generated files: schemas/, .env.example and docs/connectors/.
    Generate,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Chores name files from the root, wherever they are started.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    if let Err(error) = std::env::set_current_dir(root) {
        step::say(&format!("cannot go to {root}: {error}"));
        return ExitCode::from(3);
    }
    let done = match cli.task {
        Task::Test { args } => test(&args),
        Task::Ci => ci(),
        Task::Bench { args } => bench(&args),
        Task::Chaos { args } => chaos(&args),
        Task::Generate => generate(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { step, code }) => {
            step::say(&format!("`{step}` failed"));
            ExitCode::from(code)
        }
    }
}

fn test(args: &[String]) -> Result<(), Failed> {
    install::packages()?;
    install::valkey_server();
    install::outside_tools()?;
    Step::cargo("test", ["test", "--workspace", "--locked"]).args(args).run()?;
    // Whoever asks for some tests gets these alone.
    if args.is_empty() { chaos(&[]) } else { Ok(()) }
}

/// The product and what hits it are built together, with the features that the product has by itself.
fn chaos(args: &[String]) -> Result<(), Failed> {
    install::redis_server()?;
    Step::cargo("build", ["build", "--quiet", "--locked", "--package", "emp", "--package", "emp-chaos"])
        .run()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new("target").to_owned(), PathBuf::from);
    let built = target.join("debug");
    let product = built.join("emp").display().to_string();
    Step::program("chaos", built.join("emp-chaos"), ["--emp", &product]).args(args).run()
}

fn ci() -> Result<(), Failed> {
    Step::cargo("format", ["fmt", "--all", "--check"]).run()?;
    // As a user builds it, and with the features that `cargo run` has below: the tests' own features make another build.
    Step::cargo("build", ["build", "--locked"]).run()?;
    Step::cargo("lint", ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
        .run()?;
    test(&[])?;
    Step::cargo("docs", ["doc", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Step::cargo("generated files", ["run", "--quiet", "--locked", "--", "schema", "--check"]).run()?;
    Step::cargo("environment example", ["run", "--quiet", "--locked", "--", "env", "example", "--check"])
        .run()?;
    Step::cargo("connector pages", ["run", "--quiet", "--locked", "--", "connector", "docs", "--check"])
        .run()?;
    Step::cargo("contracts", ["run", "--quiet", "--locked", "--", "connector", "test", "--all"]).run()?;
    Step::cargo("mapping", ["run", "--quiet", "--locked", "--", "check"]).run()?;
    dependencies()
}

/// Licences, bans and sources need no data from outside; advisories do, so they are not asked here.
fn dependencies() -> Result<(), Failed> {
    install::cargo_deny()?;
    // It reads the crates of every platform; a build has fetched those of this one.
    Step::cargo("fetch", ["fetch", "--locked"]).run()?;
    Step::cargo("dependency policy", ["deny", "--offline", "check", "bans", "licenses", "sources"]).run()
}

/// In release, since most measures run this project's own code.
fn bench(args: &[String]) -> Result<(), Failed> {
    install::packages_of_measures()?;
    Step::cargo("bench", ["run", "--quiet", "--release", "--locked", "--package", "emp-bench", "--"])
        .args(args)
        .run()
}

fn generate() -> Result<(), Failed> {
    Step::cargo("schemas", ["run", "--quiet", "--", "schema", "--write"]).run()?;
    Step::cargo("environment example", ["run", "--quiet", "--", "env", "example", "--write"]).run()?;
    Step::cargo("connector pages", ["run", "--quiet", "--", "connector", "docs", "--out", "docs/connectors"])
        .run()
}
