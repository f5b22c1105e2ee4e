//! Where a machine runs.

use std::time::Duration;

use crate::Error;
use crate::folder::{Folder, Lock};
use crate::leftovers::Marked;

/// How long what an earlier supervisor left behind may take to end.
const LEFTOVERS_WITHIN: Duration = Duration::from_secs(10);

/// A folder that is this process's alone, and in which nothing of an earlier run goes on.
#[derive(Debug)]
pub struct Site {
    pub(crate) folder: Folder,
    _lock: Lock,
}

impl Site {
    /// Takes a folder, and ends what an earlier supervisor left behind.
    ///
    /// # Errors
    /// When another supervisor runs in it, or it cannot be written.
    pub async fn take(folder: Folder) -> Result<Self, Error> {
        let lock = folder.lock()?;
        clear(&folder).await;
        Ok(Self { folder, _lock: lock })
    }
}

/// Ends what an earlier supervisor left behind.
async fn clear(folder: &Folder) {
    let Some(last) = folder.recorded() else { return };
    let ended = tokio::task::spawn_blocking(move || Marked::run(&last).end(LEFTOVERS_WITHIN)).await;
    if let Ok((count, left)) = ended
        && count > 0
    {
        tracing::warn!(count, still = left.len(), "processes of an earlier run were ended");
    }
}
