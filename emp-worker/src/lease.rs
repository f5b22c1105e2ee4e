//! The lease: all claims are renewed in one call, by a thread of its own, and given up in time when that fails (P7, F4, F7, F11).

use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use emp_engine::kill::{self, Point};
use emp_store::store::{Answer, Change, Store, Write};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::claim::Claim;
use crate::claims::Claims;
use crate::options::WorkerOptions;
use crate::pacing::{Backoff, FLOOR, spread};
use crate::shared::Shared;

/// What keeps the claims of a process alive.
pub(crate) struct LeaseKeeper {
    store: Arc<dyn Store>,
    claims: Arc<Claims>,
    options: WorkerOptions,
    hint: Arc<Notify>,
    stop: CancellationToken,
}

impl LeaseKeeper {
    /// For all claims of a process. A hint says that something happened in the store, perhaps that a cancel was asked; the answer
    /// to a renewal tells.
    pub(crate) fn new(shared: &Shared, hint: Arc<Notify>) -> Self {
        Self {
            store: Arc::clone(&shared.store),
            claims: Arc::clone(&shared.claims),
            options: shared.options.clone(),
            hint,
            stop: shared.kill.clone(),
        }
    }

    /// Runs on a thread and a runtime of its own, so that work that blocks the worker's executor does not cost it its leases.
    pub(crate) fn spawn(self) -> std::io::Result<std::thread::JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("emp-lease".to_owned()).spawn(move || {
            // A store that panics must not end the renewals of all other jobs.
            while !self.stop.is_cancelled() {
                let kept =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(self.keep())));
                if kept.is_err() {
                    error!("renewing the leases panicked; it goes on");
                    std::thread::sleep(FLOOR);
                }
            }
        })
    }

    /// Renews for as long as the worker lives.
    pub(crate) async fn keep(&self) {
        let fence_after = self.options.fence_after();
        let mut backoff = retries(self.options.renew_every);
        let (mut soonest, mut due) = self.next_renewal();
        loop {
            let wake = self.claims.first_fence(fence_after).map_or(due, |fence| fence.min(due));
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep_until(wake) => {}
                // A hint brings the renewal forward, so that a cancel is heard of soon; at most ten times as often as without.
                () = self.hint.notified(), if due > soonest => due = soonest,
            }
            let now = Instant::now();
            for claim in self.claims.all() {
                if claim.doubt(now, fence_after) {
                    warn!(job = %claim.key.job, service = claim.service, worker = %claim.worker,
                        "lease in doubt: not renewed in time, so the job's effects stop until the store answers");
                }
            }
            if now < due {
                continue;
            }
            if self.renew().await {
                backoff.reset();
                (soonest, due) = self.next_renewal();
            } else {
                due = Instant::now() + backoff.next((self.options.random)());
                soonest = due;
            }
        }
    }

    /// When the next renewal comes, at the soonest and without a hint.
    fn next_renewal(&self) -> (Instant, Instant) {
        let (now, every) = (Instant::now(), self.options.renew_every);
        (now + every / 10, now + spread(every, 0.1, (self.options.random)()))
    }

    /// Renews every claim; says whether the store answered.
    async fn renew(&self) -> bool {
        let claims = self.claims.all();
        if claims.is_empty() {
            return true;
        }
        let renewals =
            claims.iter().map(|claim| Write { claim: claim.key.clone(), change: Change::Renew }).collect();
        kill::come_to(Point::Renewing);
        let sent = Instant::now();
        // A call that hangs must not keep the fence from falling in time; a renewal may be sent twice.
        match tokio::time::timeout(self.patience(), self.store.write(renewals)).await {
            Ok(Ok(answers)) => {
                for (claim, answer) in claims.iter().zip(answers) {
                    note(claim, answer, sent);
                }
                true
            }
            Ok(Err(error)) => {
                warn!(%error, jobs = claims.len(), "leases not renewed");
                false
            }
            Err(_) => {
                warn!(jobs = claims.len(), "leases not renewed: the store does not answer");
                false
            }
        }
    }

    fn patience(&self) -> Duration {
        let to_fence = self
            .claims
            .first_fence(self.options.fence_after())
            .map_or(self.options.renew_every, |fence| fence.saturating_duration_since(Instant::now()));
        to_fence.min(self.options.renew_every).max(FLOOR)
    }
}

/// The waits between two tries at a renewal. Short: after an outage the store may have forgotten who has which job, and is told by it.
fn retries(renew_every: Duration) -> Backoff {
    Backoff::up_to(renew_every / 10)
}

fn note(claim: &Claim, answer: Answer, sent: Instant) {
    if answer.holds() {
        claim.renewed(sent);
    } else {
        debug!(job = %claim.key.job, worker = %claim.worker, ?answer, "a renewal was refused");
    }
    claim.note(answer);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P18: others claim again two seconds after an outage.
    #[test]
    fn p18_a_renewal_that_failed_is_tried_again_within_a_second_or_so() {
        let every = WorkerOptions::default().renew_every;
        let mut retries = retries(every);
        let longest = (0..20).map(|_| retries.next(1.0)).max();
        assert!(longest < Some(Duration::from_millis(1500)), "{longest:?} of {every:?}");
    }
}
