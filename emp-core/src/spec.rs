//! The declaration at run time: `static` data that the derive printed and the engine evaluates.
//!
//! Everything here is plain and public, so that a spec can also be written by hand, shown by `emp connector show`, or
//! turned into a fake service. Nothing is parsed at run time.

use std::time::Duration;

use emp_syntax::hole::{Hole, Reference};
use emp_syntax::json::Json;
use emp_syntax::rule::{CodePattern, ErrorRule, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::Selector;
use emp_syntax::template::Template;
use serde_json::Value;

/// A connector, as declared.
#[derive(Debug)]
pub struct ConnectorSpec {
    /// The type's name; the name by which `service-mapping.json` refers to it.
    pub name: &'static str,
    /// The services that it can serve; at least one.
    pub services: &'static [&'static str],
    /// The connector's own version, semver.
    pub version: &'static str,
    /// The struct's doc comment.
    pub description: &'static str,
    /// Where it is declared.
    pub source: SourceLocation,
    /// Hash of the canonical declaration; equal on the side that build.rs read and the side that rustc compiled.
    pub fingerprint: u64,
    /// The environment that it reads, in the order of the fields.
    pub env: &'static [EnvField],
    /// What a job's payload must be.
    pub payload: PayloadSchema,
    /// The JSON Schema of a result, when `output = T` says so.
    pub output: Option<fn() -> Value>,
    /// How often and how long to poll.
    pub pace: Pace,
    /// What the service allows.
    pub limits: Limits,
    /// How the service is spoken to.
    pub protocol: Protocol,
}

impl ConnectorSpec {
    /// The HTTP protocol, unless the connector is a custom one.
    pub fn http(&self) -> Option<&HttpProtocol> {
        match &self.protocol {
            Protocol::Http(http) => Some(http),
            Protocol::Custom => None,
        }
    }

    /// The field of the environment with a field name.
    pub fn env_field(&self, field: &str) -> Option<&'static EnvField> {
        self.env.iter().find(|candidate| candidate.field == field)
    }
}

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// Path as the compiler was given it.
    pub file: &'static str,
    /// First line of the declaration, from 1.
    pub line: u32,
    /// How many lines of attributes and fields the declaration has.
    pub lines: u32,
}

/// How a service is spoken to.
#[derive(Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // one static per connector: a box would cost a pointer and a `const` could not make it
pub enum Protocol {
    /// Declared requests over HTTP.
    Http(HttpProtocol),
    /// `#[connector(custom)]`: the type's own `CustomConnector::run`.
    Custom,
}

/// A declared protocol over HTTP.
#[derive(Debug)]
pub struct HttpProtocol {
    /// Where the service is.
    pub base: Base,
    /// Hosts that `base` may name when it comes from the environment; empty means any. `*.x.com` matches one or more labels.
    pub allow_hosts: &'static [&'static str],
    /// Which server-supplied URLs are followed.
    pub follow: Follow,
    /// The credential and its place.
    pub auth: Auth,
    /// How a job is submitted.
    pub submit: Submit,
    /// How it is asked after; `None` for `mode = sync`.
    pub poll: Option<Poll>,
    /// What an answer says of the job.
    pub states: States,
    /// Where the result is.
    pub outcome: Outcome,
    /// What a refusal means.
    pub errors: Errors,
    /// How a job is cancelled.
    pub cancel: Option<Cancel>,
    /// How the service's health is asked.
    pub health: Option<HealthProbe>,
}

/// A value that is fixed in the declaration or read from a field of the environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting<T> {
    /// Written in the declaration.
    Fixed(T),
    /// `env.field`.
    Env(&'static str),
}

/// Where the service is.
#[derive(Clone, Debug)]
pub enum Base {
    /// `base = "https://api.x.com/v2/{env.endpoint_id}"`
    Template(Template),
    /// `base = env.base_url`
    Env(&'static str),
}

/// Which URLs from the service's own answers are followed, beside those of the base's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Follow {
    /// Only the base's own origin.
    SelfOnly,
    /// These hosts too, without the credential; `*.x.com` matches one or more labels.
    Hosts(&'static [&'static str]),
}

