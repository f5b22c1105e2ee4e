//! Which step of a declaration a request is.

mod credential;
mod holes;
mod links;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use emp_core::spec::{
    Base, ConnectorSpec, Files, HttpProtocol, RequestSpec, ResultAt, Settle, StreamFormat, UrlSpec,
};
use emp_core::syntax::json::Json;
use emp_core::syntax::template::{Part, Template};
use serde_json::Value;

pub(crate) use self::credential::{authorized, credential};
pub(crate) use self::holes::Holes;
pub(crate) use self::links::{captured_url_path, file, file_path, page_path, part, part_path};

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

/// The route that a request takes, with its holes. `base_path` is the path of the fake's own base.
///
/// Of several with the same verb and path, it is the first whose body the request has.
pub(crate) fn route<'h>(http: &'h HttpProtocol, base_path: &str, seen: &Seen) -> Option<(Route<'h>, Holes)> {
    let mut found = routes(http)
        .into_iter()
        .filter(|route| route.request.method.eq_ignore_ascii_case(&seen.method))
        .filter_map(|route| Some((route, holes::of(route.request, base_path, seen)?)));
    let Some(first) = found.next() else { return links::page(http, seen) };
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
