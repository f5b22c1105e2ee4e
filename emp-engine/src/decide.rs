//! What an answer says of the job. One pure function for poll answers, for a submit's answer that feeds the poll, and for
//! `mode = sync`.
//!
//! Order: envelope → the author's hook → rules → classification of 4xx and 5xx → the vocabulary at `states.at` → unknown. A body that is not JSON makes every
//! `$` selector absent.

use std::time::Duration;

use emp_core::spec::{HttpProtocol, States, Unknown};
use emp_core::{ErrorCode, JobError};
use emp_syntax::rule::{ErrorRule, FailureKind, StateRule, StateVerdict};
use emp_syntax::selector::{Selector, Source};

use crate::advice;
use crate::envelope::{self, Letter};
use crate::memory::Stage;
use crate::operation;
use crate::predicate;
use crate::reduce;
use crate::select::View;

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It goes on.
    Pending(Stage),
    /// It is done; the result is in the answer.
    Succeeded,
    /// It was cancelled at the service.
    Canceled,
    /// The service says that it does not know the job any more.
    Lost,
    /// It failed.
    Failed {
        /// Why.
        kind: FailureKind,
        /// For people, with the service's own words.
        error: JobError,
    },
    /// The request was refused with a 4xx or 5xx: this says little of the job.
    Refused(Refusal),
    /// It takes a further question (`also`) to tell.
    Undecided,
    /// No known status: a word that nobody declared, or no word at all.
    Unknown {
        /// The status as the service gave it.
        word: Option<String>,
    },
}

/// A 4xx or 5xx answer, classified.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The status code.
    pub code: u16,
    /// What it means for the queue.
    pub kind: FailureKind,
    /// Whether a rule of the declaration says so, or only the code.
    pub declared: bool,
    /// For how long to stay away.
    pub wait: Option<Duration>,
    /// For people, with the service's own words.
    pub error: JobError,
}

/// Nobody who refuses is asked again sooner, whatever the answer advises: `Retry-After: 0` would be a loop.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Judges an answer.
pub fn decide(http: &HttpProtocol, view: &View<'_>) -> Verdict {
    let envelope = operation::poll(http, view.context).and_then(|poll| poll.envelope.as_ref());
    match envelope::read(http, envelope, view) {
        Letter::Good => judge(http, &http.states, view),
        Letter::Refused(refusal) => Verdict::Refused(refusal),
        Letter::Missing => Verdict::Unknown { word: None },
    }
}

/// As [`decide`], by another vocabulary than that of the connector's answers: that of its socket's events.
pub fn judge(http: &HttpProtocol, states: &States, view: &View<'_>) -> Verdict {
    let judge = states.judge.as_ref().and_then(|hook| hook.call);
    if let Some(verdict) = judge.and_then(|judge| view.hook(&judge)) {
        return of_state(http, view, &verdict);
    }
    for rule in states.rules {
        match predicate::judge(&rule.when, view) {
            Some(true) => return of_state(http, view, &rule.then),
            Some(false) => {}
            None => return Verdict::Undecided,
        }
    }
    if !view.exchange.ok() {
        return Verdict::Refused(refusal(http, view));
    }
    if states.at.iter().any(|selector| view.unasked(selector)) && view.first(states.at).is_none() {
        return Verdict::Undecided;
    }
    let Some(word) = view.first(states.at).and_then(|value| reduce::text(&value)) else {
        return Verdict::Unknown { word: None };
    };
    let same = |known: &&str| {
        if states.fold_case { known.eq_ignore_ascii_case(&word) } else { **known == word }
    };
    match states.sets.iter().find(|set| set.words.iter().any(&same)) {
        Some(set) => of_state(http, view, &set.verdict),
        None => match states.unknown {
            Unknown::Running => Verdict::Unknown { word: Some(word) },
            Unknown::Failed => Verdict::Failed {
                kind: FailureKind::Bug,
                error: described(
                    http,
                    view,
                    JobError::new(ErrorCode::EUnknownStatus, "the service's status is not a declared one")
                        .detail(word),
                ),
            },
        },
    }
}

/// Classifies a 4xx or 5xx answer by the declared rules, else by its code.
pub fn refusal(http: &HttpProtocol, view: &View<'_>) -> Refusal {
    let code = view.exchange.code;
    let class = class(http, view);
    let kind = class.map_or_else(|| by_code(code), |class| class.kind);
    // F27: an undeclared refusal of the request is named as such; the kinds have codes of their own.
    let named = match kind {
        FailureKind::InvalidInput if class.is_none() => ErrorCode::EServiceRejected,
        kind => kind.into(),
    };
    let mut error = JobError::new(named, format!("the service answered {code}"));
    error.retriable = hint(http, view).unwrap_or_else(|| kind.retriable());
    refused(class, kind, described(http, view, error), view)
}

