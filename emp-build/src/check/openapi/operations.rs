//! Which operations of the description a connector's requests are.

use emp_codegen::Spanned;
use emp_codegen::spec::{Base, Request, Target};
use emp_openapi::{Operation, Piece, Route, Schema, base_path};
use emp_syntax::template::{Part, Template};

use super::case::Case;
use crate::check::names::quoted;
use crate::codes;

/// The operations of a connector; `None` for a request that it does not have, or whose operation is not known.
pub(super) struct Operations<'a> {
    pub(super) submit: Option<Operation<'a>>,
    pub(super) poll: Option<Operation<'a>>,
    pub(super) cancel: Option<Operation<'a>>,
}

impl<'a> Operations<'a> {
    /// The operation whose answers say how a job is: the poll, or the submit of a job that is not polled.
    pub(super) fn judged(&self, case: &Case<'_>) -> Option<Operation<'a>> {
        if case.http.poll.is_some() { self.poll } else { self.submit }
    }
}

/// The successful answers of an operation.
pub(super) fn answers<'a>(operation: &Operation<'a>) -> Option<Schema<'a>> {
    let successes = operation.responses().into_iter().filter(emp_openapi::Response::is_success);
    Schema::any(successes.filter_map(|response| response.json))
}

/// Finds the operations of a connector, and says which requests have none.
pub(super) fn find<'a>(case: &Case<'a>) -> Operations<'a> {
    let (http, given) = (case.http, case.given);
    let poll = http.poll.as_ref().map(|poll| &poll.request);
    let cancel = http.cancel.as_ref().map(|cancel| &cancel.request);
    if let Some(Request { url: Target::Captured(reference), .. }) = poll
        && given.poll.is_none()
    {
        let message = format!("the poll goes to `{reference}`, which no operation can be found by");
        case.say(
            case.at_text(codes::OPERATION, "openapi", message, |text| text == given.file.value)
                .label("name the operation here")
                .help("poll = \"..\"    with the id, or the method and path, of the operation that answers a poll"),
        );
    }
    Operations {
        submit: operation(case, "submit", Some(&http.submit.request), given.submit.as_ref()),
        poll: operation(case, "poll", poll, given.poll.as_ref()),
        cancel: operation(case, "cancel", cancel, given.cancel.as_ref()),
    }
}

fn operation<'a>(
    case: &Case<'a>,
    attribute: &str,
    request: Option<&Request>,
    named: Option<&Spanned<String>>,
) -> Option<Operation<'a>> {
    let Some(name) = named else {
        let request = request?;
        let Target::Path(path) = &request.url else { return None };
        let declared = declared(case, path);
        return by_route(case, attribute, request, path, &declared);
    };
    let Some(operation) = case.slice.operation(&name.value) else {
        unknown(case, name);
        return None;
    };
    if let Some(request) = request {
        agree(case, attribute, request, &operation);
    }
    Some(operation)
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
fn agree(case: &Case<'_>, attribute: &str, request: &Request, operation: &Operation<'_>) {
    let fits = match &request.url {
        Target::Captured(_) => true,
        Target::Path(path) => fit(operation, &declared(case, path)).is_some(),
    };
    if fits && operation.method() == request.method {
        return;
    }
    let message = format!("the request of `{attribute}` is not `{}`", operation.name());
    case.say(
        case.at_target(attribute, request, message)
            .label(format!("the operation is {}", operation.route_name()))
            .help(format!("{} = \"{}\"", operation.method().to_ascii_lowercase(), operation.path())),
    );
}

fn by_route<'a>(
    case: &Case<'a>,
    attribute: &str,
    request: &Request,
    path: &Template,
    declared: &Declared,
) -> Option<Operation<'a>> {
    let fitting = || case.slice.operations().filter_map(|found| Some((fit(&found, declared)?, found)));
    let best = fitting().filter(|(_, found)| found.method() == request.method).max_by_key(|(same, _)| *same);
    if let Some((_, operation)) = best {
        return Some(operation);
    }
    let written = format!("{}{}", declared.base, shown(path));
    let message = format!("the description has no {} {written}", request.method);
    let finding = case.at_target(attribute, request, message);
    let verb = request.method.to_ascii_lowercase();
    if let Some((_, other)) = fitting().next() {
        let help = format!("{} = \"{}\"", other.method().to_ascii_lowercase(), shown(path));
        case.say(finding.label(format!("there it is {}", other.method())).help(help));
        return None;
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
    None
}

impl Case<'_> {
    /// An error at the target of a request.
    fn at_target(&self, attribute: &str, request: &Request, message: String) -> crate::finding::Finding {
        let is_target = |text: &str| match &request.url {
            Target::Path(path) => Template::parse(text).is_ok_and(|found| found == *path),
            Target::Captured(_) => false,
        };
        self.at_text(codes::OPERATION, attribute, message, is_target)
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
