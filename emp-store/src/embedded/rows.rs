//! Rows as values: what the writer and the readers read in the same way.

use std::collections::BTreeMap;

use emp_core::Timestamp;
use emp_core::job::{Event, Job, JobId, JobState};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use serde_json::Value;

use crate::embedded::fault;
use crate::store::{ListQuery, Page, StoreError, WorkerStatus};

/// A record that cannot be written as JSON.
pub(super) fn unwritable(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("a record cannot be written: {error}"))
}

/// A job's id, as a row has it.
pub(super) fn id(text: &str) -> Result<JobId, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(format!("a row names a job `{text}`, which is no id")))
}

/// A job's record without its payload, which has a row of its own.
pub(super) fn record(job: &mut Job) -> Result<String, StoreError> {
    let payload = std::mem::take(&mut job.payload);
    let record = serde_json::to_string(job);
    job.payload = payload;
    record.map_err(|error| unwritable(&error))
}

/// A job without its payload: enough to change it.
pub(super) fn bare(db: &Connection, id: &JobId) -> Result<Option<Job>, StoreError> {
    db.prepare_cached("SELECT record FROM jobs WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get::<_, String>(0))
        .optional()?
        .map(|record| parse(id.as_str(), &record))
        .transpose()
}

/// The payload of a job.
pub(super) fn payload(db: &Connection, job: &Job) -> Result<Value, StoreError> {
    let text: String = db
        .prepare_cached("SELECT payload FROM payloads WHERE arrival = ?1")?
        .query_row([job.arrival], |row| row.get(0))?;
    parse(job.id.as_str(), &text)
}

/// A job, whole.
pub(super) fn job(db: &Connection, id: &JobId) -> Result<Option<Job>, StoreError> {
    let Some(mut job) = bare(db, id)? else { return Ok(None) };
    job.payload = payload(db, &job)?;
    Ok(Some(job))
}

/// A page of jobs, newest first.
pub(super) fn list(db: &Connection, query: &ListQuery) -> Result<Page, StoreError> {
    let mut sql = String::from(
        "SELECT id, record, payload FROM jobs JOIN payloads USING (arrival) WHERE jobs.arrival < ?",
    );
    let before = query.before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let mut values = vec![Sql::from(before)];
    if let Some(service) = &query.service {
        sql.push_str(" AND service = ?");
        values.push(Sql::from(service.clone()));
    }
    if !query.states.is_empty() {
        let marks = vec!["?"; query.states.len()].join(",");
        sql.push_str(" AND state IN (");
        sql.push_str(&marks);
        sql.push(')');
        values.extend(query.states.iter().map(|state| Sql::from(state.as_str().to_owned())));
    }
    sql.push_str(" ORDER BY jobs.arrival DESC");
    let limit = query.page_size();
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut jobs = Vec::new();
    while jobs.len() <= limit
        && let Some(row) = rows.next()?
    {
        let (id, record, payload): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(mut job) = told(parse::<Job>(&id, &record)) else { continue };
        if query.wants(&job)
            && let Some(payload) = told(parse(&id, &payload))
        {
            job.payload = payload;
            jobs.push(job);
        }
    }
    Ok(Page::cut(jobs, limit))
}

/// The events of a job after a number.
pub(super) fn events(db: &Connection, id: &JobId, after: u64) -> Result<Option<Vec<Event>>, StoreError> {
    let arrival: Option<u64> = db
        .prepare_cached("SELECT arrival FROM jobs WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    let Some(arrival) = arrival else { return Ok(None) };
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    db.prepare_cached(
        "SELECT record FROM (
           SELECT seq, record FROM events WHERE arrival = ?1 AND seq > ?2
           UNION ALL SELECT seq, record FROM deltas WHERE arrival = ?1 AND seq > ?2) ORDER BY seq",
    )?
    .query_map(params![arrival, after], |row| row.get::<_, String>(0))?
    .map(|record| parse(id.as_str(), &record?))
    .collect::<Result<_, _>>()
    .map(Some)
}

/// The workers heard of since a moment.
pub(super) fn workers(db: &Connection, since: Timestamp) -> Result<Vec<WorkerStatus>, StoreError> {
    let records: Vec<(String, String)> = db
        .prepare_cached("SELECT id, record FROM workers WHERE seen_at > ?1 ORDER BY id")?
        .query_map([since.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let read = |(id, record): (String, String)| {
        told(serde_json::from_str(&record).map_err(|error| {
            StoreError::Corrupt(format!("the record of worker {id} cannot be read: {error}"))
        }))
    };
    Ok(records.into_iter().filter_map(read).collect())
}

/// How many jobs there are of each service and state.
pub(super) fn counts(db: &Connection) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
    let mut counts = BTreeMap::<String, BTreeMap<JobState, u64>>::new();
    let mut query = db.prepare_cached("SELECT service, state, jobs FROM counts WHERE jobs > 0")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
    for row in rows {
        let (service, word, jobs) = row?;
        let state = JobState::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| StoreError::Corrupt(format!("a row has the state `{word}`, which is none")))?;
        counts.entry(service).or_default().insert(state, jobs);
    }
    Ok(counts)
}

/// What can be read. One record that cannot is told to the log, and hides none of the others.
fn told<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(%error, "left out of the list")).ok()
}

fn parse<T: serde::de::DeserializeOwned>(id: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| fault::record(id, &error))
}
