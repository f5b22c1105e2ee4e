//! Which store the server has: its epoch tells it from the one that was lost, and its format from another version's (F9).
//!
//! Whoever starts opens what is there, and begins anew where nothing is. Whoever had another store open goes on only when somebody has
//! accepted that: else a process that happens to start would decide it for all others.

use std::sync::PoisonError;
use std::time::Instant;

use emp_core::job::JobId;

use crate::redis::RedisStore;
use crate::redis::link::Link;
use crate::redis::moments::Moments;
use crate::redis::names::Names;
use crate::redis::reply::{self, Reply};
use crate::redis::script;
use crate::store::StoreError;

/// Version of the keys and what they hold. Another one is kept out.
const FORMAT: &str = "1";

/// Opens the store that the server has: its epoch. With `accept` those who had another one open may go on with it. Keeps out one of
/// another version.
pub(super) async fn hello(
    link: &Link,
    names: &Names,
    moments: &Moments,
    accept: bool,
) -> Result<String, StoreError> {
    let (epoch, accept) = (JobId::random(), if accept { "1" } else { "0" });
    let args = [names.prefix(), epoch.as_str(), FORMAT, accept].map(|arg| arg.as_bytes().to_vec());
    let asked = Instant::now();
    let answer = link.run(&script::OPEN, &args, &names.key("clock"), None).await?;
    let reply = Reply::read(answer.unwrap_or_default())?;
    moments.heard(asked, reply.moment);
    let told: Vec<&str> = reply.rest.iter().filter_map(reply::text).collect();
    match told.as_slice() {
        [epoch, FORMAT] => Ok((*epoch).to_owned()),
        [_, other] => Err(StoreError::Version(format!(
            "the store at {} has format {other}, this version of emp reads format {FORMAT}. Run the version that made it, or \
             name another queue: `?queue=NAME`",
            link.place()
        ))),
        _ => Err(reply::strange("a script")),
    }
}

impl RedisStore {
    /// The server has another store than the one that was opened, or none at all; `told` is its epoch, and whether that was accepted.
    /// What this process has is put back as it is written or claimed next.
    pub(super) async fn follow(&self, told: &[redis::Value]) -> Result<(), StoreError> {
        let place = self.link.place();
        let mut told = told.iter().map(reply::text);
        let (epoch, accepted) = (told.next().flatten(), told.next().flatten() == Some("1"));
        let epoch = match epoch {
            Some(epoch) if accepted => epoch.to_owned(),
            _ if self.options.accept_empty => hello(&self.link, &self.names, &self.moments, true).await?,
            _ => {
                return Err(StoreError::Reset(format!(
                    "the store at {place} has come back without its data: nothing is taken in, and nobody claims. Restore its data, or \
                     start one process with `--on-empty accept` to go on with what is there; the jobs that workers have at this \
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
}
