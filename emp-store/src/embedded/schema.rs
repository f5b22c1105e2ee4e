//! The file: its tables, its version stamp, and how connections to it are opened.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::embedded::{fault, log};
use crate::store::StoreError;

/// `EMPq`: says that a file is a store of jobs.
const APPLICATION: i32 = 0x454d_5071;
/// Version of the tables. Another one is kept out.
const VERSION: i32 = 3;
/// The version before, which is brought up to this one when it is opened.
const BEFORE: i32 = 2;
/// How long a process waits for another one's commit.
const PATIENCE: Duration = Duration::from_secs(5);

const TABLES: &str = "
-- The store's own time and the number of the last arrival.
CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), time INTEGER NOT NULL, arrival INTEGER NOT NULL);
INSERT INTO clock VALUES (1, 0, 0);

-- A service with label requirements, and how many jobs of it have not ended.
CREATE TABLE lanes (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, service TEXT NOT NULL, live INTEGER NOT NULL);
CREATE INDEX lanes_of_service ON lanes (service);

-- A job: what is asked for by, and the record. The payload never changes, so it is not written again with every change.
CREATE TABLE jobs (
  arrival INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  service TEXT NOT NULL,
  lane INTEGER NOT NULL,
  state TEXT NOT NULL,
  order_key INTEGER,
  due INTEGER,
  lease_until INTEGER,
  expires INTEGER,
  record TEXT NOT NULL);
CREATE INDEX jobs_ready ON jobs (lane, order_key, arrival, id) WHERE order_key IS NOT NULL;
CREATE INDEX jobs_due ON jobs (due) WHERE due IS NOT NULL;
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (expires) WHERE expires IS NOT NULL;
CREATE INDEX jobs_in_state ON jobs (state, arrival);
CREATE TABLE payloads (arrival INTEGER PRIMARY KEY, payload TEXT NOT NULL);
CREATE TABLE events (arrival INTEGER NOT NULL, seq INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (arrival, seq))
  WITHOUT ROWID;
-- The events with text, apart from the others so that neither make room for the other.
CREATE TABLE deltas (arrival INTEGER NOT NULL, seq INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (arrival, seq))
  WITHOUT ROWID;

CREATE TABLE keys (key TEXT PRIMARY KEY, job TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX keys_by_age ON keys (at);
CREATE TABLE workers (id TEXT PRIMARY KEY, seen_at INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
-- Who lost a lease of late, and when.
CREATE TABLE lost (worker TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

-- Kept by the database itself, so that the sums are always true.
CREATE TABLE counts (service TEXT NOT NULL, state TEXT NOT NULL, jobs INTEGER NOT NULL, PRIMARY KEY (service, state))
  WITHOUT ROWID;
CREATE TRIGGER job_came AFTER INSERT ON jobs BEGIN
  INSERT INTO counts VALUES (new.service, new.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER job_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE counts SET jobs = jobs - 1 WHERE service = old.service AND state = old.state;
  INSERT INTO counts VALUES (new.service, new.state, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER job_left AFTER DELETE ON jobs BEGIN
  UPDATE counts SET jobs = jobs - 1 WHERE service = old.service AND state = old.state;
END;
";

/// From the version before. When its jobs that have ended are to be forgotten is found out when they are looked at.
const UPGRADE: &str = "
ALTER TABLE jobs ADD COLUMN expires INTEGER;
CREATE INDEX jobs_ended ON jobs (expires) WHERE expires IS NOT NULL;
CREATE TABLE lost (worker TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
UPDATE jobs SET expires = 0 WHERE state IN ('succeeded', 'failed', 'cancelled', 'quarantined');
CREATE TRIGGER job_left AFTER DELETE ON jobs BEGIN
  UPDATE counts SET jobs = jobs - 1 WHERE service = old.service AND state = old.state;
END;
";

/// Opens the connection that writes; makes the tables in a new file, and keeps out a file that is something else before anything of
/// it is changed.
pub(super) fn writer(file: &Path) -> Result<Connection, StoreError> {
    let mut connection = connect(file)?;
    if stamped(&connection, file)? != Stamp::Ours {
        make(&mut connection, file)?;
    }
    // Two processes that start together may refuse each other the switch to WAL, without waiting.
    let started = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "wal").map_err(StoreError::from) {
            Err(StoreError::Down(_)) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => break other?,
        }
    }
    cut_back(&mut connection, file)?;
    Ok(connection)
}

/// Cuts off what a crash left of a commit that was never answered, and says so. Without that SQLite passes it over in silence.
fn cut_back(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    // While it is held no other process is in the middle of a commit.
    let held = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let unfinished = log::unfinished(file).map_err(|error| fault::io("read the log of", file, &error))?;
    drop(held);
    if unfinished > 0 {
        tracing::warn!(file = %file.display(), bytes = unfinished,
            "the last process died in the middle of a commit that was not answered yet: cut it off the log, nothing answered is lost");
        // Another process that reads just now keeps the log; what is cut off is written over then.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Opens a connection that only reads.
pub(super) fn reader(file: &Path) -> Result<Connection, StoreError> {
    let connection = connect(file)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // A log that grew in a rush is cut back after it; on a small disk the room is needed.
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    Ok(connection)
}

/// What a file is that may become or be our store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    Ours,
    Before,
    Empty,
}

/// What the stamp of a file says; an error when it is something else.
fn stamped(connection: &Connection, file: &Path) -> Result<Stamp, StoreError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let shown = file.display();
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION, VERSION) => Ok(Stamp::Ours),
        (APPLICATION, BEFORE) => Ok(Stamp::Before),
        (0, 0) if tables == 0 => Ok(Stamp::Empty),
        (APPLICATION, other) => Err(StoreError::Version(format!(
            "{shown} has format {other}, this version of emp reads format {VERSION}. Run the version that made it, or \
             name another directory: `--store file:./emp-data-{VERSION}`"
        ))),
        _ => Err(StoreError::Version(format!(
            "{shown} is a database, but not a store of emp. Name another directory: `--store file:./emp-data`"
        ))),
    }
}

/// Makes the tables, or what they lack, unless another process has done so in the meantime.
fn make(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let stamp = stamped(&transaction, file)?;
    if stamp != Stamp::Ours {
        transaction.execute_batch(if stamp == Stamp::Empty { TABLES } else { UPGRADE })?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 is FULL: in WAL mode every commit is synced before it is answered.
    #[test]
    fn p31_every_commit_is_synced() {
        let dir = tempfile::tempdir().unwrap();
        let file = crate::embedded::dir::prepare(dir.path()).unwrap();
        for connection in [writer(&file).unwrap(), writer(&file).unwrap()] {
            let synchronous: i64 =
                connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
            let journal: String =
                connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!((synchronous, journal.as_str()), (2, "wal"));
        }
    }
}
