//! Takes jobs in, each once for its idempotency key (P16).

use emp_core::Timestamp;
use emp_core::job::{Job, JobId, JobState};

use crate::keys::{self, KeyRecord};
use crate::line::{Lane, Rank};
use crate::redis::entry::Entry;
use crate::redis::{RedisStore, TOO_LATE, names, record, reply, script};
use crate::store::{Enqueued, NewJob, StoreError};
use crate::transition;

/// What became of an attempt to take a job in.
enum Taken {
    /// It is in.
    In(Box<Job>),
    /// Its key has been used.
    Used { used: String, record: KeyRecord, same: bool },
}

impl RedisStore {
    /// Takes a job in; or says which one came with its key before.
    pub(super) async fn take_in(&self, new: NewJob) -> Result<Enqueued, StoreError> {
        self.room.admit(&self.link, &self.names.key("clock"), self.options.allow_unsafe).await?;
        let id = JobId::random();
        let mut free = String::new();
        for _ in 0..TOO_LATE {
            match self.enqueue_at(&new, &id, &free, self.moments.now()).await? {
                None => {}
                Some(Taken::In(job)) => {
                    self.hints.give();
                    return Ok(Enqueued::New(*job));
                }
                Some(Taken::Used { used, record, same }) => {
                    let job = self.job(&record.job).await?;
                    if record.free(self.moments.now(), job.as_ref().is_none_or(|job| job.state.terminal())) {
                        free = used;
                        continue;
                    }
                    return Ok(match job {
                        Some(job) if same => Enqueued::Replayed(job),
                        _ => Enqueued::KeyConflict { job: record.job },
                    });
                }
            }
        }
        Err(self.too_late())
    }

    async fn enqueue_at(
        &self,
        new: &NewJob,
        id: &JobId,
        prev: &str,
        at: Timestamp,
    ) -> Result<Option<Taken>, StoreError> {
        let (mut job, events) = transition::enqueue(new.clone(), id.clone(), 0, at);
        let digest = keys::digest(new);
        let lane = names::lane_name(&Lane::of(&job));
        let mut args = vec![
            id.to_string(),
            new.idempotency_key.clone().unwrap_or_default(),
            prev.to_owned(),
            key_record(&KeyRecord { job: id.clone(), digest: digest.clone(), at }),
            names::lane(&lane),
            lane,
            Rank::of(&job, &self.options).key.to_string(),
            names::in_state(job.state),
            names::counter(&job.service, job.state),
            events.first().map(record::event).transpose()?.unwrap_or_default(),
            self.options.bounds.of(&job.service).to_string(),
            names::counter(&job.service, JobState::Waiting),
        ];
        args.extend(Entry::fields_of_new(&job)?);
        let reply = self
            .run(&script::ENQUEUE, at, |list| list.extend(args.into_iter().map(String::into_bytes)))
            .await?;
        let Some(reply) = reply else { return Ok(None) };
        match (reply.word.as_str(), reply.rest.first()) {
            ("ok", Some(arrival)) => {
                let arrival = reply::number(arrival).and_then(|arrival| u64::try_from(arrival).ok());
                job.arrival = arrival.ok_or_else(|| reply::strange("a script"))?;
                Ok(Some(Taken::In(Box::new(job))))
            }
            ("used", Some(used)) => {
                let used = reply::text(used).unwrap_or_default().to_owned();
                let record = parse_key(&used).ok_or_else(|| {
                    StoreError::Corrupt("an idempotency key of the store cannot be read".to_owned())
                })?;
                Ok(Some(Taken::Used { same: record.digest == digest, used, record }))
            }
            ("crowded", Some(waiting)) => {
                let waiting = reply::number(waiting).and_then(|waiting| u64::try_from(waiting).ok());
                // As many as may wait, or more.
                self.options.bounds.admit(&job.service, waiting.unwrap_or(u64::MAX))?;
                Ok(None)
            }
            _ => Err(reply::strange("a script")),
        }
    }
}

/// What is kept of a used key.
fn key_record(record: &KeyRecord) -> String {
    format!("{} {} {}", record.job, record.at.0, record.digest)
}

/// A used key as it was kept.
pub(super) fn parse_key(text: &str) -> Option<KeyRecord> {
    let mut words = text.split(' ');
    let (job, at, digest) = (words.next()?, words.next()?, words.next()?);
    Some(KeyRecord { job: job.parse().ok()?, at: Timestamp(at.parse().ok()?), digest: digest.to_owned() })
}
