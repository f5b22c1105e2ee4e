//! Plays a script: a connector, a fake of its service and one job, by a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::spec::{ConnectorSpec, Submit};
use emp_core::time::ManualClock;
use emp_core::{Clock as _, Timestamp};
use emp_engine::context::{self, Context};
use emp_engine::gateway::Patience;
use emp_engine::operation;
use emp_store::StoreError;
use serde_json::Value;
use url::Url;

use super::judge::judge;
use super::scenario::{Judged, Outcome};
use super::script::{Life, Script};
use crate::fault::{Fault, Step, Trouble, When};
use crate::kill::Moment;
use crate::ledger::{Ledger, Recorded};
use crate::rig::{Calls, Ear, Ended, Rig};
use crate::service::{FakeOptions, FakeService};

/// For how long a job of the fake runs, by the manual clock.
const RUNNING: Duration = Duration::from_secs(20);
/// A job that waits for longer than anybody looks.
const QUEUED_FOR_LONG: Duration = Duration::from_hours(1);
/// For how long, in real time, an answer is waited for that does not come.
const SHORT: Duration = Duration::from_millis(400);
/// For how long a whole script: its waits are by the manual clock, so it takes milliseconds.
const WHOLE: Duration = Duration::from_mins(1);
/// The same on a busy machine.
const LONGER: Duration = Duration::from_secs(12);
/// For how long one that comes: longer than anything takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// The largest answer and the largest file of a script in which one has no end: what is declared may take long to reach.
const SMALL: u64 = 1 << 20;

/// A connector under test, and what its service is like.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) connector: Loaded,
    /// The same with limits that are reached at once.
    narrow: Loaded,
    pub(crate) truth: &'static ConnectorSpec,
    pub(crate) payload: Value,
}

/// What was seen of a script.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) ended: Ended,
    /// How the connector submits such a job; `None` for a custom one.
    pub(crate) declared: Option<&'static Submit>,
    /// What the service is like for such a submit.
    pub(crate) described: Option<&'static Submit>,
    pub(crate) ledger: Ledger,
    pub(crate) requests: Vec<Recorded>,
    /// Jobs of the service that have not ended.
    pub(crate) unfinished: usize,
    /// Requests that came to a place that nobody declared.
    pub(crate) stray: usize,
    /// What became of the service's calls.
    pub(crate) calls: Calls,
    /// The worker died where it should.
    pub(crate) died: bool,
    /// How much time went by, by the manual clock.
    pub(crate) elapsed: Duration,
}

impl Stage {
    /// The description with small limits that comes of it lives as long as the process.
    pub(crate) fn new(connector: Loaded, truth: &'static ConnectorSpec, payload: Value) -> Self {
        let mut spec = connector.spec.clone();
        for limit in [&mut spec.limits.max_response, &mut spec.limits.max_file] {
            *limit = Some(limit.map_or(SMALL, |limit| limit.min(SMALL)));
        }
        let narrow = Loaded { spec: Box::leak(Box::new(spec)), ..connector.clone() };
        Self { connector, narrow, truth, payload }
    }

    /// Plays a script and judges it.
    ///
    /// Who waits for an answer that does not come waits in real time, so for a short one; on a busy machine an answer that does come
    /// may be later than that. What is wrong must therefore be wrong with more patience too.
    pub(crate) async fn judged(&self, script: &Script) -> Judged {
        if let Some(custom) = &self.connector.custom
            && let Err(missing) = custom.is_ready().await
        {
            return Judged::not_applicable(format!("it cannot run on this machine: {}", missing.message));
        }
        let limits: &[Duration] = if script.silent() { &[SHORT, LONGER] } else { &[LONG] };
        let mut judged = Judged::pass();
        for limit in limits {
            judged = match tokio::time::timeout(WHOLE, self.play(script, *limit)).await {
                Ok(Ok(evidence)) => judge(self.connector.spec, script, &evidence),
                Ok(Err(problem)) => Judged::fail(problem),
                Err(_) => Judged::fail(format!("it did not come to an end in {WHOLE:?} of real time")),
            };
            if judged.outcome != Outcome::Fail {
                break;
            }
        }
        judged
    }

