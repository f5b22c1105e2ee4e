//! What the store does within one transaction.

use emp_core::Timestamp;
use emp_core::job::{Call, Event, Job, JobId, JobState, Nonce, WorkerId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params, params};

use crate::embedded::{deltas, rows};
use crate::keys::{self, KeyRecord};
use crate::line::{self, Lane, Place, Rank};
use crate::moment::StoreTime;
use crate::store::{
    Answer, Bounds, CancelAnswer, ClaimRequest, Enqueued, NewJob, StoreError, StoreOptions, WorkerStatus,
    Write,
};
use crate::transition;

/// A transaction under way.
pub(super) struct Ledger<'a> {
    pub(super) db: &'a Transaction<'a>,
    pub(super) options: &'a StoreOptions,
    pub(super) now: Timestamp,
    /// The clock was set forward just now, so a lease that has lapsed says nothing of its worker.
    pub(super) leapt: bool,
    arrival: u64,
    pub(super) touched: bool,
    news: bool,
}

impl<'a> Ledger<'a> {
    /// Begins: one moment for the whole transaction, never before that of an earlier one.
    pub(super) fn open(
        db: &'a Transaction<'a>,
        options: &'a StoreOptions,
        time: &StoreTime,
    ) -> Result<Self, StoreError> {
        let (seen, arrival) = db
            .prepare_cached("SELECT time, arrival FROM clock")?
            .query_row([], |row| Ok((Timestamp(row.get(0)?), row.get(1)?)))?;
        let (now, leapt) = (time.not_before(seen), time.leapt_within(options.lease));
        Ok(Self { db, options, now, leapt, arrival, touched: false, news: false })
    }

    /// Ends; says whether there is news for those who wait.
    pub(super) fn close(self) -> Result<bool, StoreError> {
        if self.touched {
            self.db
                .prepare_cached("UPDATE clock SET time = ?1, arrival = ?2")?
                .execute(params![self.now.0, self.arrival])?;
        }
        Ok(self.news)
    }

