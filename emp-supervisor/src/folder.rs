//! The folder of a machine's supervisor.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;
use crate::status::MachineStatus;

/// Letters that stand in a file's name as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// How often the lock is tried, and after which time.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Where a supervisor keeps what others ask about.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// Held by the supervisor that runs in a folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// A folder, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, for its owner's eyes only, and takes its lock.
    ///
    /// # Errors
    /// When another supervisor runs in it, or it cannot be made.
    pub fn lock(&self) -> Result<Lock, Error> {
        let make = |path: &Path| {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(Error::io(format!("cannot make the folder {}", path.display())))
        };
        for folder in ["", "logs", "installed"] {
            make(&self.0.join(folder))?;
        }
        for _ in 0..TRIES {
            if let Some(lock) = self.take()? {
                return Ok(lock);
            }
            // Who asks whether one runs holds it for a moment.
            std::thread::sleep(BETWEEN_TRIES);
        }
        Err(Error::Runs { folder: self.0.display().to_string() })
    }

    /// Whether a supervisor runs in it.
    pub fn runs(&self) -> bool {
        self.0.join("lock").exists() && matches!(self.take(), Ok(None))
    }

    fn take(&self) -> Result<Option<Lock>, Error> {
        let path = self.0.join("lock");
        let what = format!("cannot lock {}", path.display());
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io(what.clone()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::Io { what, error }),
        }
    }

    /// The log of a process, or of an installation.
    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join("logs").join(format!("{}.log", utf8_percent_encode(name, PLAIN)))
    }

    /// The names of all logs, in the order of their text.
    pub fn logs(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join("logs")).into_iter().flatten().filter_map(Result::ok);
        let names = entries.filter_map(|entry| {
            let file = entry.file_name();
            let name = file.to_str()?.strip_suffix(".log")?;
            Some(percent_encoding::percent_decode_str(name).decode_utf8().ok()?.into_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// What says that something is installed.
    pub(crate) fn installed(&self, worker: &str) -> PathBuf {
        self.0.join("installed").join(format!("{}.json", utf8_percent_encode(worker, PLAIN)))
    }

    /// Writes down what runs, whole or not at all.
    pub(crate) fn record(&self, status: &MachineStatus) -> std::io::Result<()> {
        replace(&self.0.join("state.json"), &serde_json::to_vec_pretty(status)?)
    }

    /// What was last written down; nothing when there is nothing, or nothing that can be read.
    pub fn recorded(&self) -> Option<MachineStatus> {
        serde_json::from_slice(&std::fs::read(self.0.join("state.json")).ok()?).ok()
    }
}

/// Writes a file whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_supervisor_runs_in_a_folder_and_the_lock_goes_with_it() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::at(home.path().join("machine"));
        assert!(!folder.runs(), "nobody has made it");
        let lock = folder.lock().unwrap();
        assert!(folder.runs());
        assert_eq!(folder.lock().unwrap_err().code(), "E_MACHINE_RUNS");
        drop(lock);
        assert!(!folder.runs());
        folder.lock().unwrap();
    }

    #[test]
    fn no_name_of_a_process_leaves_the_folder() {
        let folder = Folder::at("/machine");
        assert_eq!(folder.log("../../etc/passwd").parent(), Some(Path::new("/machine/logs")));
        assert_ne!(folder.log("a/b"), folder.log("a_b"));
    }
}
