//! A job as it lies in the store.

use emp_core::Timestamp;
use emp_core::job::{Event, JOB_SCHEMA, Job, JobId, Nonce};
use redis::Value;
use serde::de::DeserializeOwned;

use crate::redis::reply;
use crate::store::StoreError;

/// The fields that make a job without its payload. Whoever changes one reads all of them.
pub(super) const FIELDS: [&str; 5] = ["rec", "rev", "arrival", "until", "text"];
/// And with it.
pub(super) const WHOLE: [&str; 6] = ["rec", "rev", "arrival", "until", "text", "payload"];

/// How much text of a job's stream is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// In how many events.
    pub(super) events: usize,
    /// How many bytes.
    pub(super) bytes: usize,
}

impl Text {
    fn parse(text: &str) -> Option<Self> {
        let (events, bytes) = text.split_once(' ')?;
        Some(Self { events: events.parse().ok()?, bytes: bytes.parse().ok()? })
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.events, self.bytes)
    }
}

/// The name of a job's last change. Whoever writes says which one it has read, and they are compared for equality.
///
/// The count alone would not do: after a failover that lost the last changes, somebody else's third change would pass for ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rev {
    /// Changes so far.
    count: u64,
    random: String,
}

impl Rev {
    /// Of a new job.
    pub(super) fn first() -> Self {
        Self { count: 1, random: random() }
    }

    /// Of the change after this one.
    pub(super) fn next(&self) -> Self {
        Self { count: self.count + 1, random: random() }
    }

    /// After this one there was another change, as far as counting goes; else the store has gone back.
    pub(super) fn before(&self, other: &Self) -> bool {
        self.count < other.count
    }

    fn parse(text: &str) -> Option<Self> {
        let (count, random) = text.split_once('-')?;
        Some(Self { count: count.parse().ok()?, random: random.to_owned() })
    }
}

fn random() -> String {
    Nonce::random().as_str().chars().take(16).collect()
}

impl std::fmt::Display for Rev {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.count, self.random)
    }
}

/// A job and the name of its last change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) rev: Rev,
    /// Its payload is null unless it was asked for.
    pub(super) job: Job,
    pub(super) text: Text,
}

/// What is found under a job's key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// A job.
    Job(Box<Stored>),
    /// Nothing.
    Missing,
    /// A record of a newer version of this software, which is not ours to touch (P29).
    Newer,
    /// Something that cannot be read, and why.
    Unreadable(String),
}

impl Found {
    /// What a reply with [`FIELDS`] or [`WHOLE`] shows.
    pub(super) fn read(id: &JobId, reply: &Value) -> Self {
        match reply {
            Value::Array(fields) if fields.iter().all(|field| matches!(field, Value::Nil)) => Self::Missing,
            Value::Array(fields) => match stored(fields) {
                _ if newer(fields) => Self::Newer,
                Ok(stored) if stored.job.id == *id => Self::Job(Box::new(stored)),
                Ok(stored) => Self::Unreadable(format!("it holds job {}", stored.job.id)),
                Err(problem) => Self::Unreadable(problem),
            },
            _ => Self::Unreadable("its key does not hold a job".to_owned()),
        }
    }

    /// The job, if there is one.
    pub(super) fn job(self, id: &JobId) -> Result<Option<Stored>, StoreError> {
        match self {
            Self::Job(stored) => Ok(Some(*stored)),
            Self::Missing => Ok(None),
            Self::Newer => Err(StoreError::Version(format!(
                "job {id} was written by a newer version of emp: update this process as well"
            ))),
            Self::Unreadable(problem) => {
                Err(StoreError::Corrupt(format!("the record of job {id} cannot be read: {problem}")))
            }
        }
    }
}

/// The record says that it has a shape that this code does not know.
fn newer(fields: &[Value]) -> bool {
    #[derive(serde::Deserialize)]
    struct Stamp {
        schema: u16,
    }
    let stamp = fields.first().and_then(reply::text).map(parse::<Stamp>);
    matches!(stamp, Some(Ok(Stamp { schema })) if schema > JOB_SCHEMA)
}

fn stored(fields: &[Value]) -> Result<Stored, String> {
    let field = |at: usize| fields.get(at).and_then(reply::text);
    let number = |at: usize| field(at).and_then(|text| text.parse::<i64>().ok());
    let record = field(0).ok_or("it has no `rec`")?;
    let mut job: Job = parse(record)?;
    let rev = field(1).and_then(Rev::parse).ok_or("its `rev` is none")?;
    job.arrival =
        number(2).and_then(|arrival| u64::try_from(arrival).ok()).ok_or("its `arrival` is no number")?;
    if let (Some(lease), Some(until)) = (&mut job.lease, number(3)) {
        lease.until = Timestamp(until);
    }
    let text = field(4).and_then(Text::parse).unwrap_or_default();
    if let Some(payload) = field(5) {
        job.payload = parse(payload)?;
    }
    Ok(Stored { rev, job, text })
}

/// A record from JSON.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// A job's record without its payload, which has a field of its own and never changes.
pub(super) fn bare(job: &Job) -> Result<String, StoreError> {
    json(&Job { payload: serde_json::Value::Null, ..job.clone() })
}

/// An event as it is kept.
pub(super) fn event(event: &Event) -> Result<String, StoreError> {
    json(event)
}

/// An event as it was kept.
pub(super) fn read_event(id: &JobId, item: &Value) -> Result<Event, StoreError> {
    parse(reply::text(item).unwrap_or_default())
        .map_err(|problem| StoreError::Corrupt(format!("an event of job {id} cannot be read: {problem}")))
}

/// A record as JSON.
pub(super) fn json(record: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record)
        .map_err(|error| StoreError::Corrupt(format!("a record cannot be written: {error}")))
}
