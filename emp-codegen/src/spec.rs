//! The checked declaration: what [`check::connector`](crate::check::connector) proves, and all that the generated code needs.
//!
//! It mirrors `emp_core::spec` in owned form. `Debug` of its types shows no spans: it is the canonical text that
//! [`Spec::fingerprint`] hashes.

use std::time::Duration;

use emp_syntax::hole::{Hole, Reference};
use emp_syntax::json::Json;
use emp_syntax::rule::{CodePattern, ErrorRule, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::Selector;
use emp_syntax::template::Template;
use proc_macro2::{Ident, Span, TokenStream};

/// A value with the places of its key and of itself.
#[derive(Clone, Copy)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where its key stands; the value's own place when it has none.
    pub key: Span,
    /// Where the value stands.
    pub span: Span,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}

/// A connector's declaration, checked.
#[derive(Clone)]
pub struct Spec {
    /// The type's name, at its place.
    pub name: Ident,
    /// The services that it can serve; at least one.
    pub services: Vec<String>,
    /// The connector's version, semver.
    pub version: String,
    /// The struct's doc comment.
    pub description: String,
    /// Build.rs does not need to know it.
    pub unregistered: bool,
    /// Another path to `emp_core`.
    pub krate: Option<TypeRef>,
    /// The fields, in order.
    pub env: Vec<EnvField>,
    /// `payload = T`
    pub payload: Option<TypeRef>,
    /// `output = T`
    pub output: Option<TypeRef>,
    /// How often and how long to poll.
    pub pace: Pace,
    /// What the service allows.
    pub limits: Limits,
    /// The declared protocol; `None` for a custom connector.
    pub http: Option<Http>,
    /// Every reference of the declaration with its place, in order.
    pub uses: Vec<Use>,
    /// How many lines of attributes and fields the declaration has; 0 when that is not known.
    pub lines: u32,
}

impl Spec {
    /// A hash of the declaration without its places and its doc comments: equal wherever the same source is read.
    pub fn fingerprint(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        self.canonical().bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    }

    /// The text that the fingerprint is the hash of.
    pub fn canonical(&self) -> String {
        let Self { name, services, version, unregistered, env, payload, output, pace, limits, http, .. } =
            self;
        let env: Vec<_> = env.iter().map(EnvField::canonical).collect();
        format!(
            "{name} {services:?} {version} {unregistered} {env:?} {payload:?} {output:?} {pace:?} {limits:?} {http:?}"
        )
    }

    /// The top-level members of the payload that holes read, sorted by name.
    pub fn payload_members(&self) -> Vec<PayloadMember> {
        let mut members = std::collections::BTreeMap::<&str, PayloadMember>::new();
        for used in &self.uses {
            let Some(name) = used.payload_member() else { continue };
            let member = members.entry(name).or_insert_with(|| PayloadMember {
                name: name.to_owned(),
                required: false,
                object: false,
            });
            member.required |= used.need == Need::Required;
            member.object |= used.need == Need::Spread && used.reference.path.len() == 1;
        }
        members.into_values().collect()
    }
}

/// A member of the payload that a hole reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadMember {
    /// Its name.
    pub name: String,
    /// Some hole has neither `?` nor `??`.
    pub required: bool,
    /// It is spread, so it must be an object.
    pub object: bool,
}

/// A type or crate path as written.
#[derive(Clone)]
pub struct TypeRef {
    /// The tokens, with their places.
    pub tokens: TokenStream,
    /// Where it stands.
    pub span: Span,
    /// The same text wherever it is read: `crate :: payload :: Chat`.
    pub text: String,
}

impl std::fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A reference somewhere in a declaration.
#[derive(Clone, Debug)]
pub struct Use {
    /// What it names.
    pub reference: Reference,
    /// Where its first name after the root stands.
    pub span: Span,
    /// It stands inside a text, so `span` is the whole text.
    pub in_text: bool,
    /// The part of the declaration.
    pub place: Place,
    /// What must be there.
    pub need: Need,
}

