//! The paths of selectors: whether something is there, and of what kind.

use emp_codegen::spec::{Capture, Need, Use};
use emp_openapi::{Kinds, Reach, Schema};
use emp_syntax::hole::Root;
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::rule::Predicate;
use emp_syntax::selector::{Reducer, Selector, Source};

use super::case::Case;
use super::operations::{Operations, answers};
use super::states;
use crate::codes;

/// What can stand for a text.
const SCALAR: Kinds = Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL);

/// What a number can be read from.
const NUMERIC: Kinds = Kinds::NUMBER.or(Kinds::TEXT);

/// Where selectors look: an answer as the description has it.
struct Answer<'a> {
    schema: Schema<'a>,
    /// What it answers, for messages.
    name: String,
}

/// Every selector of the declaration.
pub(super) fn check(case: &Case<'_>, operations: &Operations<'_>) {
    let http = case.http;
    let submit =
        operations.submit.and_then(|found| Some(Answer { schema: answers(&found)?, name: found.name() }));
    let judged = operations.judged(case);
    let judged = judged.and_then(|found| Some(Answer { schema: answers(&found)?, name: found.name() }));
    if let Some(answer) = &submit {
        http.submit.capture.iter().for_each(|capture| captured(case, capture, answer));
    }
    if let Some(answer) = &judged {
        let each = |attribute: &str, selectors: &[Selector], wanted: Kinds| {
            for selector in selectors {
                look(case, attribute, selector, answer, wanted);
            }
        };
        each("states", &http.states.at, SCALAR);
        if let Some(poll) = &http.poll {
            each("poll", &poll.progress, Kinds::NUMBER);
            each("poll", &poll.queue_position, Kinds::NUMBER);
            each("poll", &poll.eta, Kinds::NUMBER);
            each("poll", &poll.progress_text, SCALAR);
            each("poll", &poll.logs, SCALAR);
        }
        each("outcome", &http.outcome.json, Kinds::ALL);
        each("outcome", &http.outcome.text, SCALAR);
        http.outcome.meta.iter().for_each(|meta| each("outcome", &meta.from, Kinds::ALL));
        each("pace", &case.declaration.spec.pace.advice, NUMERIC);
    }
    let any = any_answer(operations, judged.as_ref());
    for rule in &http.states.rules {
        // A rule that asks for no code is about an answer of success; the others may look into a refusal.
        if let Some(answer) = any.as_ref().or(judged.as_ref().filter(|_| !asks_for_code(&rule.when))) {
            predicate(case, "states", &rule.when, answer);
        }
    }
    if let Some(answer) = any {
        for selector in http.errors.message.iter().chain(&http.errors.code) {
            look(case, "errors", selector, &answer, SCALAR);
        }
        for when in http.errors.rules.iter().filter_map(|rule| rule.when.as_ref()) {
            predicate(case, "errors", when, &answer);
            states::literals(case, "errors", when, &answer.schema);
        }
    }
}

/// Every documented answer: what errors and rules look at. `None` when an error's answer is not described, so that anything may be in it.
fn any_answer<'a>(operations: &Operations<'a>, judged: Option<&Answer<'a>>) -> Option<Answer<'a>> {
    let asked: Vec<_> = [operations.submit, operations.poll].into_iter().flatten().collect();
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
    let names: Vec<String> = asked.iter().map(emp_openapi::Operation::name).collect();
    Some(Answer { schema: Schema::any(schemas)?, name: names.join("` or `") })
}

fn asks_for_code(when: &Predicate) -> bool {
    let mut asks = false;
    when.selectors(&mut |selector| asks |= selector.source == Source::Code);
    asks
}

fn captured(case: &Case<'_>, capture: &Capture, answer: &Answer<'_>) {
    let wanted = match capture.name.value.as_str() {
        "id" => Kinds::TEXT.or(Kinds::NUMBER),
        name if name.ends_with("_url") => Kinds::TEXT,
        _ => Kinds::ALL,
    };
    for selector in &capture.from {
        look(case, "submit", selector, answer, wanted);
    }
    let [Selector { source: Source::Path(path), .. }] = capture.from.as_slice() else { return };
    if !wanted_later(case, &capture.name.value) {
        return;
    }
    let Reach::Found(schema) = answer.schema.reach(path) else { return };
    if schema.kinds().meets(Kinds::NULL) && schema.kinds() != Kinds::ALL && !case.waives(path) {
        let name = &capture.name.value;
        let message =
            format!("`{path}` of `{}` can be null, and then `job.{name}` has no value", answer.name);
        case.say(
            case.at_path(codes::LOOK, "submit", path, message)
                .label("has no fallback")
                .help(format!("{name} = [\"{path}\", \"$.other\"], or allow = [\"{path}\"] in #[openapi]"))
                .warning(),
        );
    }
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

fn predicate(case: &Case<'_>, attribute: &str, when: &Predicate, answer: &Answer<'_>) {
    when.selectors(&mut |selector| look(case, attribute, selector, answer, Kinds::ALL));
}

/// A selector: its path, and the kind that its reducers make of what is there.
fn look(case: &Case<'_>, attribute: &str, selector: &Selector, answer: &Answer<'_>, wanted: Kinds) {
    let Source::Path(path) = &selector.source else { return };
    let mut schema = match find(case, attribute, path, &answer.schema, answer) {
        Some(schema) => Some(schema),
        None => return,
    };
    let mut kinds = schema.as_ref().map_or(Kinds::ALL, Schema::kinds);
    for reducer in selector.reducers.iter() {
        let taken = takes(reducer);
        if !kinds.meets(taken) {
            wrong_kind(case, attribute, path, kinds, taken, &format!("`{}` takes", reducer.word()));
            return;
        }
        kinds = gives(reducer, kinds);
        schema = match (reducer, schema) {
            (Reducer::First, schema) => schema,
            (Reducer::At(inner), Some(outer)) => match find(case, attribute, inner, &outer, answer) {
                Some(schema) => {
                    kinds = schema.kinds();
                    Some(schema)
                }
                None => return,
            },
            (Reducer::Ratio(whole), _) => {
                let total = find(case, attribute, whole, &answer.schema, answer);
                if let Some(kinds) = total.map(|total| total.kinds()).filter(|kinds| !kinds.meets(NUMERIC)) {
                    wrong_kind(case, attribute, whole, kinds, NUMERIC, "`ratio` takes");
                }
                None
            }
            _ => None,
        };
    }
    if !kinds.meets(wanted) {
        wrong_kind(case, attribute, path, kinds, wanted, "wanted is");
    }
}

/// What a path finds; `None` when that is not known, or was said to be nothing.
fn find<'a>(
    case: &Case<'_>,
    attribute: &str,
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
                    case.at_path(codes::PATH, attribute, path, message)
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
            let finding = case.at_path(codes::PATH, attribute, path, message);
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

fn wrong_kind(case: &Case<'_>, attribute: &str, path: &JsonPath, is: Kinds, wanted: Kinds, who: &str) {
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
    case.say(case.at_path(codes::KIND, attribute, path, message).label(format!("is {is}")).help(help));
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
