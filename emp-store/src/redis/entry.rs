//! What becomes of one job in a commit: the arguments of the script, made from the job before and the job after a change.

use emp_core::job::{Event, Job, JobId, Phase};

use crate::line::{Lane, Place};
use crate::redis::names::{self, Spot};
use crate::redis::record::{self, Rev, Stored, Text};
use crate::store::{StoreError, StoreOptions};

/// What must hold of a job for an entry to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// It has not changed since it was read.
    Rev(Rev),
    /// There is no such job.
    Nothing,
    /// Nothing is known of it: its record cannot be read.
    Anything,
}

/// What becomes of the events with text of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    /// Those to keep.
    pub(super) events: Vec<Event>,
    /// They replace those before.
    pub(super) anew: bool,
    /// How much there is after it.
    pub(super) sum: Text,
}

/// One job of a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    id: String,
    expect: String,
    fields: Vec<String>,
    drop_job: bool,
    gone: Vec<&'static str>,
    events: Vec<String>,
    texts: Vec<String>,
    anew: bool,
    moves: Vec<Move>,
    from: String,
    to: String,
    lane: Option<(String, String)>,
}

#[derive(Clone, Debug)]
enum Move {
    Add(Spot),
    Remove { index: String, member: String },
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done,
    /// The job has changed since it was read.
    Changed,
    /// There is no such job.
    Gone,
    /// The key holds something else.
    Foreign,
}

impl Outcome {
    /// As the script says it.
    pub(super) fn of(code: i64) -> Self {
        match code {
            1 => Self::Done,
            0 => Self::Changed,
            -1 => Self::Gone,
            _ => Self::Foreign,
        }
    }
}

impl Entry {
    fn of(id: &JobId, expect: Expect) -> Self {
        let expect = match expect {
            Expect::Rev(rev) => rev.to_string(),
            Expect::Nothing => "-".to_owned(),
            Expect::Anything => "*".to_owned(),
        };
        Self { id: id.to_string(), expect, ..Self::default() }
    }

    /// Something happened that others may wait for.
    pub(super) fn tells(&self) -> bool {
        !self.events.is_empty() || !self.texts.is_empty()
    }

    /// Nothing is changed; it is only asked whether the job is as it was read.
    pub(super) fn unchanged(before: &Stored) -> Self {
        Self::of(&before.job.id, Expect::Rev(before.rev.clone()))
    }

    /// Stands again where its record says: for a job that an index shows in the wrong place.
    pub(super) fn replaced(before: &Stored, found_in: &str, options: &StoreOptions) -> Self {
        let mut entry = Self::unchanged(before);
        let spot = Spot::of(&before.job.id, &Place::of(&before.job, options));
        if spot.as_ref().is_none_or(|spot| spot.index != found_in) {
            entry.leave(found_in, before.job.id.to_string());
        }
        entry.stand(spot, &before.job);
        entry
    }

    /// Is gone, with every key of it.
    pub(super) fn forgotten(before: &Stored) -> Self {
        let job = &before.job;
        let mut entry = Self::unchanged(before);
        entry.drop_job = true;
        entry.leave(&names::in_state(job.state), job.id.to_string());
        entry.leave(names::ENDED, job.id.to_string());
        entry.from = names::counter(&job.service, job.state);
        entry
    }

    /// Is taken out of an index, because there is no such job, or nothing can be made of it.
    pub(super) fn taken_out(id: &JobId, expect: Expect, found_in: &str) -> Self {
        let mut entry = Self::of(id, expect);
        entry.leave(found_in, id.to_string());
        entry
    }

    /// A job is changed: the record, what other tools read, what happened, and where it stands.
    pub(super) fn changed(
        before: &Stored,
        after: &Stored,
        events: &[Event],
        texts: &Texts,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let (was, is) = (&before.job, &after.job);
        let mut entry = Self::of(&is.id, Expect::Rev(before.rev.clone()));
        entry.set("rev", after.rev.to_string());
        if let Some(lease) = &is.lease {
            entry.set("until", lease.until.0.to_string());
        }
        if !same_but_for_the_lease(was, is) {
            entry.set("rec", record::bare(is)?);
        }
        if after.text != before.text {
            entry.set("text", after.text.to_string());
        }
        entry.mirror(Some(was), is);
        entry.events = events.iter().map(record::event).collect::<Result<_, _>>()?;
        entry.texts = texts.events.iter().map(record::event).collect::<Result<_, _>>()?;
        entry.anew = texts.anew;
        entry.moved(was, is, options);
        Ok(entry)
    }

