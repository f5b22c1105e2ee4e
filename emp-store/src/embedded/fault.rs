//! What SQLite and the disk say, in the store's words.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// SQLite could not grow its shared memory file: the disk is full, though the code says I/O.
const IOERR_SHMSIZE: i32 = 4874;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        let Some(failure) = error.sqlite_error() else {
            // Not from the engine: a column has a type or a value that this code does not write.
            return Self::Corrupt(format!("the store holds a row that cannot be read: {text}"));
        };
        match failure.code {
            _ if failure.extended_code == IOERR_SHMSIZE => full(),
            ErrorCode::DiskFull => full(),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(format!(
                "the store's file is damaged ({text}). Stop every process, keep a copy, and restore a backup, \
                 or start with another directory: `--store file:./emp-data-2`"
            )),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Self::Down(format!("another process has held the store's file for 5 s ({text}); try again"))
            }
            _ => Self::Down(format!("the store's file does not answer: {text}")),
        }
    }
}

/// The disk is full.
pub(super) fn full() -> StoreError {
    StoreError::Full(
        "the disk of the store is full: new jobs are refused, running ones can end. Free at least 8 MiB there, and \
         jobs are taken in again by themselves"
            .to_owned(),
    )
}

/// A record that does not say what a job is.
pub(super) fn record(id: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("the record of job {id} cannot be read: {error}"))
}

/// A file or directory that cannot be used.
pub(super) fn io(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Down(format!("cannot {what} {}: {error}", path.display()))
}
