//! The steps of a job at a service: submit, poll, states, errors, cancel; and the health probe.

use std::time::Duration;

use emp_syntax::hook::{Classify, Hook, Judge};
use emp_syntax::rule::{CodePattern, ErrorRule, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::Selector;

use super::{Envelope, Listed, Probe, RequestSpec, Setting};

/// How a job is submitted, and what a lost answer means.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The request.
    pub request: RequestSpec,
    /// What makes an answer with a 2xx code a refusal all the same.
    pub envelope: Option<Envelope>,
    /// The codes that mean accepted.
    pub accept: &'static [CodePattern],
    /// Names that the answer gives: `id`, `poll_url`, ...
    pub capture: &'static [Capture],
    /// The answer goes through the states as a poll answer does; it may already be final.
    pub feeds_poll: bool,
    /// For how long the service is asked to hold the request open.
    pub hold: Option<Setting<Duration>>,
    /// A submit costs money.
    pub billable: bool,
    /// What a lost answer means.
    pub settle: Settle,
    /// Codes of the 5xx class that say for certain that nothing was accepted.
    pub rejects: &'static [CodePattern],
}

/// `capture(name = selectors)`
#[derive(Clone, Debug)]
pub struct Capture {
    /// The name, later `job.<name>`.
    pub name: &'static str,
    /// Where the value is.
    pub from: &'static [Selector],
}

/// What to do when a submit's bytes left and no full answer came back.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // as `Protocol`
pub enum Settle {
    /// The service merges submits that carry the same key: resend key and bytes, within 80 % of `ttl`.
    Idempotent {
        /// Where the key stands.
        key: KeyPlace,
        /// For how long the service remembers a key.
        ttl: Duration,
    },
    /// The id is ours (`job.assigned_id`): look the job up by it.
    AssignId {
        /// Absent for so long means that it was never accepted.
        absent_for: Duration,
        /// The service refuses or merges a second submit with the same id, so an absent job may be sent again.
        resend: bool,
    },
    /// The service can be searched for a tag of ours.
    Lookup(Lookup),
    /// Never sent again: the job becomes `uncertain`.
    AtMostOnce,
    /// Sent again, in so many words. The default of submits that are not billable.
    AtLeastOnce,
}

/// Where an idempotency key stands in a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header, lower-case name.
    Header(&'static str),
    /// A top-level member of the JSON body.
    Field(&'static str),
}

/// How to search for a job whose submit's answer was lost.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The search.
    pub request: RequestSpec,
    /// The candidates in the answer.
    pub items: Selector,
    /// In a candidate: the text that must equal `queue.job_id`.
    pub tag: Selector,
    /// In a candidate: the service job id.
    pub id: Selector,
    /// For how long the service may take to show a job that it accepted.
    pub wait: Duration,
}

/// How a job is asked after.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The request.
    pub request: RequestSpec,
    /// What makes an answer with a 2xx code a refusal all the same.
    pub envelope: Option<Envelope>,
    /// Further questions, for rules that the answer alone does not decide.
    pub also: &'static [Probe],
    /// Where an answer repeats the service job's id: one with another id is not believed.
    pub echo: &'static [Selector],
    /// The answer is a list with the job in it.
    pub listed: Option<Listed>,
    /// For how long the service is asked to hold its answer back until something changes.
    pub hold: Option<Setting<Duration>>,
    /// A fraction, 0 to 1.
    pub progress: &'static [Selector],
    /// A text for people.
    pub progress_text: &'static [Selector],
    /// How many are ahead.
    pub queue_position: &'static [Selector],
    /// Seconds left.
    pub eta: &'static [Selector],
    /// Log text; the last lines are kept.
    pub logs: &'static [Selector],
    /// A picture of what there is so far: a URL or base64.
    pub preview: &'static [Selector],
}

/// What an answer says of the job: rules first, then the word at `at`.
#[derive(Clone, Debug)]
pub struct States {
    /// Where the status word is; empty when the rules say it all.
    pub at: &'static [Selector],
    /// Compare words without regard to case.
    pub fold_case: bool,
    /// The vocabulary. No word is in two sets.
    pub sets: &'static [StateSet],
    /// What a word in no set means.
    pub unknown: Unknown,
    /// Asked before the rules.
    pub judge: Option<Hook<Judge>>,
    /// Tried in order before the vocabulary; the first that applies decides.
    pub rules: &'static [StateRule],
}

/// Words of one meaning.
#[derive(Clone, Debug)]
pub struct StateSet {
    /// What they mean.
    pub verdict: StateVerdict,
    /// The words.
    pub words: &'static [&'static str],
}

/// What a status word that nobody declared means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The job goes on, with a warning, until `Pace::max_unknown` such answers in a row.
    Running,
    /// The job has failed.
    Failed,
}

/// What a refusal means.
#[derive(Clone, Debug)]
pub struct Errors {
    /// The text for people, in fallback order.
    pub message: &'static [Selector],
    /// The service's own code.
    pub code: &'static [Selector],
    /// Asked before the rules.
    pub classify: Option<Hook<Classify>>,
    /// Where the service says whether asking again makes sense: `true` or `false`, which decides of a refused submit whatever its kind
    /// is. It never makes a submit of unknown fate one that is sent again.
    pub retry: &'static [Selector],
    /// Classification; the first rule that applies decides.
    pub rules: &'static [ErrorRule],
}

/// How the service's health is asked.
#[derive(Clone, Debug)]
pub struct HealthProbe {
    /// The request.
    pub request: RequestSpec,
    /// How often.
    pub every: Duration,
    /// A 2xx answer is healthy only when this holds.
    pub ready: Option<Predicate>,
    /// Numbers to publish beside the health.
    pub metrics: &'static [Capture],
}
