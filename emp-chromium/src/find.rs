//! Where Chromium is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The names under which systems install it, the free one first.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
/// Where it is on a Mac.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// There is no Chromium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// The path that was named is no program.
    At(PathBuf),
    /// None of the known names is in `PATH`.
    Nowhere,
}

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(path) => write!(f, "there is no program at {}", path.display()),
            Self::Nowhere => {
                write!(f, "this machine has no Chromium: none of {} is in PATH", NAMES.join(", "))
            }
        }
    }
}

/// The program: the one that was named, else the first of the known names in the directories of `path`.
pub fn find(named: Option<&Path>, path: Option<&OsStr>) -> Result<PathBuf, NotFound> {
    if let Some(named) = named {
        return if runs(named) { Ok(named.to_owned()) } else { Err(NotFound::At(named.to_owned())) };
    }
    let dirs: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let installed = NAMES.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    // A relative directory in PATH would make it depend on where the worker was started.
    let mut places = installed.filter(|place| place.is_absolute()).chain(APPLICATIONS.map(PathBuf::from));
    places.find(|place| runs(place)).ok_or(NotFound::Nowhere)
}

fn runs(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(program).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn program(dir: &Path, name: &str, mode: u32) -> PathBuf {
        let place = dir.join(name);
        std::fs::write(&place, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
        place
    }

    #[test]
    fn the_free_one_comes_first_and_what_cannot_run_is_passed_over() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = std::env::join_paths([Path::new("bin"), first.path(), second.path()]).unwrap();
        let found = |named: Option<&Path>| find(named, Some(&path));
        program(first.path(), "chromium", 0o644);
        let chrome = program(first.path(), "google-chrome", 0o755);
        assert_eq!(found(None), Ok(chrome.clone()));
        let chromium = program(second.path(), "chromium", 0o755);
        assert_eq!(found(None), Ok(chromium));
        assert_eq!(found(Some(&chrome)), Ok(chrome));
    }

    #[test]
    fn a_path_that_is_named_and_wrong_is_not_replaced_by_another() {
        let wrong = Path::new("/no/such/chromium");
        let path = std::env::var_os("PATH");
        assert_eq!(find(Some(wrong), path.as_deref()), Err(NotFound::At(wrong.to_owned())));
        assert!(NotFound::At(wrong.to_owned()).to_string().contains("/no/such/chromium"));
    }
}
