//! Which operations of the description a connector's requests are.

use emp_codegen::Spanned;
use emp_codegen::spec::{Base, Poll, Request, StreamFormat, Submit, Target};
use emp_openapi::{Operation, Piece, Reach, Route, Schema, base_path};
use emp_syntax::selector::{Selector, Source};
use emp_syntax::template::{Part, Template};

use super::case::Case;
use super::steps::{self, Step};
use crate::check::names::quoted;
use crate::codes;
use crate::texts::Spot;

/// The operations of a connector.
pub(super) struct Operations<'a> {
    /// The submits, those with a `when` first.
    pub(super) calls: Vec<Call<'a>>,
    /// The cancel, or one for each state.
    pub(super) cancel: Vec<(&'a Request, Vec<Operation<'a>>)>,
    /// The other requests.
    pub(super) steps: Vec<Step<'a>>,
    /// The events of a streamed answer are judged too.
    streamed: bool,
}

/// A submit with its poll, and their operations; none where they are not known. There are several where a value of the path decides.
pub(super) struct Call<'a> {
    pub(super) spot: Spot,
    pub(super) submit: &'a Submit,
    pub(super) submitted: Vec<Operation<'a>>,
    pub(super) poll: Option<&'a Poll>,
    pub(super) polled: Vec<Operation<'a>>,
}

impl<'a> Call<'a> {
    /// The operations whose answers say how a job is: the poll's, or the submit's of a job that is not polled.
    pub(super) fn judged(&self) -> &[Operation<'a>] {
        if self.poll.is_some() { &self.polled } else { &self.submitted }
    }

    /// The answers that say how a job is: where they are lists, their elements.
    fn judgement(&self) -> Option<Answer<'a>> {
        let whole = Answer::of(self.judged())?;
        match self.poll.and_then(|poll| poll.listed.as_ref()) {
            Some(listed) => whole.inside(&listed.items),
            None => Some(whole),
        }
    }
}

impl<'a> Operations<'a> {
    /// The answers that say how a job is, of all calls; `None` when those of one are not known.
    pub(super) fn judged(&self) -> Option<Answer<'a>> {
        let judged: Vec<Answer<'a>> = self.calls.iter().map(Call::judgement).collect::<Option<_>>()?;
        let events = self.events().filter(|_| self.streamed);
        let schemas = judged.into_iter().chain(events).map(|answer| answer.schema);
        let all: Vec<Operation<'a>> = self.calls.iter().flat_map(Call::judged).copied().collect();
        Some(Answer { schema: Schema::any(schemas)?, name: names(&all) })
    }

    /// The events of a streamed answer to a submit, where the description has them.
    pub(super) fn events(&self) -> Option<Answer<'a>> {
        let submitted = || self.calls.iter().flat_map(|call| &call.submitted);
        let successes = submitted().flat_map(Operation::responses).filter(emp_openapi::Response::is_success);
        let schema = Schema::any(successes.filter_map(|response| response.events))?;
        Some(Answer { schema, name: names(&submitted().copied().collect::<Vec<_>>()) })
    }
}

/// Where selectors look: answers as the description has them.
#[derive(Clone)]
pub(super) struct Answer<'a> {
    pub(super) schema: Schema<'a>,
    /// What they answer, for messages.
    pub(super) name: String,
}

impl<'a> Answer<'a> {
    /// The successful answers of operations, those in JSON.
    pub(super) fn of(operations: &[Operation<'a>]) -> Option<Self> {
        let responses = operations.iter().flat_map(Operation::responses);
        let successes = responses.filter(emp_openapi::Response::is_success);
        Some(Self {
            schema: Schema::any(successes.filter_map(|response| response.json))?,
            name: names(operations),
        })
    }

    /// The elements of a list in it, where the description has them.
    pub(super) fn inside(&self, items: &Selector) -> Option<Self> {
        let (Source::Path(path), []) = (&items.source, items.reducers.as_ref()) else { return None };
        match self.schema.reach(path) {
            Reach::Found(schema) => Some(Self { schema, name: self.name.clone() }),
            _ => None,
        }
    }
}

/// Operations as a message names them, each once.
pub(super) fn names(operations: &[Operation<'_>]) -> String {
    let mut names: Vec<String> = operations.iter().map(Operation::name).collect();
    names.dedup();
    names.join("` or `")
}

/// Finds the operations of a connector, and says which requests have none.
pub(super) fn find<'a>(case: &Case<'a>) -> Operations<'a> {
    let (http, given) = (case.http, case.given);
    let poll = http.poll.as_ref();
    if let Some(Poll { request: Request { url: Target::Captured(reference), .. }, .. }) = poll
        && given.poll.is_none()
    {
        let message = format!("the poll goes to `{reference}`, which no operation can be found by");
        case.say(
            case.at_text(codes::OPERATION, Spot::all("openapi"), message, |text| text == given.file.value)
                .label("name the operation here")
                .help("poll = \"..\"    with the id, or the method and path, of the operation that answers a poll"),
        );
    }
    let spot = |nth| Spot { attribute: "submit", nth: Some(nth) };
    let asked = |request: &Request, named| operation(case, Spot::all("poll"), request, named);
    let polled = poll.map(|poll| asked(&poll.request, given.poll.as_ref())).unwrap_or_default();
    let special = http.operations.iter().enumerate().map(|(nth, special)| Call {
        spot: spot(nth),
        submit: &special.submit,
        submitted: operation(case, spot(nth), &special.submit.request, None),
        poll: special.poll.as_ref().or(poll),
        polled: special.poll.as_ref().map_or_else(|| polled.clone(), |poll| asked(&poll.request, None)),
    });
    let mut calls: Vec<Call<'a>> = special.collect();
    let (spot, submit) = (spot(calls.len()), &http.submit);
    let submitted = operation(case, spot, &submit.request, given.submit.as_ref());
    calls.push(Call { spot, submit, submitted, poll, polled });
    let cancels = http.cancel.iter().flat_map(|cancel| {
        let own = cancel.request.iter().map(|request| (request, given.cancel.as_ref()));
        own.chain(cancel.stages.iter().map(|(_, request)| (request, None)))
    });
    let cancel = cancels
        .map(|(request, named)| (request, operation(case, Spot::all("cancel"), request, named)))
        .collect();
    let streamed =
        http.stream.as_ref().is_some_and(|stream| !matches!(stream.format, StreamFormat::Chunks { .. }));
    Operations { calls, cancel, steps: steps::of(case), streamed }
}

