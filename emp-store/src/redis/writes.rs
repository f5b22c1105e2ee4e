//! Changes of jobs by whoever has them, or wants something of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use emp_core::Timestamp;
use emp_core::job::{Event, Job, JobId, JobState, Lease};
use serde_json::Value;

use crate::redis::RedisStore;
use crate::redis::entry::{Entry, Outcome, Texts};
use crate::redis::record::{self, FIELDS, Found, Stored, Text, WHOLE};
use crate::redis::reply;
use crate::store::{Answer, StoreError, Write};
use crate::transition;

/// At most so many jobs in one commit.
const BATCH: usize = 256;
/// A job that somebody else changes so many times in a row, while we look at it, is left for later.
const CONTENDED: usize = 20;

/// The records of the jobs that this process has claimed, as it wrote them last.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<HashMap<JobId, Kept>>);

/// A record, and its payload apart from it: it is needed only when the store has lost the job.
#[derive(Debug)]
struct Kept {
    stored: Stored,
    payload: Arc<Value>,
}

impl Kept {
    fn whole(&self) -> Stored {
        let payload = Value::clone(&self.payload);
        Stored { job: Job { payload, ..self.stored.job.clone() }, ..self.stored.clone() }
    }
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record, if the job is ours.
    fn get(&self, id: &JobId) -> Option<Stored> {
        self.lock().get(id).map(|kept| kept.stored.clone())
    }

    /// Every record, with its payload.
    pub(super) fn all(&self) -> Vec<Stored> {
        self.lock().values().map(Kept::whole).collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Keeps a record while a worker has the job. One without its payload is a later one of a job that is known.
    pub(super) fn keep(&self, mut stored: Stored) {
        let mut held = self.lock();
        let before = held.remove(&stored.job.id);
        if stored.job.state != JobState::Running {
            return;
        }
        let payload = match (stored.job.payload.take(), before) {
            (Value::Null, Some(before)) => before.payload,
            (payload, _) => Arc::new(payload),
        };
        held.insert(stored.job.id.clone(), Kept { stored, payload });
    }

    /// Somebody else has changed it, or nobody knows what it is now. The record, with its payload.
    fn forget(&self, id: &JobId) -> Option<Stored> {
        self.lock().remove(id).map(|kept| kept.whole())
    }

    /// Forgets what has not been renewed for long: whoever had it has stopped.
    pub(super) fn forget_before(&self, moment: Timestamp) {
        let lives = |lease: &Lease| lease.until > moment;
        self.lock().retain(|_, kept| kept.stored.job.lease.as_ref().is_some_and(lives));
    }
}

/// The writes of one job in one call.
struct Group {
    id: JobId,
    writes: Vec<(usize, Write)>,
}

/// A job as it was read, and whether that was just now.
struct Before {
    stored: Stored,
    fresh: bool,
}

/// What the writes of a group come to, if the job is still as it was read.
struct Draft {
    answers: Vec<(usize, Answer)>,
    after: Option<Stored>,
    entry: Option<Entry>,
}

impl RedisStore {
    /// Applies changes of claimed jobs, in order, one answer each.
    pub(super) async fn write_all(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        let mut answers = vec![Answer::Gone; writes.len()];
        let mut groups = grouped(writes);
        for _ in 0..CONTENDED {
            let mut left = Vec::new();
            while !groups.is_empty() {
                let batch = groups.split_off(groups.len().saturating_sub(BATCH));
                left.extend(self.write_batch(batch, &mut answers).await?);
            }
            if left.is_empty() {
                return Ok(answers);
            }
            groups = left;
        }
        Err(contended())
    }

    /// Writes what can be written; gives back the groups that have to be looked at again.
    async fn write_batch(
        &self,
        groups: Vec<Group>,
        answers: &mut [Answer],
    ) -> Result<Vec<Group>, StoreError> {
        let mut before = self.before(&groups).await?;
        let at = self.moments.now();
        let mut drafts = Vec::with_capacity(groups.len());
        for group in &groups {
            drafts.push(self.draft(group, before.remove(&group.id), at).await?);
        }
        let sent: Vec<bool> = drafts.iter().map(|draft| draft.entry.is_some()).collect();
        let entries = drafts.iter_mut().filter_map(|draft| draft.entry.take()).collect();
        // What became of them when it fails is not known; the names of the changes tell, the next time.
        let outcomes = self.commit(at, entries).await?;
        let Some(outcomes) = outcomes else { return Ok(groups) };
        let mut outcomes = outcomes.into_iter();
        let mut left = Vec::new();
        for ((group, draft), sent) in groups.into_iter().zip(drafts).zip(sent) {
            let outcome = if sent { outcomes.next() } else { Some(Outcome::Done) };
            match outcome {
                Some(Outcome::Done) => {
                    draft.answers.iter().for_each(|(index, answer)| answers[*index] = *answer);
                    if let Some(after) = draft.after {
                        self.held.keep(after);
                    }
                }
                Some(Outcome::Foreign) => {
                    return Err(StoreError::Corrupt(format!("the key of job {} holds no job", group.id)));
                }
                _ => {
                    if let Some(held) = self.held.forget(&group.id) {
                        self.look_again(held).await?;
                    }
                    left.push(group);
                }
            }
        }
        Ok(left)
    }

    /// A job is not as this process wrote it last. Where the store has gone back behind that, it is put back.
    async fn look_again(&self, held: Stored) -> Result<(), StoreError> {
        let found = self.read(std::slice::from_ref(&held.job.id), &FIELDS).await?.pop();
        match found {
            Some(Found::Job(found)) => self.reassert(held, Some(*found)).await.map(drop),
            Some(Found::Missing) => self.reassert(held, None).await.map(drop),
            _ => Ok(()),
        }
    }

