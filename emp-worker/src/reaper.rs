//! The reaper: every worker takes back the jobs of workers that died (P8).

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::pacing::{Backoff, spread};
use crate::shared::Shared;

/// Takes back jobs whose lease has lapsed, now and then, for ever.
pub(crate) async fn reap(shared: Arc<Shared>) {
    let mut backoff = Backoff::up_to(Duration::from_secs(30));
    loop {
        tokio::time::sleep(spread(shared.options.reap_every, 0.5, shared.random())).await;
        match shared.store.reap().await {
            Ok(taken) => {
                backoff.reset();
                if taken > 0 {
                    info!(jobs = taken, "jobs of dead workers taken back");
                }
            }
            Err(error) => {
                warn!(%error, "jobs of dead workers not looked for");
                tokio::time::sleep(backoff.next(shared.random())).await;
            }
        }
    }
}
