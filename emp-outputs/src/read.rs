//! Files on their way out.

use std::ops::Range;

use bytes::Bytes;
use emp_core::job::JobId;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange, ObjectStoreExt as _};

use crate::write::fault;
use crate::{OutputStore, key};

/// A file of a result, opened.
pub struct StoredFile {
    /// Bytes of the whole file.
    pub size: u64,
    /// Which of them [`body`](Self::body) gives.
    pub range: Range<u64>,
    /// The bytes, piece by piece.
    pub body: BoxStream<'static, Result<Bytes, std::io::Error>>,
}

impl std::fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredFile")
            .field("size", &self.size)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// Why a file cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The URL is not of a file of that job in this store, or the file is gone.
    #[error("there is no such file in this output store")]
    Missing,
    /// The range begins behind the file's end.
    #[error("the range is not in the file")]
    Range,
    /// The store does not give it.
    #[error("{0}")]
    Unavailable(String),
}

impl OutputStore {
    /// Opens a file of a job by the URL that the job's result names; with a range, only those bytes of it (the end may lie behind the
    /// file's).
    ///
    /// # Errors
    /// See [`OpenError`]. A URL of another store, or of another job, is `Missing`: nothing is read there.
    pub async fn open(
        &self,
        job: &JobId,
        url: &str,
        range: Option<Range<u64>>,
    ) -> Result<StoredFile, OpenError> {
        let key = url
            .strip_prefix(&self.url)
            .filter(|key| key::owner(key.split('/')).as_ref() == Some(job))
            .ok_or(OpenError::Missing)?;
        let path = self.path(key);
        let begins = range.as_ref().map(|range| range.start);
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = match self.objects.get_opts(&path, options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(OpenError::Missing),
            Err(error) => {
                // The stores say so each in words of its own; the size says it for all of them.
                let size = self.objects.head(&path).await.ok().map(|meta| meta.size);
                return Err(match (begins, size) {
                    (Some(begins), Some(size)) if begins >= size => OpenError::Range,
                    _ => OpenError::Unavailable(fault(&self.location(), &error).message),
                });
            }
        };
        let (size, range) = (found.meta.size, found.range.clone());
        let place = self.location();
        let body = found
            .into_stream()
            .map_err(move |error| std::io::Error::other(fault(&place, &error).message))
            .boxed();
        Ok(StoredFile { size, range, body })
    }
}
