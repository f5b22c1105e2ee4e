//! The engine's side of one claim: durable writes before and after each effect.

use std::sync::Arc;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::job::{Intent, Phase, Progress, ServiceJob};
use emp_engine::port::{JobPort, Stop};
use emp_store::store::{Answer, Change, Store};
use tracing::{info, warn};

use crate::claim::Claim;
use crate::progress::ProgressBook;
use crate::writer::{Until, Writer};

/// A [`JobPort`] over the store.
pub(crate) struct StorePort {
    pub(crate) claim: Arc<Claim>,
    pub(crate) writer: Writer,
    pub(crate) progress: Arc<ProgressBook>,
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
        match self.writer.persist(claim, Change::Intent(intent), Until::InDoubt).await? {
            Answer::Ok | Answer::OkAlready => {
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
        let answer = self.writer.persist(&self.claim, change, Until::Answered).await?;
        if !answer.holds() {
            return Err(Stop::Fenced);
        }
        self.claim.set_phase(Phase::Prepared);
        Ok(())
    }

    async fn submitted(&self, service_job: ServiceJob) -> Result<(), Stop> {
        let claim = &self.claim;
        let id = service_job.id.clone();
        let answer = self.writer.persist(claim, Change::Submitted(service_job), Until::Answered).await?;
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

    fn stop(&self) -> Option<Stop> {
        self.claim.stop()
    }

    async fn stopped(&self) -> Stop {
        self.claim.stopped().await
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }
}
