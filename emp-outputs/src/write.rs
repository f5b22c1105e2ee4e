//! Files on their way in.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use emp_engine::outputs::{FileKey, FileWriter, MediaType, OutputError, Outputs};
use object_store::buffered::BufWriter;
use object_store::{Attribute, Attributes};
use tokio::io::AsyncWriteExt as _;

use crate::OutputStore;

/// What is held of a file before it is sent on; S3 takes no smaller part.
const PART: usize = 5 << 20;
/// Parts under way at once.
const PARTS: usize = 2;

#[async_trait]
impl Outputs for OutputStore {
    async fn create(&self, key: &FileKey, media: &MediaType) -> Result<Box<dyn FileWriter>, OutputError> {
        let name = key.to_string();
        if let Some(dir) = &self.dir {
            sweep(dir.join(&name)).await;
        }
        let mut attributes = Attributes::new();
        if self.dir.is_none() {
            attributes.insert(Attribute::ContentType, media.to_string().into());
            // Whoever opens the link gets a file, not a page that runs in the bucket's name.
            attributes.insert(Attribute::ContentDisposition, "attachment".into());
        }
        let writer = BufWriter::with_capacity(Arc::clone(&self.objects), self.path(&name), PART)
            .with_max_concurrency(PARTS)
            .with_attributes(attributes);
        let url = format!("{}{name}", self.url);
        Ok(Box::new(Upload { writer: Some(writer), url, place: self.location() }))
    }
}

/// Removes what a worker that was killed half-way left beside a file: the store's own temporary names have a `#`, and ours have none.
async fn sweep(file: PathBuf) {
    let swept = tokio::task::spawn_blocking(move || {
        let (Some(dir), Some(name)) = (file.parent(), file.file_name().and_then(std::ffi::OsStr::to_str))
        else {
            return;
        };
        let staged = format!("{name}#");
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|other| other.starts_with(&staged)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    });
    let _ = swept.await;
}

/// One file.
struct Upload {
    /// Gone once it is finished, or given up.
    writer: Option<BufWriter>,
    url: String,
    place: String,
}

impl Upload {
    fn fault(&self, error: &(dyn std::error::Error + 'static)) -> OutputError {
        fault(&self.place, error)
    }
}

#[async_trait]
impl FileWriter for Upload {
    async fn write(&mut self, piece: Bytes) -> Result<(), OutputError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match writer.put(piece).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fault(&error)),
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<String, OutputError> {
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.shutdown().await
        {
            return Err(self.fault(&error));
        }
        self.writer = None;
        Ok(std::mem::take(&mut self.url))
    }
}

impl Drop for Upload {
    /// A bucket keeps the parts of an upload that nobody ends, and lets them be paid for.
    fn drop(&mut self) {
        if let (Some(mut writer), Ok(runtime)) = (self.writer.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = writer.abort().await {
                    tracing::debug!(error = %fault("the output store", &error), "an upload was not given up cleanly");
                }
            });
        }
    }
}

/// What an error means, without what a cloud's answer says in detail: that may quote the request.
pub(crate) fn fault(place: &str, error: &(dyn std::error::Error + 'static)) -> OutputError {
    let chain = || std::iter::successors(Some(error), |error| error.source());
    let io = chain().find_map(|error| {
        // An io::Error may be a box around the store's own error, whose source is the disk's.
        error.downcast_ref::<std::io::Error>().filter(|error| error.raw_os_error().is_some())
    });
    let own = chain().find_map(|error| {
        let inside = error.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        error
            .downcast_ref::<object_store::Error>()
            .or_else(|| inside.and_then(|inside| inside.downcast_ref::<object_store::Error>()))
    });
    let (full, what) = match (io.map(std::io::Error::kind), own) {
        (Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded), _) => {
            (true, "there is no room left: free some".to_owned())
        }
        (Some(_), _) => (
            false,
            io.map_or_else(String::new, |error| format!("{error}: make it writable for the worker's user")),
        ),
        (
            None,
            Some(object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }),
        ) => (false, "access is denied: correct its credentials".to_owned()),
        (None, Some(object_store::Error::NotFound { .. })) => {
            (false, "there is no such bucket or container: make it".to_owned())
        }
        _ => (false, "it does not answer as it should: look at its own status".to_owned()),
    };
    OutputError {
        full,
        message: format!(
            "the output store {place} cannot take a file: {what}, or name another one with EMP_OUTPUTS"
        ),
    }
}
