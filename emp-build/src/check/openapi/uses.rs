//! What of a description a declaration relies on.

use emp_codegen::spec::{Body, Request};
use emp_openapi::{Change, Operation, Side, What};
use emp_syntax::json::{Json, Member};
use emp_syntax::jsonpath::{JsonPath, PathSelector, Segment};
use emp_syntax::selector::Source;

use super::case::Case;
use super::looks::{self, Into};
use super::operations::Operations;

/// A part of a description that a declaration relies on.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    operation: String,
    side: Side,
    /// What is below it counts too, and what it is below of.
    path: JsonPath,
}

impl Used {
    /// Whether a change of the description is one of this part.
    pub(crate) fn is_touched_by(&self, change: &Change) -> bool {
        if self.operation != change.operation {
            return false;
        }
        match (&change.what, JsonPath::parse(&change.path)) {
            // They are about the whole operation, or about a header.
            (
                What::OperationGone | What::Moved(_) | What::CodeNew(_) | What::CodeGone(_) | What::Required,
                _,
            )
            | (_, Err(_)) => true,
            (_, Ok(path)) => self.side == change.side && overlap(&self.path.segments, &path.segments),
        }
    }
}

/// Whether one path leads through the other's end.
fn overlap(one: &[Segment], other: &[Segment]) -> bool {
    one.iter().zip(other).all(|(one, other)| match (one, other) {
        (Segment::Child(one), Segment::Child(other)) => match (one.as_ref(), other.as_ref()) {
            ([PathSelector::Name(one)], [PathSelector::Name(other)]) => one == other,
            // Anything else may be the same element.
            _ => true,
        },
        _ => true,
    })
}

/// All of them.
pub(super) fn of(case: &Case<'_>, operations: &Operations<'_>) -> Vec<Used> {
    let mut used = Vec::new();
    for look in looks::of(case.http, &case.declaration.spec.pace, operations) {
        let Source::Path(path) = &look.selector.source else { continue };
        for (nth, call) in operations.calls.iter().enumerate() {
            let (submitted, polled) = (call.submitted.as_slice(), call.polled.as_slice());
            let asked: [&[Operation<'_>]; 2] = match look.into {
                Into::Submitted(of) if of == nth => [submitted, &[]],
                // An answer that feeds the poll is judged as the poll's is.
                Into::Judged if !call.submit.feeds_poll => [call.judged(), &[]],
                Into::Judged | Into::Any => [submitted, polled],
                Into::Polled(of) if of == nth => [polled, &[]],
                Into::Events => [submitted, &[]],
                Into::Submitted(_) | Into::Polled(_) => [&[], &[]],
            };
            for operation in asked.into_iter().flatten() {
                used.push(Used { operation: operation.name(), side: Side::Answer, path: path.clone() });
            }
        }
    }
    for step in &operations.steps {
        used.extend(sent(step.request, &step.operations));
        for read in &step.reads {
            let (Source::Path(path) | Source::Probe(_, path)) = &read.selector.source else { continue };
            let path = match read.inside.map(|items| &items.source) {
                Some(Source::Path(items)) => {
                    let segments = items.segments.iter().chain(path.segments.iter()).cloned();
                    JsonPath { segments: segments.collect() }
                }
                _ => path.clone(),
            };
            let of = |operation: &Operation<'_>| Used {
                operation: operation.name(),
                side: Side::Answer,
                path: path.clone(),
            };
            used.extend(step.operations.iter().map(of));
        }
    }
    for call in &operations.calls {
        used.extend(sent(&call.submit.request, &call.submitted));
        used.extend(call.poll.into_iter().flat_map(|poll| sent(&poll.request, &call.polled)));
    }
    used.extend(operations.cancel.iter().flat_map(|(request, operations)| sent(request, operations)));
    used
}

/// What a request relies on: its operations, and the members of its body.
fn sent(request: &Request, operations: &[Operation<'_>]) -> Vec<Used> {
    let mut paths = Vec::new();
    match &request.body {
        Some(Body::Json(body)) => members(body, &mut Vec::new(), &mut paths),
        _ => paths.push(JsonPath { segments: Vec::new().into() }),
    }
    let of = |operation: &Operation<'_>| {
        let name = operation.name();
        let used =
            |path: &JsonPath| Used { operation: name.clone(), side: Side::Request, path: path.clone() };
        paths.iter().map(used).collect::<Vec<_>>()
    };
    operations.iter().flat_map(of).collect()
}

fn members(value: &Json, here: &mut Vec<Segment>, paths: &mut Vec<JsonPath>) {
    match value {
        Json::Object(list) => {
            for member in list.iter() {
                match member {
                    Member::Field { name, value } => {
                        here.push(Segment::Child(vec![PathSelector::Name(name.clone())].into()));
                        members(value, here, paths);
                        here.pop();
                    }
                    // Whatever is spread may have any member.
                    _ => paths.push(JsonPath { segments: here.clone().into() }),
                }
            }
        }
        Json::Array(items) => {
            here.push(Segment::Child(vec![PathSelector::Wildcard].into()));
            for item in items.iter() {
                members(item, here, paths);
            }
            here.pop();
        }
        _ => paths.push(JsonPath { segments: here.clone().into() }),
    }
}
