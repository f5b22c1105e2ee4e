//! What time does to jobs, keys and workers: everything that happens without anybody asking for one job.

use std::collections::BTreeSet;

use emp_core::Timestamp;
use emp_core::job::{Event, Job, JobId};
use redis::Value;

use crate::keys::{self, KeyRecord};
use crate::redis::entry::{Entry, Expect, Outcome};
use crate::redis::intake::parse_key;
use crate::redis::record::{FIELDS, Found};
use crate::redis::{PAGED, RedisStore, names, reply, script};
use crate::store::StoreError;
use crate::transition::{self, Loss};

/// So many empty lanes cost nothing.
const LANES: usize = 64;

/// A record that was not renewed for so many leases is not needed any more: whoever had the job has stopped.
const STOPPED: u32 = 20;

/// What became of a page of jobs for which something was due.
struct Worked {
    found: usize,
    /// Stored, or put into the right place.
    done: usize,
    changed: usize,
}

impl RedisStore {
    /// Takes back the jobs whose lease has lapsed, none while the clock is not to be trusted; says how many.
    pub(super) async fn take_back(&self) -> Result<usize, StoreError> {
        let mut reaped = 0;
        let lease = self.options.lease;
        // First, because it is a look at the server: after an outage it tells that that is over.
        self.promote(self.moments.now()).await?;
        self.settle().await?;
        // After a leap of the clock, or when nobody could renew, a lapsed lease says nothing of its worker.
        while !self.moments.leapt_within(lease) && !self.link.recovered_within(lease) {
            let at = self.moments.now();
            let page = self.page_due(names::LEASES, at).await?;
            let loss = self.loss(&page, at).await?;
            let lapse = |job: &mut Job| transition::lapse(job, loss, at, &self.options);
            let page = self.work_off(names::LEASES, page, at, lapse).await?;
            reaped += page.changed;
            // What cannot be changed, such as the jobs of a newer version, stays where it is.
            if page.found < PAGED || page.done == 0 {
                break;
            }
        }
        let now = self.moments.now();
        if !self.link.recovered_within(lease) {
            self.held.forget_before(Timestamp(now.0.saturating_sub(millis(lease * STOPPED))));
        }
        self.forget_ended(now).await?;
        self.tidy(now).await?;
        Ok(reaped)
    }

    /// Puts jobs whose waiting time is over into the line.
    pub(super) async fn promote(&self, at: Timestamp) -> Result<(), StoreError> {
        let page = self.page_due(names::DUE, at).await?;
        self.work_off(names::DUE, page, at, |job: &mut Job| transition::promote(job, at)).await.map(drop)
    }

    /// Why the leases of some jobs have lapsed, as far as the other workers tell.
    async fn loss(&self, page: &[(JobId, Found)], at: Timestamp) -> Result<Loss, StoreError> {
        let lapsed = page.iter().filter_map(|(_, found)| match found {
            Found::Job(stored) => stored.job.lease.as_ref().filter(|lease| lease.until <= at),
            _ => None,
        });
        let losers: BTreeSet<&str> = lapsed.map(|lease| lease.worker.as_str()).collect();
        if losers.is_empty() {
            return Ok(Loss::Crash);
        }
        let mut pipeline = redis::pipe();
        for worker in losers {
            pipeline.cmd("ZADD").arg(self.names.key(names::LOST)).arg(at.0).arg(worker);
        }
        for (index, within) in [(names::LOST, self.options.lease), (names::SEEN, self.options.worker_ttl)] {
            let since = at.0.saturating_sub(millis(within));
            pipeline
                .cmd("ZRANGE")
                .arg(self.names.key(index))
                .arg(format!("({since}"))
                .arg("+inf")
                .arg("BYSCORE");
        }
        let mut answers =
            self.link.pipeline(&pipeline).await?.into_iter().map(reply::items).map(|ids| {
                ids.iter().filter_map(reply::text).map(str::to_owned).collect::<BTreeSet<String>>()
            });
        let (live, lost) = (answers.next_back().unwrap_or_default(), answers.next_back().unwrap_or_default());
        Ok(Loss::of(&lost, &live))
    }

    /// Forgets jobs that ended long ago (P28), a page after the other.
    async fn forget_ended(&self, at: Timestamp) -> Result<(), StoreError> {
        loop {
            let page = self.page_due(names::ENDED, at).await?;
            let found = page.len();
            let mut entries = Vec::with_capacity(found);
            for (id, found) in page {
                match found {
                    Found::Job(job)
                        if transition::expires(&job.job, &self.options.retention)
                            .is_some_and(|until| until <= at) =>
                    {
                        entries.push(Entry::forgotten(&job));
                    }
                    other => self.put_right(&id, other, names::ENDED).await?,
                }
            }
            let outcomes = self.commit(at, entries).await?.unwrap_or_default();
            // What cannot be forgotten, such as the jobs of a newer version, must not be looked at for ever.
            if found < PAGED || !outcomes.contains(&Outcome::Done) {
                return Ok(());
            }
        }
    }

