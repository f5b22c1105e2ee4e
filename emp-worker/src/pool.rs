//! The slots of one worker, and the loop that fills them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use emp_core::connector::Loaded;
use emp_core::job::{Job, WorkerId};
use emp_store::store::ClaimRequest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::pacing::{Backoff, FLOOR, HintPace, spread};
use crate::plan::PlannedWorker;
use crate::shared::Shared;

/// One planned worker at work.
pub(crate) struct Pool {
    pub(crate) id: WorkerId,
    pub(crate) planned: PlannedWorker,
    slots: Arc<Semaphore>,
}

impl Pool {
    /// A worker with an id that no other start of it ever has (P10).
    pub(crate) fn new(planned: PlannedWorker) -> Self {
        let slots = Arc::new(Semaphore::new(planned.slots.min(Semaphore::MAX_PERMITS)));
        Self { id: WorkerId::start(&planned.name), planned, slots }
    }

    /// Claims jobs for free slots until the worker stops.
    pub(crate) async fn claim(
        &self,
        shared: &Arc<Shared>,
        mut hints: watch::Receiver<u64>,
        stop: &CancellationToken,
    ) {
        let mut backoff = Backoff::up_to(Duration::from_secs(5));
        let mut pace = HintPace::default();
        while let Some(slots) = self.free_slots(stop).await {
            let (services, pause) = self.open_services(shared, slots.num_permits());
            if services.is_empty() {
                drop(slots);
                let wait = pause.unwrap_or(shared.options.poll_every).clamp(FLOOR, shared.options.poll_every);
                tokio::select! {
                    biased;
                    () = rest(stop, spread(wait, 0.1, shared.random())) => {}
                    // A job that ends may free a place.
                    _ = hints.changed() => rest(stop, pace.in_vain()).await,
                }
                continue;
            }
            hints.mark_unchanged();
            match self.claim_for(shared, slots, services).await {
                Ok(0) => {
                    backoff.reset();
                    let slow_poll =
                        tokio::time::sleep(spread(shared.options.poll_every, 0.1, shared.random()));
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        _ = hints.changed() => rest(stop, pace.in_vain()).await,
                        () = slow_poll => pace.reset(),
                    }
                }
                Ok(_) => {
                    backoff.reset();
                    pace.reset();
                }
                Err(error) => {
                    let wait = backoff.next(shared.random());
                    warn!(worker = %self.id, %error, ?wait, "no jobs claimed");
                    rest(stop, wait).await;
                }
            }
        }
    }

    /// All free slots, at least one; `None` when the worker stops.
    async fn free_slots(&self, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        let mut slots = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            slot = Arc::clone(&self.slots).acquire_owned() => slot.ok()?,
        };
        // Jobs that ended together free their slots together, and one call fills them all.
        tokio::task::yield_now().await;
        let more = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        if let Ok(rest) = Arc::clone(&self.slots).try_acquire_many_owned(more) {
            slots.merge(rest);
        }
        Some(slots)
    }

    /// How many jobs of each service may be claimed now, and otherwise for how long there is no use in asking.
    fn open_services<'a>(
        &'a self,
        shared: &Shared,
        free: usize,
    ) -> (BTreeMap<&'a str, Offer<'a>>, Option<Duration>) {
        let (mut open, mut pause) = (BTreeMap::new(), None::<Duration>);
        for (service, connector) in &self.planned.services {
            match allowed(shared, connector) {
                Ok(0) => {}
                Ok(most) => {
                    open.insert(service.as_str(), Offer { connector, most: most.min(free) });
                }
                Err(wait) => pause = Some(pause.map_or(wait, |least| least.min(wait))),
            }
        }
        (open, pause)
    }

    /// Claims jobs for the slots and starts them; says how many. The call is never given up half way, since it may have claimed.
    async fn claim_for(
        &self,
        shared: &Arc<Shared>,
        mut slots: OwnedSemaphorePermit,
        services: BTreeMap<&str, Offer<'_>>,
    ) -> Result<usize, emp_store::store::StoreError> {
        let max = slots.num_permits();
        let request = ClaimRequest {
            worker: self.id.clone(),
            services: services.iter().map(|(service, offer)| ((*service).to_owned(), offer.most)).collect(),
            labels: shared.options.labels.clone(),
            connectors: self.open_connectors(shared, &services),
            max,
        };
        let sent = Instant::now();
        let jobs = shared.store.claim(request).await?;
        let count = jobs.len();
        for job in jobs {
            self.start(shared, job, &services, sent, &mut slots);
        }
        Ok(count)
    }

    fn start(
        &self,
        shared: &Arc<Shared>,
        job: Job,
        services: &BTreeMap<&str, Offer<'_>>,
        sent: Instant,
        slots: &mut OwnedSemaphorePermit,
    ) {
        let connector = match job.begun_by() {
            Some(name) => self.planned.connector(name),
            None => services.get(job.service.as_str()).map(|offer| offer.connector),
        };
        let (Some(connector), Some(slot)) = (connector, slots.split(1)) else {
            warn!(job = %job.id, service = job.service, worker = %self.id, connector = job.begun_by(),
                "the store gave a job that was not asked for");
            shared.give_back(&job, "this worker has not the connector that has begun it");
            return;
        };
        shared.take_up(job, Arc::clone(connector), &self.id, sent, slot);
    }

    /// The connectors whose begun jobs may be claimed now.
    fn open_connectors(&self, shared: &Shared, services: &BTreeMap<&str, Offer<'_>>) -> BTreeSet<String> {
        let own = services.values().map(|offer| offer.connector);
        let finishers =
            self.planned.finishers.iter().filter(|it| allowed(shared, it).is_ok_and(|most| most > 0));
        own.chain(finishers).map(|connector| connector.spec.name.to_owned()).collect()
    }

    /// Every connector that this worker has.
    pub(crate) fn connectors(&self) -> BTreeSet<String> {
        let own = self.planned.services.iter().map(|(_, connector)| connector);
        own.chain(&self.planned.finishers).map(|connector| connector.spec.name.to_owned()).collect()
    }

    /// Says which connectors were loaded, in the guide's words.
    pub(crate) fn introduce(&self) {
        info!(worker = %self.id, name = self.planned.name, slots = self.planned.slots, "worker started");
        for (service, connector) in &self.planned.services {
            info!(worker = %self.id, service, connector = connector.spec.name, version = connector.spec.version,
                "Successfully loaded connector {} from {}", connector.spec.name, connector.spec.source.file);
        }
        for connector in &self.planned.finishers {
            info!(worker = %self.id, connector = connector.spec.name, "jobs that {} has begun are finished here too", connector.spec.name);
        }
    }
}

/// A service that jobs are claimed for.
struct Offer<'a> {
    connector: &'a Arc<Loaded>,
    most: usize,
}

/// How many jobs of a connector may be claimed, or for how long none.
fn allowed(shared: &Shared, connector: &Loaded) -> Result<usize, Duration> {
    let (name, now) = (connector.spec.name, Instant::now());
    if let Some(wait) = shared.panics.paused(name, now) {
        return Err(wait);
    }
    if let Some((wait, _)) = shared.driver.paused(connector) {
        return Err(wait);
    }
    shared.appetite.of(connector, shared.claims.of_connector(name), now)
}

async fn rest(stop: &CancellationToken, wait: Duration) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}
