//! All claims of one process: what the lease thread renews, what a stop hands over, what a worker says that it runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

use emp_core::job::{JobId, Nonce, WorkerId};
use indexmap::IndexMap;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::claim::Claim;
use crate::sync::lock;

/// All claims of one process.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    held: Mutex<Held>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Held {
    /// In the order in which they came, but for those that moved up.
    claims: IndexMap<Nonce, Arc<Claim>>,
    of_connector: HashMap<&'static str, usize>,
    closed: bool,
}

impl Claims {
    /// Keeps a claim until the tenure is dropped. After a stop it is to be handed over at once.
    pub(crate) fn hold(self: &Arc<Self>, claim: Claim, slot: OwnedSemaphorePermit) -> Tenure {
        let claim = Arc::new(claim);
        let mut held = lock(&self.held);
        if held.closed {
            claim.hand_over();
        }
        held.claims.insert(claim.key.nonce.clone(), Arc::clone(&claim));
        *held.of_connector.entry(claim.connector).or_default() += 1;
        self.count.send_replace(held.claims.len());
        drop(held);
        Tenure { claim, claims: Arc::clone(self), _slot: slot }
    }

    /// Every claim.
    pub(crate) fn all(&self) -> Vec<Arc<Claim>> {
        lock(&self.held).claims.values().cloned().collect()
    }

    /// The claim with a number.
    pub(crate) fn get(&self, nonce: &Nonce) -> Option<Arc<Claim>> {
        lock(&self.held).claims.get(nonce).cloned()
    }

    /// How many jobs of a connector are held.
    pub(crate) fn of_connector(&self, connector: &str) -> usize {
        lock(&self.held).of_connector.get(connector).copied().unwrap_or(0)
    }

    /// The jobs of one worker, sorted.
    pub(crate) fn jobs_of(&self, worker: &WorkerId) -> Vec<JobId> {
        let held = lock(&self.held);
        let own = held.claims.values().filter(|claim| claim.worker == *worker);
        let mut jobs: Vec<_> = own.map(|claim| claim.key.job.clone()).collect();
        jobs.sort();
        jobs
    }

    /// When the first claim that is sure will be in doubt.
    pub(crate) fn first_fence(&self, after: Duration) -> Option<Instant> {
        let held = lock(&self.held);
        held.claims.values().filter(|claim| claim.sure()).map(|claim| claim.fence_at(after)).min()
    }

    /// Asks for every claim, and for those that still come, to be handed over.
    pub(crate) fn close(&self) {
        let mut held = lock(&self.held);
        held.closed = true;
        for claim in held.claims.values() {
            claim.hand_over();
        }
    }

    /// Completes when there is no claim.
    pub(crate) async fn none_left(&self) {
        // The sender lives in `self`.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    fn release(&self, claim: &Claim) {
        let mut held = lock(&self.held);
        held.claims.swap_remove(&claim.key.nonce);
        if let Some(count) = held.of_connector.get_mut(claim.connector) {
            *count = count.saturating_sub(1);
        }
        self.count.send_replace(held.claims.len());
    }
}

/// A claim with the slot that it fills, as long as somebody works on it. Dropped, it is renewed no more.
#[derive(Debug)]
pub(crate) struct Tenure {
    pub(crate) claim: Arc<Claim>,
    claims: Arc<Claims>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.claims.release(&self.claim);
    }
}

#[cfg(test)]
mod tests {
    use emp_engine::port::Stop;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::claim::tests::claim;

    fn hold(claims: &Arc<Claims>) -> Tenure {
        let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        claims.hold(claim(Instant::now()).0, slot)
    }

    #[test]
    fn p11_a_claim_that_comes_during_the_stop_is_handed_over_too() {
        let claims = Arc::new(Claims::default());
        let before = hold(&claims);
        claims.close();
        let after = hold(&claims);
        assert_eq!(before.claim.stop(), Some(Stop::HandOver));
        assert_eq!(after.claim.stop(), Some(Stop::HandOver));
    }

    #[tokio::test]
    async fn a_tenure_that_ends_is_renewed_no_more() {
        let claims = Arc::new(Claims::default());
        let tenure = hold(&claims);
        let (worker, job) = (tenure.claim.worker.clone(), tenure.claim.key.job.clone());
        assert_eq!(claims.jobs_of(&worker), [job]);
        assert!(claims.first_fence(Duration::ZERO).is_some());
        assert_eq!(claims.of_connector("C"), 1);
        drop(tenure);
        assert_eq!(claims.of_connector("C"), 0);
        assert!(claims.all().is_empty() && claims.first_fence(Duration::ZERO).is_none());
        claims.none_left().await;
    }
}