impl Use {
    /// The first name behind the root.
    pub fn first(&self) -> Option<&str> {
        match self.reference.path.first() {
            Some(emp_syntax::hole::Step::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// The top-level member of the payload that it names.
    pub fn payload_member(&self) -> Option<&str> {
        (self.reference.root == emp_syntax::hole::Root::Payload).then(|| self.first()).flatten()
    }
}

/// A part of a declaration, for what may be named in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `#[http(base = ..)]`
    Base,
    /// `#[auth(..)]`
    Auth,
    /// The request of `#[submit]`.
    Submit,
    /// A selector over the answer of the submit.
    Captured,
    /// Anything that is evaluated once the service job is known.
    Job,
    /// `lookup(..)`: the job is known to the queue, its id is not.
    Lookup,
    /// `#[health]`: there is no job.
    Health,
    /// A setting of the connector: only the environment is there.
    Setting,
}

/// What a reference needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A value.
    Required,
    /// Nothing: `?` or `??` follows, or a selector reads it.
    Optional,
    /// An object or nothing.
    Spread,
    /// A credential.
    Credential,
    /// A duration.
    Duration,
    /// A whole number.
    Count,
    /// A URL.
    Url,
}

/// A variable of the environment.
#[derive(Clone, Debug)]
pub struct EnvField {
    /// The struct's field.
    pub field: Ident,
    /// The variable, at its place.
    pub variable: Spanned<String>,
    /// What its text must be.
    pub kind: EnvKind,
    /// Neither a default nor `Option`.
    pub required: bool,
    /// The text used when the variable is not set.
    pub default: Option<String>,
    /// Smallest and largest allowed number; for durations in seconds.
    pub range: Option<(f64, f64)>,
    /// What a bare number means in a duration.
    pub unit: DurationUnit,
    /// The field's doc comment.
    pub description: String,
}

impl EnvField {
    /// Never shown.
    pub fn secret(&self) -> bool {
        self.kind == EnvKind::Secret
    }

    fn canonical(&self) -> String {
        let Self { field, variable, kind, required, default, range, unit, .. } = self;
        format!("{field} {variable:?} {kind:?} {required} {default:?} {range:?} {unit:?}")
    }
}

/// What the text of a variable must be. Mirrors `emp_core::spec::EnvKind`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as in emp_core
pub enum EnvKind {
    Text,
    Secret,
    Url,
    Bool,
    Integer { min: i64, max: i64 },
    Float,
    Duration,
    List(Box<EnvKind>),
    Other(String),
}

/// What a bare number means in a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DurationUnit {
    Seconds,
    Millis,
}

/// A value that is written in the declaration or read from a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting<T> {
    /// Written.
    Fixed(T),
    /// `env.field`
    Env(String),
}

/// Where the service is.
#[derive(Clone, Debug)]
pub enum Base {
    /// Text with holes.
    Template(Template),
    /// `env.field`
    Env(String),
}

/// Which URLs from answers are followed.
#[derive(Clone, Debug)]
pub enum Follow {
    /// Only those of the base's origin.
    SelfOnly,
    /// Those of these hosts too.
    Hosts(Vec<String>),
}

/// The credential and its place.
#[derive(Clone, Debug)]
pub enum Auth {
    /// None.
    None,
    /// A header, lower-case name.
    Header(String, Vec<AuthPart>),
    /// A query pair.
    Query(String, Vec<AuthPart>),
    /// User and password.
    Basic(AuthPart, AuthPart),
}

/// A piece of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthPart {
    /// Text.
    Literal(String),
    /// A field's value.
    Field(String),
}

/// The declared protocol.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where the service is.
    pub base: Base,
    /// Hosts that a base from the environment may name.
    pub allow_hosts: Vec<String>,
    /// Which URLs from answers are followed.
    pub follow: Follow,
    /// The credential.
    pub auth: Auth,
    /// How a job is submitted.
    pub submit: Submit,
    /// How it is asked after.
    pub poll: Option<Poll>,
    /// What an answer says.
    pub states: States,
    /// Where the result is.
    pub outcome: Outcome,
    /// What a refusal means.
    pub errors: Errors,
    /// How a job is cancelled.
    pub cancel: Option<Cancel>,
    /// How health is asked.
    pub health: Option<Health>,
}

/// A request with holes.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, ..
    pub method: &'static str,
    /// Where to.
    pub url: Target,
    /// Query pairs.
    pub query: Vec<Pair>,
    /// Headers, lower-case names.
    pub headers: Vec<Pair>,
    /// The JSON body.
    pub body: Option<Json>,
    /// For how long it may take.
    pub timeout: Option<Setting<Duration>>,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Below the base.
    Path(Template),
    /// To a URL that the service supplied.
    Captured(Reference),
}

/// A header or query pair.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Its name, at its place.
    pub name: Spanned<String>,
    /// Its value.
    pub value: PairValue,
}

/// The value of a pair.
#[derive(Clone, Debug)]
pub enum PairValue {
    /// Text with holes.
    Text(Template),
    /// One hole.
    Hole(Hole),
}

/// How a job is submitted.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The request.
    pub request: Request,
    /// Codes that mean accepted.
    pub accept: Vec<CodePattern>,
    /// What the answer gives.
    pub capture: Vec<Capture>,
    /// The answer is judged as a poll answer is.
    pub feeds_poll: bool,
    /// For how long the service holds the request.
    pub hold: Option<Setting<Duration>>,
    /// It costs money.
    pub billable: bool,
    /// What a lost answer means.
    pub settle: Settle,
    /// 5xx codes that mean "nothing was accepted".
    pub rejects: Vec<CodePattern>,
}

