//! What surrounds a poll, from the service's side: lists, further questions, batches, held answers, progress beside a submit.

use std::time::Duration;

use emp_core::spec::{BatchPoll, Envelope, Listed, RequestSpec, Setting};
use emp_core::syntax::hole::Root;
use emp_core::syntax::jsonpath::{JsonPath, PathSelector, Segment};
use emp_core::syntax::selector::{Selector, Source};
use serde_json::{Value, json};

use crate::answer::{self, Telling};
use crate::draft::Draft;
use crate::fault::Trouble;
use crate::job::{View, VirtualJob};
use crate::known::Known;
use crate::place::place;
use crate::route::{self, Holes};
use crate::speak::Saying;
use crate::state::Service;

/// Elements of a page of a batch.
const PAGE: usize = 20;

impl Service {
    /// The answer to a poll whose answer is a list: all jobs, as they are.
    pub(crate) fn list(&self, listed: &Listed, trouble: Option<&Trouble>) -> Draft {
        let forgotten = trouble == Some(&Trouble::Forgotten);
        let jobs = self.books.jobs.iter().filter(|_| !forgotten);
        answer_of(&listed.items, jobs.map(|job| self.element(listed, job, trouble)).collect())
    }

    fn element(&self, listed: &Listed, job: &VirtualJob, trouble: Option<&Trouble>) -> Value {
        let view = match trouble {
            Some(Trouble::Backwards) => View::fresh(self.durations),
            _ => job.at(self.clock.now(), self.durations),
        };
        let mut draft = match trouble {
            Some(Trouble::UnknownStatus) => answer::unknown_status(self.http, 200),
            Some(Trouble::Word(word)) => self.say(job, &Saying::Word(word.clone())),
            Some(Trouble::Rule(index)) => self.say(job, &Saying::Rule(*index)),
            _ => self.show(job, &view, 200),
        };
        draft.put(&listed.id, job.id.clone().into());
        draft.body
    }

    /// The answer to a further question: what it has to say of every job.
    pub(crate) fn probe(&mut self, request: &RequestSpec) -> Draft {
        let polls = (0..self.http.operations.len()).map(Some).chain([None]);
        let probe = polls
            .filter_map(|operation| self.http.poll_at(operation))
            .flat_map(|poll| poll.also)
            .find(|probe| std::ptr::eq(&raw const probe.request, request));
        let Some(probe) = probe else { return Draft::new(404) };
        if let Some(body) = self.said_beside.remove(probe.name) {
            return Draft { body, ..Draft::new(200) };
        }
        let (now, telling) = (self.clock.now(), Telling { captures: false, state: true });
        let body = self.books.jobs.iter().fold(Value::Null, |body, job| {
            let view = job.at(now, self.durations);
            let mut draft = Draft { known: Known::of(self.spec, job), ..Draft::new(200) };
            draft.also.insert(probe.name.to_owned(), body);
            answer::tell(self.spec, self.http, job, &view, telling, &mut draft);
            draft.also.remove(probe.name).unwrap_or_default()
        });
        Draft { body: if body.is_null() { json!({}) } else { body }, ..Draft::new(200) }
    }

    /// A page of all jobs, or those of the ids that are asked for.
    pub(crate) fn batch(&self, batch: &BatchPoll, holes: &Holes, trouble: Option<&Trouble>) -> Draft {
        let wanted = holes.of_root(Root::Queue).find_map(|(name, ids)| (name == "ids").then_some(ids));
        let wanted = wanted.and_then(Value::as_array);
        let asked = |job: &&VirtualJob| {
            wanted.is_none_or(|ids| ids.iter().any(|id| id.as_str() == Some(job.id.as_str())))
        };
        let all: Vec<&VirtualJob> =
            self.books.jobs.iter().filter(asked).filter(|_| trouble != Some(&Trouble::Forgotten)).collect();
        let page = holes.text(Root::Item, "page").and_then(|page| page.parse().ok()).unwrap_or(0);
        let pages = if batch.next.is_empty() { all.len().max(1) } else { PAGE };
        // The newest first, as lists are.
        let shown = all.iter().rev().skip(page * pages).take(pages);
        let mut draft = answer_of(
            &batch.listed.items,
            shown.map(|job| self.element(&batch.listed, job, trouble)).collect(),
        );
        if (page + 1) * pages < all.len() {
            let next = format!("{}{}", self.origin, route::page_path(page + 1));
            draft.put_first(batch.next, &next.into());
        }
        draft
    }

    /// How far the newest job is, while its submit is open.
    pub(crate) fn beside(&self) -> Draft {
        let mut draft = Draft::new(200);
        let now = self.clock.now();
        let job = self.books.jobs.last().map(|job| job.at(now, self.durations)).filter(|view| !view.ended());
        if let (Some(side), Some(view)) = (&self.http.side_progress, job) {
            draft.put_first(side.progress, &view.fraction.into());
            draft.put_first(side.progress_text, &format!("{} %", (view.fraction * 100.0).round()).into());
            draft.put_first(side.eta, &view.left.as_secs_f64().into());
            draft.put_first(side.preview, &answer::PREVIEW.into());
        }
        if draft.body.is_null() {
            draft.body = json!({});
        }
        draft
    }

    /// For how long a poll's answer is held back: until the job changes, and no longer than asked.
    pub(crate) fn held(&mut self, operation: Option<usize>, holes: &Holes) -> Duration {
        let Some(hold) = self.http.poll_at(operation).and_then(|poll| poll.hold.as_ref()) else {
            return Duration::ZERO;
        };
        let number = |name: &str| {
            let (_, value) = holes.of_root(Root::Queue).find(|(found, _)| *found == name)?;
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        };
        let asked = number("hold_secs").map(Duration::from_secs);
        let asked =
            asked.or_else(|| number("hold_millis").map(Duration::from_millis)).unwrap_or(match hold {
                Setting::Fixed(hold) => *hold,
                Setting::Env(_) => Duration::ZERO,
            });
        let (now, durations) = (self.clock.now(), self.durations);
        let changes = self.books.named(holes).and_then(|job| job.changes_in(now, durations));
        changes.map_or(Duration::ZERO, |changes| changes.min(asked))
    }
}

/// Puts an envelope around an answer that means what its code says.
pub(crate) fn sealed(envelope: &Envelope, draft: &mut Draft) {
    if (200..300).contains(&draft.code) {
        draft.satisfy(&envelope.ok);
    }
}

/// A refusal in an envelope.
pub(crate) fn not_ok(envelope: &Envelope) -> Draft {
    let mut draft = Draft::new(200);
    draft.unsatisfy(&envelope.ok);
    draft.put_first(envelope.message, &"the fake service was told to refuse this".into());
    draft
}

/// An answer that is a list.
pub(crate) fn answer_of(items: &Selector, elements: Vec<Value>) -> Draft {
    let mut draft = Draft::new(200);
    if let Source::Path(JsonPath { segments }) = &items.source {
        // `$.items[*]` finds the elements, so the array goes one step higher.
        let list = match segments.split_last() {
            Some((Segment::Child(step), list)) if matches!(step.first(), Some(PathSelector::Wildcard)) => {
                list
            }
            _ => segments,
        };
        place(&mut draft.body, list, elements.into());
    }
    draft
}
