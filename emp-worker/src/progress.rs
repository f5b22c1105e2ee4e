//! Progress, coalesced: the newest of each job, all jobs in one write, at most one write a tick (P30).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use emp_core::job::{Nonce, Progress};
use emp_store::store::{Change, ClaimKey, Write};
use indexmap::IndexMap;
use tokio::sync::Notify;
use tracing::warn;

use crate::claims::Claims;
use crate::pacing::Backoff;
use crate::shared::Shared;
use crate::sync::lock;

/// Progress that is not written yet.
#[derive(Debug, Default)]
pub(crate) struct ProgressBook {
    pending: Mutex<IndexMap<Nonce, (ClaimKey, Progress)>>,
    noted: Notify,
}

impl ProgressBook {
    /// Notes how far a job is; the newest wins.
    pub(crate) fn note(&self, key: &ClaimKey, progress: Progress) {
        lock(&self.pending).insert(key.nonce.clone(), (key.clone(), progress));
        self.noted.notify_one();
    }

    /// The job has ended here: what is not written yet is never written.
    pub(crate) fn forget(&self, key: &ClaimKey) {
        lock(&self.pending).swap_remove(&key.nonce);
    }

    fn take(&self) -> Vec<(ClaimKey, Progress)> {
        lock(&self.pending).drain(..).map(|(_, noted)| noted).collect()
    }

    /// Keeps progress that could not be written, unless a newer one came.
    fn put_back(&self, claims: &Claims, unwritten: Vec<(ClaimKey, Progress)>) {
        let mut pending = lock(&self.pending);
        for (key, progress) in unwritten {
            if claims.get(&key.nonce).is_some() {
                pending.entry(key.nonce.clone()).or_insert((key, progress));
            }
        }
    }

    /// Writes what is noted, at most once in `progress_every`, for ever.
    pub(crate) async fn write_for(self: Arc<Self>, shared: Arc<Shared>) {
        let (store, claims) = (&shared.store, &shared.claims);
        let mut backoff = Backoff::up_to(Duration::from_secs(5));
        loop {
            self.noted.notified().await;
            let noted = self.take();
            if noted.is_empty() {
                continue;
            }
            let writes = noted
                .iter()
                .cloned()
                .map(|(claim, progress)| Write { claim, change: Change::Progress(progress) });
            match store.write(writes.collect()).await {
                Ok(answers) => {
                    backoff.reset();
                    for ((key, _), answer) in noted.iter().zip(answers) {
                        if let Some(claim) = claims.get(&key.nonce) {
                            claim.note(answer);
                        }
                    }
                }
                Err(error) => {
                    warn!(%error, jobs = noted.len(), "progress not written, trying again");
                    self.put_back(claims, noted);
                    self.noted.notify_one();
                    tokio::time::sleep(backoff.next(shared.random())).await;
                }
            }
            tokio::time::sleep(shared.options.progress_every).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use emp_core::job::JobId;

    use super::*;

    fn at(fraction: f64) -> Progress {
        Progress { fraction: Some(fraction), ..Progress::default() }
    }

    #[test]
    fn p30_the_newest_is_written_and_nothing_of_a_job_that_has_ended() {
        let book = ProgressBook::default();
        let key = || ClaimKey { job: JobId::random(), nonce: Nonce::random() };
        let (goes_on, ends) = (key(), key());
        book.note(&goes_on, at(0.1));
        book.note(&ends, at(0.5));
        book.note(&goes_on, at(0.2));
        book.forget(&ends);
        assert_eq!(book.take(), [(goes_on, at(0.2))]);
        assert!(book.take().is_empty());
    }
}
