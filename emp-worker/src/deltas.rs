//! Text of streams on its way to the store: put together for a moment, all jobs in one write.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use emp_core::job::{Delta, Nonce};
use emp_store::store::{Change, ClaimKey, Store, Write};
use indexmap::IndexMap;
use tokio::sync::Notify;
use tracing::{debug, warn};

use crate::pacing::Backoff;
use crate::shared::Shared;
use crate::sync::lock;

/// Text that is not written yet. What a dead worker had not written is told by nobody; the job's result has all of it.
#[derive(Debug, Default)]
pub(crate) struct DeltaBook {
    pending: Mutex<IndexMap<Nonce, (ClaimKey, Delta)>>,
    noted: Notify,
    /// Held while text is being written, so that no job ends before its text.
    writing: tokio::sync::Mutex<()>,
}

impl DeltaBook {
    /// Notes more text of a job.
    pub(crate) fn note(&self, key: &ClaimKey, delta: &Delta) {
        let mut pending = lock(&self.pending);
        let (_, known) = pending.entry(key.nonce.clone()).or_insert_with(|| (key.clone(), Delta::default()));
        known.push(delta);
        drop(pending);
        self.noted.notify_one();
    }

    /// The job is not this worker's any more.
    pub(crate) fn forget(&self, key: &ClaimKey) {
        lock(&self.pending).swap_remove(&key.nonce);
    }

    /// The job is about to end here: its last text goes first. It is an extra, so a store that is down does not hold the end up.
    pub(crate) async fn finish(&self, store: &Arc<dyn Store>, key: &ClaimKey) {
        let Some((claim, delta)) = lock(&self.pending).swap_remove(&key.nonce) else {
            // Nothing is left but what is being written.
            drop(self.writing.lock().await);
            return;
        };
        let _turn = self.writing.lock().await;
        if let Err(error) = store.write(vec![Write { claim, change: Change::Delta(delta) }]).await {
            debug!(%error, job = %key.job, "the last text of a stream is not written");
        }
    }

    /// Writes what is noted, at most once in `deltas_every`, for ever.
    pub(crate) async fn write_for(self: Arc<Self>, shared: Arc<Shared>) {
        let mut backoff = Backoff::up_to(Duration::from_secs(5));
        loop {
            self.noted.notified().await;
            tokio::time::sleep(shared.options.deltas_every).await;
            let failed = {
                let _turn = self.writing.lock().await;
                let noted: Vec<_> = lock(&self.pending).drain(..).map(|(_, noted)| noted).collect();
                if noted.is_empty() {
                    continue;
                }
                let writes = noted.iter().cloned();
                let writes =
                    writes.map(|(claim, delta)| Write { claim, change: Change::Delta(delta) }).collect();
                match shared.store.write(writes).await {
                    Ok(answers) => {
                        for ((key, _), answer) in noted.iter().zip(answers) {
                            if let Some(claim) = shared.claims.get(&key.nonce) {
                                claim.note(answer);
                            }
                        }
                        None
                    }
                    Err(error) => Some((error, noted)),
                }
            };
            let Some((error, unwritten)) = failed else {
                backoff.reset();
                continue;
            };
            warn!(%error, jobs = unwritten.len(), "streamed text not written, trying again");
            self.put_back(&shared, unwritten);
            tokio::time::sleep(backoff.next(shared.random())).await;
            self.noted.notify_one();
        }
    }

    /// Keeps text that could not be written, before what came since.
    fn put_back(&self, shared: &Shared, unwritten: Vec<(ClaimKey, Delta)>) {
        let mut pending = lock(&self.pending);
        for (key, mut delta) in unwritten {
            if shared.claims.get(&key.nonce).is_some() {
                if let Some((_, later)) = pending.get(&key.nonce) {
                    delta.push(later);
                }
                pending.insert(key.nonce.clone(), (key, delta));
            }
        }
    }
}
