//! A worker process: its parts, its start and its stop.

use std::collections::BTreeMap;
use std::sync::Arc;

use emp_core::Clock;
use emp_core::connector::Loaded;
use emp_store::store::{ClaimKey, Store};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::appetite::Appetite;
use crate::drain::drain;
use crate::driver::Driver;
use crate::hints;
use crate::lease::LeaseKeeper;
use crate::options::WorkerOptions;
use crate::panics::PanicLog;
use crate::parking::Parking;
use crate::plan::PlannedWorker;
use crate::pool::Pool;
use crate::reaper::reap;
use crate::shared::Shared;
use crate::status::{HealthBoard, announce, watch_health};
use crate::writer::Writer;

/// All workers of one process.
///
/// [`run`](Self::run) dropped half way is a crash: nothing is given back, and the claims lapse.
pub struct Worker {
    options: WorkerOptions,
    store: Arc<dyn Store>,
    engine: Arc<dyn Driver>,
    pools: Arc<[Arc<Pool>]>,
    clock: Arc<dyn Clock>,
}

impl Worker {
    /// Workers as [planned](crate::plan()), over a store and an engine.
    pub fn new(
        options: WorkerOptions,
        store: Arc<dyn Store>,
        engine: Arc<dyn Driver>,
        planned: Vec<PlannedWorker>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pools = planned.into_iter().map(|planned| Arc::new(Pool::new(planned))).collect();
        Self { options, store, engine, pools, clock }
    }

    /// Claims and does jobs until `stop` is cancelled, then hands over what can be handed over, awaits the submits under way, and
    /// returns (P11).
    pub async fn run(self, stop: CancellationToken) {
        let kill = CancellationToken::new();
        let _end_of_all_tasks = kill.clone().drop_guard();
        let (woken, wakes) = mpsc::unbounded_channel();
        let (writer, writing) = Writer::new(Arc::clone(&self.store), self.options.random);
        let shared = Arc::new(Shared {
            options: self.options,
            store: self.store,
            driver: self.engine,
            claims: Arc::default(),
            progress: Arc::default(),
            deltas: Arc::default(),
            writer,
            parking: Parking::new(woken),
            panics: PanicLog::default(),
            appetite: Appetite::default(),
            tasks: TaskTracker::new(),
            kill,
        });
        let (hints, lease_hint) = (watch::Sender::new(0), Arc::new(Notify::new()));
        let keeper = LeaseKeeper::new(&shared, Arc::clone(&lease_hint));
        if !shared.options.leases_on_a_thread {
            shared.spawn(async move { keeper.keep().await });
        } else if let Err(error) = keeper.spawn() {
            error!(%error, "E_INTERNAL: no thread for the leases, so no job is claimed; allow this process more threads");
            return;
        }
        shared.spawn(writing.run());
        shared.spawn(wake_waiting(Arc::clone(&shared), wakes));
        shared.spawn(Arc::clone(&shared.progress).write_for(Arc::clone(&shared)));
        shared.spawn(Arc::clone(&shared.deltas).write_for(Arc::clone(&shared)));
        shared.spawn(reap(Arc::clone(&shared)));
        let board = Arc::new(HealthBoard::default());
        for connector in connectors(&self.pools) {
            shared.spawn(watch_health(Arc::clone(&shared), Arc::clone(&board), connector));
        }
        let started_at = self.clock.now();
        let announcing = shared.spawn(announce(
            Arc::clone(&shared),
            Arc::clone(&self.pools),
            board,
            started_at,
            stop.clone(),
        ));
        let claiming = start_claiming(&shared, &self.pools, &hints, &stop);
        shared.spawn(hints::listen(Arc::clone(&shared.store), hints, lease_hint));

        stop.cancelled().await;
        drain(&shared, claiming, announcing, &self.pools).await;
    }
}

/// One claim loop for each worker.
fn start_claiming(
    shared: &Arc<Shared>,
    pools: &[Arc<Pool>],
    hints: &watch::Sender<u64>,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut claiming = JoinSet::new();
    for pool in pools {
        pool.introduce();
        let (pool, shared, hints, stop) =
            (Arc::clone(pool), Arc::clone(shared), hints.subscribe(), stop.clone());
        claiming.spawn(async move { pool.claim(&shared, hints, &stop).await });
    }
    claiming
}

/// Goes on with runs whose wait is over, for ever.
async fn wake_waiting(shared: Arc<Shared>, mut wakes: mpsc::UnboundedReceiver<ClaimKey>) {
    loop {
        let held = shared.parking.next(&mut wakes).await;
        shared.go_on(held);
    }
}

/// Every connector of these workers, once.
fn connectors(pools: &[Arc<Pool>]) -> Vec<Arc<Loaded>> {
    let services = pools.iter().flat_map(|pool| &pool.planned.services);
    let by_name: BTreeMap<_, _> = services.map(|(_, connector)| (connector.spec.name, connector)).collect();
    by_name.into_values().cloned().collect()
}
