//! Phase `prepared`, before the intent: the steps of `#[prepare]`. They cost nothing, so that a fault is met by doing them again, and
//! after a crash a new owner begins with the first one.

use std::sync::Arc;
use std::time::Duration;

use emp_core::error::FailureKind;
use emp_core::spec::{HttpProtocol, Prepare};
use emp_core::{ErrorCode, JobError};
use emp_syntax::hole::Reference;
use serde_json::{Map, Value};

use super::asset::Blocked;
use crate::asset::Assets;
use crate::context::Item;
use crate::decide;
use crate::engine::Engine;
use crate::gateway::When;
use crate::limits::{Held, Service, Trip};
use crate::operation;
use crate::outcome;
use crate::pace;
use crate::request;
use crate::run::{End, Next, Run};
use crate::select::View;

/// Faults in a row after which a job is given up.
const MOST_FAULTS: u32 = 5;
/// Most elements of an `each` list.
const MOST_ITEMS: usize = 1000;
/// Largest sum of the captured values, bytes: they are stored with the job.
const MOST_PREPARED: usize = 64 << 10;

/// How far the steps of a run are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    /// Steps that are done.
    done: usize,
    /// What the step under way has captured of the elements so far.
    items: Vec<Map<String, Value>>,
    /// What the steps that are done have captured.
    pub(crate) values: Map<String, Value>,
    /// The admission has paid for the next request: where the rate is one request in a time, a second charge would never pass.
    admitted: bool,
}

impl Engine {
    /// Does the steps that are left. `Err` is what comes next instead of the submit.
    pub(super) async fn prepare(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &HttpProtocol,
    ) -> Result<(), Next> {
        if http.prepare.is_empty() {
            return Ok(());
        }
        if run.place.is_none() {
            match service.admit() {
                Ok(place) => {
                    run.place = Some(place);
                    run.steps.admitted = true;
                }
                Err(Held { after, reason }) => return Err(Next::End(End::GiveBack { reason, after })),
            }
        }
        while let Some(step) = http.prepare.get(run.steps.done) {
            self.step_of(run, service, http, step).await?;
            if serde_json::to_vec(&run.steps.values).map_or(0, |bytes| bytes.len()) > MOST_PREPARED {
                let message = format!("what the prepare steps captured has more than {MOST_PREPARED} bytes");
                return Err(Next::End(End::Failed(JobError::new(ErrorCode::EBadResponse, message))));
            }
            run.steps.done += 1;
            run.memory.prepare_faults = 0;
        }
        Ok(())
    }

    async fn step_of(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &HttpProtocol,
        step: &Prepare,
    ) -> Result<(), Next> {
        let Some(each) = &step.each else {
            if let Some(captured) = self.once(run, service, http, step, None).await? {
                run.steps.values.extend(captured);
            }
            return Ok(());
        };
        let items = items(run, each).map_err(|error| Next::End(End::Failed(error)))?;
        for item in items.iter().skip(run.steps.items.len()) {
            let captured = self.once(run, service, http, step, Some(item)).await?;
            run.steps.items.push(captured.unwrap_or_default());
        }
        let mut all = std::mem::take(&mut run.steps.items);
        for capture in step.capture {
            let values = all.iter_mut().map(|one| one.remove(capture.name).unwrap_or_default());
            run.steps.values.insert(capture.name.to_owned(), values.collect());
        }
        Ok(())
    }

