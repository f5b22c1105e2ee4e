//! Whether this process gets on: a sleeper that measures how late it wakes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::Metrics;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How long a stall is remembered, so that a scrape sees it.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Measures stalls for ever.
pub async fn watch_stalls(metrics: Arc<Metrics>) {
    let (mut worst, mut since) = (Duration::ZERO, Instant::now());
    loop {
        let before = Instant::now();
        tokio::time::sleep(EVERY).await;
        let late = before.elapsed().saturating_sub(EVERY);
        if late >= worst || since.elapsed() > REMEMBERED {
            (worst, since) = (late, Instant::now());
        }
        metrics.stalled(worst.as_secs_f64());
    }
}