/// The credential and where it is put. The only place in a declaration where a `Secret` may stand.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Auth {
    /// No credential.
    None,
    /// A header: `Authorization: Bearer {api_key}`, `x-key: {api_key}`.
    Header {
        /// Lower-case name.
        name: &'static str,
        /// Text and fields.
        value: &'static [AuthPart],
    },
    /// A query pair.
    Query {
        /// The key.
        name: &'static str,
        /// Text and fields.
        value: &'static [AuthPart],
    },
    /// HTTP Basic.
    Basic {
        /// The user's field or literal.
        user: AuthPart,
        /// The password's field or literal.
        password: AuthPart,
    },
}

/// A piece of a credential. When a field that it names is absent (an `Option`), the whole credential is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthPart {
    /// Text as it stands.
    Literal(&'static str),
    /// The value of a field of the struct.
    Field(&'static str),
}

/// An HTTP request with holes.
#[derive(Clone, Debug)]
pub struct RequestSpec {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Where.
    pub url: UrlSpec,
    /// Query pairs, appended in order.
    pub query: &'static [Pair],
    /// Headers, lower-case names.
    pub headers: &'static [Pair],
    /// The body.
    pub body: Body,
    /// For how long the request may take in all; the engine's default when absent.
    pub timeout: Option<Setting<Duration>>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum UrlSpec {
    /// A path below the base; begins with `/`.
    Path(Template),
    /// A URL that the service supplied: `job.poll_url`. Checked against the origins, always.
    Captured(Reference),
}

/// A header or a query pair.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Its name.
    pub name: &'static str,
    /// Its value; an optional hole without a value leaves the pair out.
    pub value: PairValue,
}

/// The value of a header or a query pair.
#[derive(Clone, Debug)]
pub enum PairValue {
    /// Text with holes.
    Text(Template),
    /// One hole.
    Hole(Hole),
}

/// A request's body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Body {
    /// None.
    None,
    /// Typed-hole JSON.
    Json(Json),
}

/// How a job is submitted, and what a lost answer means.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The request.
    pub request: RequestSpec,
    /// The codes that mean accepted.
    pub accept: &'static [CodePattern],
    /// Names that the answer gives: `id`, `poll_url`, ...
    pub capture: &'static [Capture],
    /// The answer goes through the states as a poll answer does; it may already be final.
    pub feeds_poll: bool,
    /// For how long the service is asked to hold the request open.
    pub hold: Option<Setting<Duration>>,
    /// A submit costs money.
    pub billable: bool,
    /// What a lost answer means.
    pub settle: Settle,
    /// Codes of the 5xx class that say for certain that nothing was accepted.
    pub rejects: &'static [CodePattern],
}

/// `capture(name = selectors)`
#[derive(Clone, Debug)]
pub struct Capture {
    /// The name, later `job.<name>`.
    pub name: &'static str,
    /// Where the value is.
    pub from: &'static [Selector],
}

/// What to do when a submit's bytes left and no full answer came back.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // as `Protocol`
pub enum Settle {
    /// The service merges submits that carry the same key: resend key and bytes, within 80 % of `ttl`.
    Idempotent {
        /// Where the key stands.
        key: KeyPlace,
        /// For how long the service remembers a key.
        ttl: Duration,
    },
    /// The id is ours (`job.assigned_id`): look the job up by it.
    AssignId {
        /// Absent for so long means that it was never accepted.
        absent_for: Duration,
        /// The service refuses or merges a second submit with the same id, so an absent job may be sent again.
        resend: bool,
    },
    /// The service can be searched for a tag of ours.
    Lookup(Lookup),
    /// Never sent again: the job becomes `uncertain`.
    AtMostOnce,
    /// Sent again, in so many words. The default of submits that are not billable.
    AtLeastOnce,
}

/// Where an idempotency key stands in a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header, lower-case name.
    Header(&'static str),
    /// A top-level member of the JSON body.
    Field(&'static str),
}

/// How to search for a job whose submit's answer was lost.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The search.
    pub request: RequestSpec,
    /// The candidates in the answer.
    pub items: Selector,
    /// In a candidate: the text that must equal `queue.job_id`.
    pub tag: Selector,
    /// In a candidate: the service job id.
    pub id: Selector,
    /// For how long the service may take to show a job that it accepted.
    pub wait: Duration,
}

