//! Where the files of results go: what the engine asks of an output store, and the names it gives to files.
//!
//! The engine writes a file piece by piece under a name of its own, made of the job, the attempt and a number. The same job writes the same
//! names again after a crash, so a repeat overwrites and nothing is left twice. `emp-outputs` implements the store over a directory, S3,
//! Google Cloud Storage and Azure.

mod media;
mod name;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use emp_core::job::JobId;

pub use media::{MediaType, sniff};
pub use name::FileName;

/// A place for files.
#[async_trait]
pub trait Outputs: Send + Sync + fmt::Debug {
    /// Begins a file. Nothing can be seen at its place before [`FileWriter::finish`]; what was there before stays until then.
    ///
    /// # Errors
    /// The store cannot take it now.
    async fn create(&self, key: &FileKey, media: &MediaType) -> Result<Box<dyn FileWriter>, OutputError>;
}

/// A file that is being written. Dropped without [`finish`](Self::finish), it leaves nothing at its place.
#[async_trait]
pub trait FileWriter: Send {
    /// Adds a piece.
    ///
    /// # Errors
    /// The store cannot take it; the file is lost then.
    async fn write(&mut self, piece: Bytes) -> Result<(), OutputError>;

    /// Puts the whole file at its place at once and durably, and gives its URL: `file:///..`, `s3://..`.
    ///
    /// # Errors
    /// The store cannot take it; nothing has changed at its place.
    async fn finish(self: Box<Self>) -> Result<String, OutputError>;
}

/// The place of a file: `<job>/<attempt>/<number>-<name>.<extension>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// The job whose result it belongs to.
    pub job: JobId,
    /// The attempt that was paid for it.
    pub attempt: u32,
    /// Its name, which is safe on every file system and in every URL.
    pub name: FileName,
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.job, self.attempt, self.name)
    }
}

/// Why an output store cannot take a file. The result is still at the service: whoever gets this tries again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OutputError {
    /// There is no room, as opposed to no access or no answer.
    pub full: bool,
    /// What is wrong and what to do, for people; without credentials.
    pub message: String,
}
