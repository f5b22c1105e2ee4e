//! Files that commands write.

use std::io::Write as _;
use std::path::Path;

use crate::exit::Failure;

/// Writes a file whole, or not at all: what was there stays until the new text is on the disk. Keeps the permissions of what it replaces,
/// and a link stays one.
pub(crate) fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    let wrong = |error: &std::io::Error| Failure::io(&format!("cannot write {}", file.display()), error);
    let target = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder =
        target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    // As any new file: the process's mask takes away what it says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = builder.tempfile_in(folder).map_err(|error| wrong(&error))?;
    new.write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(|error| wrong(&error))?;
    if let Ok(known) = std::fs::metadata(&target) {
        new.as_file().set_permissions(known.permissions()).map_err(|error| wrong(&error))?;
    }
    new.persist(&target).map(drop).map_err(|error| wrong(&error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_another_one_with_the_same_permissions_and_a_link_stays_a_link() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("link"));
        replace(&file, "one").unwrap();
        let first = std::fs::metadata(&file).unwrap();
        assert_ne!(first.permissions().mode() & 0o600, 0);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "two").unwrap();
        let second = std::fs::metadata(&file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(second.permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        // Nobody reads half of it: the old file is never opened for writing.
        assert_ne!(first.ino(), second.ino());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/file");
        assert!(replace(&missing, "x").is_err());
        assert!(replace(folder.path(), "x").is_err());
        assert!(folder.path().is_dir());
    }
}
