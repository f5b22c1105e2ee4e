//! What can be measured: a module each.

mod build;
mod derive;
mod queue;

use crate::Failure;
use crate::plan::Plan;
use crate::report::Taken;

/// Something that can be measured.
#[derive(Debug)]
pub(crate) struct Measure {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it takes, in a line.
    pub(crate) about: &'static str,
    /// What it is compared with.
    pub(crate) peers: &'static [&'static str],
    /// Takes it.
    pub(crate) take: fn(&Plan) -> Result<Taken, Failure>,
}

/// All of them, in the order in which they are taken.
pub(crate) const ALL: &[Measure] =
    &[build::MEASURE, derive::MEASURE, queue::ENQUEUE, queue::PROCESS, queue::PICKUP];

/// The names that the command line takes.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|measure| measure.name).collect()
}

/// The peers that `--only` takes.
pub(crate) fn peers() -> Vec<&'static str> {
    let mut peers: Vec<_> = ALL.iter().flat_map(|measure| measure.peers).copied().collect();
    peers.sort_unstable();
    peers.dedup();
    peers
}

/// What the help shows.
pub(crate) fn list() -> String {
    let lines = ALL.iter().map(|measure| {
        format!("  {:<8} {} (beside {})", measure.name, measure.about, measure.peers.join(", "))
    });
    format!("Measures:\n{}", lines.collect::<Vec<_>>().join("\n"))
}
