//! An answer in the making: selectors are put instead of read, predicates are satisfied instead of tested.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emp_core::spec::{HttpProtocol, States};
use emp_core::syntax::rule::{Comparison, Predicate, StateVerdict};
use emp_core::syntax::selector::{Reducer, Selector, Source};
use serde_json::Value;

use crate::known::Known;
use crate::outcome::FakeFile;
use crate::pattern;
use crate::place::{SOMETHING, fitting, literal_value, place};

/// An answer in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// The status code.
    pub(crate) code: u16,
    /// The headers, lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    /// The JSON body; null for an empty one.
    pub(crate) body: Value,
    /// A body that is not JSON.
    pub(crate) raw: Option<String>,
    /// The bodies of the answers to further questions, by their names.
    pub(crate) also: BTreeMap<String, Value>,
    /// What the holes of selectors are.
    pub(crate) known: Known,
    /// A body that is a file.
    pub(crate) file: Option<FakeFile>,
}

impl Draft {
    /// An answer with a code and nothing else.
    pub(crate) fn new(code: u16) -> Self {
        Self { code, ..Self::default() }
    }

    /// The body as it is sent.
    pub(crate) fn text(&self) -> String {
        match &self.raw {
            Some(raw) => raw.clone(),
            None if self.body.is_null() => String::new(),
            None => self.body.to_string(),
        }
    }

    /// The body as it is sent, be it a file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.file {
            Some(file) if self.raw.is_none() => file.bytes.clone(),
            _ => self.text().into_bytes(),
        }
    }

    /// Makes a selector find a value, if it can: not every reducer has an inverse, and what is there already stays.
    pub(crate) fn put(&mut self, selector: &Selector, value: Value) -> bool {
        let Some(value) = self.unreduce(&selector.reducers, value) else { return false };
        match &selector.source {
            Source::Path(path) => {
                let filled = path.fill(&|template| self.known.text(template));
                filled.is_some_and(|path| place(&mut self.body, &path.segments, value))
            }
            Source::Probe(name, path) => {
                let filled = path.fill(&|template| self.known.text(template));
                let body = self.also.entry(name.to_string()).or_default();
                filled.is_some_and(|path| place(body, &path.segments, value))
            }
            Source::Header(name) => {
                let text = text_of(&value);
                *self.headers.entry(name.to_string()).or_insert_with(|| text.clone()) == text
            }
            Source::Code => value.as_u64().and_then(|code| u16::try_from(code).ok()).is_some_and(|code| {
                self.code = code;
                true
            }),
            Source::Raw => {
                self.raw = Some(text_of(&value));
                true
            }
            Source::Age
            | Source::State
            | Source::AbsentFor
            | Source::Deltas
            | Source::Reference(_)
            // A function has no inverse; a fallback list goes on to what can be played.
            | Source::Hook(_) => false,
        }
    }

    /// Makes the first selector of a fallback list that can find a value find it.
    pub(crate) fn put_first(&mut self, selectors: &[Selector], value: &Value) -> bool {
        selectors.iter().any(|selector| self.put(selector, value.clone()))
    }

    /// What a selector must find, for its reducers to make a value of it.
    fn unreduce(&mut self, reducers: &[Reducer], value: Value) -> Option<Value> {
        reducers.iter().rev().try_fold(value, |value, reducer| {
            let number = value.as_f64();
            Some(match reducer {
                Reducer::At(path) => {
                    let mut inside = Value::Null;
                    let path = path.fill(&|template| self.known.text(template))?;
                    place(&mut inside, &path.segments, value).then_some(inside)?
                }
                Reducer::ParseJson => value.to_string().into(),
                Reducer::Base64 => STANDARD.encode(text_of(&value)).into(),
                Reducer::Percent => whole(number? * 100.0),
                Reducer::Ratio(total) => {
                    let done = whole(number? * 100.0);
                    let total = total.fill(&|template| self.known.text(template))?;
                    place(&mut self.body, &total.segments, 100.into()).then_some(done)?
                }
                Reducer::Invert => (1.0 - number?).into(),
                Reducer::Millis => whole(number? * 1000.0),
                Reducer::Duration => format!("{}ms", (number? * 1000.0).round()).into(),
                Reducer::Count => Value::Array(vec![Value::Null; value.as_u64()? as usize]),
                Reducer::LastMatch(pattern) => pattern::capturing(pattern, &text_of(&value))?.into(),
                Reducer::HttpDate => return None,
                // `between` maps the service's own progress into ours, and it is its own that the fake tells.
                Reducer::Between(..)
                | Reducer::First
                | Reducer::All
                | Reducer::Join(_)
                | Reducer::Number
                | Reducer::Fraction
                | Reducer::Seconds
                | Reducer::Tail(_)
                | Reducer::Lower => value,
            })
        })
    }

    /// Makes a predicate hold, if it can.
    pub(crate) fn satisfy(&mut self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Compare { selector, op, value } => self.put(selector, fitting(*op, value)),
            Predicate::In { selector, values } => {
                values.first().is_some_and(|value| self.put(selector, literal_value(value)))
            }
            Predicate::Matches { selector, pattern } => {
                pattern::matching(pattern).is_some_and(|text| self.put(selector, text.into()))
            }
            Predicate::Present(selector) => match &selector.source {
                // When it cannot be put, something else is there: that is present too.
                Source::Path(_) | Source::Probe(..) | Source::Header(_) => {
                    // An element that a filter makes is not replaced by a text.
                    let _there = self.put(selector, SOMETHING.into()) || self.put(selector, Value::Null);
                    true
                }
                Source::Code | Source::Raw | Source::State => true,
                Source::Age | Source::AbsentFor | Source::Deltas | Source::Reference(_) | Source::Hook(_) => {
                    false
                }
            },
            Predicate::IsUrl(selector) => self.put(selector, "https://example.com/".into()),
            // What must not be there is not put there.
            Predicate::Absent(_) | Predicate::Not(_) => true,
            Predicate::All(all) => all.iter().all(|predicate| self.satisfy(predicate)),
            Predicate::Any(any) => any.iter().any(|predicate| self.satisfy_whole(predicate)),
        }
    }

    /// As [`satisfy`](Self::satisfy), but a predicate that cannot hold leaves nothing behind.
    pub(crate) fn satisfy_whole(&mut self, predicate: &Predicate) -> bool {
        let mut trial = self.clone();
        let holds = trial.satisfy(predicate);
        if holds {
            *self = trial;
        }
        holds
    }

    /// Makes a predicate fail on a value that is there, if it can.
    pub(crate) fn unsatisfy(&mut self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Compare { selector, op, value } => self.put(selector, fitting(opposite(*op), value)),
            Predicate::In { selector, .. } | Predicate::Matches { selector, .. } => {
                self.put(selector, "none of them".into())
            }
            Predicate::Absent(selector) => self.put(selector, SOMETHING.into()),
            Predicate::All(all) => all.first().is_some_and(|predicate| self.unsatisfy(predicate)),
            Predicate::Any(any) => any.iter().all(|predicate| self.unsatisfy(predicate)),
            Predicate::Not(inner) => inner.iter().all(|predicate| self.satisfy(predicate)),
            _ => false,
        }
    }

    /// Makes the answer mean a state: by its word, or else by a rule. Says whether the vocabulary can tell it at all.
    pub(crate) fn express(&mut self, states: &States, verdict: &StateVerdict) -> bool {
        let word =
            states.sets.iter().filter(|set| same(&set.verdict, verdict)).find_map(|set| set.words.first());
        if let Some(word) = word
            && self.put_first(states.at, &Value::from(*word))
        {
            return true;
        }
        states.rules.iter().any(|rule| same(&rule.then, verdict) && self.satisfy_whole(&rule.when))
    }
}

