//! A service as it was described once and reviewed: what a connector is held against, whatever its declaration says by now.
//!
//! A record is data in the repository (`schemas/services/NAME.json`), written by `emp connector record` and changed only by it. Of the
//! declaration it keeps what the service decides: routes, the credential's place, the vocabulary, what a repeated submit does.

use std::collections::BTreeMap;
use std::time::Duration;

use emp_core::spec::{
    Auth, AuthPart, ConnectorSpec, HttpProtocol, KeyPlace, Protocol, RequestSpec, Settle, StateSet, Submit,
    UrlSpec,
};
use emp_core::syntax::hole::Reference;
use emp_core::syntax::rule::{FailureKind, StateVerdict};
use emp_core::syntax::template::Template;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::oracle::declared;
use super::plan::Work;
use super::scenario::Outcome;
use super::text;

mod compare;

pub(crate) use compare::plans;

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of {connector}: {problem}")]
pub struct RecordError {
    connector: String,
    problem: String,
}

/// A service as its connector was reviewed against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The connector.
    pub connector: String,
    /// The connector's version at the time.
    pub version: String,
    /// Where the credential stands.
    pub credential: Credential,
    /// What a submit costs, and what a second one does.
    #[serde(flatten)]
    pub submit: Paid,
    /// The same of the other submits, by their steps: `submit.1`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub submits: BTreeMap<String, Paid>,
    /// The requests by their step: `GET /jobs/{job.id}`.
    pub routes: BTreeMap<String, String>,
    /// What each status word means.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
    /// The rules before the words, in their order: `code == 404 => lost`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// What a submit costs, and what a second one does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paid {
    /// What a second submit of the same job does.
    pub settle: Repeat,
    /// Whether a submit costs money.
    pub billable: bool,
    /// Codes of the 5xx class by which the service says that it accepted nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<String>,
}

/// Where a credential stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "in")]
pub enum Credential {
    /// Nowhere.
    None,
    /// In a header.
    Header {
        /// Its name.
        name: String,
        /// Its value; `{}` stands for the secret.
        value: String,
    },
    /// In the query.
    Query {
        /// The key.
        name: String,
    },
    /// HTTP Basic.
    Basic,
    /// Made at run time, by a key or a login.
    Made,
}

/// What a second submit of the same job does at the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Repeat {
    /// It is merged with the first by a key.
    Idempotent {
        /// The header or the member of the body that has the key.
        key: String,
        /// Whether it is a header.
        header: bool,
        /// For how long the key is remembered, seconds.
        ttl_secs: u64,
    },
    /// The id is the client's own.
    AssignId {
        /// The service refuses or merges a second one.
        resend: bool,
        /// Absent for so long means never accepted, seconds.
        absent_secs: u64,
    },
    /// The first can be searched for.
    Lookup,
    /// It is a second job.
    AtMostOnce,
    /// It is a second job, and nobody minds.
    AtLeastOnce,
}

