//! The owner of a run while it does something: steps it until it waits, ends, or must stop.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::job::{Job, Phase, UpstreamCancel};
use emp_engine::port::Stop;
use emp_engine::run::{End, Next};
use emp_store::store::{Answer, Change, Finish};
use tracing::{error, info, warn};

use crate::claim::Claim;
use crate::outcome;
use crate::pacing::Backoff;
use crate::panics::{Panicked, caught};
use crate::parking::Held;
use crate::shared::Shared;
use crate::writer::Until;

/// Drives a run until it is parked or given up.
pub(crate) async fn drive(shared: Arc<Shared>, mut held: Held) {
    loop {
        let (stop, interrupted) = match held.tenure.claim.stop() {
            Some(stop) => (stop, false),
            None => match step(&shared, &mut held).await {
                Ok(Next::Wait(after)) => return shared.parking.park(held, after),
                Ok(Next::End(end)) => {
                    shared.panics.went_well(held.tenure.claim.connector);
                    return settle(&shared, &held.tenure.claim, outcome::of_end(end)).await;
                }
                Ok(Next::Stopped(stop)) => (stop, true),
                Err(panicked) => return contain(&shared, &held, &panicked).await,
            },
        };
        if stopped(&shared, &mut held, stop, interrupted).await.is_break() {
            return;
        }
    }
}

async fn step(shared: &Shared, held: &mut Held) -> Result<Next, Panicked> {
    let claim = &held.tenure.claim;
    let before = claim.phase();
    let next = caught(shared.driver.step(&mut held.run), |place| tell_panic(claim, place)).await;
    match &next {
        Ok(Next::End(End::GiveBack { after, .. })) => {
            shared.appetite.gave_back(claim.connector, Instant::now(), *after);
        }
        Ok(_) if before == Phase::Prepared && claim.phase() != before => {
            shared.appetite.went_on(claim.connector);
        }
        _ => {}
    }
    next
}

fn tell_panic(claim: &Claim, place: &str) {
    error!(job = %claim.key.job, service = claim.service, worker = %claim.worker, place,
        "E_CONNECTOR_PANIC: the connector's code panicked");
}

/// Does what a stop asks; `Continue` when the run may go on after all. `interrupted` says that the engine stopped half way.
async fn stopped(shared: &Shared, held: &mut Held, stop: Stop, interrupted: bool) -> ControlFlow<()> {
    match stop {
        Stop::Fenced => regain(shared, held, interrupted).await,
        Stop::HandOver => {
            settle(shared, &held.tenure.claim, outcome::of_hand_over()).await;
            ControlFlow::Break(())
        }
        Stop::Cancel => cancel(shared, held).await,
    }
}

/// Waits until a claim in doubt is sure again or lost; sure again, the run goes on from what is stored (F4).
async fn regain(shared: &Shared, held: &mut Held, interrupted: bool) -> ControlFlow<()> {
    let claim = Arc::clone(&held.tenure.claim);
    if claim.resolved().await {
        if !interrupted {
            return ControlFlow::Continue(());
        }
        if let Some(job) = reload(shared, &claim).await {
            info!(job = %claim.key.job, service = claim.service, worker = %claim.worker, "lease regained, going on");
            if let Some(phase) = job.phase {
                claim.set_phase(phase);
            }
            let port = Arc::new(shared.port(&claim));
            held.run = shared.driver.start(job, Arc::clone(&held.run.connector), port);
            return ControlFlow::Continue(());
        }
    }
    shared.progress.forget(&claim.key);
    warn!(job = %claim.key.job, service = claim.service, worker = %claim.worker,
        "fenced: the job is not this worker's any more, nothing more is done for it here");
    ControlFlow::Break(())
}

/// The job as it is stored, unless it is somebody else's by now.
async fn reload(shared: &Shared, claim: &Claim) -> Option<Job> {
    let mut backoff = Backoff::up_to(Duration::from_secs(2));
    loop {
        match shared.store.get(&claim.key.job).await {
            Ok(job) => {
                return job
                    .filter(|job| job.lease.as_ref().is_some_and(|lease| lease.nonce == claim.key.nonce));
            }
            Err(error) => {
                warn!(job = %claim.key.job, worker = %claim.worker, %error, "job not read, trying again");
            }
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Cancels the job at the service and in the store. A worker that stops meanwhile leaves that to the next owner.
async fn cancel(shared: &Shared, held: &mut Held) -> ControlFlow<()> {
    let claim = Arc::clone(&held.tenure.claim);
    info!(job = %claim.key.job, service = claim.service, worker = %claim.worker, "cancelling");
    let upstream = tokio::select! {
        biased;
        _ = claim.stopped_but_for_cancel() => return ControlFlow::Continue(()),
        upstream = caught(shared.driver.cancel(&mut held.run), |place| tell_panic(&claim, place)) => upstream,
    };
    let upstream = upstream.unwrap_or(UpstreamCancel::Unknown);
    settle(shared, &claim, Change::Finish(Finish::Cancelled(upstream))).await;
    ControlFlow::Break(())
}

/// Fails the job of a connector that panicked, and pauses the connector when it does so again and again.
async fn contain(shared: &Shared, held: &Held, Panicked(place): &Panicked) {
    let claim = &held.tenure.claim;
    let connector = claim.connector;
    if shared.panics.panicked(connector, Instant::now(), shared.options.panic_pause) {
        error!(connector, worker = %claim.worker, pause = ?shared.options.panic_pause,
            "the connector panicked three times in a row; no job of it is claimed for a while");
    }
    let change = outcome::of_panic(claim.phase(), place);
    settle(shared, claim, change).await;
}

/// Writes how the claim ends, until the store has answered (P21). The slot stays taken meanwhile.
async fn settle(shared: &Shared, claim: &Claim, change: Change) {
    shared.progress.forget(&claim.key);
    let word = outcome::word(&change);
    let failure = outcome::error(&change).map(ToString::to_string);
    let answer = shared.writer.persist(claim, change, Until::Answered).await;
    let (job, service, worker) = (&claim.key.job, &claim.service, &claim.worker);
    match (answer, failure) {
        (Ok(Answer::Ok | Answer::OkAlready | Answer::CancelRequested), None) => {
            info!(%job, service, %worker, "{word}");
        }
        (Ok(Answer::Ok | Answer::OkAlready | Answer::CancelRequested), Some(error)) => {
            info!(%job, service, %worker, error, "{word}: Worker {worker} failed job {job} processing failed");
        }
        (Ok(answer @ (Answer::Fenced | Answer::Gone | Answer::Conflict)), _) => {
            warn!(%job, service, %worker, outcome = word, ?answer, "the outcome came too late: the job is not this worker's any more");
        }
        (Err(_), _) => error!(%job, service, %worker, outcome = word, "the outcome was not stored"),
    }
}
