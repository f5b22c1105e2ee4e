//! What a store in memory holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use emp_core::Timestamp;
use emp_core::job::{Event, Job, JobId, JobState, WorkerId};

use crate::keys::KeyRecord;
use crate::line::{Lane, Place, Rank};
use crate::store::{Answer, StoreOptions, WorkerStatus, Write};
use crate::transition::{self, Loss};

/// Jobs, and every index of them.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) jobs: HashMap<JobId, Job>,
    pub(super) events: HashMap<JobId, VecDeque<Event>>,
    /// The events with text, apart from the others so that neither make room for the other.
    pub(super) deltas: HashMap<JobId, Vec<Event>>,
    pub(super) arrivals: BTreeMap<u64, JobId>,
    pub(super) ready: BTreeMap<Lane, BTreeMap<Rank, JobId>>,
    pub(super) due: BTreeSet<(Timestamp, JobId)>,
    pub(super) leased: BTreeSet<(Timestamp, JobId)>,
    pub(super) ended: BTreeSet<(Timestamp, JobId)>,
    pub(super) counts: BTreeMap<String, BTreeMap<JobState, u64>>,
    pub(super) keys: HashMap<String, KeyRecord>,
    pub(super) workers: BTreeMap<WorkerId, WorkerStatus>,
    /// Who lost a lease of late, and when.
    pub(super) lost: BTreeMap<WorkerId, Timestamp>,
    pub(super) last_arrival: u64,
    /// Events were written that nobody was told of yet.
    pub(super) news: bool,
}

impl State {
    /// Stores a job and its new events, and keeps every index true.
    pub(super) fn save(&mut self, job: Job, events: Vec<Event>, options: &StoreOptions) {
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
            Place::Ended(until) => {
                self.ended.insert((until, job.id.clone()));
            }
            Place::Aside => {}
        }
        self.news |= !events.is_empty();
        let (deltas, events): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|event| event.delta.is_some());
        if !deltas.is_empty() {
            self.keep_deltas(&job.id, deltas);
        }
        let kept = self.events.entry(job.id.clone()).or_default();
        kept.extend(events);
        while kept.len() > options.max_events {
            kept.pop_front();
        }
        self.arrivals.insert(job.arrival, job.id.clone());
        self.jobs.insert(job.id.clone(), job);
    }

    fn keep_deltas(&mut self, id: &JobId, news: Vec<Event>) {
        let kept = self.deltas.entry(id.clone()).or_default();
        for event in news {
            if event.delta.as_ref().is_some_and(|delta| delta.start) {
                kept.clear();
            }
            kept.push(event);
            let bytes =
                kept.iter().filter_map(|event| event.delta.as_ref()).map(|delta| delta.text.len()).sum();
            if transition::crowded(kept.len(), bytes) {
                *kept = transition::compact(kept).into_iter().collect();
            }
        }
    }

    /// The events of a job after a number, oldest first.
    pub(super) fn events_after(&self, id: &JobId, after: u64) -> Option<Vec<Event>> {
        let deltas = self.deltas.get(id).into_iter().flatten();
        let mut events: Vec<Event> =
            self.events.get(id)?.iter().chain(deltas).filter(|event| event.seq > after).cloned().collect();
        events.sort_by_key(|event| event.seq);
        Some(events)
    }

    fn unlink(&mut self, job: &Job, options: &StoreOptions) {
        if let Some(states) = self.counts.get_mut(&job.service)
            && let Some(count) = states.get_mut(&job.state)
        {
            *count -= 1;
            if *count == 0 {
                states.remove(&job.state);
            }
            if states.is_empty() {
                self.counts.remove(&job.service);
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
            Place::Ended(until) => {
                self.ended.remove(&(until, job.id.clone()));
            }
            Place::Aside => {}
        }
    }

    /// Changes a job by a pure step; says whether there was something to change.
    pub(super) fn step(
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

    /// Takes back the jobs whose lease has lapsed; says how many.
    pub(super) fn take_back(&mut self, now: Timestamp, options: &StoreOptions) -> usize {
        let lapsed: Vec<JobId> =
            self.leased.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| id.clone()).collect();
        let losers = lapsed.iter().filter_map(|id| Some(self.jobs.get(id)?.lease.as_ref()?.worker.clone()));
        self.lost.extend(losers.map(|worker| (worker, now)));
        self.lost.retain(|_, at| now.since(*at) < options.lease);
        let live = self.workers.values().filter(|worker| now.since(worker.seen_at) < options.worker_ttl);
        let loss =
            Loss::of(&self.lost.keys().cloned().collect(), &live.map(|worker| worker.id.clone()).collect());
        lapsed
            .iter()
            .filter(|id| self.step(id, options, |job| transition::lapse(job, loss, now, options)))
            .count()
    }

    /// Puts jobs whose waiting time is over into the line.
    pub(super) fn promote_due(&mut self, now: Timestamp, options: &StoreOptions) {
        let due: Vec<JobId> =
            self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| id.clone()).collect();
        for id in due {
            self.step(&id, options, |job| transition::promote(job, now));
        }
    }

    /// Forgets jobs that ended long ago, and old keys (P28).
    pub(super) fn forget_ended(&mut self, now: Timestamp, options: &StoreOptions) {
        let due: Vec<JobId> =
            self.ended.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| id.clone()).collect();
        for id in due {
            let Some(job) = self.jobs.remove(&id) else { continue };
            self.unlink(&job, options);
            self.arrivals.remove(&job.arrival);
            self.events.remove(&id);
            self.deltas.remove(&id);
        }
        let jobs = &self.jobs;
        self.keys
            .retain(|_, used| !used.free(now, jobs.get(&used.job).is_none_or(|job| job.state.terminal())));
    }

    /// Applies what the holder of a claim wants.
    pub(super) fn write(&mut self, write: Write, now: Timestamp, options: &StoreOptions) -> Answer {
        let Some(mut job) = self.jobs.get(&write.claim.job).cloned() else { return Answer::Gone };
        let step = transition::apply(&mut job, &write.claim.nonce, write.change, now, options);
        if step.changed {
            self.save(job, step.events, options);
        }
        step.answer
    }
}
