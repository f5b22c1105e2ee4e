//! Which step of a declaration a request is, and what stands in its holes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use emp_core::spec::{
    Auth, AuthPart, Base, Body, ConnectorSpec, Files, HttpProtocol, PairValue, RequestSpec, ResultAt, Settle,
    StreamFormat, UrlSpec,
};
use emp_core::syntax::hole::{Reference, Root, Step as PathStep};
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::template::{Part, Template};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::fault::Step;
use crate::fits;
use crate::form;

/// A request, read whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// The path as it came, still escaped.
    pub(crate) path: String,
    /// The query pairs, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The body's parts, when it is a form.
    pub(crate) form: Option<Vec<form::Part>>,
    /// The body as JSON, when it is that.
    pub(crate) json: Option<Value>,
}

impl Seen {
    /// The body, to echo where no output is declared.
    pub(crate) fn shown(&self) -> Value {
        self.json.clone().or_else(|| self.form.as_deref().map(form::shown)).unwrap_or(Value::Null)
    }

    /// The text of a top-level member.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let of_json = || Some(self.json.as_ref()?.get(name)?.as_str()?.to_owned());
        let of_form = || self.form.as_ref()?.iter().find(|part| part.name == name)?.text().map(str::to_owned);
        of_json().or_else(of_form)
    }
}

/// What stood in the holes of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holes(Vec<(Reference, Value)>);

impl Holes {
    /// The names and values of the holes below a root.
    pub(crate) fn of_root(&self, root: Root) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter(move |(reference, _)| reference.root == root).filter_map(|(reference, value)| {
            match reference.path.first()? {
                PathStep::Name(name) => Some((name.as_ref(), value)),
                PathStep::Index(_) => None,
            }
        })
    }

    /// Every hole.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(Reference, Value)> {
        self.0.iter()
    }

    /// The text in the hole with a name.
    pub(crate) fn text(&self, root: Root, name: &str) -> Option<String> {
        self.of_root(root)
            .find_map(|(found, value)| (found == name).then(|| value.as_str().map(str::to_owned))?)
    }
}

/// A request that a declaration makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'h> {
    pub(crate) step: Step,
    /// The operation that it belongs to; `None` for the main one and for what all of them share. The number of a prepare step.
    pub(crate) operation: Option<usize>,
    pub(crate) request: &'h RequestSpec,
}

/// The requests of a declaration, most literal path first: `/jobs/latest` is not `/jobs/{job.id}`.
pub(crate) fn routes(http: &HttpProtocol) -> Vec<Route<'_>> {
    let operations = (0..http.operations.len()).map(Some).chain([None]);
    let of_operations = operations.flat_map(|operation| {
        let submit = http.submit_at(operation);
        let lookup = match &submit.settle {
            Settle::Lookup(lookup) => Some(&lookup.request),
            _ => None,
        };
        [
            (Step::Submit, Some(&submit.request)),
            (Step::Poll, http.poll_at(operation).map(|poll| &poll.request)),
            (Step::Lookup, lookup),
        ]
        .map(|(step, request)| (step, operation, request))
    });
    let chunks = match http.stream.as_ref().map(|stream| &stream.format) {
        Some(StreamFormat::Chunks { request, .. }) => Some(request),
        _ => None,
    };
    let item = match http.outcome.take.files {
        Files::Each(each) => Some(&each.request),
        _ => None,
    };
    let prepare = http.prepare.iter().enumerate();
    let prepare = prepare.map(|(number, step)| (Step::Prepare, Some(number), Some(&step.request)));
    let places = http.outcome.first_of.iter().filter_map(|part| part.at.as_ref());
    let places = places.chain(http.outcome.also.iter().map(|extra| &extra.at));
    let parts = places.filter_map(|at| match at {
        ResultAt::Request(request) => Some((Step::Result, None, Some(request))),
        ResultAt::Found(_) => None,
    });
    let polls = (0..http.operations.len()).map(Some).chain([None]).filter_map(|at| http.poll_at(at));
    let probes = polls.flat_map(|poll| poll.also).map(|probe| (Step::Probe, None, Some(&probe.request)));
    let cancels = http.cancel.iter().flat_map(emp_core::spec::Cancel::requests);
    let shared = cancels.map(|(_, request)| (Step::Cancel, None, Some(request))).chain([
        (Step::Batch, None, http.batch_poll.as_ref().map(|batch| &batch.request)),
        (Step::Side, None, http.side_progress.as_ref().map(|side| &side.request)),
        (Step::Health, None, http.health.as_ref().map(|health| &health.request)),
        (Step::Chunks, None, chunks),
        (Step::Result, None, http.outcome.request.as_ref().map(|wanted| &wanted.request)),
        (Step::File, None, item),
        (Step::Socket, None, http.websocket.as_ref().map(|socket| &socket.channel.request)),
        (Step::Cleanup, None, http.cleanup.as_ref().map(|cleanup| &cleanup.request)),
    ]);
    let mut routes: Vec<_> = of_operations
        .chain(probes)
        .chain(shared)
        .chain(prepare)
        .chain(parts)
        .filter_map(|(step, operation, request)| Some(Route { step, operation, request: request? }))
        .collect();
    routes.sort_by_key(|route| match &route.request.url {
        UrlSpec::Path(template) => Reverse(literals(template)),
        UrlSpec::Captured(_) => Reverse(usize::MAX),
    });
    routes
}