impl Draft {
    /// Makes the answer mean a state, with some of the result and not all of it, where the declaration can tell both in one answer.
    pub(crate) fn express_partly(&mut self, http: &HttpProtocol, verdict: &StateVerdict) -> bool {
        let Some(when) = &http.outcome.partial else { return false };
        let mut trial = self.clone();
        // The condition may name the word of the state itself.
        let both = trial.satisfy(when)
            && (trial.says(&http.states, verdict) || trial.express(&http.states, verdict));
        if both {
            *self = trial;
        }
        both
    }

    /// Whether the status is a word of this state already.
    fn says(&self, states: &States, verdict: &StateVerdict) -> bool {
        let told = states.at.iter().find_map(|selector| match &selector.source {
            Source::Path(path) => path.nodes(&self.body).first().and_then(|node| node.as_str()),
            _ => None,
        });
        let of_verdict = states.sets.iter().filter(|set| same(&set.verdict, verdict));
        told.is_some_and(|told| of_verdict.flat_map(|set| set.words).any(|word| *word == told))
    }
}

fn opposite(op: Comparison) -> Comparison {
    match op {
        Comparison::Eq => Comparison::Ne,
        Comparison::Ne => Comparison::Eq,
        Comparison::Lt => Comparison::Ge,
        Comparison::Le => Comparison::Gt,
        Comparison::Gt => Comparison::Le,
        Comparison::Ge => Comparison::Lt,
    }
}

