//! The requests that change something: a submit and what goes before it, a cancel, a cleanup, a token.

use emp_core::spec::{Auth, Body, CancelScope, CancelStage, RequestSpec, Settle};
use emp_core::syntax::rule::StateVerdict;
use serde_json::{Map, Value, json};

use super::Service;
use crate::answer::{self, Telling};
use crate::books::Asked;
use crate::draft::Draft;
use crate::fault::Trouble;
use crate::fits;
use crate::job::{Ending, VirtualJob, Yield};
use crate::route::{Holes, Seen};

impl Service {
    /// The answer to a submit, and the job when it was accepted.
    pub(super) fn submit(
        &mut self,
        operation: Option<usize>,
        seen: &Seen,
        holes: &Holes,
        trouble: Option<&Trouble>,
    ) -> (Draft, Option<VirtualJob>) {
        let submit = self.http.submit_at(operation);
        if let Some(problem) = unreadable(&submit.request, seen) {
            return (answer::refusal(self.http, 400, problem), None);
        }
        if !self.books.told(holes) {
            return (answer::refusal(self.http, 400, "a value of a prepare step was never told"), None);
        }
        let ending = match trouble {
            Some(Trouble::JobFails(kind)) => Ending::Fails(*kind),
            Some(Trouble::JobCancelled) => Ending::Cancelled,
            Some(Trouble::JobNeverEnds) => Ending::Never,
            _ => self.ending,
        };
        let (now, origin) = (self.clock.now(), self.named_origin().to_owned());
        let whole = self.durations.queued + self.durations.running;
        let asked = Asked { submit, operation, seen, holes, expected: whole, eta: self.spec.pace.eta };
        let Ok(mut job) = self.books.accept(asked, &origin, ending, now) else {
            return (answer::refusal(self.http, 422, "the key was used with another body"), None);
        };
        job.yields = Yield::of(trouble);
        if job.yields == Yield::Part {
            // What comes early is told by the polls.
            let known = self.books.jobs.iter_mut().filter(|known| known.id == job.id);
            known.for_each(|known| known.yields = Yield::Part);
        }
        if let Some(Trouble::ForeignUrl(url)) = trouble {
            redirect_urls(&mut job.captured, url);
        }
        let sync = self.http.poll_at(operation).is_none();
        let at = if sync { now.after(whole) } else { now };
        let captures = !matches!(trouble, Some(Trouble::NoId));
        let telling = Telling { captures, state: sync || submit.feeds_poll };
        let code = answer::first_code(submit.accept, 200);
        let mut draft = answer::job(self.spec, self.http, &job, &job.at(at, self.durations), code, telling);
        if draft.body.is_null() {
            draft.body = json!({});
        }
        (draft, Some(job))
    }

    pub(super) fn prepare(&mut self, step: Option<usize>, seen: &Seen) -> Draft {
        let Some(step) = step.and_then(|number| self.http.prepare.get(number)) else {
            return answer::refusal(self.http, 404, "no such step");
        };
        if let Some(problem) = unreadable(&step.request, seen) {
            return answer::refusal(self.http, 400, problem);
        }
        let origin = self.named_origin().to_owned();
        let captured = self.books.prepare(step, seen, &origin, self.clock.now());
        answer::prepared(step, &captured)
    }

    /// A cancel that names no job ends whatever runs, one for a state only a job in it, and one that a connector sends to running jobs
    /// alone destroys a job that has ended.
    pub(super) fn cancel(
        &mut self,
        request: &RequestSpec,
        holes: &Holes,
        trouble: Option<&Trouble>,
    ) -> Draft {
        let (now, durations) = (self.clock.now(), self.durations);
        let Some(cancel) = &self.http.cancel else {
            return answer::refusal(self.http, 404, "no such route");
        };
        if cancel.scope == CancelScope::Service {
            if trouble != Some(&Trouble::Ignored) {
                self.books.interrupt(now, durations);
            }
            return Draft { body: json!({}), ..Draft::new(answer::first_code(cancel.ok, 200)) };
        }
        let Some(job) = self.books.named(holes) else {
            return answer::refusal(self.http, answer::first_code(cancel.gone, 404), "no such job");
        };
        let view = job.at(now, durations);
        let stage =
            cancel.requests().find_map(|(stage, known)| std::ptr::eq(known, request).then_some(stage?));
        let other = match stage {
            Some(CancelStage::Queued) => view.verdict != StateVerdict::Queued,
            Some(CancelStage::Running) => view.verdict != StateVerdict::Running,
            None => false,
        };
        if other {
            // It is not where this request looks for jobs: nothing happens, and the service says so of none.
            return Draft { body: json!({}), ..Draft::new(answer::first_code(cancel.ok, 200)) };
        }
        if view.ended() && cancel.ask_first {
            let id = job.id.clone();
            self.books.jobs.retain(|job| job.id != id);
            return Draft { body: json!({}), ..Draft::new(answer::first_code(cancel.ok, 200)) };
        }
        if view.ended() && view.verdict != StateVerdict::Canceled && !cancel.too_late.is_empty() {
            let code = answer::first_code(cancel.too_late, 409);
            return answer::refusal(self.http, code, "the job has ended");
        }
        if !view.ended() && trouble != Some(&Trouble::Ignored) {
            job.cancelled = true;
        }
        let job = job.clone();
        self.show(&job, &job.at(now, durations), answer::first_code(cancel.ok, 200))
    }

    /// The job is gone with all that it made.
    pub(super) fn clean_up(&mut self, holes: &Holes) -> Draft {
        let Some(id) = self.books.named(holes).map(|job| job.id.clone()) else {
            return answer::refusal(self.http, 404, "no such job");
        };
        self.books.jobs.retain(|job| job.id != id);
        Draft { body: json!({}), ..Draft::new(200) }
    }

    pub(super) fn token(&mut self, seen: &Seen) -> Draft {
        match &self.http.auth {
            Auth::OAuth2(oauth2) => self.tokens.grant(self.spec, oauth2, seen, self.clock.now()),
            _ => answer::refusal(self.http, 404, "no tokens are given out here"),
        }
    }

    pub(super) fn search(&self, operation: Option<usize>) -> Draft {
        match &self.http.submit_at(operation).settle {
            Settle::Lookup(lookup) => answer::lookup(lookup, self.books.jobs.iter()),
            _ => answer::unknown_job(self.http),
        }
    }
}

/// Why a service cannot read a body.
fn unreadable(request: &RequestSpec, seen: &Seen) -> Option<&'static str> {
    match request.body {
        Body::Json(_) if seen.json.is_none() => Some("the body is not JSON"),
        Body::Form(_) | Body::Multipart(_) if !fits::request(request, seen, 1) => {
            Some("the body is not a form with the declared parts")
        }
        Body::Raw { .. } if !fits::request(request, seen, 1) => Some("the body is empty or of another type"),
        _ => None,
    }
}

fn redirect_urls(captured: &mut Map<String, Value>, url: &str) {
    for (_, value) in captured.iter_mut().filter(|(name, _)| name.ends_with("url")) {
        *value = url.into();
    }
}
