//! What processes print: into files that do not grow without end, and out of them again.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use emp_core::{Clock as _, SystemClock};
use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};

/// A log begins anew after so many bytes.
const LARGEST: usize = 10 << 20;
/// So many older ones are kept.
const OLDER: usize = 5;
/// A line is never longer; what goes on is on the next one.
const LINE: u64 = 64 << 10;
/// Where the last lines of a log are looked for.
const END: u64 = 256 << 10;

/// Writes what comes out of a pipe into a log, until nobody can write into the pipe any more.
pub(crate) fn capture(pipe: PipeReader, path: PathBuf, head: &str) {
    let head = format!("--- {} {head}\n", SystemClock.now().to_rfc3339());
    // Not a task: a pipe of a process is read by blocking, and ends with the process.
    std::thread::spawn(move || {
        let mut log = FileRotate::new(
            path,
            AppendCount::new(OLDER),
            ContentLimit::BytesSurpassed(LARGEST),
            Compression::None,
            None,
        );
        let _ = log.write_all(head.as_bytes());
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        loop {
            line.clear();
            match pipe.by_ref().take(LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            // A disk that is full loses lines, and stops no process.
            let _ = log.write_all(&line);
        }
    });
}

/// The last lines of a log.
///
/// # Errors
/// When it cannot be read.
pub fn tail(path: &Path, lines: usize) -> std::io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut all: Vec<&str> = text.lines().collect();
    // Where the part begins, a line is cut.
    if length > END && !all.is_empty() {
        all.remove(0);
    }
    Ok(all.iter().skip(all.len().saturating_sub(lines)).map(|line| (*line).to_owned()).collect())
}

/// Follows a log over its rotations, from its present end.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    file: Option<(u64, BufReader<File>)>,
    part: Vec<u8>,
}

impl Follow {
    /// Begins where the log ends now.
    pub fn new(path: PathBuf) -> Self {
        let mut follow = Self { path, file: None, part: Vec::new() };
        follow.open(true);
        follow
    }

    fn open(&mut self, at_end: bool) {
        let Ok(mut file) = File::open(&self.path) else { return };
        if at_end {
            let _ = file.seek(SeekFrom::End(0));
        }
        let inode = file.metadata().map_or(0, |data| data.ino());
        self.file = Some((inode, BufReader::new(file)));
    }

    /// Whole lines that have come.
    pub fn lines(&mut self) -> Vec<String> {
        let mut lines = self.read();
        let now = std::fs::metadata(&self.path).map(|data| data.ino()).ok();
        if now != self.file.as_ref().map(|(inode, _)| *inode) {
            self.open(false);
            lines.extend(self.read());
        }
        lines
    }

    fn read(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let Some((_, file)) = &mut self.file else { return lines };
        while file.read_until(b'\n', &mut self.part).is_ok_and(|read| read > 0) {
            if self.part.last() == Some(&b'\n') {
                lines.push(String::from_utf8_lossy(&self.part).trim_end().to_owned());
                self.part.clear();
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_is_printed_is_in_the_log_and_a_line_without_end_is_cut() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.log");
        let (reader, mut writer) = std::io::pipe().unwrap();
        capture(reader, path.clone(), "started");
        writer.write_all(b"one\ntwo\n").unwrap();
        writer.write_all(&vec![b'x'; LINE as usize + 10]).unwrap();
        drop(writer);
        let deadline = Instant::now() + Duration::from_mins(1);
        while tail(&path, 9).is_ok_and(|lines| lines.len() < 5) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let lines = tail(&path, 9).unwrap();
        assert!(lines[0].starts_with("--- 2") && lines[0].ends_with(" started"), "{}", lines[0]);
        assert_eq!(lines[1..3], ["one", "two"]);
        assert_eq!((lines[3].len(), lines[4].len()), (LINE as usize, 10));
        assert_eq!(tail(&path, 1).unwrap()[0].len(), 10);
    }

    #[test]
    fn a_log_is_followed_over_its_rotation() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.log");
        std::fs::write(&path, "old\n").unwrap();
        let mut follow = Follow::new(path.clone());
        assert_eq!(follow.lines(), Vec::<String>::new());
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(follow.lines(), Vec::<String>::new());
        file.write_all(b" and half\n").unwrap();
        std::fs::rename(&path, home.path().join("a.log.1")).unwrap();
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(follow.lines(), ["half and half", "new"]);
    }
}