/// Whether two verdicts are the same to the queue; a rule's own message makes no difference.
fn same(one: &StateVerdict, other: &StateVerdict) -> bool {
    match (one, other) {
        (StateVerdict::Failed { kind: one, .. }, StateVerdict::Failed { kind: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

/// A whole number where the value is one, so that a service that counts in percent shows `40` and not `40.0`.
fn whole(number: f64) -> Value {
    let rounded = number.round();
    if (rounded - number).abs() < 1e-6 { (rounded as i64).into() } else { number.into() }
}

/// A value as it stands in a header or a text.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use emp_core::syntax::hole::Literal;
    use emp_core::syntax::jsonpath::{Filter, JsonPath, Operand, PathSelector, Query, Segment};
    use serde_json::json;

    use super::*;

    fn child(selector: PathSelector) -> Segment {
        Segment::Child(vec![selector].into())
    }

    fn name(text: &'static str) -> PathSelector {
        PathSelector::Name(Cow::Borrowed(text))
    }

    fn path(selectors: Vec<PathSelector>) -> JsonPath {
        JsonPath { segments: selectors.into_iter().map(child).collect() }
    }

    fn at(selectors: Vec<PathSelector>, reducers: Vec<Reducer>) -> Selector {
        Selector { source: Source::Path(path(selectors)), reducers: reducers.into() }
    }

    fn body_of(selector: &Selector, value: Value) -> Value {
        let mut draft = Draft::new(200);
        assert!(draft.put(selector, value));
        draft.body
    }

    #[test]
    fn names_indices_and_wildcards_are_built() {
        let selector =
            at(vec![name("output"), PathSelector::Index(1), PathSelector::Wildcard, name("text")], vec![]);
        assert_eq!(body_of(&selector, "hi".into()), json!({ "output": [null, [{ "text": "hi" }]] }));
    }

    #[test]
    fn a_filter_gets_an_element_that_it_selects() {
        let filter = PathSelector::Filter(Filter::Compare {
            left: Operand::Query(Query { relative: true, segments: vec![child(name("type"))].into() }),
            op: Comparison::Eq,
            right: Operand::Literal(Literal::Text("message".into())),
        });
        let selector = at(vec![name("output"), filter, name("text")], vec![]);
        assert_eq!(
            body_of(&selector, "hi".into()),
            json!({ "output": [{ "type": "message", "text": "hi" }] })
        );
    }

    #[test]
    fn reducers_are_inverted() {
        let progress = |reducers| body_of(&at(vec![name("p")], reducers), 0.4.into())["p"].clone();
        assert_eq!(progress(vec![Reducer::Percent]), 40);
        assert_eq!(progress(vec![Reducer::Percent, Reducer::Between(0.3, 0.9)]), 40);
        assert_eq!(progress(vec![Reducer::Invert]), 0.6);
        assert_eq!(progress(vec![Reducer::Millis]), 400);
        assert_eq!(progress(vec![Reducer::Duration]), "400ms");
        let ratio = at(vec![name("done")], vec![Reducer::Ratio(path(vec![name("total")]))]);
        assert_eq!(body_of(&ratio, 0.4.into()), json!({ "total": 100, "done": 40 }));
        let nested =
            at(vec![name("error")], vec![Reducer::ParseJson, Reducer::At(path(vec![name("message")]))]);
        assert_eq!(body_of(&nested, "no".into()), json!({ "error": r#"{"message":"no"}"# }));
    }

    #[test]
    fn what_is_there_stays() {
        let mut draft = Draft::new(200);
        assert!(draft.put(&at(vec![name("status")], vec![]), "done".into()));
        assert!(!draft.put(&at(vec![name("status")], vec![]), "other".into()));
        assert!(draft.put(&at(vec![], vec![]), json!({ "image": 1 })));
        assert_eq!(draft.body, json!({ "status": "done", "image": 1 }));
    }

    #[test]
    fn a_predicate_that_cannot_hold_leaves_nothing_behind() {
        let age = Selector { source: Source::Age, reducers: Cow::Borrowed(&[]) };
        let never = Predicate::All(
            vec![
                Predicate::Compare {
                    selector: at(vec![name("x")], vec![]),
                    op: Comparison::Gt,
                    value: Literal::Int(1),
                },
                Predicate::Compare { selector: age, op: Comparison::Gt, value: Literal::Int(1) },
            ]
            .into(),
        );
        let code = Selector { source: Source::Code, reducers: Cow::Borrowed(&[]) };
        let holds = Predicate::Compare { selector: code, op: Comparison::Eq, value: Literal::Int(202) };
        let mut draft = Draft::new(200);
        assert!(draft.satisfy(&Predicate::Any(vec![never, holds].into())));
        assert_eq!((draft.code, draft.body), (202, Value::Null));
    }
}