    /// The jobs of some groups: those that this process has from memory, the others from the store.
    async fn before(&self, groups: &[Group]) -> Result<HashMap<JobId, Before>, StoreError> {
        let mut before = HashMap::with_capacity(groups.len());
        let mut unknown = Vec::new();
        for group in groups {
            match self.held.get(&group.id) {
                Some(stored) => drop(before.insert(group.id.clone(), Before { stored, fresh: false })),
                None => unknown.push(group.id.clone()),
            }
        }
        for (id, found) in unknown.iter().zip(self.read(&unknown, &FIELDS).await?) {
            if let Some(stored) = found.job(id)? {
                before.insert(id.clone(), Before { stored, fresh: true });
            }
        }
        Ok(before)
    }

    async fn draft(&self, group: &Group, before: Option<Before>, at: Timestamp) -> Result<Draft, StoreError> {
        let Some(Before { stored: before, fresh }) = before else {
            let answers = group.writes.iter().map(|(index, _)| (*index, Answer::Gone)).collect();
            return Ok(Draft { answers, after: None, entry: None });
        };
        let mut job = before.job.clone();
        let (mut answers, mut events, mut changed) = (Vec::new(), Vec::new(), false);
        for (index, write) in &group.writes {
            let step =
                transition::apply(&mut job, &write.claim.nonce, write.change.clone(), at, &self.options);
            answers.push((*index, step.answer));
            events.extend(step.events);
            changed |= step.changed;
        }
        if !changed {
            // An answer from memory counts only if nobody has changed the job since.
            let entry = (!fresh).then(|| Entry::unchanged(&before));
            return Ok(Draft { answers, after: None, entry });
        }
        let (after, entry) = self.changed(&before, job, events).await?;
        Ok(Draft { answers, after: Some(after), entry: Some(entry) })
    }

    /// A job after a change, and the entry that makes it so.
    pub(super) async fn changed(
        &self,
        before: &Stored,
        job: Job,
        events: Vec<Event>,
    ) -> Result<(Stored, Entry), StoreError> {
        let (texts, events): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|event| event.delta.is_some());
        let texts = self.texts(before, texts).await?;
        let after = Stored { rev: before.rev.next(), job, text: texts.sum };
        let entry = Entry::changed(before, &after, &events, &texts, &self.options)?;
        Ok((after, entry))
    }

    /// What is kept of the text of a job's stream when more of it comes.
    async fn texts(&self, before: &Stored, mut news: Vec<Event>) -> Result<Texts, StoreError> {
        let begins = |event: &Event| event.delta.as_ref().is_some_and(|delta| delta.start);
        let anew = news.iter().rposition(begins);
        if let Some(at) = anew {
            news.drain(..at);
        }
        let told = |events: &[Event]| Text {
            events: events.len(),
            bytes: events.iter().filter_map(|event| event.delta.as_ref()).map(|delta| delta.text.len()).sum(),
        };
        let (old, new) = (if anew.is_some() { Text::default() } else { before.text }, told(&news));
        let sum = Text { events: old.events + new.events, bytes: old.bytes + new.bytes };
        if news.is_empty() || !transition::crowded(sum.events, sum.bytes) {
            return Ok(Texts { events: news, anew: anew.is_some(), sum });
        }
        let mut all = if anew.is_some() { Vec::new() } else { self.texts_of(&before.job.id).await? };
        all.append(&mut news);
        let events: Vec<Event> = transition::compact(&all).into_iter().collect();
        Ok(Texts { sum: told(&events), events, anew: true })
    }

    async fn texts_of(&self, id: &JobId) -> Result<Vec<Event>, StoreError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(self.names.texts(id)).arg(0).arg(-1);
        reply::items(self.link.command(&range).await?)
            .iter()
            .map(|item| record::read_event(id, item))
            .collect()
    }

    /// Changes a job by a wish of anybody's. `None` when there is no such job; else the job after it, and what the wish came to.
    pub(super) async fn change<T>(
        &self,
        id: &JobId,
        step: impl Fn(&mut Job, Timestamp) -> (T, Option<Vec<Event>>),
    ) -> Result<Option<(Job, T)>, StoreError> {
        for _ in 0..CONTENDED {
            let found = self.read(std::slice::from_ref(id), &WHOLE).await?.pop();
            let Some(before) = found.map(|found| found.job(id)).transpose()?.flatten() else {
                return Ok(None);
            };
            let at = self.moments.now();
            let mut job = before.job.clone();
            let (told, events) = step(&mut job, at);
            // Nothing is changed.
            let Some(events) = events else { return Ok(Some((job, told))) };
            let (after, entry) = self.changed(&before, job, events).await?;
            if self.commit(at, vec![entry]).await?.is_some_and(|outcomes| outcomes == [Outcome::Done]) {
                return Ok(Some((after.job, told)));
            }
        }
        Err(contended())
    }
}

/// Writes of the same job go together, in their order.
fn grouped(writes: Vec<Write>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = HashMap::<JobId, usize>::new();
    for (index, write) in writes.into_iter().enumerate() {
        let id = write.claim.job.clone();
        let place = *places.entry(id.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group { id, writes: Vec::new() });
        }
        groups[place].writes.push((index, write));
    }
    groups
}

fn contended() -> StoreError {
    StoreError::Down("too many others change the same job at this moment; try again".to_owned())
}
