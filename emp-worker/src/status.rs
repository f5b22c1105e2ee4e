//! What workers say of themselves: that they live, what they run, and how their services are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emp_core::Timestamp;
use emp_core::connector::Loaded;
use emp_core::health::{Health, HealthStatus};
use emp_store::store::{ServiceStatus, WorkerStatus};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::pacing::spread;
use crate::panics::caught;
use crate::pool::Pool;
use crate::shared::Shared;
use crate::sync::lock;

/// The health of each connector, as last seen.
#[derive(Debug, Default)]
pub(crate) struct HealthBoard(Mutex<BTreeMap<&'static str, Health>>);

impl HealthBoard {
    fn of(&self, connector: &Loaded) -> Health {
        lock(&self.0).get(connector.spec.name).cloned().unwrap_or_else(Health::unknown)
    }

    fn set(&self, connector: &Loaded, health: Health) -> Option<HealthStatus> {
        lock(&self.0).insert(connector.spec.name, health).map(|before| before.status)
    }
}

/// How often a custom connector is asked whether the machine has what it needs.
const READY_EVERY: Duration = Duration::from_mins(1);

/// Asks a service for its health again and again, as often as its connector declares; once when it declares nothing to ask.
pub(crate) async fn watch_health(shared: Arc<Shared>, board: Arc<HealthBoard>, connector: Arc<Loaded>) {
    let name = connector.spec.name;
    let declared = connector.spec.http().and_then(|http| http.health.as_ref()).map(|probe| probe.every);
    let every = declared.or_else(|| connector.custom.as_ref().map(|_| READY_EVERY));
    loop {
        let health = caught(shared.driver.health(&connector), |place| {
            error!(connector = name, place, "the health probe panicked");
        })
        .await
        .unwrap_or_else(|panicked| Health {
            status: HealthStatus::Down,
            detail: Some(format!("the health probe panicked at {}", panicked.0)),
            ..Health::unknown()
        });
        let (status, detail) = (health.status, health.detail.clone().unwrap_or_default());
        let before = board.set(&connector, health);
        if before != Some(status) {
            if status == HealthStatus::Down {
                warn!(
                    connector = name,
                    detail, "Connector {name} initialization failed: its service is down"
                );
            } else if status != HealthStatus::Unknown {
                info!(connector = name, detail, "health: {status:?}");
            }
        }
        let Some(every) = every else { return };
        tokio::time::sleep(spread(every.max(Duration::from_secs(1)), 0.1, shared.random())).await;
    }
}

/// Announces the workers, at once and then every few seconds, and once more when they begin to stop.
pub(crate) async fn announce(
    shared: Arc<Shared>,
    pools: Arc<[Arc<Pool>]>,
    board: Arc<HealthBoard>,
    started_at: Timestamp,
    stop: CancellationToken,
) {
    loop {
        for pool in pools.iter() {
            let status = status(&shared, pool, &board, started_at, stop.is_cancelled());
            if let Err(error) = shared.store.announce(status).await {
                warn!(worker = %pool.id, %error, "not announced");
            }
        }
        let wait = tokio::time::sleep(spread(shared.options.announce_every, 0.1, shared.random()));
        if stop.is_cancelled() {
            wait.await;
        } else {
            tokio::select! {
                biased;
                () = wait => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

fn status(
    shared: &Shared,
    pool: &Pool,
    board: &HealthBoard,
    started_at: Timestamp,
    draining: bool,
) -> WorkerStatus {
    let services = pool.planned.services.iter().map(|(service, connector)| ServiceStatus {
        service: service.clone(),
        connector: connector.spec.name.to_owned(),
        version: connector.spec.version.to_owned(),
        health: board.of(connector),
    });
    WorkerStatus {
        id: pool.id.clone(),
        name: pool.planned.name.clone(),
        version: shared.options.version.clone(),
        host: shared.options.host.clone(),
        pid: std::process::id(),
        labels: shared.options.labels.clone(),
        services: services.collect(),
        connectors: pool.connectors(),
        slots: pool.planned.slots,
        running: shared.claims.jobs_of(&pool.id),
        draining,
        started_at,
        seen_at: shared.store.now(),
    }
}
