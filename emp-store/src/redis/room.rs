//! How much memory the server has left (P27): new jobs are refused before there is none, so that those that were taken in can end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::redis::link::Link;
use crate::redis::{reply, script};
use crate::store::StoreError;

/// Nothing is taken in when so many percent of the memory are used.
const MOST: u64 = 80;
/// For so long what the server said is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// The server was looked at, and there was room: when.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Option<Instant>>);

/// What the server says of its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Memory {
    /// Bytes.
    used: u64,
    /// 0 when there is no limit.
    most: u64,
    /// What it does when the limit is reached.
    policy: String,
}

impl Memory {
    /// Of `INFO memory`.
    fn read(info: &str) -> Option<Self> {
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let number = |name: &str| field(name)?.parse().ok();
        let policy = field("maxmemory_policy").unwrap_or(KEEPS).to_owned();
        Some(Self { used: number("used_memory")?, most: number("maxmemory")?, policy })
    }

    /// How much of it is used, if that is too much.
    fn too_full(&self) -> Option<u64> {
        let percent = self.used.saturating_mul(100).checked_div(self.most)?;
        (percent >= MOST).then_some(percent)
    }
}

/// The policy that throws nothing away.
const KEEPS: &str = "noeviction";

impl Room {
    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another job is taken in. `unsafely`: also where the server may throw it away.
    pub(super) async fn admit(&self, link: &Link, clock: &str, unsafely: bool) -> Result<(), StoreError> {
        if self.last().is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(());
        }
        // By a script, because in a cluster each server has a memory of its own.
        let info = link.run(&script::MEMORY, &[], clock, None).await?;
        let memory = info.as_ref().and_then(reply::text).and_then(Memory::read);
        if let Some(memory) = memory {
            judge(&memory, link.place(), unsafely)?;
        }
        *self.last() = Some(Instant::now());
        Ok(())
    }
}

fn judge(memory: &Memory, place: &str, unsafely: bool) -> Result<(), StoreError> {
    if memory.policy != KEEPS && !unsafely {
        return Err(StoreError::Unsafe(format!(
            "the server of the store at {place} has been told to throw keys away when it is full (`{}`), jobs among them: nothing is taken \
             in; to mend it: `CONFIG SET maxmemory-policy {KEEPS}`",
            memory.policy
        )));
    }
    match memory.too_full() {
        None => Ok(()),
        Some(percent) => Err(StoreError::Full(format!(
            "the server of the store at {place} has used {percent} % of its memory: new jobs are refused from {MOST} % on, so that running \
             ones can end. Give it more (`CONFIG SET maxmemory`), and jobs are taken in again by themselves"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(used: u64, most: u64, policy: &str, unsafely: bool) -> Result<(), StoreError> {
        let info = format!(
            "# Memory\r\nused_memory:{used}\r\nused_memory_human:1M\r\nmaxmemory:{most}\r\nmaxmemory_policy:{policy}\r\n"
        );
        judge(&Memory::read(&info).unwrap(), "here", unsafely)
    }

    #[test]
    fn p27_new_jobs_are_refused_before_there_is_no_memory() {
        assert_eq!(judged(79, 100, KEEPS, false), Ok(()));
        assert!(
            matches!(judged(80, 100, KEEPS, false), Err(StoreError::Full(text)) if text.contains("80 %"))
        );
        assert_eq!(judged(80, 0, KEEPS, false), Ok(()), "no limit");
        assert_eq!(Memory::read("used_memory:1"), None);
    }

    #[test]
    fn p19_new_jobs_are_refused_where_they_may_be_thrown_away() {
        let refused = judged(1, 100, "allkeys-lru", false);
        assert!(
            matches!(refused, Err(StoreError::Unsafe(text)) if text.contains("maxmemory-policy noeviction"))
        );
        assert_eq!(judged(1, 100, "allkeys-lru", true), Ok(()));
    }
}
