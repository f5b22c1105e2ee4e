//! The end of SQLite's log: what a crash left there of a commit that was never finished (P31).
//!
//! SQLite passes it over in silence. Layout: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Result};
use std::path::Path;

/// Begins every log; with the last bit set its checksums are big-endian.
const MAGIC: u32 = 0x377f_0682;
/// The header of the log: magic, format, page size, sequence, two salts, two checksums.
const HEAD: usize = 32;
/// The header of a frame: page, size of the file after a commit or zero, two salts, two checksums.
const FRAME: usize = 24;
/// The largest page that SQLite knows.
const LARGEST_PAGE: u32 = 1 << 16;

/// How many bytes of an unfinished commit the log of a file ends with.
pub(super) fn unfinished(file: &Path) -> Result<u64> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    match File::open(log) {
        Ok(log) => unfinished_in(BufReader::new(log)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Frames with the log's salts after the last commit whose checksums hold. Frames with other salts are of an earlier log, in a file
/// that is used again.
fn unfinished_in(mut log: impl Read) -> Result<u64> {
    let mut head = [0; HEAD];
    if fill(&mut log, &mut head)? < HEAD {
        return Ok(0);
    }
    let [magic, _, page, _, salt_1, salt_2, sums @ ..] = words::<8>(&head, u32::from_be_bytes);
    if magic & !1 != MAGIC || page > LARGEST_PAGE {
        return Ok(0);
    }
    let order = if magic & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
    let mut sum = checksum([0, 0], &words::<6>(&head, order));
    let mut frame = vec![0; FRAME + page as usize];
    let (mut whole, mut unfinished) = (sum == sums, 0);
    loop {
        let read = fill(&mut log, &mut frame)?;
        let [_, commit, salts @ .., sum_1, sum_2] = words::<6>(&frame, u32::from_be_bytes);
        if read == 0 || (read >= FRAME && salts != [salt_1, salt_2]) {
            return Ok(unfinished);
        }
        sum = checksum(sum, &words::<2>(&frame, order));
        let (pairs, _) = frame[FRAME..].as_chunks::<8>();
        sum = pairs.iter().fold(sum, |sum, pair| checksum(sum, &words::<2>(pair, order)));
        whole &= read == frame.len() && sum == [sum_1, sum_2];
        unfinished = if whole && commit != 0 { 0 } else { unfinished + read as u64 };
    }
}

/// Reads until the buffer is full or the log ends; says how much.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match log.read(rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// The first words of some bytes.
fn words<const COUNT: usize>(bytes: &[u8], order: fn([u8; 4]) -> u32) -> [u32; COUNT] {
    let (quads, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|index| quads.get(index).copied().map_or(0, order))
}

/// SQLite's running checksum over pairs of words.
fn checksum(sum: [u32; 2], words: &[u32]) -> [u32; 2] {
    let (pairs, _) = words.as_chunks::<2>();
    pairs.iter().fold(sum, |[first, second], [odd, even]| {
        let first = first.wrapping_add(*odd).wrapping_add(second);
        [first, second.wrapping_add(*even).wrapping_add(first)]
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn log_of(dir: &Path) -> (Vec<u8>, usize) {
        let db = Connection::open(dir.join("db")).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        db.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(9000))").unwrap();
        let log = dir.join("db-wal");
        let kept = std::fs::metadata(&log).unwrap().len();
        db.execute("INSERT INTO t VALUES (randomblob(9000))", []).unwrap();
        (std::fs::read(log).unwrap(), usize::try_from(kept).unwrap())
    }

    #[test]
    fn p31_what_follows_the_last_commit_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let (log, kept) = log_of(dir.path());
        let unfinished = |log: &[u8]| unfinished_in(log).unwrap();
        assert_eq!(unfinished(&log), 0, "every commit is whole");
        assert_eq!(unfinished(&log[..kept]), 0, "the first ones are whole");
        for cut in [kept + 1, kept + FRAME, kept + 5000, log.len() - 1] {
            assert_eq!(unfinished(&log[..cut]), (cut - kept) as u64, "cut at {cut}");
        }
        let mut scribbled = log.clone();
        scribbled[kept + 100..kept + 200].fill(0xA5);
        assert_eq!(unfinished(&scribbled), (log.len() - kept) as u64);
        let mut used_again = log.clone();
        used_again[kept + 8..kept + 16].fill(0xA5);
        assert_eq!(unfinished(&used_again), 0, "an older log's frames");
        for length in 0..HEAD {
            assert_eq!(unfinished(&log[..length]), 0);
        }
        assert_eq!(unfinished(&[0xA5; 9000]), 0, "not a log");
    }
}