    /// Plays a script, with so much patience for an answer. An error is one of the stage itself.
    pub(crate) async fn play(&self, script: &Script, limit: Duration) -> Result<Evidence, String> {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let trap = match script.trap {
            Some(_) => self.fake(FakeOptions::instant()).await?,
            None => None,
        };
        let mut faults = script.faults.clone();
        if let (Some(step), Some(trap)) = (script.trap, &trap) {
            let url = trap.base_url().to_string();
            faults.push(match step {
                Step::Submit => Fault::at(step, Trouble::ForeignUrl(url)),
                step => Fault::at(step, Trouble::Redirect(url)).when(When::Always),
            });
        }
        let fake = self.fake(self.options(script, faults, &clock)).await?;
        let base = fake.as_ref().map(FakeService::base_url);
        let under_test = if script.endless() { &self.narrow } else { &self.connector };
        let connector = Loaded { base, ..under_test.clone() };
        let patience = Patience {
            connect: limit,
            total: limit,
            idle: limit,
            rate_after: limit / 2,
            longest: Some(limit),
            ..Patience::default()
        };
        let ear = match (script.calling, &fake) {
            (Some(calling), Some(fake)) => Some(Ear::new(calling, fake.shared(), connector.spec)?),
            _ => None,
        };
        let payload = script.payload.as_ref().unwrap_or(&self.payload);
        let rig = Rig::called(connector, payload.clone(), Arc::clone(&clock), patience, ear);
        let rig = rig.await.map_err(|error| error.to_string())?;
        let died = self.live(script.life, &rig, fake.as_ref()).await.map_err(|error| error.to_string())?;
        let ended = rig.finish().await.map_err(|error| error.to_string())?;
        let calls = rig.called_again().await.map_err(|error| error.to_string())?;
        let after = rig.ended().await.map_err(|error| error.to_string())?;
        if after.job != ended.job {
            return Err("a call for a job that had ended has changed it".to_owned());
        }
        Ok(Evidence {
            ended,
            declared: self.submit_of(self.connector.spec, payload),
            described: self.submit_of(self.truth, payload),
            ledger: fake.as_ref().map(FakeService::ledger).unwrap_or_default(),
            requests: fake.as_ref().map(FakeService::requests).unwrap_or_default(),
            unfinished: fake.as_ref().map(FakeService::unfinished).unwrap_or_default(),
            stray: trap.as_ref().map(|trap| trap.requests().len()).unwrap_or_default(),
            died,
            calls,
            elapsed: clock.elapsed(),
        })
    }

    /// How a job with a payload is submitted by a declaration.
    fn submit_of(&self, spec: &'static ConnectorSpec, payload: &Value) -> Option<&'static Submit> {
        let context = Context { payload, ..Context::bare(&self.connector) };
        spec.http().map(|http| operation::submit(http, &context))
    }

    fn options(&self, script: &Script, faults: Vec<Fault>, clock: &Arc<ManualClock>) -> FakeOptions {
        // A sync service holds its answer in real time, so it must not take any.
        let polled = self.truth.http().is_some_and(|http| http.poll.is_some());
        let (queued, running) = match (polled && !script.instant, script.queued) {
            (false, _) => (Duration::ZERO, Duration::ZERO),
            (true, true) => (QUEUED_FOR_LONG, RUNNING),
            (true, false) => (RUNNING / 10, RUNNING),
        };
        FakeOptions {
            queued,
            running,
            ending: script.ending,
            faults,
            clock: Arc::<ManualClock>::clone(clock),
            keeps_calls: true,
            skip: Some(Arc::clone(clock)),
            closed: script.life == Life::Closed,
            ..FakeOptions::default()
        }
    }

    /// A fake of the service; none for a custom connector, which declares no service.
    pub(crate) async fn fake(&self, options: FakeOptions) -> Result<Option<FakeService>, String> {
        if self.truth.http().is_none() {
            return Ok(None);
        }
        FakeService::start(self.truth, options).await.map(Some).map_err(|error| error.to_string())
    }

    /// A try at a place where no connection comes about. Says whether it was no attempt.
    async fn astray(rig: &Rig, base: Option<Url>) -> Result<bool, StoreError> {
        let Some(base) = base else { return Ok(false) };
        Ok(rig.attempt_at(base).await?.is_some_and(|job| job.attempt == 0 && !job.state.terminal()))
    }

    /// What happens before the worker that works on the job to its end. Says whether it happened.
    async fn live(&self, life: Life, rig: &Rig, fake: Option<&FakeService>) -> Result<bool, StoreError> {
        let during = async |step| match fake {
            Some(fake) => rig.die_when(fake.asked(step)).await,
            None => Ok(false),
        };
        match life {
            Life::Whole => Ok(true),
            Life::Closed => {
                let attempt = rig.attempt().await?;
                let opened = fake.is_some_and(|fake| fake.open().is_ok());
                Ok(opened && attempt.is_some_and(|job| job.attempt == 0))
            }
            Life::Nameless => Self::astray(rig, Url::parse("https://nowhere.invalid").ok()).await,
            Life::Untrusted => {
                let secure = fake.and_then(|fake| {
                    let mut url = fake.base_url();
                    url.set_scheme("https").ok().map(|()| url)
                });
                Self::astray(rig, secure).await
            }
            Life::DiesAt(moment) => rig.die_at(moment).await,
            Life::DiesDuring(step) => during(step).await,
            Life::Late(step) => {
                let died = during(step).await?;
                let deadline = context::duration(&self.connector.spec.pace.deadline, &self.connector);
                rig.clock().advance(deadline + Duration::from_secs(1));
                Ok(died)
            }
            Life::Cancelled(after) => {
                let died = rig.die_at(Moment::AfterId).await?;
                rig.clock().advance(after);
                rig.cancel().await?;
                Ok(died)
            }
        }
    }
}
