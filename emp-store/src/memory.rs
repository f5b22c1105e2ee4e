//! A store that lives and dies with its process: for tests, and for trying things out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use emp_core::job::{Event, Job, JobId, JobState, Nonce, WorkerId};
use emp_core::{Clock, Timestamp};

use crate::keys::{self, KeyRecord};
use crate::line::{self, Lane, Place, Rank};
use crate::moment::{Hints, StoreTime};
use crate::store::{
    Answer, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError, StoreOptions,
    WorkerStatus, Write,
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

#[derive(Debug, Default)]
struct State {
    jobs: HashMap<JobId, Job>,
    events: HashMap<JobId, VecDeque<Event>>,
    arrivals: BTreeMap<u64, JobId>,
    ready: BTreeMap<Lane, BTreeMap<Rank, JobId>>,
    due: BTreeSet<(Timestamp, JobId)>,
    leased: BTreeSet<(Timestamp, JobId)>,
    counts: BTreeMap<String, BTreeMap<JobState, u64>>,
    keys: HashMap<String, KeyRecord>,
    workers: BTreeMap<WorkerId, WorkerStatus>,
    last_arrival: u64,
    /// Events were written that nobody was told of yet.
    news: bool,
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

impl State {
    /// Stores a job and its new events, and keeps every index true.
    fn save(&mut self, job: Job, events: Vec<Event>, options: &StoreOptions) {
        if let Some(before) = self.jobs.remove(&job.id) {
            self.unlink(&before, options);
        }
        *self.counts.entry(job.service.clone()).or_default().entry(job.state).or_default() += 1;
        match Place::of(&job, options) {
            Place::Ready(lane, rank) => {
                self.ready.entry(lane).or_default().insert(rank, job.id.clone());
            }
            Place::Due(at) => {
                self.due.insert((at, job.id.clone()));
            }
            Place::Leased(until) => {
                self.leased.insert((until, job.id.clone()));
            }
            Place::Aside => {}
        }
        self.news |= !events.is_empty();
        let kept = self.events.entry(job.id.clone()).or_default();
        kept.extend(events);
        while kept.len() > options.max_events {
            kept.pop_front();
        }
        self.arrivals.insert(job.arrival, job.id.clone());
        self.jobs.insert(job.id.clone(), job);
    }

    fn unlink(&mut self, job: &Job, options: &StoreOptions) {
        if let Some(states) = self.counts.get_mut(&job.service)
            && let Some(count) = states.get_mut(&job.state)
        {
            *count -= 1;
            if *count == 0 {
                states.remove(&job.state);
            }
        }
        match Place::of(job, options) {
            Place::Ready(lane, rank) => {
                if let Some(line) = self.ready.get_mut(&lane) {
                    line.remove(&rank);
                    if line.is_empty() {
                        self.ready.remove(&lane);
                    }
                }
            }
            Place::Due(at) => {
                self.due.remove(&(at, job.id.clone()));
            }
            Place::Leased(until) => {
                self.leased.remove(&(until, job.id.clone()));
            }
            Place::Aside => {}
        }
    }

    /// Changes a job by a pure step; says whether there was something to change.
    fn step(
        &mut self,
        id: &JobId,
        options: &StoreOptions,
        step: impl FnOnce(&mut Job) -> Vec<Event>,
    ) -> bool {
        let Some(mut job) = self.jobs.get(id).cloned() else { return false };
        let events = step(&mut job);
        let changed = !events.is_empty();
        if changed {
            self.save(job, events, options);
        }
        changed
    }

    fn promote_due(&mut self, now: Timestamp, options: &StoreOptions) {
        let due: Vec<JobId> =
            self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| id.clone()).collect();
        for id in due {
            self.step(&id, options, |job| transition::promote(job, now));
        }
    }

    fn write(&mut self, write: Write, now: Timestamp, options: &StoreOptions) -> Answer {
        let Some(mut job) = self.jobs.get(&write.claim.job).cloned() else { return Answer::Gone };
        let step = transition::apply(&mut job, &write.claim.nonce, write.change, now, options);
        if step.changed {
            self.save(job, step.events, options);
        }
        step.answer
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

    async fn reap(&self) -> Result<usize, StoreError> {
        let now = self.time.now();
        let mut state = self.state();
        let lapsed: Vec<JobId> = if self.time.leapt_within(self.options.lease) {
            Vec::new()
        } else {
            state.leased.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| id.clone()).collect()
        };
        let reaped = lapsed
            .iter()
            .filter(|id| state.step(id, &self.options, |job| transition::lapse(job, now, &self.options)))
            .count();
        state.promote_due(now, &self.options);
        let State { keys, jobs, .. } = &mut *state;
        keys.retain(|_, used| !used.free(now, jobs.get(&used.job).is_none_or(|job| job.state.terminal())));
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
        let state = self.state();
        Ok(state
            .events
            .get(id)
            .map(|events| events.iter().filter(|event| event.seq > after).cloned().collect()))
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
