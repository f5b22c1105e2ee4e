//! What time does to jobs, keys and workers: everything that happens without anybody asking for one job.

use emp_core::job::{JobId, JobState};
use rusqlite::params;

use crate::embedded::ledger::Ledger;
use crate::embedded::rows;
use crate::keys;
use crate::store::StoreError;
use crate::transition;

/// At most so many jobs are taken back or promoted in one transaction, so that nobody waits long behind it.
pub(super) const PAGED: usize = 500;

impl Ledger<'_> {
    /// Takes back at most `page` jobs whose lease has lapsed, none while the clock is not to be trusted; says how many.
    pub(super) fn reap(&mut self, page: usize) -> Result<usize, StoreError> {
        let lapsed = self.ids(
            "SELECT id FROM jobs WHERE lease_until IS NOT NULL AND lease_until <= ?1 ORDER BY lease_until LIMIT ?2",
            if self.leapt { 0 } else { page },
        )?;
        let mut reaped = 0;
        for id in &lapsed {
            let Some(mut job) = self.readable(id, rows::bare)? else { continue };
            let events = transition::lapse(&mut job, self.now, self.options);
            self.save(&mut job, &events)?;
            reaped += 1;
        }
        self.promote_due()?;
        self.tidy()?;
        Ok(reaped)
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
                "DELETE FROM keys WHERE key IN (SELECT key FROM keys JOIN jobs ON jobs.id = keys.job
                 WHERE at <= ?1 AND jobs.state IN ({ended}) LIMIT ?2)"
            ))?
            .execute(params![old, PAGED])?;
        forgotten += self.db.prepare_cached("DELETE FROM lanes WHERE live <= 0")?.execute([])?;
        forgotten += self
            .db
            .prepare_cached("DELETE FROM workers WHERE seen_at <= ?1")?
            .execute([self.now.0.saturating_sub(millis(self.options.worker_ttl))])?;
        self.touched |= forgotten > 0;
        Ok(())
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
