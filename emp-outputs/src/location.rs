//! From `EMP_OUTPUTS` to a store.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use crate::OutputStore;
use crate::settings::Cloud;

/// A location that is no place for files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LocationError(String);

pub(crate) fn open(
    location: &str,
    settings: impl IntoIterator<Item = (String, String)>,
) -> Result<OutputStore, LocationError> {
    match scheme(location) {
        None => directory(FilePath::new(location)),
        Some("memory") => Ok(OutputStore::memory()),
        Some("file") => {
            let path = Url::parse(location).ok().and_then(|url| url.to_file_path().ok());
            directory(&path.ok_or_else(|| unknown("file"))?)
        }
        Some(scheme) => match Cloud::of(scheme) {
            Some(Cloud { variables, .. }) => cloud(
                location,
                variables,
                settings.into_iter().filter(|(name, _)| name.starts_with(variables)),
            ),
            None => Err(unknown(scheme)),
        },
    }
}

/// The scheme of a location; `None` of a directory, also of one on a drive.
pub(crate) fn scheme(location: &str) -> Option<&str> {
    location.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| scheme.len() > 1)
}

// Only the scheme is named: what follows it may hold a password.
fn unknown(scheme: &str) -> LocationError {
    LocationError(format!(
        "an output store with scheme `{scheme}` is not known: write a directory (`EMP_OUTPUTS=./outputs`), \
         or `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, `file:///dir`"
    ))
}

fn directory(dir: &FilePath) -> Result<OutputStore, LocationError> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        let shown = dir.display();
        LocationError(format!(
            "cannot {what} {shown}, the directory for the files of results: {error}; make it writable, \
             or name another one with `EMP_OUTPUTS=DIR`"
        ))
    };
    private(dir).map_err(|error| wrong("make", &error))?;
    let dir: PathBuf = std::fs::canonicalize(dir).map_err(|error| wrong("find", &error))?;
    let objects =
        LocalFileSystem::new_with_prefix(&dir).map_err(|error| wrong("use", &error))?.with_fsync(true);
    let url = Url::from_directory_path(&dir).map_err(|()| wrong("name", &"its path has no URL"))?;
    Ok(OutputStore {
        objects: Arc::new(objects),
        prefix: Path::default(),
        url: url.to_string(),
        dir: Some(dir),
    })
}

/// Makes a directory that only we can read; one that is there is left as its owner made it.
fn private(dir: &FilePath) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn cloud(
    location: &str,
    variables: &str,
    settings: impl Iterator<Item = (String, String)>,
) -> Result<OutputStore, LocationError> {
    let wrong = |why: &str| {
        LocationError(format!(
            "{why}; write it like `EMP_OUTPUTS=s3://bucket/prefix` and set the `{variables}..` variables"
        ))
    };
    let url = Url::parse(location).map_err(|_| wrong("this is not a URL of an output store"))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("the URL of an output store has no user, query or fragment"));
    }
    // reqwest asks the process for its TLS provider; when one is installed already it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (objects, prefix) =
        object_store::parse_url_opts(&url, settings).map_err(|error| wrong(&reason(&error)))?;
    let url = format!("{}/", url.as_str().trim_end_matches('/'));
    Ok(OutputStore { objects: objects.into(), prefix, url, dir: None })
}

/// The message of the error alone: its sources may quote settings.
fn reason(error: &object_store::Error) -> String {
    match error {
        object_store::Error::Generic { store, .. } => format!("the settings of {store} are not complete"),
        _ => "the output store cannot be opened".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_that_is_none_says_what_to_write() {
        for location in ["ftp://user:pass@x/y", "redis://x", "s3://key:secret@bucket/x", "s3://bucket?x=1"] {
            let error = open(location, []).unwrap_err().to_string();
            assert!(
                error.contains("EMP_OUTPUTS=") && !error.contains("pass") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_directory_is_made_for_us_alone_and_named_by_url() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a b/outputs");
        let store = open(&dir.display().to_string(), []).unwrap();
        assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(store.url.starts_with("file:///") && store.url.ends_with("/a%20b/outputs/"), "{}", store.url);
        std::fs::write(parent.path().join("plain"), "").unwrap();
        let taken = open(&parent.path().join("plain/outputs").display().to_string(), []).unwrap_err();
        assert!(taken.to_string().contains("EMP_OUTPUTS=DIR"), "{taken}");
    }

    #[tokio::test]
    async fn credentials_come_from_the_environment_that_is_given() {
        let env = |key: &str| {
            let pairs = [("AZURE_STORAGE_ACCOUNT_NAME", "results"), ("AZURE_STORAGE_ACCOUNT_KEY", key)];
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        open("az://container/x", env("a2V5")).unwrap();
        let error = open("az://container/x", env("no base64!")).unwrap_err().to_string();
        assert!(error.contains("AZURE_") && !error.contains("base64!"), "{error}");
    }

    #[tokio::test]
    async fn clouds_open_without_a_request() {
        for (location, url) in
            [("s3://bucket/results/x", "s3://bucket/results/x/"), ("gs://bucket", "gs://bucket/")]
        {
            match open(location, []) {
                Ok(store) => assert_eq!(store.url, url),
                // Google's builder wants credentials at once.
                Err(error) => assert!(error.to_string().contains("EMP_OUTPUTS="), "{error}"),
            }
        }
    }
}
