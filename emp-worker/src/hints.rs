//! The store's hints, heard by one task for the whole process.

use std::sync::Arc;

use emp_store::store::Store;
use futures_util::poll;
use tokio::sync::{Notify, watch};

use crate::pacing::FLOOR;

/// So many times in a row a hint may be there before anybody listens.
const AT_ONCE: u32 = 20;

/// Listens for ever: counts each hint in `hints` and passes it to the lease thread.
pub(crate) async fn listen(store: Arc<dyn Store>, hints: watch::Sender<u64>, lease: Arc<Notify>) {
    let mut next = Box::pin(store.changed());
    let mut at_once = 0;
    loop {
        next.as_mut().await;
        // Listening again before anybody looks, so that nothing happens unheard in between.
        next = Box::pin(store.changed());
        if poll!(next.as_mut()).is_ready() {
            next = Box::pin(store.changed());
            at_once += 1;
        } else {
            at_once = 0;
        }
        hints.send_modify(|count| *count = count.wrapping_add(1));
        lease.notify_one();
        if at_once > AT_ONCE {
            // A store that cannot listen answers at once, every time.
            tokio::time::sleep(FLOOR).await;
        }
    }
}
