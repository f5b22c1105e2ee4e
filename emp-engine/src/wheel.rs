//! One timer for everything that waits: ten thousand jobs between two polls are ten thousand entries here, not tasks.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio_util::time::DelayQueue;

/// The queue below takes no longer waits than two years.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Holds items until their time has come.
///
/// Any task may insert; one task at a time waits in [`next`](Self::next).
#[derive(Debug)]
pub struct Wheel<T>(Mutex<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    queue: DelayQueue<T>,
    waiting: Option<Waker>,
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Wheel<T> {
    /// An empty wheel.
    pub fn new() -> Self {
        Self(Mutex::new(Inner { queue: DelayQueue::new(), waiting: None }))
    }

    /// Holds an item for a time. Must be called within a tokio runtime.
    pub fn insert(&self, item: T, after: Duration) {
        let waiting = self.with(|inner| {
            inner.queue.insert(item, after.min(LONGEST));
            inner.waiting.take()
        });
        // A sleeping `next` must look again: the new item may be the first that is due.
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// The next item whose time has come; waits for as long as there is none.
    pub async fn next(&self) -> T {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.with(|inner| inner.queue.len())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<T> {
        self.with(|inner| match inner.queue.poll_expired(cx) {
            Poll::Ready(Some(expired)) => Poll::Ready(expired.into_inner()),
            Poll::Ready(None) | Poll::Pending => {
                inner.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Inner<T>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
