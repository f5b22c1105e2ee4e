//! What the polls of one job have told so far. Not stored: after a crash it is gone, and only pacing starts anew.

use serde_json::{Map, Value};
use std::time::Duration;

use emp_core::{JobError, Timestamp};

use crate::learn::Expectation;

/// The state that the service last told, in the words that a rule may compare with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Accepted, not started; also before the first answer.
    #[default]
    Queued,
    /// Being worked on.
    Running,
}

impl Stage {
    /// The word, as `state` yields it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
        }
    }
}

/// Answers of one kind in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streak {
    /// How many.
    pub count: u32,
    /// When the first of them came.
    pub since: Option<Timestamp>,
}

impl Streak {
    /// One more of them.
    pub(crate) fn note(&mut self, now: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.since.get_or_insert(now);
    }

    /// From the first of them until now.
    pub fn lasted(self, now: Timestamp) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }
}

/// What has been learnt about one service job since this process took it up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The last known state.
    pub stage: Stage,
    /// Since when the service has told that state; `None` before it told one to this process.
    pub stage_since: Option<Timestamp>,
    /// When the service last expected the job to end, from its submit.
    pub expected: Option<Expectation>,
    /// For how long the service held its last answer back.
    pub held: Duration,
    /// The wait before the last poll; the next one grows from it.
    pub wait: Option<Duration>,
    /// The number of the last batch that told of the job.
    pub batch: u64,
    /// Answers in a row without a known status.
    pub unknown: Streak,
    /// Answers in a row that did not know the service job.
    pub missing: Streak,
    /// Polls in a row without a usable answer: no connection, 5xx.
    pub poll_errors: u32,
    /// Steps in a row that could not settle a lost submit.
    pub unsettled: u32,
    /// Faults in a row before the submit: assets that cannot be fetched, prepare steps that fail.
    pub prepare_faults: u32,
    /// Times that the current submit was sent again under its settle rule.
    pub resends: u32,
    /// When the last submit was sent, or when this process took over from one that may have sent it: that was not later.
    pub sent_at: Option<Timestamp>,
    /// The text that the stream has brought; `None` when there is no stream.
    pub deltas: Option<String>,
    /// The declared facts that the stream has told, each from the last event that had it.
    pub facts: Map<String, Value>,
    /// The largest fraction reported; progress never falls.
    pub fraction: Option<f64>,
    /// What has gone wrong since the job was done, on the way to its result.
    pub collecting: Collecting,
}

/// A result that could not be fetched or stored yet. It is paid for, so it is tried again, but not for ever.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collecting {
    /// Times that the service did not give it.
    pub tries: u32,
    /// Times that a link had expired.
    pub refreshed: u32,
    /// Times that the output store did not take it.
    pub kept_out: u32,
    /// The last of these errors.
    pub error: Option<JobError>,
}

impl Memory {
    /// Notes the state that an answer told. A job that is queued has been so since its submit.
    pub(crate) fn note_stage(&mut self, stage: Stage, submitted: Timestamp, now: Timestamp) {
        let since = match (self.stage_since, stage) {
            (None, Stage::Queued) => submitted,
            (Some(since), _) if stage == self.stage => since,
            _ => now,
        };
        self.stage = stage;
        self.stage_since = Some(since);
    }

    /// Notes whether an answer knew the service job.
    pub(crate) fn note_presence(&mut self, present: bool, now: Timestamp) {
        if present {
            self.missing = Streak::default();
        } else {
            self.missing.note(now);
        }
    }

    /// For how long the service has not known the service job.
    pub fn absent_for(&self, now: Timestamp) -> Duration {
        self.missing.lasted(now)
    }
}
