//! Chance, drawn from the seed. One stream for each thread, since a life is lived in one.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

thread_local! {
    static STREAM: RefCell<fastrand::Rng> = const { RefCell::new(fastrand::Rng::with_seed(0)) };
}

/// Begins the stream of a seed.
pub(crate) fn begin(seed: u64) {
    STREAM.with(|stream| *stream.borrow_mut() = fastrand::Rng::with_seed(seed));
}

/// From 0 to 1.
pub(crate) fn draw() -> f64 {
    STREAM.with(|stream| stream.borrow_mut().f64())
}

/// It happens, once in so many times.
pub(crate) fn once_in(times: u32) -> bool {
    STREAM.with(|stream| stream.borrow_mut().u32(0..times) == 0)
}

/// So many milliseconds.
pub(crate) fn millis(range: Range<u64>) -> Duration {
    Duration::from_millis(STREAM.with(|stream| stream.borrow_mut().u64(range)))
}

/// One of these.
pub(crate) fn below(count: usize) -> usize {
    STREAM.with(|stream| stream.borrow_mut().usize(0..count))
}
