//! A payload for which a condition holds: what a client sends to have its job done in that way.

use emp_core::asset::Asset;
use emp_core::connector::Loaded;
use emp_core::spec::{Body, HttpProtocol};
use emp_core::syntax::asset;
use emp_core::syntax::hole::{Reference, Root, Step};
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::rule::Predicate;
use emp_core::syntax::selector::{Selector, Source};
use emp_engine::context::Context;
use emp_engine::operation;
use serde_json::{Map, Value};

use crate::pattern;
use crate::place::fitting;
use crate::sample;

/// Finds payloads for the jobs of a connector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chooser<'a> {
    pub(crate) connector: &'a Loaded,
    pub(crate) http: &'a HttpProtocol,
    /// The usual payload, from which others are made.
    pub(crate) usual: &'a Value,
}

impl Chooser<'_> {
    /// A payload of the jobs of an operation, of the main one for `None`.
    pub(crate) fn operation(&self, wanted: Option<usize>) -> Option<Value> {
        let mut payload = self.usual.clone();
        // The first that holds decides, so those before it must not.
        let earlier = &self.http.operations[..wanted.unwrap_or(self.http.operations.len())];
        for other in earlier.iter().filter(|other| self.holds(&other.when, self.usual)) {
            self.deny(&mut payload, &other.when, None);
        }
        if let Some(operation) = wanted.and_then(|at| self.http.operations.get(at)) {
            self.satisfy(&mut payload, &operation.when, Some(&operation.submit.request.body));
        }
        (self.operation_of(&payload) == wanted).then_some(payload)
    }

    /// A payload for which a condition holds. `body` is what is read of it then.
    pub(crate) fn holding(&self, when: &Predicate, body: Option<&Body>) -> Option<Value> {
        let mut payload = self.usual.clone();
        self.satisfy(&mut payload, when, body);
        self.holds(when, &payload).then_some(payload)
    }

    /// The operation that a payload chooses.
    pub(crate) fn operation_of(&self, payload: &Value) -> Option<usize> {
        self.http.operation_for(|when| self.holds(when, payload))
    }

    /// Whether a condition holds for a payload.
    pub(crate) fn holds(&self, when: &Predicate, payload: &Value) -> bool {
        operation::holds(when, &Context { payload, ..Context::bare(self.connector) })
    }

    /// Changes a payload so that a condition on it holds, as far as that can be done.
    fn satisfy(&self, payload: &mut Value, when: &Predicate, body: Option<&Body>) {
        match when {
            Predicate::Compare { selector, op, value } => set(payload, selector, Some(fitting(*op, value))),
            Predicate::In { selector, values } => {
                if let Some(value) = values.first() {
                    set(payload, selector, Some(value.to_json()));
                }
            }
            Predicate::Present(selector) => {
                let there = member(selector).is_some_and(|member| member.lookup(payload).is_some());
                if !there {
                    set(payload, selector, self.something(selector, body));
                }
            }
            Predicate::Absent(selector) => set(payload, selector, None),
            Predicate::IsUrl(selector) => set(payload, selector, Some("https://example.com/file".into())),
            Predicate::Matches { selector, pattern } => {
                if let Some(text) = pattern::matching(pattern) {
                    set(payload, selector, Some(text.into()));
                }
            }
            Predicate::All(all) => all.iter().for_each(|part| self.satisfy(payload, part, body)),
            Predicate::Any(any) => {
                if let Some(part) = any.first() {
                    self.satisfy(payload, part, body);
                }
            }
            Predicate::Not(parts) => parts.iter().for_each(|part| self.deny(payload, part, body)),
        }
    }

    /// Changes a payload so that a condition on it does not hold, as far as that can be done by taking away what it asks for.
    fn deny(&self, payload: &mut Value, when: &Predicate, body: Option<&Body>) {
        match when {
            Predicate::Present(selector)
            | Predicate::Compare { selector, .. }
            | Predicate::In { selector, .. }
            | Predicate::Matches { selector, .. } => set(payload, selector, None),
            // An asset that is no URL is one by its bytes.
            Predicate::IsUrl(selector) => set(payload, selector, asset(selector, body)),
            Predicate::Absent(selector) => set(payload, selector, self.something(selector, body)),
            Predicate::All(all) => all.iter().take(1).for_each(|part| self.deny(payload, part, body)),
            Predicate::Any(any) => any.iter().for_each(|part| self.deny(payload, part, body)),
            Predicate::Not(parts) => parts.iter().for_each(|part| self.satisfy(payload, part, body)),
        }
    }

    /// What may stand where something has to: an asset as the body takes it, else what the payload's schema says, else a text.
    fn something(&self, selector: &Selector, body: Option<&Body>) -> Option<Value> {
        let known = || {
            let sample = sample::of_schema(&self.connector.spec.payload.to_json_schema());
            member(selector)?.lookup(&sample).cloned()
        };
        asset(selector, body).or_else(known).or_else(|| Some("text".into()))
    }
}

