//! Operations: each has its condition, the last has none, and a condition looks at what is known before the submit.

use emp_syntax::hole::Root;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::{Selector, Source};

use super::protocol;
use crate::catalogue::body::{CONDITION, OPERATIONS};
use crate::catalogue::derive::DUPLICATE;
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawSpec;
use crate::spec::{Operation, Spanned};

/// The operations beside the main one.
pub(super) fn operations(raw: &RawSpec, sync: bool, sink: &Sink) -> Vec<Operation> {
    order(raw, sink);
    for given in &raw.operations {
        condition(given.value.when.as_ref(), sink);
    }
    polls(raw, sink);
    let made = raw.operations.iter().filter_map(|given| {
        let when = given.value.when.as_ref()?.value.clone();
        let submit = protocol::submit(raw, given, sync, sink)?;
        let own = raw.polls.iter().find(|poll| same(poll.value.when.as_ref(), &when));
        let poll = match own {
            Some(poll) => Some(protocol::poll(poll, sink)?),
            None => None,
        };
        Some(Operation { when, submit, poll })
    });
    made.collect()
}

/// One submit has no condition, and it is the last.
fn order(raw: &RawSpec, sink: &Sink) {
    match &raw.submit {
        None => {
            if let Some(last) = raw.operations.last() {
                sink.report(
                    Diagnostic::new(
                        OPERATIONS,
                        last.key,
                        "a job that no `when` names is not submitted at all",
                    )
                    .help("remove `when` from the last `#[submit]`, or add one without it behind the others"),
                );
            }
        }
        Some(main) => {
            for given in raw.operations.iter().filter(|given| given.value.when.is_none()) {
                sink.report(
                    Diagnostic::new(OPERATIONS, given.key, "two `#[submit]` have no `when`")
                        .help("say for which jobs this one is: `when = payload.image present`")
                        .related(main.key, "the other one is here"),
                );
            }
        }
    }
}

/// Each poll with a condition has a submit with the same one, and no other poll has.
fn polls(raw: &RawSpec, sink: &Sink) {
    for (at, poll) in raw.polls.iter().enumerate() {
        let Some(when) = &poll.value.when else {
            // The last one is the main one.
            let last = raw.poll.as_ref().map_or(poll.key, |main| main.key);
            sink.report(
                Diagnostic::new(DUPLICATE, last, "`#[poll]` is there twice")
                    .help("keep one of the two, or put the keys of both into one")
                    .related(poll.key, "the first one is here"),
            );
            continue;
        };
        if !raw.operations.iter().any(|submit| same(submit.value.when.as_ref(), &when.value)) {
            sink.report(
                Diagnostic::new(OPERATIONS, when.span, "no `#[submit]` has this condition")
                    .help("write the same `when` as in the `#[submit]` that this poll is for"),
            );
        }
        if let Some(first) =
            raw.polls.iter().take(at).find(|earlier| same(earlier.value.when.as_ref(), &when.value))
        {
            sink.report(
                Diagnostic::new(OPERATIONS, poll.key, "this operation has two polls")
                    .help("keep one of the two")
                    .related(first.key, "the first one is here"),
            );
        }
    }
}

fn same(given: Option<&Spanned<Predicate>>, when: &Predicate) -> bool {
    given.is_some_and(|given| given.value == *when)
}

/// A condition on a job looks at the job's own values: there is no answer yet.
pub(super) fn condition(given: Option<&Spanned<Predicate>>, sink: &Sink) {
    let Some(given) = given else { return };
    let known = |selector: &Selector| match &selector.source {
        Source::Reference(found) => {
            matches!(found.root, Root::Payload | Root::Env | Root::Queue | Root::Item)
        }
        _ => false,
    };
    if !selectors(&given.value).into_iter().all(known) {
        sink.report(
            Diagnostic::new(
                CONDITION,
                given.span,
                "this condition looks at an answer, and there is none yet",
            )
            .help("compare a value of the job: `payload.image present`, `payload.mode == \"fast\"`"),
        );
    }
}

fn selectors(predicate: &Predicate) -> Vec<&Selector> {
    match predicate {
        Predicate::Compare { selector, .. }
        | Predicate::In { selector, .. }
        | Predicate::Matches { selector, .. }
        | Predicate::Present(selector)
        | Predicate::Absent(selector)
        | Predicate::IsUrl(selector) => vec![selector],
        Predicate::All(all) | Predicate::Any(all) | Predicate::Not(all) => {
            all.iter().flat_map(selectors).collect()
        }
    }
}