    /// A job that the store has forgotten, in whole or in part, is put back as its holder knows it.
    pub(super) fn put_back(
        found: Option<&Stored>,
        after: &Stored,
        events: &[Event],
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let is = &after.job;
        let expect = found.map_or(Expect::Nothing, |found| Expect::Rev(found.rev.clone()));
        let mut entry = Self::of(&is.id, expect);
        entry.fields = Self::fields_of_new(is)?;
        entry.set("rev", after.rev.to_string());
        entry.set("arrival", is.arrival.to_string());
        entry.set("text", after.text.to_string());
        if let Some(lease) = &is.lease {
            entry.set("until", lease.until.0.to_string());
        }
        entry.events = events.iter().map(record::event).collect::<Result<_, _>>()?;
        if let Some(found) = found {
            entry.moved(&found.job, is, options);
        } else {
            let (score, member) = (is.arrival as i64, is.id.to_string());
            entry.moves.push(Move::Add(Spot { index: names::in_state(is.state), score, member }));
            entry.to = names::counter(&is.service, is.state);
            entry.stand(Spot::of(&is.id, &Place::of(is, options)), is);
        }
        Ok(entry)
    }

    /// The fields of a new job.
    pub(super) fn fields_of_new(job: &Job) -> Result<Vec<String>, StoreError> {
        let mut entry = Self::default();
        entry.set("rec", record::bare(job)?);
        entry.set("payload", job.payload.to_string());
        entry.set("rev", Rev::first().to_string());
        entry.mirror(None, job);
        Ok(entry.fields)
    }

    fn set(&mut self, name: &str, value: String) {
        self.fields.extend([name.to_owned(), value]);
    }

    /// What other tools may read without knowing the record.
    fn mirror(&mut self, was: Option<&Job>, is: &Job) {
        for (name, shown) in SHOWN {
            let (before, now) = (was.and_then(shown), shown(is));
            match now {
                Some(value) if before != Some(value) => self.set(name, value.to_owned()),
                None if before.is_some() => self.gone.push(name),
                _ => {}
            }
        }
    }

    fn moved(&mut self, was: &Job, is: &Job, options: &StoreOptions) {
        if was.state != is.state {
            self.leave(&names::in_state(was.state), was.id.to_string());
            let (score, member) = (is.arrival as i64, is.id.to_string());
            self.moves.push(Move::Add(Spot { index: names::in_state(is.state), score, member }));
            self.from = names::counter(&was.service, was.state);
            self.to = names::counter(&is.service, is.state);
        }
        let (stood, stands) =
            (Spot::of(&was.id, &Place::of(was, options)), Spot::of(&is.id, &Place::of(is, options)));
        if stood == stands {
            return;
        }
        let index = stands.as_ref().map(|spot| spot.index.clone());
        if let Some(stood) = stood {
            // Somebody may have taken it out of its lane just now; then it stands among the leases until that is given up.
            if stood.index.starts_with("lane:") && index.as_deref() != Some(names::LEASES) {
                self.leave(names::LEASES, was.id.to_string());
            }
            if index.as_ref() != Some(&stood.index) || stood.index.starts_with("lane:") {
                self.leave(&stood.index, stood.member);
            }
        }
        self.stand(stands, is);
    }

    fn leave(&mut self, index: &str, member: String) {
        self.moves.push(Move::Remove { index: index.to_owned(), member });
    }

    fn stand(&mut self, spot: Option<Spot>, job: &Job) {
        let Some(spot) = spot else { return };
        if let Some(lane) = spot.index.strip_prefix("lane:") {
            self.lane = Some((lane.to_owned(), names::lane_name(&Lane::of(job))));
        }
        self.moves.push(Move::Add(spot));
    }