    /// Takes a job in.
    pub(super) fn enqueue(&mut self, new: &NewJob) -> Result<Enqueued, StoreError> {
        let record = new.idempotency_key.as_ref().map(|key| (key, keys::digest(new)));
        if let Some((key, digest)) = &record
            && let Some(used) = self.key(key)?
        {
            let job = self.job(&used.job)?;
            if !used.free(self.now, job.as_ref().is_none_or(|job| job.state.terminal())) {
                return Ok(match job {
                    Some(job) if used.digest == *digest => Enqueued::Replayed(job),
                    _ => Enqueued::KeyConflict { job: used.job },
                });
            }
        }
        self.options.bounds.admit(&new.service, self.waiting(&new.service)?)?;
        self.arrival += 1;
        let (mut job, events) = transition::enqueue(new.clone(), JobId::random(), self.arrival, self.now);
        if let Some((key, digest)) = &record {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO keys VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![key, job.id.as_str(), digest, self.now.0])?;
        }
        let lane = self.lane(&Lane::of(&job))?;
        self.db
            .prepare_cached("INSERT INTO payloads VALUES (?1, ?2)")?
            .execute(params![job.arrival, job.payload.to_string()])?;
        self.db
            .prepare_cached(
                "INSERT INTO jobs (arrival, id, service, lane, state, record) VALUES (?1, ?2, ?3, ?4, ?5, '')",
            )?
            .execute(params![job.arrival, job.id.as_str(), job.service, lane, job.state.as_str()])?;
        self.save(&mut job, &events)?;
        Ok(Enqueued::New(job))
    }

    /// How many jobs of a service wait.
    fn waiting(&self, service: &str) -> Result<u64, StoreError> {
        let [queued, waiting] = Bounds::WAITING.map(JobState::as_str);
        Ok(self
            .db
            .prepare_cached(
                "SELECT coalesce(sum(jobs), 0) FROM counts WHERE service = ?1 AND state IN (?2, ?3)",
            )?
            .query_row([service, queued, waiting], |row| row.get(0))?)
    }

    /// Claims for a worker what is best among the lanes that it matches.
    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Job>, StoreError> {
        self.promote_due()?;
        let lanes = self.lanes(request)?;
        let names: Vec<Lane> = lanes.iter().map(|(_, lane)| lane.clone()).collect();
        let mut head = self.db.prepare_cached(
            "SELECT order_key, arrival, id FROM jobs WHERE lane = ?1 AND order_key IS NOT NULL
             AND (order_key, arrival) > (?2, ?3) ORDER BY order_key, arrival LIMIT 1",
        )?;
        let best: Result<_, StoreError> = line::best(&names, request, |lane, after| {
            let Some((lane, _)) = lanes.get(lane) else { return Ok(None) };
            let (key, arrival) = after.map_or((i64::MIN, 0), |rank| (rank.key, rank.arrival));
            head.query_row(params![lane, key, arrival], |row| {
                Ok((Rank { key: row.get(0)?, arrival: row.get(1)? }, row.get::<_, String>(2)?))
            })
            .optional()?
            .map(|(rank, id)| Ok((rank, rows::id(&id)?)))
            .transpose()
        });
        drop(head);
        let mut claimed = Vec::new();
        for id in best? {
            let Some(mut job) = self.readable(&id, rows::job)? else { continue };
            let events =
                transition::claim(&mut job, &request.worker, Nonce::random(), self.now, self.options);
            self.save(&mut job, &events)?;
            claimed.push(job);
        }
        Ok(claimed)
    }

    /// Applies what the holders of claims want.
    pub(super) fn write(&mut self, writes: &[Write]) -> Result<Vec<Answer>, StoreError> {
        writes.iter().map(|write| self.write_one(write)).collect()
    }

    fn write_one(&mut self, write: &Write) -> Result<Answer, StoreError> {
        let Some(mut job) = self.readable(&write.claim.job, rows::bare)? else { return Ok(Answer::Gone) };
        let step =
            transition::apply(&mut job, &write.claim.nonce, write.change.clone(), self.now, self.options);
        if step.changed {
            self.save(&mut job, &step.events)?;
        }
        Ok(step.answer)
    }

    /// Records a wish to cancel.
    pub(super) fn cancel(
        &mut self,
        id: &JobId,
        by: &str,
        reason: Option<&str>,
    ) -> Result<CancelAnswer, StoreError> {
        let Some(mut job) = self.job(id)? else { return Ok(CancelAnswer::NotFound) };
        match transition::cancel(&mut job, by, reason, self.now) {
            transition::Cancelled::TooLate => Ok(CancelAnswer::TooLate(job)),
            transition::Cancelled::Recorded(events) => {
                if !events.is_empty() {
                    self.save(&mut job, &events)?;
                }
                Ok(CancelAnswer::Recorded(job))
            }
        }
    }

    /// Takes note that the service has called for a job.
    pub(super) fn nudge(&mut self, id: &JobId, call: Option<Call>) -> Result<bool, StoreError> {
        let Some(mut job) = self.job(id)? else { return Ok(false) };
        let Some(step) = transition::nudge(&mut job, call, self.now) else { return Ok(false) };
        if step.changed {
            self.save(&mut job, &step.events)?;
        }
        Ok(true)
    }

    /// Says that a worker is alive.
    pub(super) fn announce(&mut self, worker: &WorkerStatus) -> Result<(), StoreError> {
        let worker = WorkerStatus { seen_at: self.now, ..worker.clone() };
        let record = serde_json::to_string(&worker).map_err(|error| rows::unwritable(&error))?;
        self.touched = true;
        self.db.prepare_cached("INSERT OR REPLACE INTO workers VALUES (?1, ?2, ?3)")?.execute(params![
            worker.id.as_str(),
            self.now.0,
            record
        ])?;
        Ok(())
    }

    /// Takes a worker out of the list.
    pub(super) fn retire(&mut self, worker: &WorkerId) -> Result<(), StoreError> {
        self.db.prepare_cached("DELETE FROM workers WHERE id = ?1")?.execute([worker.as_str()])?;
        Ok(())
    }

    fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        rows::job(self.db, id)
    }

    /// A job of a line. One whose record cannot be read is taken out, or it would stand at the head for ever.
    pub(super) fn readable(
        &mut self,
        id: &JobId,
        read: impl Fn(&Connection, &JobId) -> Result<Option<Job>, StoreError>,
    ) -> Result<Option<Job>, StoreError> {
        match read(self.db, id) {
            Err(StoreError::Corrupt(problem)) => {
                tracing::error!(job = %id, problem, "took a job out of its line");
                self.touched = true;
                self.db
                    .prepare_cached(
                        "UPDATE jobs SET state = ?2, order_key = NULL, due = NULL, lease_until = NULL WHERE id = ?1",
                    )?
                    .execute(params![id.as_str(), JobState::Quarantined.as_str()])?;
                Ok(None)
            }
            other => other,
        }
    }

    /// Stores a job and its new events.
    pub(super) fn save(&mut self, job: &mut Job, events: &[Event]) -> Result<(), StoreError> {
        self.touched = true;
        self.news |= !events.is_empty();
        let (order_key, due, lease_until, expires) = match Place::of(job, self.options) {
            Place::Ready(lane, rank) => {
                // One that nobody has had yet stands where it came.
                if job.started_at.is_some() {
                    self.stand_in(job, &lane)?;
                }
                (Some(rank.key), None, None, None)
            }
            Place::Due(at) => (None, Some(at.0), None, None),
            Place::Leased(until) => (None, None, Some(until.0), None),
            Place::Ended(until) => (None, None, None, Some(until.0)),
            Place::Aside => (None, None, None, None),
        };
        let record = rows::record(job)?;
        self.db
            .prepare_cached(
                "UPDATE jobs SET state = :state, order_key = :order_key, due = :due, lease_until = :lease_until,
                 expires = :expires, record = :record WHERE arrival = :arrival",
            )?
            .execute(named_params! {
                ":state": job.state.as_str(), ":order_key": order_key, ":due": due,
                ":lease_until": lease_until, ":expires": expires, ":record": record, ":arrival": job.arrival,
            })?;
        self.append(job, events)?;
        // An event in a terminal state is the one that ended the job: there is none after it.
        if job.state.terminal() && !events.is_empty() {
            self.db
                .prepare_cached(
                    "UPDATE lanes SET live = live - 1 WHERE id = (SELECT lane FROM jobs WHERE arrival = ?1)",
                )?
                .execute([job.arrival])?;
        }
        Ok(())
    }

    fn append(&self, job: &Job, events: &[Event]) -> Result<(), StoreError> {
        for event in events {
            if let Some(delta) = &event.delta {
                deltas::append(self.db, job.arrival, event, delta)?;
                continue;
            }
            let record = serde_json::to_string(event).map_err(|error| rows::unwritable(&error))?;
            self.db.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3)")?.execute(params![
                job.arrival,
                event.seq,
                record
            ])?;
        }
        let keep = self.options.max_events as u64;
        if !events.is_empty() && job.seq > keep {
            self.db
                .prepare_cached(
                    "DELETE FROM events WHERE arrival = ?1 AND seq <= (
                       SELECT seq FROM events WHERE arrival = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![job.arrival, keep])?;
        }
        Ok(())
    }

    fn key(&self, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.db
            .prepare_cached("SELECT job, digest, at FROM keys WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, Timestamp(row.get(2)?))))
            .optional()?
            .map(|(job, digest, at)| Ok(KeyRecord { job: rows::id(&job)?, digest, at }))
            .transpose()
    }

    /// The number of a lane, with one live job more.
    fn lane(&self, lane: &Lane) -> Result<i64, StoreError> {
        let name = serde_json::to_string(lane).map_err(|error| rows::unwritable(&error))?;
        Ok(self
            .db
            .prepare_cached(
                "INSERT INTO lanes (name, service, live) VALUES (?1, ?2, 1)
                 ON CONFLICT (name) DO UPDATE SET live = live + 1 RETURNING id",
            )?
            .query_row(params![name, lane.service], |row| row.get(0))?)
    }

    /// Moves a job that comes back to its lane, when that is another than it stood in before.
    fn stand_in(&self, job: &Job, lane: &Lane) -> Result<(), StoreError> {
        let before: i64 = self
            .db
            .prepare_cached("SELECT lane FROM jobs WHERE arrival = ?1")?
            .query_row([job.arrival], |row| row.get(0))?;
        let now = self.lane(lane)?;
        self.db.prepare_cached("UPDATE lanes SET live = live - 1 WHERE id = ?1")?.execute([before])?;
        if now != before {
            self.db
                .prepare_cached("UPDATE jobs SET lane = ?2 WHERE arrival = ?1")?
                .execute(params![job.arrival, now])?;
        }
        Ok(())
    }

    /// The lanes of the services that a worker asks for.
    fn lanes(&self, request: &ClaimRequest) -> Result<Vec<(i64, Lane)>, StoreError> {
        let mut found = Vec::new();
        let mut query = self.db.prepare_cached("SELECT id, name FROM lanes WHERE service = ?1")?;
        for service in request.services.keys() {
            let rows = query.query_map([service], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            for row in rows {
                let (id, name) = row?;
                let lane = serde_json::from_str(&name)
                    .map_err(|error| StoreError::Corrupt(format!("lane {id} cannot be read: {error}")))?;
                found.push((id, lane));
            }
        }
        Ok(found)
    }
}