impl Record {
    /// The record of a declaration as it is now; `None` for a custom connector, which declares no service.
    pub fn of(spec: &ConnectorSpec) -> Option<Self> {
        let http = spec.http()?;
        let words = http
            .states
            .sets
            .iter()
            .flat_map(|set| set.words.iter().map(|word| ((*word).to_owned(), declared(&set.verdict))));
        let rules = http.states.rules.iter();
        Some(Self {
            connector: spec.name.to_owned(),
            version: spec.version.to_owned(),
            credential: Credential::of(&http.auth),
            submit: Paid::of(&http.submit),
            submits: http
                .operations
                .iter()
                .enumerate()
                .map(|(nth, operation)| (step_of("submit", nth), Paid::of(&operation.submit)))
                .collect(),
            routes: routes(http),
            words: words.collect(),
            rules: rules
                .map(|rule| format!("{} => {}", text::predicate(&rule.when), declared(&rule.then)))
                .collect(),
        })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When the text is not a record.
    pub fn parse(connector: &str, text: &str) -> Result<Self, RecordError> {
        serde_json::from_str(text)
            .map_err(|error| RecordError { connector: connector.to_owned(), problem: error.to_string() })
    }

    /// The record as it is written to a file.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Where a declaration differs from the record, one line for each group of differences.
    pub fn differences(&self, spec: &ConnectorSpec) -> Vec<String> {
        let judged = plans(spec, Some(self)).into_iter().filter_map(|plan| match plan.work {
            Work::Done(judged) => Some((plan.scenario.id, judged)),
            _ => None,
        });
        judged
            .filter(|(_, judged)| matches!(judged.outcome, Outcome::Fail | Outcome::Advice))
            .map(|(id, judged)| format!("{id}: {}", judged.reason))
            .collect()
    }

    /// The service as a declaration: the connector's own, with everything that is recorded in its place.
    pub(crate) fn describe(&self, spec: &ConnectorSpec) -> Result<ConnectorSpec, RecordError> {
        let wrong = |problem: String| RecordError { connector: self.connector.clone(), problem };
        let mut spec = spec.clone();
        let Protocol::Http(http) = &mut spec.protocol else { return Ok(spec) };
        self.submit.describe(&mut http.submit).map_err(wrong)?;
        let mut operations = http.operations.to_vec();
        for (nth, operation) in operations.iter_mut().enumerate() {
            if let Some(paid) = self.submits.get(&step_of("submit", nth)) {
                paid.describe(&mut operation.submit).map_err(wrong)?;
            }
            let poll = operation.poll.as_mut().map(|poll| ("poll", &mut poll.request));
            for (step, request) in [("submit", &mut operation.submit.request)].into_iter().chain(poll) {
                if let Some(route) = self.routes.get(&step_of(step, nth)) {
                    describe_route(request, route).ok_or_else(|| wrong(no_route(route)))?;
                }
            }
        }
        http.operations = leak(operations);
        if let Some(auth) = self.credential.describe() {
            http.auth = auth;
        }
        let mut sets: Vec<(StateVerdict, Vec<&'static str>)> = Vec::new();
        for (word, verdict) in &self.words {
            let verdict =
                parse_verdict(verdict).ok_or_else(|| wrong(format!("`{verdict}` is no verdict")))?;
            match sets.iter_mut().find(|(known, _)| *known == verdict) {
                Some((_, words)) => words.push(word.clone().leak()),
                None => sets.push((verdict, vec![word.clone().leak()])),
            }
        }
        let sets = sets.into_iter().map(|(verdict, words)| StateSet { verdict, words: leak(words) });
        http.states.sets = leak(sets.collect());
        for (step, request) in requests(http) {
            if let Some(route) = self.routes.get(step) {
                describe_route(request, route).ok_or_else(|| wrong(no_route(route)))?;
            }
        }
        Ok(spec)
    }
}

/// The word of a step of another operation.
fn step_of(step: &str, nth: usize) -> String {
    format!("{step}.{}", nth + 1)
}

fn no_route(route: &str) -> String {
    format!("`{route}` is no route: write METHOD /path")
}

fn leak<T>(items: Vec<T>) -> &'static [T] {
    Vec::leak(items)
}

fn parse_verdict(text: &str) -> Option<StateVerdict> {
    Some(match text {
        "queued" => StateVerdict::Queued,
        "running" => StateVerdict::Running,
        "succeeded" => StateVerdict::Succeeded,
        "canceled" => StateVerdict::Canceled,
        "lost" => StateVerdict::Lost,
        failed => {
            let kind = failed.strip_prefix("failed(")?.strip_suffix(')')?;
            StateVerdict::Failed { kind: FailureKind::from_word(kind)?, message: None }
        }
    })
}

/// The requests of a protocol, by the words of their steps.
fn requests(http: &mut HttpProtocol) -> Vec<(&'static str, &mut RequestSpec)> {
    let mut requests = vec![("submit", &mut http.submit.request)];
    if let Settle::Lookup(lookup) = &mut http.submit.settle {
        requests.push(("lookup", &mut lookup.request));
    }
    requests.extend(http.poll.as_mut().map(|poll| ("poll", &mut poll.request)));
    let cancel = http.cancel.as_mut().and_then(|cancel| cancel.request.as_mut());
    requests.extend(cancel.map(|request| ("cancel", request)));
    requests.extend(http.health.as_mut().map(|health| ("health", &mut health.request)));
    requests
}

fn routes(http: &HttpProtocol) -> BTreeMap<String, String> {
    let mut main = http.clone();
    let main: Vec<_> =
        requests(&mut main).into_iter().map(|(step, request)| (step.to_owned(), route(request))).collect();
    let operations = http.operations.iter().enumerate().flat_map(|(index, operation)| {
        let submit = (step_of("submit", index), route(&operation.submit.request));
        let poll = operation.poll.as_ref().map(|poll| (step_of("poll", index), route(&poll.request)));
        std::iter::once(submit).chain(poll)
    });
    main.into_iter().chain(operations).collect()
}

fn route(request: &RequestSpec) -> String {
    let url = match &request.url {
        UrlSpec::Path(template) => template.to_string(),
        UrlSpec::Captured(reference) => reference.to_string(),
    };
    format!("{} {url}", request.method)
}

fn describe_route(request: &mut RequestSpec, route: &str) -> Option<()> {
    let (method, url) = route.split_once(' ')?;
    request.url = if url.starts_with('/') {
        UrlSpec::Path(Template::parse(url).ok()?)
    } else {
        UrlSpec::Captured(Reference::parse(url).ok()?)
    };
    request.method = method.to_owned().leak();
    Some(())
}

impl Credential {
    fn of(auth: &Auth) -> Self {
        let shape = |value: &[AuthPart]| {
            value
                .iter()
                .map(|part| match part {
                    AuthPart::Literal(text) => *text,
                    AuthPart::Field(_) => "{}",
                })
                .collect()
        };
        match auth {
            Auth::None => Self::None,
            Auth::Header { name, value } => Self::Header { name: (*name).to_owned(), value: shape(value) },
            Auth::Query { name, .. } => Self::Query { name: (*name).to_owned() },
            Auth::Basic { .. } => Self::Basic,
            _ => Self::Made,
        }
    }

