//! `#[states]`: total, without contradictions, and with a way to succeed.

use emp_syntax::hole::Literal;
use emp_syntax::rule::{Comparison, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::{Selector, Source};

use super::{missing, value};
use crate::catalogue::derive::{MISSING_KEY, NO_SUCCESS, NO_UNKNOWN, SAME_WORD};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawSpec, RawStates};
use crate::spec::{Spanned, States, Unknown};

pub(super) fn states(raw: &RawSpec, sync: bool, sink: &Sink) -> Option<States> {
    let Some(given) = &raw.states else {
        if sync {
            return Some(accepted_is_success());
        }
        missing(
            "states",
            "#[states(at = \"$.status\", running = [\"running\"], succeeded = [\"done\"], failed = [\"failed\"], unknown = running(warn))]",
            "",
            raw,
            sink,
        );
        return None;
    };
    let states = &given.value;
    vocabulary(states, sink);
    if let (Some(at), None) = (&states.at, &states.unknown) {
        sink.report(Diagnostic::new(
            NO_UNKNOWN,
            at.key,
            "this vocabulary does not say what any other word means",
        ));
    }
    let succeeds =
        states.sets.iter().any(|set| set.value.0 == StateVerdict::Succeeded && !set.value.1.is_empty())
            || states.rules.iter().any(|rule| rule.then == StateVerdict::Succeeded)
            || states.judge.is_some();
    if !succeeds && !sync {
        sink.report(Diagnostic::new(
            NO_SUCCESS,
            given.key,
            "no word and no rule says that a job has succeeded",
        ));
    }
    let mut checked = of(states);
    if sync && !succeeds {
        checked.rules.extend(accepted_is_success().rules);
    }
    Some(checked)
}

/// What the events of a socket say of the job: a word that nobody declared says nothing.
pub(super) fn of_events(states: &RawStates, sink: &Sink) -> States {
    vocabulary(states, sink);
    States { unknown: Unknown::Running, ..of(states) }
}

fn of(states: &RawStates) -> States {
    States {
        at: value(states.at.as_ref()).unwrap_or_default(),
        fold_case: states.fold_case,
        sets: states
            .sets
            .iter()
            .map(|set| {
                let (verdict, words) = &set.value;
                (verdict.clone(), words.iter().map(|word| word.value.clone()).collect())
            })
            .collect(),
        unknown: value(states.unknown.as_ref()).unwrap_or(Unknown::Failed),
        judge: states.judge.clone(),
        rules: states.rules.clone(),
    }
}

/// Words have a place to stand, and one meaning each.
fn vocabulary(states: &RawStates, sink: &Sink) {
    words(states, sink);
    if let (None, Some(set)) = (&states.at, states.sets.first()) {
        sink.report(
            Diagnostic::new(MISSING_KEY, set.key, "there are words, but `at` does not say where the word is")
                .help("add `at = \"$.status\"`"),
        );
    }
}

/// A sync service that says no more has succeeded with any 2xx.
fn accepted_is_success() -> States {
    let code = || Selector { source: Source::Code, reducers: Vec::new().into() };
    let compare = |op, value| Predicate::Compare { selector: code(), op, value: Literal::Int(value) };
    let accepted = Predicate::All(vec![compare(Comparison::Ge, 200), compare(Comparison::Lt, 300)].into());
    States {
        at: Vec::new(),
        fold_case: false,
        sets: Vec::new(),
        unknown: Unknown::Failed,
        judge: None,
        rules: vec![StateRule { when: accepted, then: StateVerdict::Succeeded }],
    }
}

fn words(states: &RawStates, sink: &Sink) {
    let fold = |word: &str| if states.fold_case { word.to_lowercase() } else { word.to_owned() };
    let mut seen: Vec<&Spanned<String>> = Vec::new();
    for word in states.sets.iter().flat_map(|set| &set.value.1) {
        if let Some(first) = seen.iter().find(|earlier| fold(&earlier.value) == fold(&word.value)) {
            sink.report(
                Diagnostic::new(SAME_WORD, word.span, format!("\"{}\" has two meanings", word.value))
                    .related(first.span, "its first meaning is here"),
            );
        }
        seen.push(word);
    }
}
