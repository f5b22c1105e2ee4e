//! What time does to jobs, keys and workers: everything that happens without anybody asking for one job.

use std::collections::BTreeSet;
use std::time::Duration;

use emp_core::job::{Job, JobId, JobState};
use rusqlite::params;

use crate::embedded::ledger::Ledger;
use crate::embedded::rows;
use crate::keys;
use crate::store::StoreError;
use crate::transition::{self, Loss};

/// At most so many jobs are taken back or promoted in one transaction, so that nobody waits long behind it.
pub(super) const PAGED: usize = 500;

impl Ledger<'_> {
    /// Takes back at most `page` jobs whose lease has lapsed, none while the clock is not to be trusted; says how many.
    pub(super) fn reap(&mut self, page: usize) -> Result<usize, StoreError> {
        let lapsed = self.ids(
            "SELECT id FROM jobs WHERE lease_until IS NOT NULL AND lease_until <= ?1 ORDER BY lease_until LIMIT ?2",
            if self.leapt { 0 } else { page },
        )?;
        let mut jobs = Vec::with_capacity(lapsed.len());
        for id in &lapsed {
            jobs.extend(self.readable(id, rows::bare)?);
        }
        let loss = self.loss(&jobs)?;
        for job in &mut jobs {
            let events = transition::lapse(job, loss, self.now, self.options);
            self.save(job, &events)?;
        }
        self.promote_due()?;
        self.tidy()?;
        Ok(lapsed.len())
    }

    /// Why leases have lapsed, as far as the other workers tell.
    fn loss(&mut self, lapsed: &[Job]) -> Result<Loss, StoreError> {
        for worker in lapsed.iter().filter_map(|job| job.lease.as_ref()).map(|lease| &lease.worker) {
            self.touched = true;
            self.db
                .prepare_cached("INSERT OR REPLACE INTO lost VALUES (?1, ?2)")?
                .execute(params![worker.as_str(), self.now.0])?;
        }
        let lost = self.worker_ids("SELECT worker FROM lost WHERE at > ?1", self.options.lease)?;
        let live = self.worker_ids("SELECT id FROM workers WHERE seen_at > ?1", self.options.worker_ttl)?;
        Ok(Loss::of(&lost, &live))
    }

    fn worker_ids(&self, sql: &str, within: Duration) -> Result<BTreeSet<String>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let rows =
            query.query_map([self.now.0.saturating_sub(millis(within))], |row| row.get::<_, String>(0))?;
        rows.map(|id| Ok(id?)).collect()
    }

    /// Puts jobs whose waiting time is over into the line.
    pub(super) fn promote_due(&mut self) -> Result<(), StoreError> {
        let due =
            self.ids("SELECT id FROM jobs WHERE due IS NOT NULL AND due <= ?1 ORDER BY due LIMIT ?2", PAGED)?;
        for id in &due {
            let Some(mut job) = self.readable(id, rows::bare)? else { continue };
            let events = transition::promote(&mut job, self.now);
            self.save(&mut job, &events)?;
        }
        Ok(())
    }

    /// Forgets at most `page` jobs that ended long ago (P28); says how many it looked at.
    pub(super) fn forget_ended(&mut self, page: usize) -> Result<usize, StoreError> {
        let ended = self.ids(
            "SELECT id FROM jobs WHERE expires IS NOT NULL AND expires <= ?1 ORDER BY expires LIMIT ?2",
            page,
        )?;
        for id in &ended {
            let job = self.readable(id, rows::bare)?;
            let expires = job.and_then(|job| transition::expires(&job, &self.options.retention));
            if expires.is_some_and(|expires| expires <= self.now) {
                self.forget(id)?;
            } else {
                // Kept for longer than was said when it ended; or nobody can say what it is.
                self.db
                    .prepare_cached("UPDATE jobs SET expires = ?2 WHERE id = ?1")?
                    .execute(params![id.as_str(), expires.map(|expires| expires.0)])?;
            }
        }
        self.touched |= !ended.is_empty();
        Ok(ended.len())
    }

    fn forget(&self, id: &JobId) -> Result<(), StoreError> {
        for table in ["payloads", "events", "deltas"] {
            self.db
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE arrival = (SELECT arrival FROM jobs WHERE id = ?1)"
                ))?
                .execute([id.as_str()])?;
        }
        self.db.prepare_cached("DELETE FROM jobs WHERE id = ?1")?.execute([id.as_str()])?;
        Ok(())
    }

    fn ids(&self, sql: &str, page: usize) -> Result<Vec<JobId>, StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map(params![self.now.0, page], |row| row.get::<_, String>(0))?;
        rows.map(|id| rows::id(&id?)).collect()
    }

    /// Forgets what nothing asks for any more: old keys of ended jobs, empty lanes, workers not heard of.
    fn tidy(&mut self) -> Result<(), StoreError> {
        let ended: Vec<&str> =
            JobState::ALL.iter().filter(|state| state.terminal()).map(|state| state.as_str()).collect();
        let ended = format!("'{}'", ended.join("','"));
        let old = self.now.0.saturating_sub(millis(keys::KEPT));
        let mut forgotten = self
            .db
            .prepare_cached(&format!(
                "DELETE FROM keys WHERE key IN (SELECT key FROM keys LEFT JOIN jobs ON jobs.id = keys.job
                 WHERE at <= ?1 AND (jobs.id IS NULL OR jobs.state IN ({ended})) LIMIT ?2)"
            ))?
            .execute(params![old, PAGED])?;
        forgotten += self.db.prepare_cached("DELETE FROM counts WHERE jobs <= 0")?.execute([])?;
        forgotten += self.db.prepare_cached("DELETE FROM lanes WHERE live <= 0")?.execute([])?;
        forgotten += self
            .db
            .prepare_cached("DELETE FROM workers WHERE seen_at <= ?1")?
            .execute([self.now.0.saturating_sub(millis(self.options.worker_ttl))])?;
        forgotten += self
            .db
            .prepare_cached("DELETE FROM lost WHERE at <= ?1")?
            .execute([self.now.0.saturating_sub(millis(self.options.lease))])?;
        self.touched |= forgotten > 0;
        Ok(())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
