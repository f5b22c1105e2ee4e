//! Changes of jobs by whoever has them, or wants something of them.

use std::collections::HashMap;

use emp_core::Timestamp;
use emp_core::job::{Event, Job, JobId, Nonce};

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
    after: Option<(Stored, Nonce)>,
    entry: Option<Entry>,
}

impl Draft {
    /// It is what the store has, so it was made, and only its answer was lost.
    fn made(&self, found: &Stored) -> bool {
        self.after.as_ref().is_some_and(|(after, _)| after.rev == found.rev)
    }
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
                if let Err(error) = self.settle().await {
                    tracing::warn!(%error, "the jobs that this process has are looked at again with its next call");
                }
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
        let mut behind = Vec::new();
        for ((group, draft), sent) in groups.into_iter().zip(drafts).zip(sent) {
            match if sent { outcomes.next() } else { Some(Outcome::Done) } {
                Some(Outcome::Done) => self.answer(draft, answers),
                _ => behind.push((group, draft)),
            }
        }
        self.catch_up(behind, answers).await
    }

    /// A draft was made.
    fn answer(&self, draft: Draft, answers: &mut [Answer]) {
        draft.answers.iter().for_each(|(index, answer)| answers[*index] = *answer);
        if let Some((after, claim)) = draft.after {
            self.held.keep(after, &claim);
        }
    }

    /// Looks at jobs that the store has otherwise than they were read. Where it has gone back behind what this process wrote last, they
    /// are put back; until that is settled the process keeps what may be the only copy. Gives back the groups that are still to be written.
    async fn catch_up(
        &self,
        behind: Vec<(Group, Draft)>,
        answers: &mut [Answer],
    ) -> Result<Vec<Group>, StoreError> {
        let ids: Vec<JobId> = behind.iter().map(|(group, _)| group.id.clone()).collect();
        let (mut left, mut lost) = (Vec::new(), Vec::new());
        for ((group, draft), found) in behind.into_iter().zip(self.read(&ids, &FIELDS).await?) {
            match readable(&group.id, found) {
                Ok(Some(found)) if draft.made(&found) => {
                    self.answer(draft, answers);
                    continue;
                }
                Ok(found) => lost.push((group.id.clone(), found)),
                // Its answer stays that there is none.
                Err(()) => {
                    self.held.forget(&group.id);
                    continue;
                }
            }
            left.push(group);
        }
        self.put_back(lost).await?;
        Ok(left)
    }

    /// The jobs of some groups: those that this process has from memory, the others from the store, whole, because they may become ours.
    async fn before(&self, groups: &[Group]) -> Result<HashMap<JobId, Before>, StoreError> {
        let mut before = HashMap::with_capacity(groups.len());
        let mut unknown = Vec::new();
        for group in groups {
            match self.held.get(&group.id) {
                Some(stored) => drop(before.insert(group.id.clone(), Before { stored, fresh: false })),
                None => unknown.push(group.id.clone()),
            }
        }
        for (id, found) in unknown.iter().zip(self.read(&unknown, &WHOLE).await?) {
            if let Ok(Some(stored)) = readable(id, found) {
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
        let claim = group.writes.last().map(|(_, write)| write.claim.nonce.clone());
        Ok(Draft { answers, after: claim.map(|claim| (after, claim)), entry: Some(entry) })
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

/// A job for those who write it. One that cannot be read keeps none of the others from being written: whoever has it hears that there is
/// none (F18).
fn readable(id: &JobId, found: Found) -> Result<Option<Stored>, ()> {
    found.job(id).map_err(|error| tracing::error!(job = %id, "{error}"))
}

fn contended() -> StoreError {
    StoreError::Down("too many others change the same job at this moment; try again".to_owned())
}