    /// How many arguments it is.
    pub(super) fn write(self, args: &mut Vec<Vec<u8>>) {
        let mut arg = |text: String| args.push(text.into_bytes());
        arg(self.id);
        arg(self.expect);
        arg(if self.drop_job { "-1".to_owned() } else { self.fields.len().to_string() });
        arg(self.gone.len().to_string());
        arg(self.events.len().to_string());
        arg(self.texts.len().to_string());
        arg(u8::from(self.anew).to_string());
        arg(self.moves.len().to_string());
        arg(self.from);
        arg(self.to);
        let (lane, name) = self.lane.unwrap_or_default();
        arg(lane);
        arg(name);
        self.fields.into_iter().for_each(&mut arg);
        self.gone.into_iter().map(str::to_owned).for_each(&mut arg);
        self.events.into_iter().for_each(&mut arg);
        self.texts.into_iter().for_each(&mut arg);
        for step in self.moves {
            match step {
                Move::Add(spot) => {
                    let words = ["ZADD".to_owned(), spot.index, spot.score.to_string(), spot.member];
                    words.into_iter().for_each(&mut arg);
                }
                Move::Remove { index, member } => {
                    ["ZREM".to_owned(), index, String::new(), member].into_iter().for_each(&mut arg);
                }
            }
        }
    }
}

/// A field that other tools may read, and what it shows.
type Shown = (&'static str, fn(&Job) -> Option<&str>);

const SHOWN: [Shown; 5] = [
    ("service", |job| Some(&job.service)),
    ("state", |job| Some(job.state.as_str())),
    ("phase", |job| job.phase.map(Phase::as_str)),
    ("worker", |job| job.lease.as_ref().map(|lease| lease.worker.as_str())),
    ("service_job_id", |job| job.service_job.as_ref().map(|service_job| service_job.id.as_str())),
];

/// Only the lease runs longer, which has a field of its own: a renewal does not write the whole record again.
fn same_but_for_the_lease(was: &Job, is: &Job) -> bool {
    let (Some(before), Some(after)) = (&was.lease, &is.lease) else { return false };
    let renewed = emp_core::job::Lease { until: before.until, ..after.clone() };
    renewed == *before && Job { lease: was.lease.clone(), ..is.clone() } == *was
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use emp_core::Timestamp;
    use emp_core::job::{Nonce, WorkerId};

    use super::*;
    use crate::store::NewJob;
    use crate::transition;

    fn moves(entry: &Entry) -> Vec<String> {
        entry
            .moves
            .iter()
            .map(|step| match step {
                Move::Add(spot) => format!("+{}", spot.index.split(':').next().unwrap_or_default()),
                Move::Remove { index, .. } => format!("-{}", index.split(':').next().unwrap_or_default()),
            })
            .collect()
    }

    #[test]
    fn a_change_leaves_every_index_that_the_job_may_stand_in() {
        let options = StoreOptions { lease: Duration::from_secs(30), ..StoreOptions::default() };
        let new = NewJob {
            service: "svc".to_owned(),
            payload: serde_json::Value::Null,
            priority: 5,
            labels: BTreeMap::new(),
            idempotency_key: None,
        };
        let (job, _) = transition::enqueue(new, JobId::random(), 1, Timestamp(0));
        let queued = Stored { rev: Rev::first(), job, text: Text::default() };
        let mut claimed = Stored { rev: queued.rev.next(), ..queued.clone() };
        let worker = WorkerId::start("w");
        transition::claim(&mut claimed.job, &worker, Nonce::random(), Timestamp(0), &options);
        let none = Texts::default();
        let claim = Entry::changed(&queued, &claimed, &[], &none, &options).unwrap();
        assert_eq!(moves(&claim), ["-in", "+in", "-lane", "+leases"]);
        let mut cancelled = Stored { rev: queued.rev.next(), ..queued.clone() };
        transition::cancel(&mut cancelled.job, "me", None, Timestamp(1));
        let cancel = Entry::changed(&queued, &cancelled, &[], &none, &options).unwrap();
        assert_eq!(
            moves(&cancel),
            ["-in", "+in", "-leases", "-lane", "+ended"],
            "somebody may be claiming it just now"
        );
        let mut renewed = Stored { rev: claimed.rev.next(), ..claimed.clone() };
        if let Some(lease) = &mut renewed.job.lease {
            lease.until = Timestamp(60_000);
        }
        let renewal = Entry::changed(&claimed, &renewed, &[], &none, &options).unwrap();
        assert_eq!(moves(&renewal), ["+leases"]);
        assert_eq!(renewal.fields, ["rev", &renewed.rev.to_string(), "until", "60000"], "not the record");
    }
}
