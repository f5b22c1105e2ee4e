//! A store that lives and dies with its process: for tests, and for trying things out.

mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use emp_core::job::{Call, Event, Job, JobId, JobState, Nonce, WorkerId};
use emp_core::{Clock, Timestamp};

use crate::keys::{self, KeyRecord};
use crate::line::{self, Lane};
use crate::memory::state::State;
use crate::moment::{Hints, StoreTime};
use crate::store::{
    Answer, Bounds, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError,
    StoreOptions, WorkerStatus, Write,
};
use crate::transition;

/// Jobs in memory, behind one lock.
#[derive(Debug)]
pub struct MemoryStore {
    options: StoreOptions,
    time: StoreTime,
    hints: Hints,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(options: StoreOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, time: StoreTime::new(clock), hints: Hints::new(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks the state, and tells those who wait when there is something new.
    fn publish(&self, mut state: MutexGuard<'_, State>) {
        let news = std::mem::take(&mut state.news);
        drop(state);
        if news {
            self.hints.give();
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn enqueue(&self, new: NewJob) -> Result<Enqueued, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        let record = new.idempotency_key.as_ref().map(|key| (key.clone(), keys::digest(&new)));
        if let Some((key, digest)) = &record
            && let Some(used) = state.keys.get(key)
        {
            let job = state.jobs.get(&used.job);
            if !used.free(now, job.is_none_or(|job| job.state.terminal())) {
                return Ok(match job {
                    Some(job) if used.digest == *digest => Enqueued::Replayed(job.clone()),
                    _ => Enqueued::KeyConflict { job: used.job.clone() },
                });
            }
        }
        let counts = state.counts.get(&new.service);
        let count = |wanted| counts.and_then(|counts| counts.get(&wanted)).copied().unwrap_or(0);
        self.options.bounds.admit(&new.service, Bounds::WAITING.into_iter().map(count).sum())?;
        state.last_arrival += 1;
        let (job, events) = transition::enqueue(new, JobId::random(), state.last_arrival, now);
        if let Some((key, digest)) = record {
            state.keys.insert(key, KeyRecord { job: job.id.clone(), digest, at: now });
        }
        state.save(job.clone(), events, &self.options);
        self.publish(state);
        Ok(Enqueued::New(job))
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        state.promote_due(now, &self.options);
        let lanes: Vec<Lane> = state.ready.keys().cloned().collect();
        let best: Result<_, StoreError> = line::best(&lanes, &request, |lane, after| {
            let Some(line) = lanes.get(lane).and_then(|lane| state.ready.get(lane)) else { return Ok(None) };
            let next = match after {
                None => line.first_key_value(),
                Some(rank) => {
                    line.range((std::ops::Bound::Excluded(rank), std::ops::Bound::Unbounded)).next()
                }
            };
            Ok(next.map(|(rank, id)| (*rank, id.clone())))
        });
        let mut claimed = Vec::new();
        for id in best? {
            state.step(&id, &self.options, |job| {
                transition::claim(job, &request.worker, Nonce::random(), now, &self.options)
            });
            claimed.extend(state.jobs.get(&id).cloned());
        }
        self.publish(state);
        Ok(claimed)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        let answers = writes.into_iter().map(|write| state.write(write, now, &self.options)).collect();
        self.publish(state);
        Ok(answers)
    }

    async fn cancel(&self, id: &JobId, by: &str, reason: Option<&str>) -> Result<CancelAnswer, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        let Some(mut job) = state.jobs.get(id).cloned() else { return Ok(CancelAnswer::NotFound) };
        let answer = match transition::cancel(&mut job, by, reason, now) {
            transition::Cancelled::TooLate => CancelAnswer::TooLate(job),
            transition::Cancelled::Recorded(events) => {
                if !events.is_empty() {
                    state.save(job.clone(), events, &self.options);
                }
                CancelAnswer::Recorded(job)
            }
        };
        self.publish(state);
        Ok(answer)
    }

    async fn nudge(&self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        let Some(mut job) = state.jobs.get(id).cloned() else { return Ok(false) };
        let Some(step) = transition::nudge(&mut job, call, now) else { return Ok(false) };
        if step.changed {
            state.save(job, step.events, &self.options);
        }
        self.publish(state);
        Ok(true)
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        let reaped =
            if self.time.leapt_within(self.options.lease) { 0 } else { state.take_back(now, &self.options) };
        state.promote_due(now, &self.options);
        state.forget_ended(now, &self.options);
        self.publish(state);
        Ok(reaped)
    }

    async fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.state().jobs.get(id).cloned())
    }

    async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        let state = self.state();
        let limit = query.page_size();
        let jobs: Vec<Job> = state
            .arrivals
            .range(..query.before.unwrap_or(u64::MAX))
            .rev()
            .filter_map(|(_, id)| state.jobs.get(id))
            .filter(|job| query.wants(job))
            .take(limit + 1)
            .cloned()
            .collect();
        Ok(Page::cut(jobs, limit))
    }

    async fn events(&self, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
        Ok(self.state().events_after(id, after))
    }

    async fn announce(&self, mut worker: WorkerStatus) -> Result<(), StoreError> {
        worker.seen_at = self.time.now();
        self.state().workers.insert(worker.id.clone(), worker);
        Ok(())
    }

    async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        self.state().workers.remove(worker);
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        state.workers.retain(|_, worker| now.since(worker.seen_at) < self.options.worker_ttl);
        Ok(state.workers.values().cloned().collect())
    }

    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        Ok(self.state().counts.clone())
    }

    fn changed<'a, 'b>(&'a self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.hints.next())
    }

    fn now(&self) -> Timestamp {
        self.time.now()
    }
}
