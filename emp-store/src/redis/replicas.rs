//! Whether other servers have what a client was told (P18b).
//!
//! `WAIT` tells how many replicas have everything up to the last write of its own connection; it does not take back what was written. So a
//! client that hears of too few sends the same again, with its key, and is told the truth about the same job.

use std::time::Duration;

use emp_core::job::JobId;

use crate::redis::address::Address;
use crate::redis::link::Link;
use crate::redis::names::Names;
use crate::redis::reply;
use crate::redis::script;
use crate::store::{StoreError, StoreOptions};

/// How long the replicas have for it. Less than an answer may take.
const WITHIN: Duration = Duration::from_secs(1);

/// How many other servers must have what a client is told, and the connection over which they are asked: whoever waits on it keeps nobody
/// else waiting.
#[derive(Debug)]
pub(super) struct Replicas {
    most: u32,
    link: Link,
}

impl Replicas {
    /// Where the options ask for any.
    pub(super) fn of(address: &Address, options: &StoreOptions) -> Result<Option<Self>, StoreError> {
        if options.replicas == 0 {
            return Ok(None);
        }
        Ok(Some(Self { most: options.replicas, link: Link::to(address, options.lease)? }))
    }

    /// Waits until so many have a job as it is now, with everything that was written before. Both are asked of one server: another one
    /// that has taken over meanwhile may have its replicas, and not the job.
    pub(super) async fn have(&self, names: &Names, job: &JobId) -> Result<(), StoreError> {
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.most).arg(u64::try_from(WITHIN.as_millis()).unwrap_or(u64::MAX));
        let args = [names.prefix(), job.as_str()].map(|arg| arg.as_bytes().to_vec());
        let answers = self.link.run_with(&script::MARK, &args, &names.key("clock"), wait).await?;
        let number = |at: usize| answers.get(at).and_then(reply::number).unwrap_or(0);
        let (there, have) = (number(0) == 1, u32::try_from(number(1)).unwrap_or(0));
        if there && have >= self.most {
            return Ok(());
        }
        let what = if there {
            format!("{have} of {} replicas have job {job} within {WITHIN:?}", self.most)
        } else {
            format!("the server has changed and does not have job {job}")
        };
        Err(StoreError::Unreplicated(format!(
            "{what}, at the store at {}: send the same again. `INFO replication` there tells which replicas are missing",
            self.link.place()
        )))
    }
}
