//! The paths of selectors: whether something is there, and of what kind.

use emp_codegen::spec::{Capture, Need, Use};
use emp_openapi::{Kinds, Operation, Reach, Schema};
use emp_syntax::hole::Root;
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::selector::{Reducer, Selector, Source};

use super::case::Case;
use super::looks::{self, Into, NUMERIC, SCALAR};
use super::operations::{Answer, Operations, names};
use super::states;
use crate::codes;
use crate::texts::Spot;

/// Every selector of the declaration.
pub(super) fn check(case: &Case<'_>, operations: &Operations<'_>) {
    let submitted: Vec<Option<Answer<'_>>> =
        operations.calls.iter().map(|call| Answer::of(&call.submitted)).collect();
    let polled: Vec<Option<Answer<'_>>> =
        operations.calls.iter().map(|call| Answer::of(&call.polled)).collect();
    let (judged, events) = (operations.judged(), operations.events());
    let any = any_answer(operations, judged.as_ref());
    for look in looks::of(case.http, &case.declaration.spec.pace, operations) {
        let answer = match look.into {
            Into::Submitted(nth) => submitted.get(nth).and_then(Option::as_ref),
            Into::Polled(nth) => polled.get(nth).and_then(Option::as_ref),
            Into::Judged => judged.as_ref(),
            Into::Any => any.as_ref(),
            Into::Events => events.as_ref(),
        };
        if let (Some(answer), Source::Path(path)) = (answer, &look.selector.source) {
            one(case, look.spot, look.selector, path, look.wanted, answer);
        }
    }
    for step in &operations.steps {
        let Some(whole) = Answer::of(&step.operations) else { continue };
        for read in &step.reads {
            let answer = match read.inside {
                Some(items) => whole.inside(items),
                None => Some(whole.clone()),
            };
            let path = match &read.selector.source {
                Source::Path(path) | Source::Probe(_, path) => Some(path),
                _ => None,
            };
            if let (Some(answer), Some(path)) = (answer, path) {
                one(case, step.spot, read.selector, path, read.wanted, &answer);
            }
        }
    }
    for (call, answer) in operations.calls.iter().zip(&submitted) {
        if let Some(answer) = answer {
            call.submit.capture.iter().for_each(|capture| nullable(case, call.spot, capture, answer));
        }
    }
    if let Some(answer) = any {
        for when in case.http.errors.rules.iter().filter_map(|rule| rule.when.as_ref()) {
            states::literals(case, Spot::all("errors"), when, &answer.schema);
        }
    }
}

/// Every documented answer. `None` when an error's answer is not described, so that anything may be in it.
fn any_answer<'a>(operations: &Operations<'a>, judged: Option<&Answer<'a>>) -> Option<Answer<'a>> {
    let asked = operations.calls.iter().flat_map(|call| call.submitted.iter().chain(&call.polled));
    let asked: Vec<Operation<'a>> = asked.copied().collect();
    let mut schemas: Vec<Schema<'a>> = judged.into_iter().map(|answer| answer.schema.clone()).collect();
    for operation in &asked {
        let responses = operation.responses();
        let (successes, errors): (Vec<_>, Vec<_>) =
            responses.into_iter().partition(emp_openapi::Response::is_success);
        if errors.is_empty() || errors.iter().any(|error| error.json.is_none()) {
            return None;
        }
        schemas.extend(successes.into_iter().chain(errors).filter_map(|response| response.json));
    }
    Some(Answer { schema: Schema::any(schemas)?, name: names(&asked) })
}

/// A captured value that is needed and can be null.
fn nullable(case: &Case<'_>, spot: Spot, capture: &Capture, answer: &Answer<'_>) {
    let [Selector { source: Source::Path(path), .. }] = capture.from.as_slice() else { return };
    let name = &capture.name.value;
    let Reach::Found(schema) = answer.schema.reach(path) else { return };
    let can_be_null = schema.kinds().meets(Kinds::NULL) && schema.kinds() != Kinds::ALL;
    if !can_be_null || !wanted_later(case, name) || case.waives(path) {
        return;
    }
    let message = format!("`{path}` of `{}` can be null, and then `job.{name}` has no value", answer.name);
    case.say(
        case.at_path(codes::LOOK, spot, path, message)
            .label("has no fallback")
            .help(format!("{name} = [\"{path}\", \"$.other\"], or allow = [\"{path}\"] in #[openapi]"))
            .warning(),
    );
}

/// Whether a captured value is needed: a request cannot be made without it.
fn wanted_later(case: &Case<'_>, name: &str) -> bool {
    let uses = |used: &Use| {
        used.reference.root == Root::Job
            && used.first() == Some(name)
            && matches!(used.need, Need::Required | Need::Url)
    };
    name == "id" || case.declaration.spec.uses.iter().any(uses)
}

