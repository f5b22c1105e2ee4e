//! The grammar of `emp openapi`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum OpenApi {
    /// Cut a slice out of a vendor's description: the named operations and what they reach, for `#[openapi(file = ..)]`.
    Slice(Slice),
    /// Compare a newer description with the slices of the older one: what has changed, what breaks, and which connectors it
    /// touches. Exits with 1 when something breaks.
    Drift(Drift),
}

#[derive(Debug, Args)]
pub(crate) struct Drift {
    /// The newer description, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: PathBuf,
    /// Only the slice of this connector; it need not have the same title.
    #[arg(long, value_name = "NAME")]
    pub(crate) connector: Option<String>,
    /// Every slice whose description has the same title; this is what is done when no connector is given.
    #[arg(long, conflicts_with = "connector")]
    pub(crate) all: bool,
    /// The folder of the connectors' sources; the slices are in `schemas/openapi` beside it.
    #[arg(long, default_value = "connectors", value_name = "DIR")]
    pub(crate) connectors: PathBuf,
    /// How the changes are printed.
    #[arg(long, value_enum)]
    pub(crate) format: Option<DriftFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriftFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Slice {
    /// The vendor's description, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: PathBuf,
    /// An operation to keep: its id, or its method and path (`"POST /jobs"`). May be repeated.
    #[arg(long = "operation", required = true, value_name = "ID")]
    pub(crate) operations: Vec<String>,
    /// Where the slice is written: `schemas/openapi/NAME.json`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Where the description comes from: a URL, or a repository and a commit. Its path when not given.
    #[arg(long, value_name = "URL")]
    pub(crate) source: Option<String>,
    /// The day on which it was read; today when not given.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<String>,
    /// Its licence; what the description itself says when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) licence: Option<String>,
    /// Who wrote it.
    #[arg(long, value_enum, default_value = "official")]
    pub(crate) origin: Origin,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Origin {
    /// The vendor publishes it.
    Official,
    /// From an SDK, or a copy that an SDK's author keeps.
    Sdk,
    /// Written by hand from the vendor's documentation.
    Hand,
}