/// The operations of a request that a slice may lack. Only one that is nearly the request of an operation is a mistake.
pub(super) fn beside<'a>(case: &Case<'a>, spot: Spot, request: &Request) -> Vec<Operation<'a>> {
    let Target::Path(path) = &request.url else { return Vec::new() };
    let declared = declared(case, path);
    let found = best(case, request, &declared);
    if found.is_empty()
        && let Some(near) = misspelt(case, request, path, &declared)
    {
        let message = format!("the description has no {} {}{}", request.method, declared.base, shown(path));
        let finding = case.at_target(spot, request, message).label(format!("did you mean `{near}`?"));
        case.say(finding.help(format!("{} = \"{near}\"", request.method.to_ascii_lowercase())));
    }
    found
}

/// The path that a request nearly has: one piece of it is written otherwise, and values stand in the same places.
fn misspelt(case: &Case<'_>, request: &Request, path: &Template, declared: &Declared) -> Option<String> {
    let pieces = |path: &str| -> Vec<String> {
        let piece = |piece: &str| if piece.starts_with('{') { "{}".to_owned() } else { piece.to_owned() };
        path.split('/').map(piece).collect()
    };
    let written = format!("{}{}", declared.base, shown(path));
    let own = pieces(&written);
    let of_method = case.slice.operations().filter(|found| found.method() == request.method);
    let paths = of_method.flat_map(|found| found.whole_paths());
    let near = paths.filter_map(|path| {
        let other = pieces(&path);
        let mut unlike = own.iter().zip(&other).enumerate().filter(|(_, (own, other))| own != other);
        let (at, (one, another)) = unlike.next().filter(|_| own.len() == other.len())?;
        let slip = unlike.next().is_none() && emp_syntax::nearest(one, [another.as_str()]).is_some();
        slip.then(|| (at, another.clone()))
    });
    let (at, right) = near.into_iter().next()?;
    let mut corrected: Vec<&str> = written.split('/').collect();
    *corrected.get_mut(at)? = &right;
    let corrected = corrected.join("/");
    let below =
        corrected.strip_prefix(declared.base.trim_end_matches('/')).filter(|below| below.starts_with('/'));
    Some(below.unwrap_or(&corrected).to_owned())
}

fn operation<'a>(
    case: &Case<'a>,
    spot: Spot,
    request: &Request,
    named: Option<&Spanned<String>>,
) -> Vec<Operation<'a>> {
    let Some(name) = named else {
        let Target::Path(path) = &request.url else { return Vec::new() };
        return by_route(case, spot, request, path, &declared(case, path));
    };
    let Some(operation) = case.slice.operation(&name.value) else {
        unknown(case, name);
        return Vec::new();
    };
    agree(case, spot, request, &operation);
    vec![operation]
}

/// A name that is no operation's.
fn unknown(case: &Case<'_>, name: &Spanned<String>) {
    let names: Vec<String> = case.slice.operations().map(|operation| operation.name()).collect();
    let message = format!("`{}` has no operation {}", case.given.file.value, quoted(&name.value));
    let finding = case.at(codes::OPERATION, name.span.byte_range(), message);
    case.say(match emp_syntax::nearest(&name.value, names.iter().map(String::as_str)) {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
        None => finding.help(format!("it has `{}`; cut another slice for others", names.join("`, `"))),
    });
}

