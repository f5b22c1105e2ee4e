//! Who is alive.

use emp_core::Timestamp;

use crate::redis::{RedisStore, TOO_LATE, names, record, reply, script};
use crate::store::{StoreError, WorkerStatus};

impl RedisStore {
    /// Says that a worker is alive, and what it is and does.
    pub(super) async fn say_alive(&self, worker: &WorkerStatus) -> Result<(), StoreError> {
        for _ in 0..TOO_LATE {
            let at = self.moments.now();
            let record = record::json(&WorkerStatus { seen_at: at, ..worker.clone() })?;
            let id = worker.id.as_str().as_bytes().to_vec();
            let announced =
                self.run(&script::ANNOUNCE, at, |args| args.extend([id, record.into_bytes()])).await?;
            if announced.is_some() {
                return Ok(());
            }
        }
        Err(self.too_late())
    }

    /// The workers that were heard of lately.
    pub(super) async fn workers_seen(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        let mut all = redis::cmd("HGETALL");
        all.arg(self.names.key("workers"));
        let ttl = i64::try_from(self.options.worker_ttl.as_millis()).unwrap_or(i64::MAX);
        let since = Timestamp(self.moments.now().0.saturating_sub(ttl));
        let mut workers: Vec<WorkerStatus> = reply::pairs(self.link.command(&all).await?)
            .into_iter()
            .filter_map(|(id, text)| {
                record::parse(&text)
                    .inspect_err(|problem| tracing::error!(worker = id, problem, "left out of the list"))
                    .ok()
            })
            .filter(|worker: &WorkerStatus| worker.seen_at > since)
            .collect();
        workers.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(workers)
    }

    /// Takes workers out of the list.
    pub(super) async fn forget_workers(&self, workers: &[String]) -> Result<(), StoreError> {
        if workers.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        pipeline.cmd("HDEL").arg(self.names.key("workers")).arg(workers);
        pipeline.cmd("ZREM").arg(self.names.key(names::SEEN)).arg(workers);
        self.link.pipeline(&pipeline).await.map(drop)
    }

    /// Forgets that workers lost a lease.
    pub(super) async fn forget_losses(&self, workers: &[String]) -> Result<(), StoreError> {
        if workers.is_empty() {
            return Ok(());
        }
        let mut forget = redis::cmd("ZREM");
        forget.arg(self.names.key(names::LOST)).arg(workers);
        self.link.command(&forget).await.map(drop)
    }
}
