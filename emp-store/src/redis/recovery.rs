//! What the store does when its server has lost the last changes (F10), and how everybody returns after an outage (P25).

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use emp_core::job::JobId;

use crate::redis::entry::{Entry, Outcome};
use crate::redis::record::{FIELDS, Stored, Text};
use crate::redis::{PAGED, RedisStore, TOO_LATE, held};
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
    pub(super) async fn allowance(&self) -> Result<Option<(u64, usize)>, StoreError> {
        let connection = self.link.number();
        self.settle().await?;
        let mut ramp = self.ramp.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ramp.most(connection, Instant::now()).map(|most| (connection, most)))
    }

    /// After another connection was made, perhaps to another server, the jobs of this process are put back first: before it claims, with
    /// the first renewal, and when it looks for lapsed leases. Others claim again after [`SETTLE`].
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let connection = self.link.number();
        if self.settled.load(Ordering::Relaxed) < connection {
            self.reassert_all().await?;
            self.settled.fetch_max(connection, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Looks whether the store still has what this process wrote last, and puts it back where not.
    async fn reassert_all(&self) -> Result<(), StoreError> {
        let ids: Vec<JobId> = self.held.all().into_iter().map(|held| held.job.id).collect();
        let found = self.read(&ids, &FIELDS).await?;
        // What cannot be read is not ours to replace.
        let known =
            ids.into_iter().zip(found).filter_map(|(id, found)| Some((id.clone(), found.job(&id).ok()?)));
        self.put_back(known.collect()).await
    }

    /// Puts jobs back as this process wrote them last, where what was found of them is older. Where it is not, the process follows it.
    pub(super) async fn put_back(&self, found: Vec<(JobId, Option<Stored>)>) -> Result<(), StoreError> {
        let mut lost = Vec::new();
        for (id, found) in found {
            let Some(held) = self.held.whole(&id) else { continue };
            match found {
                Some(found) if held.rev == found.rev || held.rev.before(&found.rev) => {
                    self.held.follow(found);
                }
                found => lost.push((held, found)),
            }
        }
        while !lost.is_empty() {
            let page = lost.split_off(lost.len().saturating_sub(PAGED));
            self.put_back_page(page).await?;
        }
        Ok(())
    }

    async fn put_back_page(&self, lost: Vec<(Stored, Option<Stored>)>) -> Result<(), StoreError> {
        for _ in 0..TOO_LATE {
            let at = self.moments.now();
            let (mut back, mut entries) = (Vec::new(), Vec::new());
            for (held, found) in &lost {
                let found_job = found.as_ref().map(|found| &found.job);
                let Some((job, events)) = transition::reassert(&held.job, found_job, at) else {
                    self.held.forget(&held.job.id);
                    continue;
                };
                let after = Stored { rev: held.rev.next(), job, text: Text::default() };
                entries.push(Entry::put_back(found.as_ref(), &after, &events, &self.options)?);
                back.push(after);
            }
            let Some(outcomes) = self.commit(at, entries).await? else { continue };
            for (after, _) in back.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == Outcome::Done)
            {
                tracing::warn!(job = %after.job.id, phase = ?after.job.phase,
                    "the store had forgotten a job that this process has: put it back");
                if let Some(claim) = held::nonce(&after) {
                    self.held.keep(after, &claim);
                }
            }
            return Ok(());
        }
        Err(self.too_late())
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