/// A request whose operation is named: they must have the same method and path.
fn agree(case: &Case<'_>, spot: Spot, request: &Request, operation: &Operation<'_>) {
    let fits = match &request.url {
        Target::Captured(_) => true,
        Target::Path(path) => fit(operation, &declared(case, path)).is_some(),
    };
    if fits && operation.method() == request.method {
        return;
    }
    let message = format!("the request of `{}` is not `{}`", spot.attribute, operation.name());
    case.say(
        case.at_target(spot, request, message)
            .label(format!("the operation is {}", operation.route_name()))
            .help(format!("{} = \"{}\"", operation.method().to_ascii_lowercase(), operation.path())),
    );
}

/// The operations with the method of a request whose paths fit best: several when a value of the path decides which it is.
fn best<'a>(case: &Case<'a>, request: &Request, declared: &Declared) -> Vec<Operation<'a>> {
    let fitting = || {
        let of_method = case.slice.operations().filter(|found| found.method() == request.method);
        of_method.filter_map(|found| Some((fit(&found, declared)?, found)))
    };
    let most = fitting().map(|(alike, _)| alike).max();
    fitting().filter(|(alike, _)| Some(*alike) == most).map(|(_, found)| found).collect()
}

/// As [`best`]; a request that no operation fits is a mistake.
fn by_route<'a>(
    case: &Case<'a>,
    spot: Spot,
    request: &Request,
    path: &Template,
    declared: &Declared,
) -> Vec<Operation<'a>> {
    let found = best(case, request, declared);
    if !found.is_empty() {
        return found;
    }
    let written = format!("{}{}", declared.base, shown(path));
    let message = format!("the description has no {} {written}", request.method);
    let finding = case.at_target(spot, request, message);
    let verb = request.method.to_ascii_lowercase();
    if let Some(other) = case.slice.operations().find(|found| fit(found, declared).is_some()) {
        let help = format!("{} = \"{}\"", other.method().to_ascii_lowercase(), shown(path));
        case.say(finding.label(format!("there it is {}", other.method())).help(help));
        return Vec::new();
    }
    let same = case.slice.operations().filter(|found| found.method() == request.method);
    let paths: Vec<String> = same
        .flat_map(|found| if declared.whole { found.whole_paths() } else { vec![found.path().to_owned()] })
        .collect();
    let near = emp_syntax::nearest(&written, paths.iter().map(String::as_str));
    case.say(if let Some(near) = near {
        let finding = finding.label(format!("did you mean `{near}`?"));
        match near.strip_prefix(declared.base.trim_end_matches('/')) {
            Some(below) if below.starts_with('/') => finding.help(format!("{verb} = \"{below}\"")),
            _ => finding.help(format!("{verb} = \"{near}\"    below a base without `{}`", declared.base)),
        }
    } else {
        let all: Vec<String> = case.slice.operations().map(|found| found.route_name()).collect();
        finding.help(format!("the slice has {}; cut another one for others", all.join(", ")))
    });
    Vec::new()
}

impl Case<'_> {
    /// An error at the target of a request.
    fn at_target(&self, spot: Spot, request: &Request, message: String) -> crate::finding::Finding {
        let is_target = |text: &str| match &request.url {
            Target::Path(path) => Template::parse(text).is_ok_and(|found| found == *path),
            Target::Captured(_) => false,
        };
        self.at_text(codes::OPERATION, spot, message, is_target)
    }
}

/// A declared path, and whether what stands before it is known.
struct Declared {
    route: Route,
    /// The path of the base, as far as it is text.
    base: String,
    whole: bool,
}

fn declared(case: &Case<'_>, path: &Template) -> Declared {
    let default = |field: &String| {
        let field = case.declaration.spec.env.iter().find(|found| found.field == field);
        field.and_then(|field| field.default.as_deref())
    };
    let base: Option<(&str, &[Part])> = match &case.http.base {
        Base::Template(template) => match template.parts.split_first() {
            Some((Part::Literal(text), rest)) => Some((text, rest)),
            _ => None,
        },
        Base::Env(field) => default(field).map(|text| (text, [].as_slice())),
    };
    let whole = base.is_some();
    let (start, rest) = base.unwrap_or_default();
    let pieces = rest.iter().chain(path.parts.iter()).map(|part| match part {
        Part::Literal(text) => Piece::Text(text),
        Part::Hole { reserved, .. } => Piece::Value { many: *reserved },
    });
    let base = base_path(start).to_owned();
    Declared {
        route: Route::of_pieces(std::iter::once(Piece::Text(&base)).chain(pieces)),
        whole,
        base: base.clone(),
    }
}

fn fit(operation: &Operation<'_>, declared: &Declared) -> Option<usize> {
    let routes = operation.routes();
    let fits = routes.iter().filter_map(|route| {
        if declared.whole { route.fit(&declared.route) } else { route.fit_end(&declared.route) }
    });
    fits.max()
}

/// A path as it is shown: `/jobs/{job.id}`.
fn shown(path: &Template) -> String {
    let parts = path.parts.iter().map(|part| match part {
        Part::Literal(text) => text.to_string(),
        Part::Hole { hole, reserved } => format!("{{{}{hole}}}", if *reserved { "+" } else { "" }),
    });
    parts.collect()
}
