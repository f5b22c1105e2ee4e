//! Files that have been kept for long enough (P28), and what killed workers left of files that never came to be.
//!
//! A file is known by its key, `<job>/<attempt>/<name>`, and old by the place's own clock. What else lies in the directory or the bucket is
//! somebody else's and is left alone.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use emp_core::{Clock, SystemClock, Timestamp};
use emp_engine::outputs::OutputError;
use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;

use crate::write::fault;
use crate::{OutputStore, key};

/// What a sweep has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Swept {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl OutputStore {
    /// Removes every file that was written before a moment. Parts of an upload to a bucket that nobody ended are no files: give the bucket a
    /// rule that ends them.
    ///
    /// # Errors
    /// The place does not answer. What was removed until then is gone.
    pub async fn sweep(&self, before: Timestamp) -> Result<Swept, OutputError> {
        match self.dir.clone() {
            Some(dir) => tokio::task::spawn_blocking(move || sweep_dir(&dir, before))
                .await
                .unwrap_or_else(|error| Err(std::io::Error::other(error)))
                .map_err(|error| fault(&self.location(), &error)),
            None => self.sweep_bucket(before).await.map_err(|error| fault(&self.location(), &error)),
        }
    }

    async fn sweep_bucket(&self, before: Timestamp) -> Result<Swept, object_store::Error> {
        let prefix = Some(&self.prefix).filter(|prefix| prefix.parts().next().is_some());
        let mut listed = self.objects.list(prefix);
        let mut swept = Swept::default();
        while let Some(found) = listed.try_next().await? {
            let key: Vec<_> = found.location.prefix_match(&self.prefix).into_iter().flatten().collect();
            let ours = key::owner(key.iter().map(AsRef::as_ref)).is_some();
            if ours && found.last_modified.timestamp_millis() < before.0 {
                self.objects.delete(&found.location).await?;
                swept.add(found.size);
            }
        }
        Ok(swept)
    }
}

/// Sweeps a place each hour, for ever.
pub async fn sweep_for_ever(outputs: Arc<OutputStore>, keep: Duration) {
    let every = Duration::from_hours(1).min(keep);
    loop {
        tokio::time::sleep(every).await;
        let before = Timestamp(
            SystemClock.now().0.saturating_sub_unsigned(keep.as_millis().try_into().unwrap_or(u64::MAX)),
        );
        match outputs.sweep(before).await {
            Ok(Swept { files: 0, .. }) => {}
            Ok(Swept { files, bytes }) => {
                tracing::info!(files, bytes, "files of results removed: their time is up");
            }
            Err(error) => tracing::warn!(%error, "files of results not swept"),
        }
    }
}

fn sweep_dir(dir: &FilePath, before: Timestamp) -> std::io::Result<Swept> {
    let mut swept = Swept::default();
    for job in entries(dir, |name| key::job(name).is_some())? {
        for attempt in entries(&job, key::is_attempt)? {
            for file in entries(&attempt, |name| key::is_name(name) || key::is_staged(name))? {
                let Some(about) = unless_gone(file.symlink_metadata())? else { continue };
                let written = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
                if about.is_file() && i64::try_from(written).is_ok_and(|written| written < before.0) {
                    unless_gone(std::fs::remove_file(&file))?;
                    swept.add(about.len());
                }
            }
            // One that is not empty stays.
            let _ = std::fs::remove_dir(&attempt);
        }
        let _ = std::fs::remove_dir(&job);
    }
    Ok(swept)
}

/// What is in a directory, under names of ours; nothing when it is none.
fn entries(of: &FilePath, ours: impl Fn(&str) -> bool) -> std::io::Result<Vec<PathBuf>> {
    if !unless_gone(of.symlink_metadata())?.is_some_and(|about| about.is_dir()) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in unless_gone(std::fs::read_dir(of))?.into_iter().flatten() {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&ours) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Other workers sweep too.
fn unless_gone<T>(outcome: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
