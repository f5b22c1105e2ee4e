//! `emp openapi`: slices of vendors' descriptions, for the build to check connectors against.

mod drift;
pub(super) mod read;
mod slice;

use crate::args::OpenApi;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(args: &OpenApi, out: &Output) -> Result<Exit, Failure> {
    match args {
        OpenApi::Drift(args) => drift::run(args, out),
        OpenApi::Slice(args) => slice::run(args, out),
    }
}