/// An asset of a body, as that takes it.
fn asset(selector: &Selector, body: Option<&Body>) -> Option<Value> {
    let asset = asset_at(body?, member(selector)?)?;
    let types: Vec<&str> = asset.types.iter().map(AsRef::as_ref).collect();
    let inline = asset.inline || asset.adapter != asset::Adapter::Url;
    Asset::schema(&types, inline)["examples"].get(0).cloned()
}

/// The payload's member that a selector reads.
fn member(selector: &Selector) -> Option<&Reference> {
    match &selector.source {
        Source::Reference(reference) if reference.root == Root::Payload && selector.reducers.is_empty() => {
            Some(reference)
        }
        _ => None,
    }
}

/// Sets a member of the payload, making the objects on the way, or takes it away. Nothing happens where there is no such place.
fn set(payload: &mut Value, selector: &Selector, value: Option<Value>) {
    let Some((last, outer)) = member(selector).and_then(|reference| reference.path.split_last()) else {
        return;
    };
    let mut at = payload;
    for step in outer {
        let (Step::Name(name), Some(members)) = (step, at.as_object_mut()) else { return };
        at = members.entry(name.as_ref()).or_insert_with(|| Value::Object(Map::new()));
    }
    let (Step::Name(last), Some(members)) = (last, at.as_object_mut()) else { return };
    match value {
        Some(value) => members.insert(last.to_string(), value),
        None => members.shift_remove(last.as_ref()),
    };
}

/// The asset of a body that a reference names.
fn asset_at<'s>(body: &'s Body, reference: &Reference) -> Option<&'s asset::Asset> {
    match body {
        Body::Json(value) | Body::Raw { value, .. } => in_json(value, reference),
        Body::Form(members) | Body::Multipart(members) => in_members(members, reference),
        _ => None,
    }
}

fn in_json<'s>(json: &'s Json, reference: &Reference) -> Option<&'s asset::Asset> {
    match json {
        Json::Asset(asset) => Some(asset).filter(|asset| asset.hole.reference == *reference),
        Json::Array(values) | Json::First(values) => {
            values.iter().find_map(|value| in_json(value, reference))
        }
        Json::Object(members) => in_members(members, reference),
        Json::Literal(_) | Json::Text(_) | Json::Hole(_) | Json::Hook(_) => None,
    }
}

fn in_members<'s>(members: &'s [Member], reference: &Reference) -> Option<&'s asset::Asset> {
    members.iter().find_map(|member| match member {
        Member::Field { value, .. } => in_json(value, reference),
        Member::Spread(_) | Member::SpreadHook(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &'static str) -> Selector {
        let reference = Reference::parse(text).expect("a reference");
        Selector { source: Source::Reference(reference), reducers: Vec::new().into() }
    }

    #[test]
    fn members_are_set_at_any_depth_and_taken_away() {
        let mut payload = serde_json::json!({ "a": 1, "gone": true });
        set(&mut payload, &at("payload.deep.image"), Some("text".into()));
        set(&mut payload, &at("payload.gone"), None);
        set(&mut payload, &at("payload.a.b"), Some(1.into()));
        set(&mut payload, &at("env.a"), Some(2.into()));
        assert_eq!(payload, serde_json::json!({ "a": 1, "deep": { "image": "text" } }));
    }
}
