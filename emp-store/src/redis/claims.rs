//! Claiming: the best jobs of the lanes that a worker matches are taken out of them in one step, and claimed in a second one.
//!
//! Between the two they stand among the leases, for a few seconds. If the claimer dies there, whoever reaps puts them back into their
//! lanes as they were: nothing was delivered yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emp_core::Timestamp;
use emp_core::job::{Job, JobId, JobState, Nonce};
use redis::Value;

use crate::line::Lane;
use crate::redis::entry::Outcome;
use crate::redis::record::{self, FIELDS, Found, Stored};
use crate::redis::{PAGED, RedisStore, TOO_LATE, held, names, reply, script};
use crate::store::{ClaimRequest, StoreError};
use crate::transition;

/// How long a job is kept for the one that has taken it out of its lane.
const TAKEN: Duration = Duration::from_secs(5);
/// So many looks into the lanes for one claim.
const LOOKS: usize = 8;

/// The lanes as this process read them last, and their version then.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<Arc<Known>>);

#[derive(Debug, Default)]
struct Known {
    version: String,
    /// By short name.
    lanes: BTreeMap<String, Lane>,
}

impl Lanes {
    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another store may have others.
    pub(super) fn forget(&self) {
        self.learn(Known::default());
    }

    fn learn(&self, known: Known) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }
}

/// What a look into the lanes gives.
enum Look {
    /// The lanes are not those that we know.
    Lanes,
    /// Waiting jobs are due, and stand in no lane yet.
    Due,
    /// The best jobs.
    Taken(Vec<(JobId, Found)>),
}

impl RedisStore {
    /// Claims up to `max` jobs from the lanes that a worker matches, best first.
    pub(super) async fn claim_jobs(&self, request: &ClaimRequest) -> Result<Vec<Job>, StoreError> {
        let Some((connection, most)) = self.allowance().await? else { return Ok(Vec::new()) };
        let mut claimed = Vec::new();
        let mut left = ClaimRequest { max: request.max.min(most), ..request.clone() };
        loop {
            let page = match self.claim_page(&left, connection).await {
                Ok(page) => page,
                // Those before are claimed, whatever became of this page.
                Err(error) if !claimed.is_empty() => {
                    tracing::warn!(%error, claimed = claimed.len(), "no more jobs claimed");
                    return Ok(claimed);
                }
                Err(error) => return Err(error),
            };
            let full = page.len() == left.max.min(PAGED);
            for job in &page {
                if let Some(room) = left.services.get_mut(&job.service) {
                    *room = room.saturating_sub(1);
                }
            }
            left.max -= page.len();
            claimed.extend(page);
            if !full || left.max == 0 {
                return Ok(claimed);
            }
        }
    }

    async fn claim_page(&self, request: &ClaimRequest, connection: u64) -> Result<Vec<Job>, StoreError> {
        let max = request.max.min(PAGED);
        let mut promote = true;
        for _ in 0..LOOKS {
            let at = self.moments.now();
            match self.look(request, max, promote, at, connection).await? {
                None if self.link.number() != connection => break,
                None => {}
                Some(Look::Lanes) => self.read_lanes().await?,
                Some(Look::Due) => {
                    self.promote(at).await?;
                    // Once: with very many due at once, those that stand in line already do not wait for the rest.
                    promote = false;
                }
                Some(Look::Taken(taken)) => return self.claim_taken(request, taken).await,
            }
        }
        // Lanes that change with every look, or another server: the next claim finds them.
        Ok(Vec::new())
    }

    async fn look(
        &self,
        request: &ClaimRequest,
        max: usize,
        promote: bool,
        at: Timestamp,
        connection: u64,
    ) -> Result<Option<Look>, StoreError> {
        let known = self.lanes.known();
        let services: Vec<&String> = request.services.keys().collect();
        let matching =
            known.lanes.iter().filter(|(_, lane)| lane.matches(request)).filter_map(|(id, lane)| {
                services.iter().position(|service| **service == lane.service).map(|at| (id, at + 1))
            });
        let reply = self
            .run_over(Some(connection), &script::TAKE, at, |args| {
                let mut arg = |text: String| args.push(text.into_bytes());
                arg(if known.version.is_empty() { "0".to_owned() } else { known.version.clone() });
                arg(u8::from(promote).to_string());
                arg(at.after(TAKEN).0.to_string());
                arg(max.to_string());
                arg(services.len().to_string());
                request.services.values().for_each(|room| arg(room.to_string()));
                for (id, service) in matching {
                    arg(id.clone());
                    arg(service.to_string());
                }
            })
            .await?;
        let Some(reply) = reply else { return Ok(None) };
        Ok(Some(match reply.word.as_str() {
            "lanes" => Look::Lanes,
            "due" => Look::Due,
            _ => Look::Taken(taken(&reply.rest)?),
        }))
    }