/// How a job is asked after.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The request.
    pub request: RequestSpec,
    /// A fraction, 0 to 1.
    pub progress: &'static [Selector],
    /// A text for people.
    pub progress_text: &'static [Selector],
    /// How many are ahead.
    pub queue_position: &'static [Selector],
    /// Seconds left.
    pub eta: &'static [Selector],
    /// Log text; the last lines are kept.
    pub logs: &'static [Selector],
}

/// What an answer says of the job: rules first, then the word at `at`.
#[derive(Clone, Debug)]
pub struct States {
    /// Where the status word is; empty when the rules say it all.
    pub at: &'static [Selector],
    /// Compare words without regard to case.
    pub fold_case: bool,
    /// The vocabulary. No word is in two sets.
    pub sets: &'static [StateSet],
    /// What a word in no set means.
    pub unknown: Unknown,
    /// Tried in order before the vocabulary; the first that applies decides.
    pub rules: &'static [StateRule],
}

/// Words of one meaning.
#[derive(Clone, Debug)]
pub struct StateSet {
    /// What they mean.
    pub verdict: StateVerdict,
    /// The words.
    pub words: &'static [&'static str],
}

/// What a status word that nobody declared means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The job goes on, with a warning, until `Pace::max_unknown` such answers in a row.
    Running,
    /// The job has failed.
    Failed,
}

/// Where the result is.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The result as JSON; empty means the whole body.
    pub json: &'static [Selector],
    /// The result as text, beside or instead of `json`.
    pub text: &'static [Selector],
    /// Facts about the result: usage, cost, seed.
    pub meta: &'static [Capture],
    /// For how long the service keeps the result.
    pub keep_for: Option<Duration>,
}

/// What a refusal means.
#[derive(Clone, Debug)]
pub struct Errors {
    /// The text for people, in fallback order.
    pub message: &'static [Selector],
    /// The service's own code.
    pub code: &'static [Selector],
    /// Classification; the first rule that applies decides.
    pub rules: &'static [ErrorRule],
}

/// How a job is cancelled.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// The request.
    pub request: RequestSpec,
    /// Codes that confirm it; any 2xx when empty.
    pub ok: &'static [CodePattern],
    /// Codes that say that the job has ended already.
    pub too_late: &'static [CodePattern],
    /// Codes that say that the job does not exist (any more).
    pub gone: &'static [CodePattern],
}

/// How the service's health is asked.
#[derive(Clone, Debug)]
pub struct HealthProbe {
    /// The request.
    pub request: RequestSpec,
    /// How often.
    pub every: Duration,
    /// A 2xx answer is healthy only when this holds.
    pub ready: Option<Predicate>,
    /// Numbers to publish beside the health.
    pub metrics: &'static [Capture],
}

/// How often and how long a job is polled.
#[derive(Clone, Debug)]
pub struct Pace {
    /// From the submit's answer to the first poll.
    pub first: Duration,
    /// Never sooner than this after the poll before, whatever the service advises.
    pub min: Duration,
    /// Never later than this, unless the service advises it.
    pub max: Duration,
    /// Each wait is the one before times this.
    pub factor: f64,
    /// A wait is spread by plus or minus this fraction.
    pub jitter: f64,
    /// While queued, wait at least this long.
    pub while_queued: Option<Duration>,
    /// Where the service says when to come again, in seconds or as a date; in fallback order.
    pub advice: &'static [Selector],
    /// From the submit to the end, whatever happens.
    pub deadline: Setting<Duration>,
    /// So many answers in a row without a known status end the job.
    pub max_unknown: u32,
}

impl Pace {
    /// What a connector that says nothing gets (`reliability.md` section 8).
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(2),
        min: Duration::from_secs(1),
        max: Duration::from_secs(30),
        factor: 1.5,
        jitter: 0.2,
        while_queued: None,
        advice: &[],
        deadline: Setting::Fixed(Duration::from_hours(1)),
        max_unknown: 5,
    };
}

/// What the service allows, for one credential.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests in a time, submits and polls together.
    pub rate: Option<Rate>,
    /// Service jobs at once.
    pub in_flight: Option<Setting<u32>>,
    /// Submits of one job that may fail definitely before the job does.
    pub attempts: Setting<u32>,
    /// Largest request body, bytes.
    pub max_body: Option<u64>,
    /// Largest decoded answer, bytes.
    pub max_response: Option<u64>,
}

