//! Panics of connector code: caught at the run's edge, told without their payload, and counted per connector (F6).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, Once};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

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

/// Runs a future and gives a panic of it as a value. A panic's payload can hold a job's data, so it is neither kept nor printed;
/// its place is told to `told`, also when somebody further in has contained the panic.
pub(crate) async fn caught<T>(
    future: impl Future<Output = T> + Send,
    told: impl Fn(&str) + Send,
) -> Result<T, Panicked> {
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
    let mut future = Box::pin(future);
    poll_fn(move |context| poll(future.as_mut(), context, &told)).await
}

/// Polls once. The place is read on the thread of the panic, so no other task's panic is taken for this one's.
fn poll<T>(
    future: Pin<&mut (impl Future<Output = T> + Send)>,
    context: &mut Context<'_>,
    told: &impl Fn(&str),
) -> Poll<Result<T, Panicked>> {
    let outer = GUARDED.replace(true);
    let polled = catch_unwind(AssertUnwindSafe(|| future.poll(context)));
    GUARDED.set(outer);
    let place = PLACE.take();
    if let Some(place) = &place {
        told(place);
    }
    match polled {
        Ok(polled) => polled.map(Ok),
        Err(_payload) => Poll::Ready(Err(Panicked(place.unwrap_or_else(|| "an unknown place".to_owned())))),
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
        let told = Mutex::new(Vec::new());
        let tell = |place: &str| lock(&told).push(place.to_owned());
        let Panicked(place) = caught(async { panic!("the job's secret") }, tell).await.unwrap_err();
        assert!(place.contains("panics.rs:"), "{place}");
        assert!(!place.contains("secret"));
        assert_eq!(caught(async { 1 }, tell).await, Ok(1));
        assert_eq!(*lock(&told), [place]);
    }

    #[tokio::test]
    async fn f06_a_panic_that_was_contained_further_in_is_told_too() {
        let told = Mutex::new(0);
        let contained = async { drop(catch_unwind(|| panic!("the job's secret"))) };
        assert_eq!(caught(contained, |_| *lock(&told) += 1).await, Ok(()));
        assert_eq!(*lock(&told), 1);
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