    /// Makes the request of a step; `None` when its condition does not hold.
    async fn once(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &HttpProtocol,
        declared: &Prepare,
        item: Option<&Item>,
    ) -> Result<Option<Map<String, Value>>, Next> {
        let wanted = run.with_parts(Assets::NONE, item, |context| {
            declared.when.as_ref().is_none_or(|when| operation::holds(when, context))
        });
        if !wanted {
            return Ok(None);
        }
        if let Some(stop) = run.port.stop() {
            return Err(Next::Stopped(stop));
        }
        if !std::mem::take(&mut run.steps.admitted)
            && let Some(wait) = service.poll_wait()
        {
            return Err(Next::Wait(wait));
        }
        let assets = match self.assets(run, &declared.request, item).await {
            Ok(assets) => assets,
            Err(blocked) => return Err(self.blocked(run, blocked)),
        };
        let request = run
            .with_parts(&assets, item, |context| request::request(http, &declared.request, context))
            .map_err(|error| Next::End(End::Failed(error)))?;
        drop(assets);
        let answer = tokio::select! {
            answer = self.exchange(&request, &run.connector.spec.limits, service, http.follow) => answer,
            stop = run.port.stopped() => return Err(Next::Stopped(stop)),
        };
        let exchange = match answer {
            Ok(exchange) => exchange,
            Err(error) if error.when == When::Refused => {
                return Err(Next::End(End::Failed(error.into_job_error(emp_core::error::Billed::No))));
            }
            Err(error) => {
                let faults = service.breaker.fault(Trip::Faults);
                let nobody = error.when == When::BeforeBytes;
                let error = error.into_job_error(emp_core::error::Billed::No);
                if nobody {
                    // Nobody is there: the job waits in the queue, as one does whose submit meets that.
                    let reason = service.scrubber.text(&error.to_string());
                    let after = pace::backoff(faults, pace::LONGEST_BACKOFF, self.random());
                    return Err(Next::End(End::GiveBack { reason, after }));
                }
                return Err(self.later(run, error, None));
            }
        };
        let accepted = if declared.accept.is_empty() {
            exchange.ok()
        } else {
            declared.accept.iter().any(|pattern| pattern.matches(exchange.code))
        };
        let now = run.port.now();
        let judged = run.with_parts(Assets::NONE, item, |context| {
            let view = View { exchange: &exchange, context, memory: &run.memory, now };
            if accepted { Ok(captured(declared, &view)) } else { Err(decide::refusal(http, &view)) }
        });
        match judged {
            Ok(captured) => captured.map(Some).map_err(|error| Next::End(End::Failed(error))),
            Err(mut refusal) => {
                match refusal.kind {
                    FailureKind::Auth => service.breaker.trip(Trip::Auth),
                    FailureKind::Billing => service.breaker.trip(Trip::Billing),
                    FailureKind::RateLimited => {
                        refusal.wait = Some(service.throttled(refusal.wait, self.random()));
                    }
                    _ => {}
                }
                let error = refusal.error;
                Err(if error.retriable {
                    self.later(run, error, refusal.wait)
                } else {
                    Next::End(End::Failed(error))
                })
            }
        }
    }

    /// What comes next when a request cannot be made.
    pub(super) fn blocked(&self, run: &mut Run, blocked: Blocked) -> Next {
        match blocked {
            Blocked::Stop(stop) => Next::Stopped(stop),
            Blocked::Later { error, wait } => self.later(run, error, wait),
            Blocked::Never(error) => Next::End(End::Failed(error)),
        }
    }

    /// Nothing was submitted, so that the same is done again after a while, a few times.
    fn later(&self, run: &mut Run, error: JobError, wait: Option<Duration>) -> Next {
        run.memory.prepare_faults = run.memory.prepare_faults.saturating_add(1);
        if run.memory.prepare_faults >= MOST_FAULTS {
            return Next::End(End::Failed(error));
        }
        let backoff = pace::backoff(run.memory.prepare_faults, pace::LONGEST_BACKOFF, self.random());
        Next::Wait(wait.unwrap_or(backoff))
    }
}

/// The elements of an `each` list; an absent list has none.
fn items(run: &Run, each: &Reference) -> Result<Vec<Item>, JobError> {
    let invalid = |problem: &str| JobError::new(ErrorCode::EInvalidInput, format!("{each} {problem}"));
    match run.with_parts(Assets::NONE, None, |context| context.lookup(each)) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) if values.len() > MOST_ITEMS => {
            Err(invalid(&format!("has {} elements and may have {MOST_ITEMS}", values.len())))
        }
        Some(Value::Array(values)) => Ok(values
            .into_iter()
            .enumerate()
            .map(|(at, value)| Item { value, place: format!("{each}[{at}]") })
            .collect()),
        Some(_) => Err(invalid("is not a list")),
    }
}

/// What a step's answer gives; all of it must be there, since the submit is made of it.
fn captured(step: &Prepare, view: &View<'_>) -> Result<Map<String, Value>, JobError> {
    let found = outcome::captured(step.capture, view);
    match step.capture.iter().find(|capture| !found.contains_key(capture.name)) {
        None => Ok(found),
        Some(missing) => {
            let message = format!("the answer to the prepare step has no `{}`", missing.name);
            let error = JobError::new(ErrorCode::EBadResponse, message);
            Err(error.detail(decide::excerpt(&view.exchange.text)))
        }
    }
}
