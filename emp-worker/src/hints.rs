//! The store's hints, heard by one task for the whole process.

use std::sync::Arc;

use emp_store::store::Store;
use futures_util::poll;
use tokio::sync::{Notify, watch};

use crate::pacing::HintBudget;

/// Listens for ever: counts each hint in `hints` and passes it to the lease thread.
pub(crate) async fn listen(store: Arc<dyn Store>, hints: watch::Sender<u64>, lease: Arc<Notify>) {
    let mut budget = HintBudget::new(std::time::Instant::now());
    let mut next = Box::pin(store.changed());
    loop {
        next.as_mut().await;
        // A store that hints without end, or cannot listen at all, must not keep a core busy.
        let wait = budget.spend(std::time::Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        // Listening again before anybody looks, so that nothing happens unheard in between.
        next = Box::pin(store.changed());
        if poll!(next.as_mut()).is_ready() {
            next = Box::pin(store.changed());
        }
        hints.send_modify(|count| *count = count.wrapping_add(1));
        lease.notify_one();
    }
}
