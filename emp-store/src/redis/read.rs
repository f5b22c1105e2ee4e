//! What the store tells of jobs and workers.

use std::cmp::Reverse;

use emp_core::Timestamp;
use emp_core::job::{Event, Job, JobId, JobState};

use crate::redis::record::{self, Found, WHOLE};
use crate::redis::{RedisStore, names, reply, script};
use crate::store::{ListQuery, Page, StoreError, WorkerStatus};

/// So many jobs are looked at in one go for a page.
const LOOK: usize = 200;

impl RedisStore {
    /// A page of jobs, newest first.
    pub(super) async fn page(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let limit = query.page_size();
        let mut before = query.before;
        let mut jobs: Vec<Job> = Vec::new();
        while jobs.len() <= limit {
            let arrived = self.arrived_before(query, before).await?;
            let ids: Vec<JobId> = arrived.iter().map(|(_, id)| id.clone()).collect();
            for (id, found) in ids.iter().zip(self.read(&ids, &WHOLE).await?) {
                match found {
                    Found::Job(stored) if query.wants(&stored.job) => jobs.push(stored.job),
                    Found::Job(_) | Found::Missing | Found::Newer => {}
                    // It hides none of the others.
                    Found::Unreadable(problem) => {
                        tracing::error!(job = %id, problem, "E_STORE_CORRUPT: left out of the list");
                    }
                }
            }
            before = arrived.last().map(|(arrival, _)| *arrival);
            if arrived.len() < LOOK {
                break;
            }
        }
        Ok(Page::cut(jobs, limit))
    }

    /// Jobs of the wanted states by their arrival, newest first, at most [`LOOK`].
    async fn arrived_before(
        &self,
        query: &ListQuery,
        before: Option<u64>,
    ) -> Result<Vec<(u64, JobId)>, StoreError> {
        let states = if query.states.is_empty() { &JobState::ALL[..] } else { &query.states };
        let from = before.map_or_else(|| "+inf".to_owned(), |before| format!("({before}"));
        let mut args = vec![self.names.prefix().to_owned(), from, LOOK.to_string()];
        args.extend(states.iter().map(|state| names::in_state(*state)));
        let args: Vec<Vec<u8>> = args.into_iter().map(String::into_bytes).collect();
        let found = self.link.run(&script::ARRIVED, &args, &self.names.key("clock"), None).await?;
        let answers = reply::items(found.unwrap_or_default());
        let mut arrived: Vec<(u64, JobId)> = answers
            .into_iter()
            .flat_map(reply::pairs)
            .filter_map(|(id, arrival)| Some((arrival.parse::<f64>().ok()? as u64, id.parse().ok()?)))
            .collect();
        arrived.sort_by_key(|(arrival, _)| Reverse(*arrival));
        arrived.dedup();
        arrived.truncate(LOOK);
        Ok(arrived)
    }

    /// The events of a job after a number.
    pub(super) async fn events_after(
        &self,
        id: &JobId,
        after: u64,
    ) -> Result<Option<Vec<Event>>, StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("HEXISTS").arg(self.names.job(id)).arg("rec");
        pipeline.cmd("LRANGE").arg(self.names.events(id)).arg(0).arg(-1);
        pipeline.cmd("LRANGE").arg(self.names.texts(id)).arg(0).arg(-1);
        let mut answers = self.link.pipeline(&pipeline).await?.into_iter();
        if answers.next().as_ref().and_then(reply::number) != Some(1) {
            return Ok(None);
        }
        let mut events = answers
            .flat_map(reply::items)
            .map(|item| record::read_event(id, &item))
            .collect::<Result<Vec<Event>, _>>()?;
        events.retain(|event| event.seq > after);
        events.sort_by_key(|event| event.seq);
        Ok(Some(events))
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
}
