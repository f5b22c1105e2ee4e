//! How long a submitted job waits for its next poll, and when its time is up.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::spec::Pace;

use crate::context::{self, Context};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::learn::Expectation;
use crate::memory::Memory;
use crate::pace::{self, Clock, Clocks};
use crate::reduce;
use crate::run::{Next, Run};
use crate::select::View;

/// The kind of all jobs of a connector that learns of them together.
const ALL: &str = "";

impl Engine {
    /// The first poll after the submit's answer.
    pub(super) fn first_wait(&self, run: &mut Run) -> Next {
        run.memory.held = Duration::ZERO;
        // A socket is opened at once, to miss nothing.
        if run.connector.spec.http().is_some_and(|http| http.websocket.is_some()) && self.options.sockets {
            run.memory.wait = Some(Duration::ZERO);
            return Next::Wait(Duration::ZERO);
        }
        self.wait(run, None)
    }

    /// The next poll by the declared pace, by what is expected of the job, or by the service's advice.
    pub(super) fn wait(&self, run: &mut Run, advice: Option<Duration>) -> Next {
        let pace = &run.connector.spec.pace;
        let (before, stage, random) = (run.memory.wait, run.memory.stage, self.random());
        let age = age(run);
        let expected = expectation(run).filter(|_| advice.is_none());
        let wait = expected
            .and_then(|expected| pace::towards(pace, expected, age, stage, random))
            .unwrap_or_else(|| pace::next(pace, before, stage, advice, random));
        run.memory.wait = Some(if advice.is_some() { before.unwrap_or(pace.first) } else { wait });
        // What the service held its answer back for was waited already.
        let wait = if advice.is_some() { wait } else { pace::after_hold(wait, run.memory.held) };
        Next::Wait(wait.min(left(run).unwrap_or_default()))
    }
}

/// What is left until the first clock of the job runs out, or which of them has.
pub(super) fn left(run: &Run) -> Result<Duration, Clock> {
    let pace = &run.connector.spec.pace;
    let duration = |setting| context::duration(setting, &run.connector);
    let clocks = Clocks {
        total: duration(&pace.deadline),
        queued: pace.queued.as_ref().map(duration),
        running: pace.running.as_ref().map(duration),
    };
    let now = run.port.now();
    // A job whose result is being fetched is in no phase any more.
    let at_work = run.memory.stage_since.filter(|_| run.memory.collecting.error.is_none());
    let in_stage = at_work.map(|since| (run.memory.stage, now.since(since)));
    pace::left(clocks, now.since(submitted(run)), in_stage)
}

/// When the submit was answered.
pub(super) fn submitted(run: &Run) -> Timestamp {
    run.job.service_job.as_ref().map_or_else(|| run.port.now(), |job| job.submitted_at)
}

/// Since the submit was answered.
fn age(run: &Run) -> Duration {
    run.port.now().since(submitted(run))
}

/// When the job is expected to end: as its service last said, as was known at its submit, as those before it did.
fn expectation(run: &Run) -> Option<Expectation> {
    let pace = &run.connector.spec.pace;
    run.memory.expected.or_else(|| declared(run, pace)).or_else(|| {
        let service = run.service.as_ref()?;
        service.durations.expect(&kind(run)?)
    })
}

/// `pace(eta = ..)`
fn declared(run: &Run, pace: &Pace) -> Option<Expectation> {
    if pace.eta.is_empty() {
        return None;
    }
    let exchange = Exchange::new(0, http::HeaderMap::new(), b"");
    let (now, memory) = (run.port.now(), Memory::default());
    let seconds = run.with_context(None, |context: &Context<'_>| {
        View { exchange: &exchange, context, memory: &memory, now }.first_number(pace.eta)
    });
    Expectation::around(Duration::ZERO, Duration::try_from_secs_f64(seconds?).ok()?)
}

/// The kind of a job, for what is learnt of others of that kind; `None` when nothing is.
fn kind(run: &Run) -> Option<String> {
    let learn = run.connector.spec.pace.learn.as_ref()?;
    let value = learn.by.as_ref().map(|by| run.with_context(None, |context| context.lookup(by)));
    match value {
        None => Some(ALL.to_owned()),
        Some(value) => reduce::text(&value?),
    }
}

/// A job has ended well: others of its kind will take about as long.
pub(super) fn learn(run: &Run) {
    if let (Some(service), Some(kind), Some(_)) = (&run.service, kind(run), &run.job.service_job) {
        service.durations.note(&kind, age(run));
    }
}