/// How much of a path is written out.
fn literals(template: &Template) -> usize {
    let parts = template.parts.iter();
    parts.map(|part| if let Part::Literal(text) = part { text.len() } else { 0 }).sum()
}

/// The path of a further page of a batch.
pub(crate) fn page_path(page: usize) -> String {
    format!("/__fake/url/page/{page}")
}

/// A further page of a batch.
fn page<'h>(http: &'h HttpProtocol, seen: &Seen) -> Option<(Route<'h>, Holes)> {
    let request = &http.batch_poll.as_ref()?.request;
    let (_, page) = captured_url_parts(&seen.path).filter(|(name, _)| *name == "page")?;
    let reference = Reference { root: Root::Item, path: vec![PathStep::Name("page".into())].into() };
    let holes = Holes(vec![(reference, page.into())]);
    Some((Route { step: Step::Batch, operation: None, request }, holes))
}

/// The route that a request takes, with its holes. `base_path` is the path of the fake's own base.
///
/// Of several with the same verb and path, it is the first whose body the request has.
pub(crate) fn route<'h>(http: &'h HttpProtocol, base_path: &str, seen: &Seen) -> Option<(Route<'h>, Holes)> {
    let mut found = routes(http)
        .into_iter()
        .filter(|route| route.request.method.eq_ignore_ascii_case(&seen.method))
        .filter_map(|route| Some((route, holes_of(route.request, base_path, seen)?)));
    let Some(first) = found.next() else { return page(http, seen) };
    let streamed = match http.stream.as_ref().map(|stream| &stream.body) {
        Some(Some(Json::Object(members))) => members.len(),
        _ => 0,
    };
    let fits = |route: &Route<'_>| fits::request(route.request, seen, 1 + streamed);
    if fits(&first.0) {
        return Some(first);
    }
    Some(found.find(|(route, _)| fits(route)).unwrap_or(first))
}

fn holes_of(request: &RequestSpec, base_path: &str, seen: &Seen) -> Option<Holes> {
    let mut holes = Holes::default();
    match &request.url {
        UrlSpec::Path(template) => {
            let path = seen.path.strip_prefix(base_path.trim_end_matches('/'))?;
            match_path(template, path, &mut holes)?;
        }
        UrlSpec::Captured(reference) => {
            let (name, id) = captured_url_parts(&seen.path)?;
            (captured_name(reference)? == name).then_some(())?;
            holes.0.push((job_reference("id"), id.into()));
        }
    }
    read_pairs(request, seen, &mut holes);
    match (&request.body, &seen.json, &seen.form) {
        (Body::Json(template), Some(json), _) => read_json(template, json, &mut holes),
        (Body::Form(members) | Body::Multipart(members), _, Some(parts)) => {
            read_parts(members, parts, &mut holes);
        }
        _ => {}
    }
    Some(holes)
}

