//! What the kit will do: every scenario with its work, before any of it is done.

use super::scenario::{Judged, Scenario};
use super::script::Script;

/// A scenario and the work that answers it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    pub(crate) work: Work,
}

/// What answers a scenario.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// The declaration alone did.
    Done(Judged),
    /// A script will.
    Play(Script),
    /// A probe of the service's health will.
    Health,
}

impl Plan {
    pub(crate) fn done(scenario: Scenario, judged: Judged) -> Self {
        Self { scenario, work: Work::Done(judged) }
    }
}
