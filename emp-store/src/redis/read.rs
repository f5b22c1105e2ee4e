//! What the store tells of jobs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use emp_core::job::{Event, Job, JobId, JobState};

use crate::redis::record::{self, Found, WHOLE};
use crate::redis::{RedisStore, names, reply, script};
use crate::store::{ListQuery, Page, StoreError};

/// So many jobs are looked at in one go for a page.
const LOOK: usize = 200;

impl RedisStore {
    /// A job, whole.
    pub(super) async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let found = self.read(std::slice::from_ref(id), &WHOLE).await?.pop();
        Ok(found.map(|found| found.job(id)).transpose()?.flatten().map(|stored| stored.job))
    }

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

    /// How many jobs there are of each service and state.
    pub(super) async fn count_jobs(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        let mut all = redis::cmd("HGETALL");
        all.arg(self.names.key("counts"));
        let mut counts = BTreeMap::<String, BTreeMap<JobState, u64>>::new();
        for (name, count) in reply::pairs(self.link.command(&all).await?) {
            let (word, service) = name.split_once(' ').unwrap_or_default();
            let state = JobState::ALL.into_iter().find(|state| state.as_str() == word);
            if let (Some(state), Ok(count)) = (state, count.parse()) {
                counts.entry(service.to_owned()).or_default().insert(state, count);
            }
        }
        Ok(counts)
    }
}