/// The path at which the fake serves a captured URL of a job.
pub(crate) fn captured_url_path(name: &str, id: &str) -> String {
    // An id that is cut out of the URL is the id itself.
    const SEGMENT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_');
    format!("/__fake/url/{name}/{}", percent_encoding::utf8_percent_encode(id, SEGMENT))
}

fn captured_url_parts(path: &str) -> Option<(&str, String)> {
    let (name, id) = path.strip_prefix("/__fake/url/")?.split_once('/')?;
    Some((name, percent_decode_str(id).decode_utf8_lossy().into_owned()))
}

/// The path at which the fake serves a file of a job, as long as its links have changed so often.
pub(crate) fn file_path(id: &str, links: u32, number: usize) -> String {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    format!("/__fake/file/{id}/{links}/{number}.bin")
}

/// The path of the answer to which another one leads.
pub(crate) fn part_path(id: &str) -> String {
    format!("/__fake/part/{}", percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC))
}

/// The request for that answer, whose only hole is the job's id.
pub(crate) fn part(seen: &Seen) -> Option<Holes> {
    let id = percent_decode_str(seen.path.strip_prefix("/__fake/part/")?).decode_utf8_lossy().into_owned();
    Some(Holes(vec![(job_reference("id"), id.into())]))
}

/// The request for a file, whose only hole is the job's id.
pub(crate) fn file(seen: &Seen) -> Option<Holes> {
    let (id, _) = seen.path.strip_prefix("/__fake/file/")?.split_once('/')?;
    let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
    Some(Holes(vec![(job_reference("id"), id.into())]))
}

/// The name in `job.<name>`.
fn captured_name(reference: &Reference) -> Option<&str> {
    match reference.path.first()? {
        PathStep::Name(name) => Some(name),
        PathStep::Index(_) => None,
    }
}

fn job_reference(name: &'static str) -> Reference {
    Reference { root: Root::Job, path: vec![PathStep::Name(name.into())].into() }
}

fn match_path(template: &Template, path: &str, holes: &mut Holes) -> Option<()> {
    // A query that stands in the path template is not part of the path that comes.
    let parts = template.parts.iter().map(|part| match part {
        Part::Literal(text) => Piece::Literal(text.split('?').next().unwrap_or(text)),
        Part::Hole { hole, reserved } => Piece::Hole(&hole.reference, *reserved),
    });
    let found = match_pieces(&parts.collect::<Vec<_>>(), path)?;
    holes.0.extend(found.into_iter().map(|(reference, text)| {
        (reference.clone(), percent_decode_str(text).decode_utf8_lossy().into_owned().into())
    }));
    Some(())
}

#[derive(Clone, Copy)]
enum Piece<'t> {
    Literal(&'t str),
    /// With whether it may hold slashes.
    Hole(&'t Reference, bool),
}

fn match_pieces<'t, 's>(pieces: &[Piece<'t>], text: &'s str) -> Option<Vec<(&'t Reference, &'s str)>> {
    let Some((first, rest)) = pieces.split_first() else {
        return text.is_empty().then(Vec::new);
    };
    match first {
        Piece::Literal(literal) => match_pieces(rest, text.strip_prefix(literal)?),
        Piece::Hole(reference, slashes) => {
            let limit = if *slashes { text.len() } else { text.find('/').unwrap_or(text.len()) };
            // The longest first, so that the last literal is found at the end of the text.
            let ends = (1..=limit).rev().filter(|end| text.is_char_boundary(*end));
            ends.into_iter().find_map(|end| {
                let mut found = match_pieces(rest, &text[end..])?;
                found.push((*reference, &text[..end]));
                Some(found)
            })
        }
    }
}

fn read_pairs(request: &RequestSpec, seen: &Seen, holes: &mut Holes) {
    let query = |name: &str| seen.query.iter().find_map(|(key, value)| (key == name).then_some(value));
    let pairs = request.query.iter().map(|pair| (pair, query(pair.name)));
    let headers =
        request.headers.iter().map(|pair| (pair, seen.headers.get(&pair.name.to_ascii_lowercase())));
    for (pair, text) in pairs.chain(headers) {
        let Some(text) = text else { continue };
        match &pair.value {
            PairValue::Hole(hole) => holes.0.push((hole.reference.clone(), text.as_str().into())),
            PairValue::Text(template) => read_text(template, text, holes),
        }
    }
}

fn read_text(template: &Template, text: &str, holes: &mut Holes) {
    let pieces: Vec<_> = template
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Piece::Literal(text),
            Part::Hole { hole, .. } => Piece::Hole(&hole.reference, true),
        })
        .collect();
    let found = match_pieces(&pieces, text).unwrap_or_default();
    holes.0.extend(found.into_iter().map(|(reference, text)| (reference.clone(), text.into())));
}

