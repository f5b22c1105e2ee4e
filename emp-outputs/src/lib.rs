//! Keeps the files of results.
//!
//! An [`OutputStore`] is a directory, a bucket or a container, by the URL that `EMP_OUTPUTS` gives. The engine writes through
//! [`emp_engine::outputs::Outputs`]; the API reads with [`OutputStore::open`]. A file is whole or not there: a directory gets it by a rename
//! after it was synced, a bucket by the end of an upload.

mod key;
mod location;
mod read;
mod settings;
mod sweep;
mod write;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

pub use location::LocationError;
pub use read::{OpenError, StoredFile};
pub use settings::{Setting, secrets, settings};
pub use sweep::{Swept, sweep_for_ever};

/// A place for the files of results.
pub struct OutputStore {
    objects: Arc<dyn ObjectStore>,
    /// Before the key of every file; empty for a directory.
    prefix: Path,
    /// The URL of a file is this and its key. Ends with `/`.
    url: String,
    /// The directory, if it is one.
    dir: Option<PathBuf>,
}

impl OutputStore {
    /// The store at a directory, or at a URL: `s3://bucket/prefix`, `gs://..`, `az://..`, `file:///..`, `memory:`. A directory is made when
    /// it is not there. Credentials of clouds come from the environment by the names that their own tools use (`AWS_..`, `GOOGLE_..`,
    /// `AZURE_..`); [`settings`] has the usual ones.
    ///
    /// Nothing is sent to a cloud here: that a bucket refuses us is seen at the first file.
    ///
    /// # Errors
    /// The location is none that we know, or the directory cannot be made.
    pub fn at(location: &str) -> Result<Self, LocationError> {
        let named =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::with(location, std::env::vars_os().filter_map(named))
    }

    /// The store at a location, with settings by the names of those variables instead of the environment's.
    ///
    /// # Errors
    /// As those of [`at`](Self::at).
    pub fn with(
        location: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, LocationError> {
        location::open(location, settings)
    }

    /// A store in memory, for tests.
    pub fn memory() -> Self {
        let objects = Arc::new(object_store::memory::InMemory::new());
        Self { objects, prefix: Path::default(), url: "memory:///".to_owned(), dir: None }
    }

    /// Where it is, for people: a directory or a URL without credentials.
    pub fn location(&self) -> String {
        match &self.dir {
            Some(dir) => dir.display().to_string(),
            None => self.url.trim_end_matches('/').to_owned(),
        }
    }

    fn path(&self, key: &str) -> Path {
        self.prefix.parts().chain(Path::from(key).parts()).collect()
    }
}

impl fmt::Debug for OutputStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutputStore({})", self.location())
    }
}
