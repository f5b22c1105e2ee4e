//! Requests: required headers and members, legal values, accepted codes, the type of the body.

use emp_codegen::spec::{Auth, KeyPlace, Request, Settle, Target};
use emp_openapi::{Kinds, Location, Operation, Parameter, Schema};
use emp_syntax::hole::{Hole, HoleDefault, Literal};
use emp_syntax::json::{Json, Member};
use emp_syntax::rule::CodePattern;
use emp_syntax::template::{Part, Template};

use super::case::Case;
use super::credential;
use super::operations::{Operations, names};
use crate::check::names::quoted;
use crate::codes;
use crate::finding::Finding;
use crate::texts::Spot;

/// Every request.
pub(super) fn check(case: &Case<'_>, operations: &Operations<'_>) {
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
    let health = Sent::new(case, Spot::all("health"), &operations.health, None);
    if let (Some(health), Some(sent)) = (&case.http.health, health) {
        sent.check(&health.request);
    }
    if let (Some(cancel), Some(sent)) =
        (&case.http.cancel, Sent::new(case, Spot::all("cancel"), &operations.cancel, None))
    {
        sent.check(&cancel.request);
        sent.accepted("ok", &cancel.ok);
    }
}

/// A request beside its operations; of several, what all of them require and what any of them takes.
struct Sent<'a, 'c> {
    case: &'a Case<'c>,
    spot: Spot,
    operations: &'a [Operation<'a>],
    /// The operations, for messages.
    name: String,
    /// How a submit is settled: an idempotency key is sent too.
    settle: Option<&'a Settle>,
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
        let Some(body) = &request.body else { return };
        let media = self.operations.iter().flat_map(Operation::bodies).map(|(media, _)| media);
        let media: Vec<&str> = media.collect();
        match Schema::any(self.operations.iter().filter_map(Operation::json_body)) {
            Some(schema) => self.value(body, &schema, "$"),
            None if media.is_empty() => {}
            None => self.say(
                self.at_request(codes::ILLEGAL, format!("`{}` takes no JSON", self.name))
                    .label(format!("takes {}", media.join(", ")))
                    .help("send the body as the description has it"),
            ),
        }
    }

    fn say(&self, finding: Finding) {
        self.case.say(finding);
    }

    /// An error at the whole of the request.
    fn at_request(&self, code: &'static str, message: String) -> Finding {
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

    fn value(&self, value: &Json, schema: &Schema<'_>, path: &str) {
        match value {
            Json::Object(members) => self.object(members, schema, path),
            Json::Array(items) => {
                self.kind(schema, Kinds::ARRAY, path, &|_| false);
                for item in items.iter() {
                    if let Some(schema) = schema.item() {
                        self.value(item, &schema, &format!("{path}[*]"));
                    }
                }
            }
            Json::Literal(literal) => self.literal(literal, schema, path),
            Json::Text(template) => match plain(template) {
                Some(text) => self.literal(&Literal::Text(text.into()), schema, path),
                None => self.kind(schema, Kinds::TEXT, path, &|text| {
                    Template::parse(text).is_ok_and(|found| found == *template)
                }),
            },
            // What a hole holds is not known here; what it holds otherwise is.
            other => {
                if let Json::Hole(Hole { default: Some(HoleDefault::Literal(literal)), .. }) = other {
                    self.literal(literal, schema, path);
                }
            }
        }
    }

    fn object(&self, members: &[Member], schema: &Schema<'_>, path: &str) {
        let case = self.case;
        self.kind(schema, Kinds::OBJECT, path, &|_| false);
        let names = members.iter().filter_map(|member| match member {
            Member::Field { name, .. } => Some(name.as_ref()),
            // Whatever is spread may have any name.
            _ => None,
        });
        let mut names: Vec<&str> = names.collect();
        let spread = names.len() < members.len();
        if let (Some(Settle::Idempotent { key: KeyPlace::Field(field), .. }), "$") = (self.settle, path) {
            names.push(field);
        }
        let mut meant = Vec::new();
        for member in members {
            let Member::Field { name, value } = member else { continue };
            match schema.part(name) {
                Some(inside) => self.value(value, &inside, &format!("{path}.{name}")),
                None if !schema.closed_to(name) || case.allows(name) => {}
                None => meant.extend(self.unknown(name, &names, schema, path)),
            }
        }
        for required in schema.required() {
            // What a misspelt member was meant for is not reported again.
            if spread || names.contains(&required) || meant.contains(&required) || case.allows(required) {
                continue;
            }
            let message = format!("`{}` requires the member {} of `{path}`", self.name, quoted(required));
            case.say(
                case.at_text(codes::REQUIRED, self.spot, message, |_| false)
                    .label(format!("sends no {}", quoted(required)))
                    .help(format!("\"{required}\": payload.{required}")),
            );
        }
    }

    /// A member that the description does not have; gives the one that was probably meant.
    fn unknown<'d>(&self, name: &str, names: &[&str], schema: &Schema<'d>, path: &str) -> Option<&'d str> {
        let message = format!("`{}` takes no member {} in `{path}`", self.name, quoted(name));
        let finding = self.case.at_text(codes::ILLEGAL, self.spot, message, |text| text == name);
        let free = schema.names().into_iter().filter(|known| !names.contains(known));
        let near = emp_syntax::nearest(name, free);
        self.case.say(match near {
            Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\": ..")),
            None => finding
                .label("is not in the description")
                .help(format!("take it out, or allow = [\"{name}\"] in #[openapi]")),
        });
        near
    }

    fn literal(&self, literal: &Literal, schema: &Schema<'_>, path: &str) {
        if schema.can_be(literal) {
            return;
        }
        if let Literal::Text(text) = literal
            && self.case.allows(text)
        {
            return;
        }
        let wanted = |text: &str| matches!(literal, Literal::Text(written) if written == text);
        let message = format!("`{path}` of `{}` cannot be {literal}", self.name);
        let finding = self.case.at_text(codes::ILLEGAL, self.spot, message, wanted);
        let words = schema.words().filter(|words| !words.is_empty());
        let near = match (literal, &words) {
            (Literal::Text(text), Some(words)) => emp_syntax::nearest(text, words.iter().copied()),
            _ => None,
        };
        self.case.say(match (near, words) {
            (Some(near), _) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
            (None, Some(words)) => finding
                .label("is not in the description")
                .help(format!("write one of `{}`", words.join("`, `"))),
            (None, None) => {
                finding.label(format!("must be {}", schema.kinds())).help("write a value of that kind")
            }
        });
    }

    fn kind(&self, schema: &Schema<'_>, is: Kinds, path: &str, wanted: &dyn Fn(&str) -> bool) {
        let kinds = schema.kinds();
        if kinds.meets(is) {
            return;
        }
        let message = format!("`{path}` of `{}` cannot be {is}", self.name);
        self.case.say(
            self.case
                .at_text(codes::ILLEGAL, self.spot, message, wanted)
                .label(format!("must be {kinds}"))
                .help("write a value of that kind"),
        );
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

/// The text of a template without holes.
fn plain(template: &Template) -> Option<String> {
    template
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Some(text.as_ref()),
            Part::Hole { .. } => None,
        })
        .collect()
}
