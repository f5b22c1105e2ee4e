//! The stop: hand over what can be handed over, await only what must not be torn, leave (P11).

use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use emp_core::job::Phase;
use futures_util::future::join_all;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::pacing::FLOOR;
use crate::pool::Pool;
use crate::shared::Shared;

/// The longest wait for the store to take jobs back, when no submit is under way.
const HAND_OVER_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait for a store to take a worker out of its list.
const RETIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// Hands every job over and takes the workers out of the store's list.
///
/// Runs that wait or poll are released at once, with their service job. Only a submit under way is awaited, at most for the
/// options' `drain_timeout`; after that its claim lapses and the next owner settles it.
pub(crate) async fn drain(
    shared: &Shared,
    mut claiming: JoinSet<()>,
    announcing: JoinHandle<()>,
    pools: &[Arc<Pool>],
) {
    shared.claims.close();
    info!(jobs = shared.claims.all().len(), submitting = submitting(shared), "stopping: handing jobs over");
    let handed_over = async {
        // A claim that is under way may still bring jobs; they are handed over as they come.
        while claiming.join_next().await.is_some() {}
        shared.claims.none_left().await;
    };
    tokio::select! {
        biased;
        () = handed_over => {}
        () = out_of_patience(shared) => {
            for claim in shared.claims.all() {
                warn!(job = %claim.key.job, service = claim.service, worker = %claim.worker, phase = ?claim.phase(),
                    "not handed over in time: its claim lapses and the next owner goes on from its phase");
            }
        }
    }
    // An announcement after a worker has retired would list it again.
    announcing.abort();
    let _ = announcing.await;
    join_all(pools.iter().map(|pool| retire(shared, pool))).await;
    shared.kill.cancel();
    shared.tasks.close();
    if tokio::time::timeout(RETIRE_TIMEOUT, shared.tasks.wait()).await.is_err() {
        warn!("a task of the worker does not end");
    }
}

async fn retire(shared: &Shared, pool: &Pool) {
    match tokio::time::timeout(RETIRE_TIMEOUT, shared.store.retire(&pool.id)).await {
        Ok(Ok(())) => info!(worker = %pool.id, "worker stopped"),
        Ok(Err(error)) => {
            warn!(worker = %pool.id, %error, "worker stopped, but the store still lists it for a while");
        }
        Err(_) => warn!(worker = %pool.id, "worker stopped, but the store does not answer"),
    }
}

/// A submit under way is worth a long wait; anything else that is not handed over by now meets a store that does not answer.
async fn out_of_patience(shared: &Shared) {
    let longest = shared.options.drain_timeout;
    tokio::time::sleep(HAND_OVER_TIMEOUT.min(longest)).await;
    let begun = Instant::now();
    while begun.elapsed() + HAND_OVER_TIMEOUT < longest && submitting(shared) > 0 {
        tokio::time::sleep(FLOOR).await;
    }
}

fn submitting(shared: &Shared) -> usize {
    shared.claims.all().iter().filter(|claim| claim.phase() == Phase::Submitting).count()
}
