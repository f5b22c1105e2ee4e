//! The engine's side of one claim: durable writes before and after each effect.

use std::sync::Arc;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::job::{Call, Delta, Intent, Phase, Progress, ServiceJob};
use emp_engine::kill::{self, Point};
use emp_engine::port::{JobPort, Stop};
use emp_store::store::{Answer, Change, Store};
use tracing::{info, warn};

use crate::claim::Claim;
use crate::deltas::DeltaBook;
use crate::progress::ProgressBook;
use crate::writer::{Until, Writer};

/// A [`JobPort`] over the store.
pub(crate) struct StorePort {
    pub(crate) claim: Arc<Claim>,
    pub(crate) writer: Writer,
    pub(crate) progress: Arc<ProgressBook>,
    pub(crate) deltas: Arc<DeltaBook>,
    pub(crate) store: Arc<dyn Store>,
}

impl StorePort {
    fn go_on(&self) -> Result<(), Stop> {
        self.claim.stop().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl JobPort for StorePort {
    async fn intent(&self, intent: Intent) -> Result<(), Stop> {
        self.go_on()?;
        let claim = &self.claim;
        let before = claim.phase();
        kill::come_to(Point::BeforeIntent);
        let answer = self.writer.persist(claim, Change::Intent(intent), Until::InDoubt).await?;
        kill::come_to(Point::AfterIntent);
        match answer {
            Answer::Ok | Answer::OkAlready | Answer::Nudged => {
                claim.set_phase(Phase::Submitting);
                info!(job = %claim.key.job, service = claim.service, worker = %claim.worker, "submitting");
                Ok(())
            }
            Answer::CancelRequested => {
                claim.set_phase(Phase::Submitting);
                // Stored, but nothing will be sent. An intent that was there before may have been sent by somebody else.
                if before == Phase::Prepared {
                    self.not_sent("a cancel came first").await?;
                }
                Err(Stop::Cancel)
            }
            Answer::Fenced | Answer::Gone | Answer::Conflict => Err(Stop::Fenced),
        }
    }

    async fn not_sent(&self, reason: &str) -> Result<(), Stop> {
        let change = Change::NotSent { reason: reason.to_owned() };
        kill::come_to(Point::BeforeNotSent);
        let answer = self.writer.persist(&self.claim, change, Until::Answered).await?;
        kill::come_to(Point::AfterNotSent);
        if !answer.holds() {
            return Err(Stop::Fenced);
        }
        self.claim.set_phase(Phase::Prepared);
        Ok(())
    }

    async fn submitted(&self, service_job: ServiceJob) -> Result<(), Stop> {
        let claim = &self.claim;
        let id = service_job.id.clone();
        kill::come_to(Point::BeforeSubmitted);
        let answer = self.writer.persist(claim, Change::Submitted(service_job), Until::Answered).await?;
        kill::come_to(Point::AfterSubmitted);
        if !answer.holds() {
            warn!(job = %claim.key.job, service = claim.service, worker = %claim.worker, service_job_id = id,
                "submitted, but the claim was lost meanwhile; the service job is kept for the job's owner");
            return Err(Stop::Fenced);
        }
        claim.set_phase(Phase::Submitted);
        info!(job = %claim.key.job, service = claim.service, worker = %claim.worker, service_job_id = id, "submitted");
        Ok(())
    }

    fn progress(&self, progress: Progress) {
        if self.claim.sure() {
            self.progress.note(&self.claim.key, progress);
        }
    }

    fn delta(&self, delta: Delta) {
        if self.claim.sure() {
            self.deltas.note(&self.claim.key, &delta);
        }
    }

    async fn call(&self) -> Option<Call> {
        if !self.claim.take_call() {
            return None;
        }
        // What cannot be read is as if it had not been said: the job is asked after.
        self.store.get(&self.claim.key.job).await.ok()??.call
    }

    fn stop(&self) -> Option<Stop> {
        self.claim.stop()
    }

    async fn stopped(&self) -> Stop {
        self.claim.stopped().await
    }

    async fn nudged(&self) {
        self.claim.nudged().await;
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use tokio::time::Instant;

    use emp_core::SystemClock;
    use emp_core::job::{Job, JobId, WorkerId};
    use emp_store::memory::MemoryStore;
    use emp_store::store::{ClaimKey, ClaimRequest, NewJob, StoreOptions};
    use tokio::sync::mpsc;

    use super::*;

    struct Claimed {
        store: Arc<dyn Store>,
        port: StorePort,
        id: JobId,
    }

    /// A job that was just claimed, and its port.
    async fn claimed() -> Claimed {
        let store: Arc<dyn Store> =
            Arc::new(MemoryStore::new(StoreOptions::default(), Arc::new(SystemClock)));
        let (service, labels) = ("service".to_owned(), BTreeMap::new());
        let new = NewJob {
            service: service.clone(),
            payload: serde_json::json!({}),
            priority: 0,
            labels: labels.clone(),
            idempotency_key: None,
        };
        store.enqueue(new).await.unwrap();
        let worker = WorkerId::start("test");
        let services = BTreeMap::from([(service.clone(), 1)]);
        let jobs = store
            .claim(ClaimRequest {
                worker: worker.clone(),
                services,
                labels,
                connectors: BTreeSet::new(),
                max: 1,
            })
            .await
            .unwrap();
        let job: &Job = jobs.first().unwrap();
        let key = ClaimKey { job: job.id.clone(), nonce: job.lease.as_ref().unwrap().nonce.clone() };
        let claim = Claim::new(
            key,
            service,
            "C",
            worker,
            Phase::Prepared,
            Instant::now(),
            mpsc::unbounded_channel().0,
        );
        let (writer, task) = Writer::new(Arc::clone(&store), || 0.5);
        tokio::spawn(task.run());
        let port = StorePort {
            claim: Arc::new(claim),
            writer,
            progress: Arc::default(),
            deltas: Arc::default(),
            store: Arc::clone(&store),
        };
        Claimed { store, port, id: job.id.clone() }
    }

    fn intent(key: &str) -> Intent {
        Intent {
            connector: "C".to_owned(),
            fingerprint: 1,
            key: key.to_owned(),
            digest: "d".to_owned(),
            prepared: serde_json::Map::new(),
            at: Timestamp::default(),
        }
    }

    impl Claimed {
        async fn job(&self) -> Job {
            self.store.get(&self.id).await.unwrap().unwrap()
        }
    }

    #[tokio::test]
    async fn p02_an_intent_is_durable_before_it_returns() {
        let claimed = claimed().await;
        claimed.port.intent(intent("k")).await.unwrap();
        let job = claimed.job().await;
        assert_eq!((job.phase, job.attempt), (Some(Phase::Submitting), 1));
        assert_eq!(claimed.port.claim.phase(), Phase::Submitting);
    }

    #[tokio::test]
    async fn p15_an_intent_that_meets_a_cancel_is_withdrawn_and_nothing_is_sent() {
        let claimed = claimed().await;
        claimed.store.cancel(&claimed.id, "test", None).await.unwrap();
        assert_eq!(claimed.port.intent(intent("k")).await, Err(Stop::Cancel));
        let job = claimed.job().await;
        assert_eq!((job.phase, job.attempt), (Some(Phase::Prepared), 0));
    }

    #[tokio::test]
    async fn p02_an_intent_of_an_earlier_owner_is_not_withdrawn_by_a_cancel() {
        let claimed = claimed().await;
        claimed.port.intent(intent("k")).await.unwrap();
        claimed.store.cancel(&claimed.id, "test", None).await.unwrap();
        assert_eq!(claimed.port.intent(intent("k")).await, Err(Stop::Cancel));
        let job = claimed.job().await;
        assert_eq!((job.phase, job.attempt), (Some(Phase::Submitting), 1), "it may have been sent");
    }

    #[tokio::test]
    async fn p05_a_claim_in_doubt_gets_no_intent() {
        let claimed = claimed().await;
        claimed.port.claim.doubt(Instant::now(), std::time::Duration::ZERO);
        assert_eq!(claimed.port.intent(intent("k")).await, Err(Stop::Fenced));
        assert_eq!(claimed.job().await.attempt, 0);
    }
}
