//! Panics of connector code: caught at the run's edge, told without their payload, and counted per connector (F6).

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, Once};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::sync::lock;

/// So many panics in a row pause a connector.
const LIMIT: u32 = 3;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Where a connector's code panicked: `connectors/x.rs:12:5`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// Runs a future and gives a panic of it as a value. A panic's payload can hold a job's data, so it is neither kept nor printed.
pub(crate) async fn caught<T>(future: impl Future<Output = T> + Send) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if GUARDED.get() {
                PLACE.set(info.location().map(ToString::to_string));
            } else {
                previous(info);
            }
        }));
    });
    Caught(Box::pin(future))
        .await
        .map_err(|_payload| Panicked(PLACE.take().unwrap_or_else(|| "an unknown place".to_owned())))
}

struct Caught<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<T> Future for Caught<'_, T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outer = GUARDED.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)));
        GUARDED.set(outer);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

/// How often each connector panicked in a row.
#[derive(Debug, Default)]
pub(crate) struct PanicLog(Mutex<HashMap<&'static str, Count>>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    in_a_row: u32,
    paused_until: Option<Instant>,
}

impl PanicLog {
    /// A run of the connector panicked; says whether that pauses it.
    pub(crate) fn panicked(&self, connector: &'static str, now: Instant, pause: Duration) -> bool {
        let mut counts = lock(&self.0);
        let count = counts.entry(connector).or_default();
        count.in_a_row = count.in_a_row.saturating_add(1);
        if count.in_a_row >= LIMIT {
            count.paused_until = Some(now + pause);
        }
        count.in_a_row >= LIMIT
    }

    /// A run of the connector ended without a panic.
    pub(crate) fn went_well(&self, connector: &'static str) {
        lock(&self.0).remove(connector);
    }

    /// For how long no job of the connector is to be claimed. After the pause one panic more pauses it again.
    pub(crate) fn paused(&self, connector: &'static str, now: Instant) -> Option<Duration> {
        let until = lock(&self.0).get(connector)?.paused_until?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn f06_a_panic_is_told_with_its_place_and_without_its_payload() {
        let place = caught(async { panic!("the job's secret") }).await.unwrap_err().0;
        assert!(place.contains("panics.rs:"), "{place}");
        assert!(!place.contains("secret"));
        assert_eq!(caught(async { 1 }).await, Ok(1));
    }

    #[test]
    fn f06_three_panics_in_a_row_pause_a_connector() {
        let log = PanicLog::default();
        let (now, pause) = (Instant::now(), Duration::from_mins(1));
        assert!(!log.panicked("A", now, pause));
        assert!(!log.panicked("A", now, pause));
        log.went_well("A");
        assert!(!log.panicked("A", now, pause));
        assert!(!log.panicked("A", now, pause));
        assert_eq!(log.paused("A", now), None);
        assert!(log.panicked("A", now, pause));
        assert_eq!(log.paused("A", now), Some(pause));
        assert_eq!(log.paused("B", now), None);
        assert_eq!(log.paused("A", now + pause), None, "one job is let through to see");
        assert!(log.panicked("A", now + pause, pause));
    }
}