fn read_json(template: &Json, value: &Value, holes: &mut Holes) {
    match (template, value) {
        (Json::Hole(hole), value) => holes.0.push((hole.reference.clone(), value.clone())),
        (Json::Text(template), Value::String(text)) => read_text(template, text, holes),
        (Json::Array(items), Value::Array(values)) => {
            items.iter().zip(values).for_each(|(item, value)| read_json(item, value, holes));
        }
        (Json::Object(members), Value::Object(values)) => {
            for member in members.iter() {
                if let Member::Field { name, value } = member
                    && let Some(there) = values.get(name.as_ref())
                {
                    read_json(value, there, holes);
                }
            }
        }
        _ => {}
    }
}

fn read_parts(members: &[Member], parts: &[form::Part], holes: &mut Holes) {
    for member in members {
        let Member::Field { name, value } = member else { continue };
        let texts = parts.iter().filter(|part| part.name == name.as_ref()).filter_map(form::Part::text);
        match value {
            Json::Array(values) => {
                values.iter().zip(texts).for_each(|(value, text)| read_json(value, &text.into(), holes));
            }
            value => texts.take(1).for_each(|text| read_json(value, &text.into(), holes)),
        }
    }
}

/// The path of a connector's base, for the fake's own; a hole in it becomes `fake`.
pub(crate) fn base_path(spec: &ConnectorSpec, http: &HttpProtocol) -> String {
    let text = match &http.base {
        Base::Template(template) => template
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_ref(),
                Part::Hole { .. } => "fake",
            })
            .collect(),
        Base::Env(field) => {
            spec.env_field(field).and_then(|field| field.default).unwrap_or_default().to_owned()
        }
    };
    url::Url::parse(&text).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default()
}

/// The text in the credential's place.
pub(crate) fn credential<'s>(auth: &Auth, seen: &'s Seen) -> Option<&'s str> {
    let header = |name: &str| seen.headers.get(&name.to_ascii_lowercase()).map(String::as_str);
    match auth {
        Auth::Header { name, .. } => header(name),
        Auth::Query { name, .. } => {
            seen.query.iter().find_map(|(key, text)| (key == name).then_some(text.as_str()))
        }
        Auth::Basic { .. } | Auth::Jwt(_) | Auth::OAuth2(_) => header("authorization"),
        _ => None,
    }
}

/// Whether a request has the declared credential: in its place, and of its shape.
pub(crate) fn authorized(spec: &ConnectorSpec, auth: &Auth, seen: &Seen) -> bool {
    let optional = |part: &AuthPart| match part {
        AuthPart::Field(field) => {
            spec.env_field(field).is_some_and(|field| !field.required && field.default.is_none())
        }
        AuthPart::Literal(_) => false,
    };
    let shaped = |value: &[AuthPart]| match credential(auth, seen) {
        Some(text) => has_shape(value, text),
        // The credential of a field that may be unset is left out when it is.
        None => value.iter().any(optional),
    };
    match auth {
        Auth::Header { value, .. } | Auth::Query { value, .. } => shaped(value),
        Auth::Basic { user, password } => match credential(auth, seen) {
            Some(text) => text.strip_prefix("Basic ").is_some_and(|rest| !rest.is_empty()),
            None => optional(user) || optional(password),
        },
        _ => true,
    }
}

fn has_shape(value: &[AuthPart], text: &str) -> bool {
    match value.split_first() {
        None => text.is_empty(),
        Some((AuthPart::Literal(literal), rest)) => {
            text.strip_prefix(literal).is_some_and(|text| has_shape(rest, text))
        }
        Some((AuthPart::Field(_), rest)) => (1..=text.len())
            .filter(|end| text.is_char_boundary(*end))
            .any(|end| has_shape(rest, &text[end..])),
    }
}
