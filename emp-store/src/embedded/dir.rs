//! The store's directory: ours alone, with some MiB put by for the day the disk is full.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::embedded::fault;
use crate::store::StoreError;

/// What is put by: as much as the log holds between two checkpoints, so that it can be emptied into the file and start anew.
const RESERVED: usize = 4 << 20;
/// How often room is looked for again while there is none.
const RETRY: Duration = Duration::from_secs(1);

/// Makes the directory, or refuses one that somebody else could have put there or can write to (I102). Gives the path of the file.
pub(super) fn prepare(dir: &Path) -> Result<PathBuf, StoreError> {
    match std::fs::symlink_metadata(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made: Vec<&Path> = dir.ancestors().take_while(|dir| !named(dir).exists()).collect();
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(|error| fault::io("create the store's directory", dir, &error))?;
            made.into_iter().filter_map(Path::parent).try_for_each(sync)?;
        }
        Err(error) => return Err(fault::io("look at the store's directory", dir, &error)),
        Ok(found) => refuse_strange(dir, &found)?,
    }
    let file = dir.join("emp.db");
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        Ok(_) => sync(dir)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(&file)
                .map_err(|error| fault::io("look at the store's file", &file, &error))?;
            if !found.is_file() {
                return Err(StoreError::Url(format!(
                    "{} is not a plain file; remove it, or name another directory with `--store file:PATH`",
                    file.display()
                )));
            }
        }
        Err(error) => return Err(fault::io("create the store's file", &file, &error)),
    }
    Ok(file)
}

/// Makes the names in a directory durable: a file is not there after a power loss when only its content was synced.
fn sync(dir: &Path) -> Result<(), StoreError> {
    let dir = named(dir);
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| fault::io("sync the directory", dir, &error))
}

/// The parent of a plain name is empty, and means the directory that we are in.
fn named(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

fn refuse_strange(dir: &Path, found: &std::fs::Metadata) -> Result<(), StoreError> {
    let shown = dir.display();
    let problem = if found.is_symlink() {
        format!("{shown} is a symbolic link; name the directory itself with `--store file:PATH`")
    } else if !found.is_dir() {
        format!("{shown} is not a directory; `--store file:PATH` names the directory of the store")
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        format!("{shown} belongs to another user (uid {}); name a directory of your own", found.uid())
    } else if found.mode() & 0o022 != 0 {
        format!("{shown} can be written by others; run `chmod 700 {shown}`")
    } else {
        return Ok(());
    };
    Err(StoreError::Url(problem))
}

/// Room that is put by while there is plenty, and given up when the disk is full so that running jobs can still end.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    looked: Option<Instant>,
}

impl Reserve {
    /// The reserve of a directory; not put by yet.
    pub(super) fn new(dir: &Path) -> Self {
        Self { path: dir.join("reserve"), looked: None }
    }

    /// The room is put by, perhaps only now. While it is not, nothing new may be taken in.
    pub(super) fn held(&mut self) -> bool {
        if std::fs::metadata(&self.path).is_ok_and(|file| file.len() >= RESERVED as u64) {
            return true;
        }
        if self.looked.is_some_and(|looked| looked.elapsed() < RETRY) {
            return false;
        }
        self.looked = Some(Instant::now());
        let filled = self.fill();
        if filled.is_err() {
            self.release();
        }
        filled.is_ok()
    }

    /// Gives the room up.
    pub(super) fn release(&mut self) {
        if std::fs::remove_file(&self.path).is_ok() {
            self.looked = Some(Instant::now());
            tracing::warn!(reserve = %self.path.display(), "the disk is full: gave up the reserve, new jobs are refused");
        }
    }

    fn fill(&self) -> std::io::Result<()> {
        let mut file: File =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path)?;
        file.write_all(&vec![0; RESERVED])?;
        file.sync_all()
    }
}