    /// Reads which lanes there are.
    async fn read_lanes(&self) -> Result<(), StoreError> {
        // The version first: lanes that come in between are read once more.
        let mut pipeline = redis::pipe();
        pipeline.cmd("GET").arg(self.names.key("lanes:version"));
        pipeline.cmd("HGETALL").arg(self.names.key("lanes"));
        let mut answers = self.link.pipeline(&pipeline).await?.into_iter();
        let (version, lanes) = (answers.next().unwrap_or(Value::Nil), answers.next().unwrap_or(Value::Nil));
        let lanes = reply::pairs(lanes).into_iter().filter_map(|(id, name)| {
            let read = record::parse::<Lane>(&name);
            read.inspect_err(|problem| tracing::error!(lane = id, problem, "a lane cannot be read"))
                .ok()
                .map(|lane| (id, lane))
        });
        let version = reply::text(&version).unwrap_or("0").to_owned();
        self.lanes.learn(Known { version, lanes: lanes.collect() });
        Ok(())
    }

    /// Makes the jobs that were taken out of their lanes the worker's.
    async fn claim_taken(
        &self,
        request: &ClaimRequest,
        taken: Vec<(JobId, Found)>,
    ) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::with_capacity(taken.len());
        for (id, found) in taken {
            match found {
                Found::Job(stored) if stored.job.state == JobState::Queued => {
                    jobs.push((*stored, Nonce::random()));
                }
                other => self.put_right(&id, other, names::LEASES).await?,
            }
        }
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        for _ in 0..TOO_LATE {
            if let Some(claimed) = self.claim_at(request, &jobs, self.moments.now()).await? {
                return Ok(claimed);
            }
        }
        Err(self.too_late())
    }

    async fn claim_at(
        &self,
        request: &ClaimRequest,
        jobs: &[(Stored, Nonce)],
        at: Timestamp,
    ) -> Result<Option<Vec<Job>>, StoreError> {
        let mut entries = Vec::with_capacity(jobs.len());
        let mut after = Vec::with_capacity(jobs.len());
        for (before, nonce) in jobs {
            let mut job = before.job.clone();
            let events = transition::claim(&mut job, &request.worker, nonce.clone(), at, &self.options);
            let (stored, entry) = self.changed(before, job, events).await?;
            entries.push(entry);
            after.push(stored);
        }
        let Some(outcomes) = self.commit(at, entries).await? else { return Ok(None) };
        let (done, unsure): (Vec<_>, Vec<_>) =
            after.into_iter().zip(outcomes).partition(|(_, outcome)| *outcome == Outcome::Done);
        let mut claimed: Vec<Stored> = done.into_iter().map(|(stored, _)| stored).collect();
        match self.ours_already(unsure.into_iter().map(|(stored, _)| stored).collect()).await {
            Ok(ours) => claimed.extend(ours),
            // Those that are sure are not lost with it; the others lapse.
            Err(error) if !claimed.is_empty() => tracing::warn!(%error, "not sure of every claim"),
            Err(error) => return Err(error),
        }
        let jobs = claimed.iter().map(|stored| stored.job.clone()).collect();
        for stored in claimed {
            if let Some(claim) = held::nonce(&stored) {
                self.held.keep(stored, &claim);
            }
        }
        Ok(Some(jobs))
    }

    /// Of claims that were refused those that had been made before, and whose answer was lost: the record shows our number. Of the
    /// others somebody else was first.
    async fn ours_already(&self, claims: Vec<Stored>) -> Result<Vec<Stored>, StoreError> {
        let ids: Vec<JobId> = claims.iter().map(|claim| claim.job.id.clone()).collect();
        let ours = |(mut claim, found): (Stored, Found)| {
            let Found::Job(mut stored) = found else { return None };
            if held::nonce(&stored).is_none() || held::nonce(&stored) != held::nonce(&claim) {
                return None;
            }
            stored.job.payload = std::mem::take(&mut claim.job.payload);
            Some(*stored)
        };
        Ok(claims.into_iter().zip(self.read(&ids, &FIELDS).await?).filter_map(ours).collect())
    }
}

/// The jobs of an answer: an id and a record in turn.
fn taken(rest: &[Value]) -> Result<Vec<(JobId, Found)>, StoreError> {
    let read = |pair: &[Value]| {
        let id: JobId = reply::text(&pair[0])?.parse().ok()?;
        let found = Found::read(&id, &pair[1]);
        Some((id, found))
    };
    rest.chunks_exact(2).map(|pair| read(pair).ok_or_else(|| reply::strange("a script"))).collect()
}