/// A name with the selectors that find its value.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The name, at its place.
    pub name: Spanned<String>,
    /// In fallback order.
    pub from: Vec<Selector>,
}

/// What a lost answer means.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one per connector, at compile time
pub enum Settle {
    /// The service merges submits with one key.
    Idempotent {
        /// Where the key stands.
        key: KeyPlace,
        /// For how long a key is remembered.
        ttl: Duration,
    },
    /// The id is ours.
    AssignId {
        /// Absent for so long means never accepted.
        absent_for: Duration,
        /// An absent job may be sent again.
        resend: bool,
    },
    /// Jobs can be searched for.
    Lookup(Lookup),
    /// Never sent again.
    AtMostOnce,
    /// Sent again.
    AtLeastOnce,
}

/// Where an idempotency key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header, lower-case name.
    Header(String),
    /// A top-level member of the body.
    Field(String),
}

/// How to search for a job.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The search.
    pub request: Request,
    /// The candidates.
    pub items: Selector,
    /// In a candidate: the queue's job id.
    pub tag: Selector,
    /// In a candidate: the service job id.
    pub id: Selector,
    /// For how long an accepted job may stay invisible.
    pub wait: Duration,
}

/// How a job is asked after.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The request.
    pub request: Request,
    /// A fraction.
    pub progress: Vec<Selector>,
    /// A text for people.
    pub progress_text: Vec<Selector>,
    /// How many are ahead.
    pub queue_position: Vec<Selector>,
    /// Seconds left.
    pub eta: Vec<Selector>,
    /// Log text.
    pub logs: Vec<Selector>,
}

/// What an answer says of the job.
#[derive(Clone, Debug)]
pub struct States {
    /// Where the word is.
    pub at: Vec<Selector>,
    /// Without regard to case.
    pub fold_case: bool,
    /// The vocabulary.
    pub sets: Vec<(StateVerdict, Vec<String>)>,
    /// What another word means.
    pub unknown: Unknown,
    /// Tried before the vocabulary.
    pub rules: Vec<StateRule>,
}

/// What an undeclared word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The job goes on.
    Running,
    /// The job has failed.
    Failed,
}

/// Where the result is.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// As JSON.
    pub json: Vec<Selector>,
    /// As text.
    pub text: Vec<Selector>,
    /// Facts about it.
    pub meta: Vec<Capture>,
    /// For how long the service keeps it.
    pub keep_for: Option<Duration>,
}

/// What a refusal means.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// The text for people.
    pub message: Vec<Selector>,
    /// The service's own code.
    pub code: Vec<Selector>,
    /// The first that applies decides.
    pub rules: Vec<ErrorRule>,
}

/// How a job is cancelled.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// The request.
    pub request: Request,
    /// Confirmed.
    pub ok: Vec<CodePattern>,
    /// Ended already.
    pub too_late: Vec<CodePattern>,
    /// Not known.
    pub gone: Vec<CodePattern>,
}

/// How health is asked.
#[derive(Clone, Debug)]
pub struct Health {
    /// The request.
    pub request: Request,
    /// How often.
    pub every: Duration,
    /// A 2xx answer is healthy only when this holds.
    pub ready: Option<Predicate>,
    /// Numbers to publish.
    pub metrics: Vec<Capture>,
}

/// How often and how long to poll; absent means the engine's default.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// To the first poll.
    pub first: Option<Duration>,
    /// Never sooner.
    pub min: Option<Duration>,
    /// Never later.
    pub max: Option<Duration>,
    /// Growth of the wait.
    pub factor: Option<f64>,
    /// Spread of the wait.
    pub jitter: Option<f64>,
    /// While queued, wait at least this long.
    pub while_queued: Option<Duration>,
    /// Where the service says when to come again.
    pub advice: Vec<Selector>,
    /// From submit to end.
    pub deadline: Option<Setting<Duration>>,
    /// Unknown answers in a row that end the job.
    pub max_unknown: Option<u32>,
}

/// What the service allows; absent means the engine's default.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Requests in a time.
    pub rate: Option<(u32, Duration)>,
    /// Service jobs at once.
    pub in_flight: Option<Setting<u32>>,
    /// Submits that may fail definitely.
    pub attempts: Option<Setting<u32>>,
    /// Largest request body, bytes.
    pub max_body: Option<u64>,
    /// Largest answer, bytes.
    pub max_response: Option<u64>,
}