    /// The jobs of an index for which something is due, at most a page of them.
    async fn due(&self, index: &str, at: Timestamp) -> Result<Vec<JobId>, StoreError> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.names.key(index)).arg("-inf").arg(at.0).arg("BYSCORE").arg("LIMIT").arg(0).arg(PAGED);
        let members = reply::items(self.link.command(&range).await?);
        Ok(members.iter().filter_map(|id| reply::text(id)?.parse().ok()).collect())
    }

    /// And what is found of them.
    async fn page_due(&self, index: &str, at: Timestamp) -> Result<Vec<(JobId, Found)>, StoreError> {
        let ids = self.due(index, at).await?;
        let found = self.read(&ids, &FIELDS).await?;
        Ok(ids.into_iter().zip(found).collect())
    }

    /// Changes a page of the jobs of an index that something is due for. What the index shows wrongly is put right.
    async fn work_off(
        &self,
        index: &str,
        page: Vec<(JobId, Found)>,
        at: Timestamp,
        step: impl Fn(&mut Job) -> Vec<Event>,
    ) -> Result<Worked, StoreError> {
        let found = page.len();
        let mut entries = Vec::with_capacity(found);
        let mut wanted = Vec::with_capacity(found);
        for (id, found) in page {
            let Found::Job(before) = found else {
                self.put_right(&id, found, index).await?;
                continue;
            };
            let mut job = before.job.clone();
            let events = step(&mut job);
            wanted.push(!events.is_empty());
            entries.push(if events.is_empty() {
                Entry::replaced(&before, index, &self.options)
            } else {
                self.changed(&before, job, events).await?.1
            });
        }
        let outcomes = self.commit(at, entries).await?.unwrap_or_default();
        let done = outcomes.iter().map(|outcome| *outcome == Outcome::Done);
        let changed = done.clone().zip(wanted).filter(|(done, wanted)| *done && *wanted).count();
        Ok(Worked { found, done: done.filter(|done| *done).count(), changed })
    }

    /// Takes out of an index what is no job that it should show.
    pub(super) async fn put_right(&self, id: &JobId, found: Found, index: &str) -> Result<(), StoreError> {
        let entry = match found {
            Found::Job(stored) => Entry::replaced(&stored, index, &self.options),
            Found::Missing => Entry::taken_out(id, Expect::Nothing, index),
            Found::Newer => {
                tracing::warn!(job = %id, "E_STORE_VERSION: left to a newer version of this software");
                return Ok(());
            }
            Found::Unreadable(problem) => {
                // It would stand at the head for ever. The key stays, for whoever wants to look at it.
                tracing::error!(job = %id, problem, "E_STORE_CORRUPT: took a job out of its line");
                Entry::taken_out(id, Expect::Anything, index)
            }
        };
        self.commit(self.moments.now(), vec![entry]).await.map(drop)
    }

    /// Forgets what nothing asks for any more: old keys of ended jobs, empty lanes, workers not heard of.
    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("HKEYS").arg(self.names.key("lanes"));
        let old = now.0.saturating_sub(millis(keys::KEPT));
        let ago = |time| now.0.saturating_sub(millis(time));
        let (seen, lost) = (ago(self.options.worker_ttl), ago(self.options.lease));
        for (index, until) in [("keys:age", old), (names::SEEN, seen), (names::LOST, lost)] {
            pipeline.cmd("ZRANGE").arg(self.names.key(index)).arg("-inf").arg(until);
            pipeline.arg("BYSCORE").arg("LIMIT").arg(0).arg(PAGED);
        }
        let mut answers = self.link.pipeline(&pipeline).await?.into_iter().map(reply::items);
        let mut next = || answers.next().unwrap_or_default();
        let (lanes, keys, workers, lost) = (next(), next(), next(), next());
        let lanes = if lanes.len() > LANES { lanes } else { Vec::new() };
        let keys = self.free_keys(keys, now).await?;
        if !lanes.is_empty() || !keys.is_empty() {
            self.run(&script::TIDY, now, |args| {
                args.push(lanes.len().to_string().into_bytes());
                args.extend(lanes.iter().filter_map(reply::text).map(|lane| lane.as_bytes().to_vec()));
                args.extend(keys.into_iter().flat_map(|(key, held)| [key.into_bytes(), held.into_bytes()]));
            })
            .await?;
        }
        let texts =
            |items: &[Value]| items.iter().filter_map(reply::text).map(str::to_owned).collect::<Vec<_>>();
        self.forget_losses(&texts(&lost)).await?;
        self.forget_workers(&texts(&workers)).await
    }

    /// Of old keys those that may be forgotten, and what they hold. The others are looked at again in an hour, so that they do not
    /// stand before those that come after them.
    async fn free_keys(&self, keys: Vec<Value>, now: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
        let keys: Vec<String> = keys.iter().filter_map(reply::text).map(str::to_owned).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("HMGET");
        get.arg(self.names.key("keys")).arg(&keys);
        let held = reply::items(self.link.command(&get).await?);
        let records: Vec<(String, String, Option<KeyRecord>)> = keys
            .into_iter()
            .zip(&held)
            .map(|(key, held)| {
                let held = reply::text(held).unwrap_or_default().to_owned();
                let record = parse_key(&held);
                (key, held, record)
            })
            .collect();
        let ids: Vec<JobId> = records
            .iter()
            .filter_map(|(_, _, record)| record.as_ref().map(|record| record.job.clone()))
            .collect();
        let mut jobs = self.read(&ids, &FIELDS).await?.into_iter();
        let (mut free, mut later) = (Vec::new(), redis::pipe());
        for (key, held, record) in records {
            let ended = match &record {
                None => true,
                Some(_) => !matches!(jobs.next(), Some(Found::Job(stored)) if !stored.job.state.terminal()),
            };
            if record.is_none_or(|record| record.free(now, ended)) {
                free.push((key, held));
            } else {
                let again = now.0.saturating_sub(millis(keys::KEPT)) + HOUR;
                later.cmd("ZADD").arg(self.names.key("keys:age")).arg("XX").arg(again).arg(key);
            }
        }
        if !later.is_empty() {
            self.link.pipeline(&later).await?;
        }
        Ok(free)
    }
}

const HOUR: i64 = 3_600_000;

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
