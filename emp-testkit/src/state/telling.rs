//! The requests that ask: after a job, after its text as it comes, and for its result.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::spec::{HttpProtocol, RequestSpec, StreamFormat};
use emp_core::syntax::rule::StateVerdict;

use super::{PART, Service};
use crate::answer::{self, Telling};
use crate::draft::Draft;
use crate::fault::Trouble;
use crate::job::{View, VirtualJob, Yield};
use crate::known::Known;
use crate::outcome;
use crate::route::{Holes, Seen};
use crate::speak::{self, Saying};
use crate::streaming;

impl Service {
    /// Holds a poll's answer back: says for how long, or moves the clock that it was given for that.
    pub(super) fn hold(&mut self, operation: Option<usize>, holes: &Holes) -> Duration {
        let held = self.held(operation, holes);
        match &self.skip {
            Some(clock) => {
                clock.advance(held);
                Duration::ZERO
            }
            None => held,
        }
    }

    pub(super) fn poll(
        &mut self,
        operation: Option<usize>,
        holes: &Holes,
        trouble: Option<&Trouble>,
        held: Duration,
    ) -> Draft {
        if let Some(listed) = self.http.poll_at(operation).and_then(|poll| poll.listed.as_ref()) {
            return self.list(listed, trouble);
        }
        let (now, durations) = (self.clock.now().after(held), self.durations);
        let job = self.books.named(holes).filter(|_| trouble != Some(&Trouble::Forgotten)).map(|job| {
            job.links += u32::from(std::mem::take(&mut job.expired));
            let yields = if trouble == Some(&Trouble::TooFew) { Yield::Few } else { job.yields };
            VirtualJob { yields, ..job.clone() }
        });
        match (job, trouble) {
            (None, _) => answer::unknown_job(self.http),
            (Some(_), Some(Trouble::UnknownStatus)) => answer::unknown_status(self.http, 200),
            (Some(job), Some(Trouble::Word(word))) => self.tell(holes, &job, &Saying::Word(word.clone())),
            (Some(job), Some(Trouble::Rule(index))) => {
                let draft = self.tell(holes, &job, &Saying::Rule(*index));
                // What the rule reads elsewhere is said when it is asked for there.
                self.said_beside.extend(draft.also.clone());
                draft
            }
            (Some(job), Some(Trouble::AnotherJob)) => self.show(&job.another(), &View::done(), 200),
            (Some(job), Some(Trouble::Backwards)) => self.show(&job, &View::fresh(durations), 200),
            (Some(job), _) => self.show(&job, &job.at(now, durations), 200),
        }
    }

    /// Says of a job what it was told to say. What is done is so from then on, and has its result.
    fn tell(&mut self, holes: &Holes, job: &VirtualJob, saying: &Saying) -> Draft {
        let done = saying.verdict(&self.http.states) == Some(&StateVerdict::Succeeded);
        let (now, whole) = (self.clock.now(), self.durations.queued + self.durations.running);
        if let Some(job) = self.books.named(holes).filter(|_| done) {
            job.accepted_at =
                Timestamp(now.0.saturating_sub(i64::try_from(whole.as_millis()).unwrap_or(i64::MAX)));
        }
        self.say(job, saying)
    }

    pub(crate) fn say(&self, job: &VirtualJob, saying: &Saying) -> Draft {
        speak::poll(self.spec, self.http, job, saying)
            .unwrap_or_else(|| answer::unknown_status(self.http, 200))
    }

    pub(crate) fn show(&self, job: &VirtualJob, view: &View, code: u16) -> Draft {
        answer::job(self.spec, self.http, job, view, code, Telling { captures: true, state: true })
    }

    /// The result of a job, to a request of its own.
    pub(super) fn result(
        &mut self,
        request: &RequestSpec,
        holes: &Holes,
        trouble: Option<&Trouble>,
    ) -> Draft {
        let (now, durations) = (self.clock.now(), self.durations);
        let Some(mut job) = self.books.named(holes).cloned() else { return answer::unknown_job(self.http) };
        if job.at(now, durations).verdict != StateVerdict::Succeeded {
            return answer::refusal(self.http, 409, "the job has no result yet");
        }
        let mut draft = Draft { known: Known::of(self.spec, &job), ..Draft::new(200) };
        if trouble == Some(&Trouble::TooFew) {
            job.yields = Yield::Few;
        }
        let first = self.http.outcome.first_of.first().filter(|_| std::ptr::eq(request, &raw const PART));
        match outcome::take_of(self.http, request).or(first.map(|part| &part.take)) {
            Some(take) => {
                outcome::part(self.http, take, &job, &mut draft);
                if take.jsonl {
                    outcome::by_lines(&mut draft);
                }
            }
            None => answer::outcome(self.spec, self.http, &job, &mut draft),
        }
        if self.http.outcome.take.jsonl && outcome::take_of(self.http, request).is_none() {
            outcome::by_lines(&mut draft);
        }
        draft
    }

    /// A file of a result.
    pub(super) fn file(&mut self, seen: &Seen, holes: &Holes, trouble: Option<&Trouble>) -> Draft {
        let name = seen.path.rsplit('/').next().unwrap_or_default();
        if let Some(job) = self.books.named(holes) {
            job.expired |= trouble == Some(&Trouble::Expired);
            let current = seen.path.contains(&format!("/{}/", job.links));
            if job.expired || !current {
                return answer::refusal(self.http, 403, "the link has expired");
            }
        }
        Draft { file: Some(outcome::file(self.http, name)), ..Draft::new(200) }
    }

    /// A job that somebody watches, as it is now.
    pub(crate) fn watched(&self, id: Option<&str>) -> Option<(&'static HttpProtocol, &VirtualJob, View)> {
        let job = match id {
            Some(id) => self.books.jobs.iter().find(|job| job.id == id)?,
            None => self.books.jobs.last()?,
        };
        Some((self.http, job, job.at(self.clock.now(), self.durations)))
    }

    /// What is new of a job's text since the last time that anybody asked.
    pub(super) fn chunks(&mut self, holes: &Holes) -> Draft {
        let (now, durations) = (self.clock.now(), self.durations);
        let Some(StreamFormat::Chunks { items, .. }) = self.http.stream.as_ref().map(|stream| &stream.format)
        else {
            return answer::unknown_job(self.http);
        };
        let Some(job) = self.books.named(holes).cloned() else { return answer::unknown_job(self.http) };
        let told = self.told.entry(job.id.clone()).or_default();
        let (draft, until) = streaming::chunks(items, job.at(now, durations).fraction, *told);
        *told = until;
        draft
    }
}
