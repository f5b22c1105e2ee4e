//! The owner of a run while it does something: steps it until it waits, ends, or must stop.

use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::time::Instant;

use emp_core::job::{Phase, UpstreamCancel};
use emp_engine::kill::{self, Point};
use emp_engine::port::Stop;
use emp_engine::run::{End, Next};
use emp_store::store::{Answer, Change, Finish};
use tracing::{error, info, warn};

use crate::claim::Claim;
use crate::outcome;
use crate::panics::{Panicked, caught};
use crate::parking::Held;
use crate::shared::Shared;
use crate::writer::Until;

/// Drives a run until it is parked or given up.
pub(crate) async fn drive(shared: Arc<Shared>, mut held: Held) {
    loop {
        let stop = match held.tenure.claim.stop() {
            Some(stop) => stop,
            None => match step(&shared, &mut held).await {
                Ok(Next::Wait(after)) => {
                    kill::come_to(Point::Parked);
                    return shared.parking.park(held, after);
                }
                Ok(Next::End(end)) => {
                    shared.panics.went_well(held.tenure.claim.connector);
                    let succeeded = matches!(end, End::Succeeded { .. });
                    let stored = settle(&shared, &held.tenure.claim, outcome::of_end(end)).await;
                    if succeeded && stored {
                        clean_up(&shared, &mut held).await;
                    }
                    return;
                }
                Ok(Next::Stopped(stop)) => stop,
                Err(panicked) => return contain(&shared, &held, &panicked).await,
            },
        };
        if stopped(&shared, &mut held, stop).await.is_break() {
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

/// Does what a stop asks; `Continue` when the run may go on after all.
async fn stopped(shared: &Shared, held: &mut Held, stop: Stop) -> ControlFlow<()> {
    match stop {
        Stop::Fenced => regain(shared, &held.tenure.claim).await,
        Stop::HandOver => {
            settle(shared, &held.tenure.claim, outcome::of_hand_over(held.run.kept_out())).await;
            ControlFlow::Break(())
        }
        Stop::Cancel => cancel(shared, held).await,
    }
}

/// Waits until a claim in doubt is sure again or lost (F4). Sure again, the run goes on where it stopped: nobody but the holder of
/// its nonce can have changed the job, so what the run knows is what is stored.
async fn regain(shared: &Shared, claim: &Claim) -> ControlFlow<()> {
    let (job, service, worker) = (&claim.key.job, &claim.service, &claim.worker);
    if claim.resolved().await {
        info!(%job, service, %worker, "lease sure again, going on");
        return ControlFlow::Continue(());
    }
    shared.progress.forget(&claim.key);
    shared.deltas.forget(&claim.key);
    warn!(%job, service, %worker, "fenced: the job is not this worker's any more, nothing more is done for it here");
    ControlFlow::Break(())
}

/// Cancels the job at the service and in the store. A worker that stops meanwhile leaves that to the next owner.
async fn cancel(shared: &Shared, held: &mut Held) -> ControlFlow<()> {
    let claim = Arc::clone(&held.tenure.claim);
    info!(job = %claim.key.job, service = claim.service, worker = %claim.worker, "cancelling");
    kill::come_to(Point::Cancelling);
    let upstream = tokio::select! {
        biased;
        _ = claim.stopped_but_for_cancel() => return ControlFlow::Continue(()),
        upstream = caught(shared.driver.cancel(&mut held.run), |place| tell_panic(&claim, place)) => upstream,
    };
    kill::come_to(Point::Cancelled);
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

/// Tidies up at the service. The result is durable by now, so nothing that happens here can harm the job.
async fn clean_up(shared: &Shared, held: &mut Held) {
    let claim = Arc::clone(&held.tenure.claim);
    kill::come_to(Point::CleaningUp);
    let cleaned = caught(shared.driver.clean_up(&mut held.run), |place| tell_panic(&claim, place)).await;
    if cleaned.is_err() {
        warn!(job = %claim.key.job, service = claim.service, worker = %claim.worker, "the cleanup panicked; the job has its result");
    }
}

/// Writes how the claim ends, until the store has answered (P21); says whether it was stored. The slot stays taken meanwhile.
async fn settle(shared: &Shared, claim: &Claim, change: Change) -> bool {
    shared.progress.forget(&claim.key);
    shared.deltas.finish(&shared.store, &claim.key).await;
    let word = outcome::word(&change);
    let failure = outcome::error(&change).map(ToString::to_string);
    kill::come_to(Point::BeforeEnd);
    let answer = shared.writer.persist(claim, change, Until::Answered).await;
    kill::come_to(Point::AfterEnd);
    // What a cancel has overtaken is not the job's result, and stays at the service.
    let stored = matches!(answer, Ok(Answer::Ok | Answer::OkAlready));
    let (job, service, worker) = (&claim.key.job, &claim.service, &claim.worker);
    match (answer, failure) {
        (Ok(Answer::Ok | Answer::OkAlready | Answer::CancelRequested | Answer::Nudged), None) => {
            info!(%job, service, %worker, "{word}");
        }
        (Ok(Answer::Ok | Answer::OkAlready | Answer::CancelRequested | Answer::Nudged), Some(error)) => {
            info!(%job, service, %worker, error, "{word}: Worker {worker} failed job {job} processing failed");
        }
        (Ok(answer @ (Answer::Fenced | Answer::Gone | Answer::Conflict)), _) => {
            warn!(%job, service, %worker, outcome = word, ?answer, "the outcome came too late: the job is not this worker's any more");
        }
        (Err(_), _) => error!(%job, service, %worker, outcome = word, "the outcome was not stored"),
    }
    stored
}
