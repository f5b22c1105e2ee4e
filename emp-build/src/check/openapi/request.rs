//! Requests: required headers and query pairs, the type of the body, accepted codes.

use emp_codegen::spec::{Auth, Body, KeyPlace, Request, Settle, Target};
use emp_openapi::{Location, Operation, Parameter, Schema, is_json};
use emp_syntax::json::Member;
use emp_syntax::rule::CodePattern;

use super::case::Case;
use super::credential;
use super::operations::{Operations, names};
use crate::check::names::quoted;
use crate::codes;
use crate::finding::Finding;
use crate::texts::Spot;

/// Every request.
pub(super) fn check(case: &Case<'_>, operations: &Operations<'_>) {
    let http = case.http;
    for step in &operations.steps {
        if let Some(sent) = Sent::new(case, step.spot, &step.operations, None) {
            sent.check(step.request);
            sent.accepted("accept", step.accept);
        }
    }
    for call in &operations.calls {
        let submit = call.submit;
        if let Some(sent) = Sent::new(case, call.spot, &call.submitted, Some(&submit.settle)) {
            sent.check(&submit.request);
            sent.accepted("accept", &submit.accept);
            credential::check(case, &call.submitted);
        }
        if let (Some(poll), Some(sent)) = (call.poll, Sent::new(case, Spot::all("poll"), &call.polled, None))
        {
            sent.check(&poll.request);
        }
    }
    let ok = http.cancel.as_ref().map(|cancel| cancel.ok.as_slice()).unwrap_or_default();
    for (request, operations) in &operations.cancel {
        if let Some(sent) = Sent::new(case, Spot::all("cancel"), operations, None) {
            sent.check(request);
            sent.accepted("ok", ok);
        }
    }
}

/// A request beside its operations; of several, what all of them require and what any of them takes.
pub(super) struct Sent<'a, 'c> {
    pub(super) case: &'a Case<'c>,
    pub(super) spot: Spot,
    operations: &'a [Operation<'a>],
    /// The operations, for messages.
    pub(super) name: String,
    /// How a submit is settled: an idempotency key is sent too.
    pub(super) settle: Option<&'a Settle>,
}

impl<'a, 'c> Sent<'a, 'c> {
    /// `None` when the operation is not known.
    fn new(
        case: &'a Case<'c>,
        spot: Spot,
        operations: &'a [Operation<'a>],
        settle: Option<&'a Settle>,
    ) -> Option<Self> {
        let name = names(operations);
        (!operations.is_empty()).then_some(Self { case, spot, operations, name, settle })
    }

    fn check(&self, request: &Request) {
        self.parameters(request);
        match &request.body {
            Some(Body::Json(body)) => {
                if let Some(schema) = self.body("JSON", is_json) {
                    self.value(body, &schema, "$");
                }
            }
            // In a form every value is text, whatever it stands for: only the names are compared.
            Some(Body::Form(fields)) => self.form("application/x-www-form-urlencoded", fields),
            Some(Body::Multipart(fields)) => self.form("multipart/form-data", fields),
            Some(Body::Raw { .. }) | None => {}
        }
    }

    fn form(&self, wanted: &str, fields: &[Member]) {
        if let Some(schema) = self.body(wanted, |media| media.starts_with(wanted)) {
            self.members(fields, &schema, "$");
        }
    }

    /// The schema of a body of a media type; that the operations take none such is a mistake.
    fn body(&self, what: &str, fits: impl Fn(&str) -> bool) -> Option<Schema<'a>> {
        let (fitting, others): (Vec<_>, Vec<_>) =
            self.operations.iter().flat_map(Operation::bodies).partition(|(media, _)| fits(media));
        if fitting.is_empty() && !others.is_empty() {
            let media: Vec<&str> = others.iter().map(|(media, _)| *media).collect();
            self.say(
                self.at_request(codes::ILLEGAL, format!("`{}` takes no {what}", self.name))
                    .label(format!("takes {}", media.join(", ")))
                    .help("send the body as the description has it"),
            );
        }
        Schema::any(fitting.into_iter().map(|(_, schema)| schema))
    }

    pub(super) fn say(&self, finding: Finding) {
        self.case.say(finding);
    }

    /// An error at the whole of the request.
    pub(super) fn at_request(&self, code: &'static str, message: String) -> Finding {
        self.case.at_text(code, self.spot, message, |_| false)
    }

    /// Required headers and query pairs.
    fn parameters(&self, request: &Request) {
        let Some((first, others)) = self.operations.split_first() else { return };
        let everywhere = |parameter: &Parameter<'_>| {
            parameter.required && others.iter().all(|other| other.parameters().contains(parameter))
        };
        for parameter in first.parameters().into_iter().filter(everywhere) {
            let (pairs, what) = match parameter.location {
                Location::Header => (&request.headers, "header"),
                // A URL that the service supplied brings its own.
                Location::Query if matches!(request.url, Target::Path(_)) => (&request.query, "query"),
                Location::Query | Location::Path | Location::Cookie => continue,
            };
            let given = pairs.iter().any(|pair| pair.name.value.eq_ignore_ascii_case(parameter.name));
            if given || self.comes_anyway(parameter.name) || self.case.allows(parameter.name) {
                continue;
            }
            let name = quoted(parameter.name);
            let message = format!("`{}` requires the {what} {name}", self.name);
            self.say(
                self.at_request(codes::REQUIRED, message)
                    .label(format!("sends no {name}"))
                    .help(format!("{what}(\"{}\" = \"..\")", parameter.name)),
            );
        }
    }

    /// Whether a header or a query pair comes from another part of the declaration, or from the gateway.
    fn comes_anyway(&self, name: &str) -> bool {
        let own =
            ["accept", "authorization", "content-type"].iter().any(|own| name.eq_ignore_ascii_case(own));
        let credential = match &self.case.http.auth {
            Auth::Header(header, _) => name.eq_ignore_ascii_case(header),
            Auth::Query(pair, _) => name == pair,
            _ => false,
        };
        let key = match self.settle {
            Some(Settle::Idempotent { key: KeyPlace::Header(header), .. }) => {
                name.eq_ignore_ascii_case(header)
            }
            _ => false,
        };
        own || credential || key
    }

    /// The accepted codes and the documented ones.
    fn accepted(&self, key: &str, accept: &[CodePattern]) {
        let responses: Vec<_> = self.operations.iter().flat_map(Operation::responses).collect();
        let successes = responses.iter().filter(|response| response.is_success());
        let mut documented: Vec<&str> = successes.map(|response| response.code).collect();
        documented.sort_unstable();
        documented.dedup();
        if accept.is_empty() || documented.is_empty() {
            return;
        }
        let (right, name) = (documented.join(", "), &self.name);
        let say = |message: String| {
            self.say(
                self.at_request(codes::CODES, message)
                    .label(format!("the documented ones are {right}"))
                    .help(format!("{key} = [{right}]")),
            );
        };
        for pattern in accept {
            if let CodePattern::Exact(code) = pattern
                && !responses.iter().any(|response| response.is_for(*code))
                && !self.case.allows(&code.to_string())
            {
                say(format!("`{name}` is not documented to answer with {code}"));
            }
        }
        for code in documented.iter().filter_map(|code| code.parse::<u16>().ok()) {
            if !accept.iter().any(|pattern| pattern.matches(code)) && !self.case.allows(&code.to_string()) {
                say(format!("`{name}` can answer with {code}, which `{key}` does not have"));
            }
        }
    }
}
