//! The status words: those of the description and those of `#[states]`, in both directions.

use emp_openapi::{Reach, Schema};
use emp_syntax::hole::Literal;
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::rule::{Comparison, Predicate};
use emp_syntax::selector::{Reducer, Selector, Source};

use super::case::Case;
use super::operations::{Answer, Operations};
use crate::check::names::quoted;
use crate::codes;
use crate::texts::Spot;

const STATES: Spot = Spot::all("states");

/// Compares the words.
pub(super) fn check(case: &Case<'_>, operations: &Operations<'_>) {
    let Some(Answer { schema: answer, name }) = operations.judged() else { return };
    for rule in &case.http.states.rules {
        literals(case, STATES, &rule.when, &answer);
    }
    let states = &case.http.states;
    let Some((first, vocabulary)) = vocabulary(case, &answer, operations) else { return };
    let fold = states.fold_case || states.at.iter().any(lowers);
    let same = |a: &str, b: &str| a == b || fold && a.eq_ignore_ascii_case(b);
    let declared: Vec<&str> =
        states.sets.iter().flat_map(|(_, words)| words.iter().map(String::as_str)).collect();
    let mut meant = Vec::new();
    for word in &declared {
        if vocabulary.iter().any(|known| same(known, word)) || case.allows(word) {
            continue;
        }
        let free = vocabulary.iter().copied().filter(|known| declared.iter().all(|word| !same(known, word)));
        let near = emp_syntax::nearest(word, free);
        meant.extend(near);
        let message = format!("`{first}` of `{}` is never {}", name, quoted(word));
        let finding = case.at_text(codes::WORD, STATES, message, |text| text == *word);
        case.say(match near {
            Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
            None => finding.label("is not in the description").help(format!(
                "the words are {}; one that is known better: allow = [\"{word}\"] in #[openapi]",
                list(&vocabulary)
            )),
        });
    }
    let mut ruled = Vec::new();
    states.rules.iter().for_each(|rule| words_of(&rule.when, &mut ruled));
    let missing = vocabulary
        .iter()
        .filter(|word| !declared.iter().chain(&ruled).chain(&meant).any(|known| same(known, word)));
    for word in missing {
        if case.allows(word) {
            continue;
        }
        let message =
            format!("`{first}` of `{}` can be {}, which #[states] does not have", name, quoted(word));
        let set = set_of(word);
        case.say(
            case.at_text(codes::WORD, STATES, message, |text| {
                JsonPath::parse(text).is_ok_and(|path| path == first)
            })
            .label(format!("can be {}", list(&vocabulary)))
            .help(format!("add it to the set that it belongs to, such as `{set} = [.., \"{word}\"]`")),
        );
    }
}

/// The first path to the word, and all words that the description has there; `None` when it allows any.
fn vocabulary<'d>(
    case: &Case<'_>,
    answer: &Schema<'d>,
    operations: &Operations<'d>,
) -> Option<(JsonPath, Vec<&'d str>)> {
    // An answer to the submit that feeds the poll may have words of its own.
    let feeding = operations.calls.iter().filter(|call| call.submit.feeds_poll);
    let feeding: Vec<Schema<'d>> =
        feeding.filter_map(|call| Answer::of(&call.submitted)).map(|answer| answer.schema).collect();
    let mut first = None;
    let mut words: Vec<&str> = Vec::new();
    for selector in &case.http.states.at {
        let Source::Path(path) = &selector.source else { return None };
        if !selector.reducers.iter().all(|reducer| matches!(reducer, Reducer::Lower | Reducer::First)) {
            return None;
        }
        let Reach::Found(found) = answer.reach(path) else { return None };
        let fed = feeding.iter().filter_map(|answer| match answer.reach(path) {
            Reach::Found(found) => Some(found),
            _ => None,
        });
        for schema in std::iter::once(found).chain(fed) {
            for word in schema.words()? {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        first.get_or_insert_with(|| path.clone());
    }
    first.filter(|_| !words.is_empty()).map(|first| (first, words))
}

fn lowers(selector: &Selector) -> bool {
    selector.reducers.contains(&Reducer::Lower)
}

/// The texts that a predicate compares a path with for equality.
fn words_of<'p>(predicate: &'p Predicate, into: &mut Vec<&'p str>) {
    match predicate {
        Predicate::Compare {
            selector: Selector { source: Source::Path(_), .. },
            op: Comparison::Eq,
            value: Literal::Text(text),
        } => {
            into.push(text);
        }
        Predicate::In { selector: Selector { source: Source::Path(_), .. }, values } => {
            into.extend(values.iter().filter_map(|value| match value {
                Literal::Text(text) => Some(text.as_ref()),
                _ => None,
            }));
        }
        Predicate::All(inner) | Predicate::Any(inner) => inner.iter().for_each(|inner| words_of(inner, into)),
        _ => {}
    }
}

/// Texts in a predicate that the value which they are compared with can never be.
pub(super) fn literals(case: &Case<'_>, spot: Spot, predicate: &Predicate, answer: &Schema<'_>) {
    let compared: Vec<(&Selector, &Literal)> = match predicate {
        Predicate::Compare { selector, value, .. } => vec![(selector, value)],
        Predicate::In { selector, values } => values.iter().map(|value| (selector, value)).collect(),
        Predicate::All(inner) | Predicate::Any(inner) | Predicate::Not(inner) => {
            inner.iter().for_each(|inner| literals(case, spot, inner, answer));
            return;
        }
        _ => return,
    };
    for (selector, value) in compared {
        let (Source::Path(path), Literal::Text(text), []) =
            (&selector.source, value, selector.reducers.as_ref())
        else {
            continue;
        };
        let Reach::Found(schema) = answer.reach(path) else { continue };
        let Some(words) = schema.words() else { continue };
        if words.contains(&text.as_ref()) || case.waives(path) || case.allows(text) {
            continue;
        }
        let message = format!("`{path}` is never {}", quoted(text));
        let finding = case.at_text(codes::WORD, spot, message, |found| found == text);
        case.say(match emp_syntax::nearest(text, words.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
            None if words.is_empty() => finding
                .label("is compared with a text")
                .help(format!("the value is {}; compare it with one", schema.kinds())),
            None => {
                finding.label("is not in the description").help(format!("the words are {}", list(&words)))
            }
        });
    }
}

fn list(words: &[&str]) -> String {
    format!("`{}`", words.join("`, `"))
}

/// The set that a word probably belongs to.
fn set_of(word: &str) -> &'static str {
    const HINTS: [(&str, &[&str]); 6] = [
        ("canceled", &["cancel", "abort"]),
        ("failed(moderated)", &["moderat", "block", "filter", "refus"]),
        ("failed", &["fail", "error", "reject", "expire", "timeout"]),
        ("lost", &["not_found", "not found", "unknown"]),
        ("queued", &["queue", "pend", "wait", "start", "submit", "throttl", "schedul"]),
        ("succeeded", &["succe", "complet", "done", "ready", "finish"]),
    ];
    let word = word.to_lowercase();
    let hint = HINTS.iter().find(|(_, parts)| parts.iter().any(|spot| word.contains(spot)));
    hint.map_or("running", |(set, _)| set)
}