/// A selector: its path, and the kind that its reducers make of what is there.
fn one(
    case: &Case<'_>,
    spot: Spot,
    selector: &Selector,
    path: &JsonPath,
    wanted: Kinds,
    answer: &Answer<'_>,
) {
    let mut schema = match find(case, spot, path, &answer.schema, answer) {
        Some(schema) => Some(schema),
        None => return,
    };
    let mut kinds = schema.as_ref().map_or(Kinds::ALL, Schema::kinds);
    for reducer in selector.reducers.iter() {
        let taken = takes(reducer);
        if !kinds.meets(taken) {
            wrong_kind(case, spot, path, kinds, taken, &format!("`{}` takes", reducer.word()));
            return;
        }
        kinds = gives(reducer, kinds);
        schema = match (reducer, schema) {
            (Reducer::First, schema) => schema,
            (Reducer::At(inner), Some(outer)) => match find(case, spot, inner, &outer, answer) {
                Some(schema) => {
                    kinds = schema.kinds();
                    Some(schema)
                }
                None => return,
            },
            (Reducer::Ratio(whole), _) => {
                let total = find(case, spot, whole, &answer.schema, answer);
                if let Some(kinds) = total.map(|total| total.kinds()).filter(|kinds| !kinds.meets(NUMERIC)) {
                    wrong_kind(case, spot, whole, kinds, NUMERIC, "`ratio` takes");
                }
                None
            }
            _ => None,
        };
    }
    if !kinds.meets(wanted) {
        wrong_kind(case, spot, path, kinds, wanted, "wanted is");
    }
}

/// What a path finds; `None` when that is not known, or was said to be nothing.
fn find<'a>(
    case: &Case<'_>,
    spot: Spot,
    path: &JsonPath,
    schema: &Schema<'a>,
    answer: &Answer<'_>,
) -> Option<Schema<'a>> {
    match schema.reach(path) {
        Reach::Found(found) => Some(found),
        Reach::Open => {
            if !case.waives(path) && case.given.strict {
                let message = format!("of `{path}` the description of `{}` says nothing", answer.name);
                case.say(
                    case.at_path(codes::PATH, spot, path, message)
                        .label("may be anything")
                        .help(format!("open = [\"{path}\"] in #[openapi]")),
                );
            }
            None
        }
        Reach::Missing(missing) => {
            if case.waives(path) {
                return None;
            }
            let message = format!("`{path}` is in no answer of `{}`", answer.name);
            let finding = case.at_path(codes::PATH, spot, path, message);
            case.say(match &missing.nearest {
                Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
                None => finding.label(format!("`{}` has {}", missing.parent, missing.there)).help(format!(
                    "write a path that is there; where the description is wrong: allow = [\"{path}\"] in #[openapi]"
                )),
            });
            None
        }
    }
}

fn wrong_kind(case: &Case<'_>, spot: Spot, path: &JsonPath, is: Kinds, wanted: Kinds, who: &str) {
    if case.waives(path) {
        return;
    }
    let message = format!("`{path}` is {is}; {who} {wanted}");
    let help = if is.meets(Kinds::TEXT) && wanted == Kinds::NUMBER {
        format!("reduce it to a number: \"{path}\" | number")
    } else if is.meets(Kinds::ARRAY) && wanted.meets(Kinds::TEXT) {
        format!("join it: \"{path}[*]\" | join(\"; \")")
    } else {
        "select inside the value, or reduce it; `emp_core::language` lists the reducers".to_owned()
    };
    case.say(case.at_path(codes::KIND, spot, path, message).label(format!("is {is}")).help(help));
}

/// What a reducer can work on.
fn takes(reducer: &Reducer) -> Kinds {
    match reducer {
        Reducer::Join(_) => SCALAR.or(Kinds::ARRAY),
        Reducer::At(_) => Kinds::OBJECT.or(Kinds::ARRAY),
        Reducer::ParseJson | Reducer::Base64 | Reducer::Duration | Reducer::HttpDate => Kinds::TEXT,
        Reducer::Tail(_) | Reducer::LastMatch(_) | Reducer::Lower => SCALAR,
        Reducer::Number
        | Reducer::Percent
        | Reducer::Fraction
        | Reducer::Ratio(_)
        | Reducer::Invert
        | Reducer::Between(..)
        | Reducer::Millis
        | Reducer::Seconds => NUMERIC,
        _ => Kinds::ALL,
    }
}

/// What a reducer makes of what it works on.
fn gives(reducer: &Reducer, kinds: Kinds) -> Kinds {
    match reducer {
        Reducer::First => kinds,
        Reducer::All => Kinds::ARRAY,
        Reducer::At(_) | Reducer::ParseJson => Kinds::ALL,
        Reducer::Join(_) | Reducer::Base64 | Reducer::Tail(_) | Reducer::LastMatch(_) | Reducer::Lower => {
            Kinds::TEXT
        }
        _ => Kinds::NUMBER,
    }
}
