//! What the store asks its server: scripts for a moment, commits, records.

use std::time::Instant;

use emp_core::Timestamp;
use emp_core::job::JobId;
use redis::Value;

use crate::redis::entry::{Entry, Outcome};
use crate::redis::reply::{self, Reply};
use crate::redis::script::{self, Script};
use crate::redis::{PAGED, RedisStore, moments, record};
use crate::store::StoreError;

impl RedisStore {
    /// Runs a script for a moment. `None` when that moment is not now by the server's clock: decide again.
    pub(super) async fn run(
        &self,
        script: &Script,
        at: Timestamp,
        args: impl FnOnce(&mut Vec<Vec<u8>>),
    ) -> Result<Option<Reply>, StoreError> {
        self.run_over(None, script, at, args).await
    }

    /// Runs a script over one connection. `None` also when there is another one by now.
    pub(super) async fn run_over(
        &self,
        connection: Option<u64>,
        script: &Script,
        at: Timestamp,
        args: impl FnOnce(&mut Vec<Vec<u8>>),
    ) -> Result<Option<Reply>, StoreError> {
        let head = [
            self.names.prefix().to_owned(),
            at.0.to_string(),
            self.moments.tolerance().to_string(),
            self.epoch.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
            self.me.clone(),
        ];
        let mut list: Vec<Vec<u8>> = head.into_iter().map(String::into_bytes).collect();
        args(&mut list);
        let asked = Instant::now();
        let answer = self.link.run(script, &list, &self.names.key("clock"), connection).await?;
        let Some(answer) = answer else { return Ok(None) };
        let reply = Reply::read(answer)?;
        self.moments.heard(asked, reply.moment);
        match reply.word.as_str() {
            "late" => Ok(None),
            // Decided for a store that is not there any more: decide again.
            "reset" => self.follow(&reply.rest).await.map(|()| None),
            _ => Ok(Some(reply)),
        }
    }

    /// A decision was too late [`TOO_LATE`] times in a row.
    pub(super) fn too_late(&self) -> StoreError {
        StoreError::Down(format!(
            "the clock of the store at {} runs away from this machine's, or each of its answers takes longer than {:?}",
            self.link.place(),
            moments::TOLERANCE
        ))
    }

    /// Replaces jobs that are as they were read. One outcome for each; `None` when the moment has passed.
    pub(super) async fn commit(
        &self,
        at: Timestamp,
        entries: Vec<Entry>,
    ) -> Result<Option<Vec<Outcome>>, StoreError> {
        if entries.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let count = entries.len();
        let news = entries.iter().any(Entry::tells);
        let reply = self
            .run(&script::COMMIT, at, |args| {
                args.push(self.options.max_events.to_string().into_bytes());
                for entry in entries {
                    entry.write(args);
                }
            })
            .await?;
        let Some(reply) = reply else { return Ok(None) };
        let outcomes: Vec<Outcome> =
            reply.rest.iter().map(|code| Outcome::of(reply::number(code).unwrap_or(-2))).collect();
        if outcomes.len() != count {
            return Err(reply::strange("a script"));
        }
        // A renewal is none: it would bring the next one forward, for ever.
        if news {
            self.hints.give();
        }
        Ok(Some(outcomes))
    }

    /// Reads the records of some jobs, in their order.
    pub(super) async fn read(
        &self,
        ids: &[JobId],
        fields: &[&str],
    ) -> Result<Vec<record::Found>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for page in ids.chunks(PAGED) {
            let mut pipeline = redis::pipe();
            pipeline.ignore_errors();
            for id in page {
                pipeline.cmd("HMGET").arg(self.names.job(id)).arg(fields);
            }
            let answers: Vec<Value> = self.link.pipeline(&pipeline).await?;
            found.extend(page.iter().zip(&answers).map(|(id, answer)| record::Found::read(id, answer)));
        }
        Ok(found)
    }
}
