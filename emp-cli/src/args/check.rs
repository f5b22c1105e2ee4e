//! What looks at a tree, and how it says what it found.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
