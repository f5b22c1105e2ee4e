//! The grammar of `emp openapi`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum OpenApi {
    /// Cut a slice out of a vendor's description: the named operations and what they reach, for `#[openapi(file = ..)]`.
    Slice(Slice),
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
