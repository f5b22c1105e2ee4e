//! Opens the store that a URL names.

use std::path::Path;
use std::sync::Arc;

use emp_core::SystemClock;

use crate::embedded::EmbeddedStore;
use crate::memory::MemoryStore;
use crate::redis::RedisStore;
use crate::redis::address::Address;
use crate::store::{Store, StoreError, StoreOptions};

/// Opens the store that `--store` names: `memory:`, `file:PATH`, where the path is a directory, or a Redis URL (`redis://`, `rediss://`,
/// `redis+sentinel://`, `redis+cluster://`; [`crate::redis`]).
pub async fn open(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    if options.replicas > 0 && matches!(scheme, "memory" | "file") {
        return Err(StoreError::Url(format!(
            "a store of `{scheme}:` has no replicas: leave `--store-replicas` out, or name a Redis that has some, for example \
             `--store redis://127.0.0.1:6379`"
        )));
    }
    match scheme {
        "memory" => Ok(Arc::new(MemoryStore::new(options, Arc::new(SystemClock)))),
        "file" if !rest.is_empty() => {
            Ok(Arc::new(EmbeddedStore::open(Path::new(rest), options, Arc::new(SystemClock))?))
        }
        "redis" | "rediss" | "redis+sentinel" | "redis+cluster" => {
            Ok(Arc::new(RedisStore::open(url, options).await?))
        }
        // Only the scheme is named: what follows it may hold a password.
        _ => Err(StoreError::Url(format!(
            "`--store` with scheme `{scheme}` names no store: expected `memory:`, `file:PATH` or `redis://HOST:PORT`, for example \
             `--store file:./emp-data`"
        ))),
    }
}

/// A store's URL without what only its owner may know, for people and logs.
pub fn shown(url: &str) -> String {
    match url.split_once(':') {
        Some((scheme @ ("redis" | "rediss" | "redis+sentinel" | "redis+cluster"), _)) => Address::parse(url)
            .map_or_else(|_| format!("{scheme}://.."), |address| format!("{scheme}://{}", address.shown())),
        Some(("file" | "memory", _)) => url.to_owned(),
        _ => "a store that cannot be read".to_owned(),
    }
}

/// Whether a store's URL is a secret: a password can stand in it, or nobody can say what does.
pub fn has_password(url: &str) -> bool {
    match url.split_once(':') {
        Some(("file" | "memory", _)) => false,
        _ => Address::parse(url).map_or(true, |address| address.has_login()),
    }
}

/// The passwords in a store's URL; the whole of one that cannot be read, since one may stand anywhere in it.
pub fn passwords(url: &str) -> Vec<String> {
    match url.split_once(':') {
        Some(("file" | "memory", _)) => Vec::new(),
        _ => Address::parse(url).map_or_else(
            |_| vec![url.to_owned()],
            |address| address.passwords().map(str::to_owned).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{has_password, passwords};

    #[test]
    fn the_passwords_of_a_url_are_found_and_nothing_else_of_it() {
        assert_eq!(passwords("rediss://user:s3%40cret@h:6379/2?queue=a"), ["s3@cret"]);
        assert_eq!(passwords("redis+sentinel://:one@h/primary?sentinel_password=two"), ["one", "two"]);
        assert_eq!(passwords("redis:s3cret"), ["redis:s3cret"]);
        for open in ["redis://h:6379", "file:./emp-data", "memory:"] {
            assert_eq!(passwords(open), [""; 0], "{open}");
        }
    }

    #[test]
    fn a_url_with_a_password_or_one_that_cannot_be_read_is_a_secret() {
        for secret in [
            "redis://:s3cret@h",
            "rediss://user:s3cret@h:6379/2",
            "redis+sentinel://h:26379/primary?sentinel_password=s3cret",
            "redis+cluster://a,b?queue=x&sentinel_password=s3cret",
            "redis://h?pasword=s3cret",
            "redis:s3cret",
            "redis://s3cret@h",
            "postgres://user:s3cret@h",
        ] {
            assert!(has_password(secret), "{secret}");
        }
        for open in ["redis://h:6379/0?queue=a", "redis+sentinel://h/primary", "file:./a@b", "memory:"] {
            assert!(!has_password(open), "{open}");
        }
    }
}
