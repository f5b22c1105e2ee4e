//! Opens the store that a URL names.

use std::path::Path;
use std::sync::Arc;

use emp_core::SystemClock;

use crate::embedded::EmbeddedStore;
use crate::memory::MemoryStore;
use crate::store::{Store, StoreError, StoreOptions};

/// Opens the store that `--store` names: `memory:` or `file:PATH`, where the path is a directory.
pub fn open(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    match scheme {
        "memory" => Ok(Arc::new(MemoryStore::new(options, Arc::new(SystemClock)))),
        "file" if !rest.is_empty() => {
            Ok(Arc::new(EmbeddedStore::open(Path::new(rest), options, Arc::new(SystemClock))?))
        }
        "redis" | "rediss" | "redis+sentinel" | "redis+cluster" => Err(StoreError::Url(format!(
            "`--store {scheme}:..` comes with the Redis store, which is not in this version. \
             Use `--store file:./emp-data`; the processes of one machine may share it"
        ))),
        // Only the scheme is named: what follows it may hold a password.
        _ => Err(StoreError::Url(format!(
            "`--store` with scheme `{scheme}` names no store: expected `memory:` or `file:PATH`, for example \
             `--store file:./emp-data`"
        ))),
    }
}
