//! What the store does when its server has lost something: a failover that lost the last changes (F10), a server that came back without
//! its data (F9), and everybody's return after an outage (P25).

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use emp_core::job::Event;

use crate::redis::entry::{Entry, Outcome};
use crate::redis::record::{FIELDS, Found, Stored, Text};
use crate::redis::{RedisStore, hello};
use crate::store::StoreError;
use crate::transition;

/// After a lost connection nobody claims for so long: whoever has a job puts it back meanwhile, if the server has forgotten that.
const SETTLE: Duration = Duration::from_secs(2);

/// How many jobs may be claimed at once after an outage: nobody starts with all of it.
#[derive(Debug, Default)]
pub(super) struct Ramp {
    /// The connection that it speaks of.
    connection: u64,
    since: Option<Instant>,
    claims: u32,
}

impl Ramp {
    /// A claim is about to be made over a connection. How many jobs it may ask for; `None` while jobs are being put back. The first
    /// connection of a process follows no outage.
    fn most(&mut self, connection: u64, now: Instant) -> Option<usize> {
        if connection != self.connection {
            self.since = (self.connection > 0).then_some(now);
            (self.connection, self.claims) = (connection, 0);
        }
        let Some(since) = self.since else { return Some(usize::MAX) };
        if now.duration_since(since) < SETTLE {
            return None;
        }
        let most = 1_usize.checked_shl(self.claims).filter(|most| *most < 512);
        match most {
            Some(_) => self.claims += 1,
            None => self.since = None,
        }
        Some(most.unwrap_or(usize::MAX))
    }
}

impl RedisStore {
    /// How many jobs may be claimed now, and over which connection: the next one may lead to a server that has forgotten who has them.
    /// After another connection was made, the jobs of this process are put back first.
    pub(super) async fn allowance(&self) -> Result<Option<(u64, usize)>, StoreError> {
        let connection = self.link.number();
        let new = {
            let ramp = self.ramp.lock().unwrap_or_else(PoisonError::into_inner);
            ramp.connection > 0 && ramp.connection != connection
        };
        if new {
            self.reassert_all().await?;
        }
        let mut ramp = self.ramp.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ramp.most(connection, Instant::now()).map(|most| (connection, most)))
    }

    /// The server has another store than the one that was opened: `epoch`, or none at all. What this process has is put back as it is
    /// written or claimed next.
    pub(super) async fn follow(&self, epoch: Option<&str>) -> Result<(), StoreError> {
        let place = self.link.place();
        let epoch = match epoch {
            Some(epoch) => epoch.to_owned(),
            None if self.options.accept_empty => hello(&self.link, &self.names, &self.moments).await?,
            None => {
                return Err(StoreError::Reset(format!(
                    "the store at {place} has come back without its data: nothing is taken in, and nobody claims. Restore its data, or \
                     start one process with `--on-empty accept` to begin with an empty store; the jobs that workers have at this \
                     moment are put back in both cases"
                )));
            }
        };
        tracing::error!(
            store = place,
            jobs = self.held.count(),
            "E_STORE_RESET: the store is another one than before"
        );
        *self.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
        self.lanes.forget();
        Ok(())
    }

    /// Looks whether the store still has what this process wrote last, and puts it back where not.
    async fn reassert_all(&self) -> Result<(), StoreError> {
        let all = self.held.all();
        let ids: Vec<_> = all.iter().map(|held| held.job.id.clone()).collect();
        for (held, found) in all.into_iter().zip(self.read(&ids, &FIELDS).await?) {
            match found {
                Found::Missing => drop(self.reassert(held, None).await?),
                Found::Job(found) => drop(self.reassert(held, Some(*found)).await?),
                Found::Newer | Found::Unreadable(_) => {}
            }
        }
        Ok(())
    }

    /// Puts a job back as its holder wrote it last, if what the store has is older; says whether it did.
    pub(super) async fn reassert(&self, held: Stored, found: Option<Stored>) -> Result<bool, StoreError> {
        if found.as_ref().is_some_and(|found| held.rev == found.rev || held.rev.before(&found.rev)) {
            return Ok(false);
        }
        let at = self.moments.now();
        let found_job = found.as_ref().map(|found| &found.job);
        let Some((job, events)) = transition::reassert(&held.job, found_job, at) else { return Ok(false) };
        let after = Stored { rev: held.rev.next(), job, text: Text::default() };
        let events: Vec<Event> = events;
        let entry = Entry::put_back(found.as_ref(), &after, &events, &self.options)?;
        let done = self.commit(at, vec![entry]).await?.is_some_and(|outcomes| outcomes == [Outcome::Done]);
        if done {
            tracing::warn!(job = %after.job.id, phase = ?after.job.phase, "the store had forgotten a job that this process has: put it back");
            self.held.keep(after);
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p25_work_returns_on_a_ramp() {
        let (mut ramp, start) = (Ramp::default(), Instant::now());
        assert_eq!(ramp.most(1, start), Some(usize::MAX), "nothing was lost yet");
        assert_eq!(ramp.most(2, start), None);
        assert_eq!(ramp.most(2, start + SETTLE / 2), None, "jobs are put back first");
        let later = start + SETTLE;
        let most: Vec<_> = (0..11).filter_map(|_| ramp.most(2, later)).collect();
        assert_eq!(most[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, usize::MAX]);
        assert_eq!(ramp.most(2, later), Some(usize::MAX));
        assert_eq!(ramp.most(3, later), None, "again after the next outage");
    }
}
