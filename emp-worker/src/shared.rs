//! What all parts of one worker process share.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use emp_core::connector::Loaded;
use emp_core::job::{Job, Phase, WorkerId};
use emp_engine::kill::{self, Point};
use emp_store::store::{Change, ClaimKey, Release, Store, Write};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::appetite::Appetite;
use crate::claim::Claim;
use crate::claims::Claims;
use crate::deltas::DeltaBook;
use crate::drive::drive;
use crate::driver::Driver;
use crate::options::WorkerOptions;
use crate::panics::PanicLog;
use crate::parking::{Held, Parking};
use crate::port::StorePort;
use crate::progress::ProgressBook;
use crate::writer::Writer;

/// What all parts of one worker process share.
pub(crate) struct Shared {
    pub(crate) options: WorkerOptions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) claims: Arc<Claims>,
    pub(crate) progress: Arc<ProgressBook>,
    pub(crate) deltas: Arc<DeltaBook>,
    pub(crate) writer: Writer,
    pub(crate) parking: Parking,
    pub(crate) panics: PanicLog,
    pub(crate) appetite: Appetite,
    pub(crate) tasks: TaskTracker,
    /// Ends every task of this process at once, as a crash would.
    pub(crate) kill: CancellationToken,
}

impl Shared {
    /// Runs a task that ends with the worker.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let kill = self.kill.clone();
        self.tasks.spawn(async move {
            kill.run_until_cancelled(task).await;
        })
    }

    /// A number from 0 to 1, by chance.
    pub(crate) fn random(&self) -> f64 {
        (self.options.random)()
    }

    /// Takes up a job that was claimed on a request sent at `sent`.
    pub(crate) fn take_up(
        self: &Arc<Self>,
        job: Job,
        connector: Arc<Loaded>,
        worker: &WorkerId,
        sent: Instant,
        slot: OwnedSemaphorePermit,
    ) {
        let Some(lease) = &job.lease else {
            error!(job = %job.id, service = job.service, worker = %worker, "the store gave a job without a claim on it");
            return;
        };
        kill::come_to(Point::Claimed);
        let phase = job.phase.unwrap_or(Phase::Prepared);
        info!(job = %job.id, service = job.service, worker = %worker, connector = connector.spec.name,
            phase = ?phase, delivery = job.deliveries, "claimed");
        let key = ClaimKey { job: job.id.clone(), nonce: lease.nonce.clone() };
        let claim = Claim::new(
            key,
            job.service.clone(),
            connector.spec.name,
            worker.clone(),
            phase,
            sent,
            self.parking.waker(),
        );
        if job.cancel.is_some() {
            claim.cancel();
        }
        let tenure = self.claims.hold(claim, slot);
        let run = self.driver.start(job, connector, Arc::new(self.port(&tenure.claim)));
        self.go_on(Held { run, tenure });
    }

    /// Gives back a job that was claimed and cannot be done here. Where that is not heard, the claim lapses.
    pub(crate) fn give_back(&self, job: &Job, reason: &str) {
        let Some(lease) = &job.lease else { return };
        let claim = ClaimKey { job: job.id.clone(), nonce: lease.nonce.clone() };
        // A while, so that a store that does not look at connectors does not give it here again and again.
        let change = Change::Release(Release { after: Duration::from_secs(10), reason: reason.to_owned() });
        let store = Arc::clone(&self.store);
        self.spawn(async move {
            if let Err(error) = store.write(vec![Write { claim, change }]).await {
                warn!(%error, "a job was not given back; its claim lapses");
            }
        });
    }

    /// Goes on with a run.
    pub(crate) fn go_on(self: &Arc<Self>, held: Held) {
        let shared = Arc::clone(self);
        self.spawn(drive(shared, held));
    }

    pub(crate) fn port(&self, claim: &Arc<Claim>) -> StorePort {
        StorePort {
            claim: Arc::clone(claim),
            writer: self.writer.clone(),
            progress: Arc::clone(&self.progress),
            deltas: Arc::clone(&self.deltas),
            store: Arc::clone(&self.store),
        }
    }
}
