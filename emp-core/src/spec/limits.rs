//! How often and how long a job is polled, and what the service allows.

use std::time::Duration;

use emp_syntax::selector::Selector;

use super::{Learn, Setting};

/// How often and how long a job is polled.
#[derive(Clone, Debug)]
pub struct Pace {
    /// From the submit's answer to the first poll.
    pub first: Duration,
    /// Never sooner than this after the poll before, whatever the service advises.
    pub min: Duration,
    /// Never later than this, unless the service advises it.
    pub max: Duration,
    /// Each wait is the one before times this.
    pub factor: f64,
    /// A wait is spread by plus or minus this fraction.
    pub jitter: f64,
    /// While queued, wait at least this long.
    pub while_queued: Option<Duration>,
    /// Where the service says when to come again, in seconds or as a date; in fallback order.
    pub advice: &'static [Selector],
    /// From the submit to the end, whatever happens.
    pub deadline: Setting<Duration>,
    /// For how long the service may let a job wait.
    pub queued: Option<Setting<Duration>>,
    /// For how long it may run.
    pub running: Option<Setting<Duration>>,
    /// How many seconds a job is expected to take from its submit, as far as that is known before it is polled.
    pub eta: &'static [Selector],
    /// How long jobs take is learnt from those before.
    pub learn: Option<Learn>,
    /// So many answers in a row without a known status end the job.
    pub max_unknown: u32,
}

impl Pace {
    /// What a connector that says nothing gets (`reliability.md` section 8).
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(2),
        min: Duration::from_secs(1),
        max: Duration::from_secs(30),
        factor: 1.5,
        jitter: 0.2,
        while_queued: None,
        advice: &[],
        deadline: Setting::Fixed(Duration::from_hours(1)),
        queued: None,
        running: None,
        eta: &[],
        learn: None,
        max_unknown: 5,
    };
}

/// What the service allows, for one credential.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests in a time, submits and polls together.
    pub rate: Option<Rate>,
    /// Service jobs at once.
    pub in_flight: Option<Setting<u32>>,
    /// Submits of one job that may fail definitely before the job does.
    pub attempts: Setting<u32>,
    /// Largest request body, bytes.
    pub max_body: Option<u64>,
    /// Largest decoded answer, bytes.
    pub max_response: Option<u64>,
    /// Largest file of a result, bytes.
    pub max_file: Option<u64>,
    /// All files of a result together, bytes.
    pub max_total: Option<u64>,
}

impl Limits {
    /// What a connector that says nothing gets.
    pub const DEFAULT: Self = Self {
        rate: None,
        in_flight: None,
        attempts: Setting::Fixed(3),
        max_body: None,
        max_response: None,
        max_file: None,
        max_total: None,
    };
}

/// `rate = "150/10s"`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub per: Duration,
}