/// What the author's hook or a declared rule says of a refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class<'h> {
    /// Its kind.
    pub(crate) kind: FailureKind,
    /// The rule, which may say for how long to stay away.
    rule: Option<&'h ErrorRule>,
}

/// What the declaration says of a refusal; `None` when it says nothing.
pub(crate) fn class<'h>(http: &'h HttpProtocol, view: &View<'_>) -> Option<Class<'h>> {
    let code = view.exchange.code;
    let rule = http.errors.rules.iter().find(|rule| {
        rule.codes.iter().any(|pattern| pattern.matches(code))
            && rule.when.as_ref().is_none_or(|when| predicate::holds(when, view))
    });
    let classify = http.errors.classify.as_ref().and_then(|hook| hook.call);
    let hooked = classify.and_then(|classify| view.hook(&classify));
    hooked.or(rule.map(|rule| rule.kind)).map(|kind| Class { kind, rule })
}

/// A refusal of a kind, with the time for which to stay away.
pub(crate) fn refused(
    class: Option<Class<'_>>,
    kind: FailureKind,
    error: JobError,
    view: &View<'_>,
) -> Refusal {
    let wait = class
        .and_then(|class| class.rule)
        .and_then(|rule| advice::first(&rule.wait, view))
        .or_else(|| advice::retry_after(view))
        .map(|wait| wait.max(SHORTEST_WAIT));
    Refusal { code: view.exchange.code, kind, declared: class.is_some(), wait, error }
}

/// Whether it was a further question that found the job: the rule that decides reads its answer, and does not say that it is lost.
pub(crate) fn found_beside(http: &HttpProtocol, view: &View<'_>) -> bool {
    let decides = |rule: &&StateRule| predicate::holds(&rule.when, view);
    let reads =
        |rule: &StateRule| rule.when.any(&mut |selector| matches!(selector.source, Source::Probe(..)));
    let decisive = http.states.rules.iter().find(decides);
    decisive.is_some_and(|rule| rule.then != StateVerdict::Lost && reads(rule))
}

/// What the service itself says of another try.
fn hint(http: &HttpProtocol, view: &View<'_>) -> Option<bool> {
    match view.first_text(http.errors.retry)?.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Adds the service's own code and words.
pub fn described(http: &HttpProtocol, view: &View<'_>, error: JobError) -> JobError {
    described_by(http, &[], view, error)
}

/// As [`described`], with other places for the words before the declared ones.
pub(crate) fn described_by(
    http: &HttpProtocol,
    words: &[Selector],
    view: &View<'_>,
    error: JobError,
) -> JobError {
    let code = view.first_text(http.errors.code);
    let message = view.first_text(words).or_else(|| view.first_text(http.errors.message));
    match (code, message) {
        (Some(code), Some(message)) => error.detail(format!("{code}: {message}")),
        (Some(only), None) | (None, Some(only)) => error.detail(only),
        (None, None) if error.detail.is_none() && !view.exchange.ok() => {
            error.detail(excerpt(&view.exchange.text))
        }
        (None, None) => error,
    }
}

/// The first 300 characters of a body, for an error that has nothing better.
pub fn excerpt(text: &str) -> String {
    text.chars().take(300).collect()
}

fn by_code(code: u16) -> FailureKind {
    match code {
        401 | 403 => FailureKind::Auth,
        402 => FailureKind::Billing,
        429 => FailureKind::RateLimited,
        410 => FailureKind::Expired,
        408 | 425 | 500..=599 => FailureKind::Transient,
        400..=499 => FailureKind::InvalidInput,
        _ => FailureKind::Bug,
    }
}

fn of_state(http: &HttpProtocol, view: &View<'_>, verdict: &StateVerdict) -> Verdict {
    match verdict {
        StateVerdict::Queued => Verdict::Pending(Stage::Queued),
        StateVerdict::Running => Verdict::Pending(Stage::Running),
        StateVerdict::Succeeded => Verdict::Succeeded,
        StateVerdict::Canceled => Verdict::Canceled,
        StateVerdict::Lost => Verdict::Lost,
        StateVerdict::Failed { kind, message } => {
            let text = message.as_deref().unwrap_or("the service says that the job failed");
            let mut error = JobError::new((*kind).into(), text);
            error.retriable = kind.retriable();
            Verdict::Failed { kind: *kind, error: described(http, view, error) }
        }
    }
}