    /// `None` where the connector's own stands in for it.
    fn describe(&self) -> Option<Auth> {
        Some(match self {
            Self::None => Auth::None,
            Self::Header { name, value } => {
                let pieces: Vec<&'static str> =
                    value.split("{}").map(|piece| &*piece.to_owned().leak()).collect();
                let mut parts = Vec::new();
                for (index, piece) in pieces.into_iter().enumerate() {
                    // A field that nobody has: any text that is not empty fits it.
                    parts.extend((index > 0).then_some(AuthPart::Field("")));
                    parts.extend((!piece.is_empty()).then_some(AuthPart::Literal(piece)));
                }
                Auth::Header { name: name.clone().leak(), value: leak(parts) }
            }
            Self::Query { name } => {
                Auth::Query { name: name.clone().leak(), value: leak(vec![AuthPart::Field("")]) }
            }
            Self::Basic => Auth::Basic { user: AuthPart::Field(""), password: AuthPart::Field("") },
            Self::Made => return None,
        })
    }
}

impl Paid {
    fn of(submit: &Submit) -> Self {
        Self {
            settle: Repeat::of(&submit.settle),
            billable: submit.billable,
            rejects: submit.rejects.iter().map(|pattern| text::code(*pattern)).collect(),
        }
    }

    /// Puts it in the place of what a submit says of itself.
    fn describe(&self, submit: &mut Submit) -> Result<(), String> {
        submit.billable = self.billable;
        if let Some(settle) = self.settle.describe(&submit.settle) {
            submit.settle = settle;
        }
        let rejects = self.rejects.iter();
        let rejects =
            rejects.map(|code| text::parse_code(code).ok_or_else(|| format!("`{code}` is no status code")));
        submit.rejects = leak(rejects.collect::<Result<_, _>>()?);
        Ok(())
    }
}

impl Repeat {
    fn of(settle: &Settle) -> Self {
        match settle {
            Settle::Idempotent { key: KeyPlace::Header(key), ttl } => {
                Self::Idempotent { key: (*key).to_owned(), header: true, ttl_secs: ttl.as_secs() }
            }
            Settle::Idempotent { key: KeyPlace::Field(key), ttl } => {
                Self::Idempotent { key: (*key).to_owned(), header: false, ttl_secs: ttl.as_secs() }
            }
            Settle::AssignId { absent_for, resend } => {
                Self::AssignId { resend: *resend, absent_secs: absent_for.as_secs() }
            }
            Settle::Lookup(_) => Self::Lookup,
            Settle::AtLeastOnce => Self::AtLeastOnce,
            _ => Self::AtMostOnce,
        }
    }

    /// `None` where the connector's own stands in for it.
    fn describe(&self, own: &Settle) -> Option<Settle> {
        Some(match self {
            Self::Idempotent { key, header, ttl_secs } => {
                let key: &'static str = key.clone().leak();
                let key = if *header { KeyPlace::Header(key) } else { KeyPlace::Field(key) };
                Settle::Idempotent { key, ttl: Duration::from_secs(*ttl_secs) }
            }
            Self::AssignId { resend, absent_secs } => {
                Settle::AssignId { absent_for: Duration::from_secs(*absent_secs), resend: *resend }
            }
            Self::Lookup if matches!(own, Settle::Lookup(_)) => return None,
            Self::Lookup | Self::AtMostOnce => Settle::AtMostOnce,
            Self::AtLeastOnce => Settle::AtLeastOnce,
        })
    }
}