impl Limits {
    /// What a connector that says nothing gets.
    pub const DEFAULT: Self =
        Self { rate: None, in_flight: None, attempts: Setting::Fixed(3), max_body: None, max_response: None };
}

/// `rate = "150/10s"`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub per: Duration,
}

/// What a job's payload must be.
#[derive(Clone, Copy, Debug)]
pub enum PayloadSchema {
    /// `payload = T`: the schema of a Rust type, and the members that a hole without `?` and `??` reads. Those are required of a job
    /// even where the type has an `Option`: without them no request can be made.
    Typed {
        /// The type's schema.
        schema: fn() -> Value,
        /// What the holes require.
        required: &'static [&'static str],
    },
    /// Derived from the holes: a member is required unless its hole is optional or has a default.
    Holes(&'static [PayloadField]),
    /// Anything that is an object.
    Any,
}

/// A member of the payload that a hole reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// The top-level member's name.
    pub name: &'static str,
    /// A hole without `?` and `??` reads it.
    pub required: bool,
    /// It is spread with `..`, so it must be an object.
    pub object: bool,
}

impl PayloadSchema {
    /// The JSON Schema, draft 2020-12.
    pub fn to_json_schema(&self) -> Value {
        match self {
            Self::Typed { schema, required } => with_required(schema(), required),
            Self::Any => serde_json::json!({ "type": "object" }),
            Self::Holes(fields) => {
                let properties: serde_json::Map<String, Value> = fields
                    .iter()
                    .map(|field| {
                        let schema = if field.object {
                            serde_json::json!({ "type": "object" })
                        } else {
                            Value::Bool(true)
                        };
                        (field.name.to_owned(), schema)
                    })
                    .collect();
                let required: Vec<&str> =
                    fields.iter().filter(|field| field.required).map(|field| field.name).collect();
                serde_json::json!({ "type": "object", "properties": properties, "required": required })
            }
        }
    }
}

/// A schema of an object that requires some more of its members.
fn with_required(mut schema: Value, members: &[&str]) -> Value {
    if let Some(object) = schema.as_object_mut().filter(|_| !members.is_empty()) {
        let required = object.entry("required").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(required) = required.as_array_mut() {
            let missing = members.iter().filter(|member| !required.iter().any(|known| known == *member));
            let missing: Vec<Value> = missing.map(|member| Value::from(*member)).collect();
            required.extend(missing);
        }
    }
    schema
}

/// A variable of the environment that a connector reads.
#[derive(Clone, Copy, Debug)]
pub struct EnvField {
    /// The struct's field.
    pub field: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// What its text must be.
    pub kind: EnvKind,
    /// Neither a default nor `Option`.
    pub required: bool,
    /// The text used when the variable is unset or empty.
    pub default: Option<&'static str>,
    /// Smallest and largest allowed number; for durations in seconds.
    pub range: Option<(f64, f64)>,
    /// What a bare number means in a duration.
    pub unit: DurationUnit,
    /// The field's doc comment.
    pub description: &'static str,
}

impl EnvField {
    /// Never shown.
    pub fn secret(&self) -> bool {
        matches!(self.kind, EnvKind::Secret)
    }
}

/// What the text of a variable must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvKind {
    /// Any text.
    Text,
    /// A credential.
    Secret,
    /// An absolute http or https URL.
    Url,
    /// `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`.
    Bool,
    /// A whole number that fits the field's type.
    Integer {
        /// The type's smallest value.
        min: i64,
        /// The type's largest value, up to `i64::MAX`.
        max: i64,
    },
    /// A finite number.
    Float,
    /// `30s`, `1m 30s`, or a bare number in the declared unit.
    Duration,
    /// A comma-separated list.
    List(&'static EnvKind),
    /// A type of the author's that implements `FromStr`; the type's name.
    Other(&'static str),
}

/// What a bare number means in a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_a_hole_requires_is_required_of_the_job_even_where_its_type_is_an_option() {
        let schema = || serde_json::json!({ "type": "object", "required": ["input"] });
        let payload = PayloadSchema::Typed { schema, required: &["input", "style"] };
        assert_eq!(payload.to_json_schema()["required"], serde_json::json!(["input", "style"]));
    }
}
