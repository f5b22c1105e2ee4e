//! The events with text of a job's stream.

use emp_core::job::{Delta, Event};
use rusqlite::{Connection, params};

use crate::embedded::rows;
use crate::store::StoreError;
use crate::transition;

/// Stores an event with text, and puts the job's together when they are too many.
pub(super) fn append(db: &Connection, arrival: u64, event: &Event, delta: &Delta) -> Result<(), StoreError> {
    if delta.start {
        forget(db, arrival)?;
    }
    insert(db, arrival, event)?;
    let (count, bytes): (usize, usize) = db
        .prepare_cached("SELECT count(*), total(length(record)) FROM deltas WHERE arrival = ?1")?
        .query_row([arrival], |row| Ok((row.get(0)?, row.get::<_, f64>(1)? as usize)))?;
    if !transition::crowded(count, bytes) {
        return Ok(());
    }
    let kept: Vec<Event> = db
        .prepare_cached("SELECT record FROM deltas WHERE arrival = ?1 ORDER BY seq")?
        .query_map([arrival], |row| row.get::<_, String>(0))?
        .map(|record| {
            serde_json::from_str(&record?).map_err(|error| {
                StoreError::Corrupt(format!("an event of job {arrival} cannot be read: {error}"))
            })
        })
        .collect::<Result<_, _>>()?;
    forget(db, arrival)?;
    transition::compact(&kept).map_or(Ok(()), |whole| insert(db, arrival, &whole))
}

fn forget(db: &Connection, arrival: u64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM deltas WHERE arrival = ?1")?.execute([arrival])?;
    Ok(())
}

fn insert(db: &Connection, arrival: u64, event: &Event) -> Result<(), StoreError> {
    let record = serde_json::to_string(event).map_err(|error| rows::unwritable(&error))?;
    db.prepare_cached("INSERT INTO deltas VALUES (?1, ?2, ?3)")?
        .execute(params![arrival, event.seq, record])?;
    Ok(())
}
