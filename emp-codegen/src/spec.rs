//! The checked declaration: what [`check::connector`](crate::check::connector) proves, and all that the generated code needs.
//!
//! It mirrors `emp_core::spec` in owned form. `Debug` of its types shows no spans: it is the canonical text that
//! [`Spec::fingerprint`] hashes.

mod asset;
mod cancel;
mod hook;
mod http;
mod openapi;
mod outcome;
mod polling;
mod stream;
mod token;
mod webhook;
mod websocket;

use std::time::Duration;

use emp_syntax::hole::Reference;
use emp_syntax::selector::Selector;
use proc_macro2::{Ident, Span, TokenStream};

pub use self::asset::PayloadAsset;
pub use self::cancel::{Cancel, CancelScope, CancelStage};
pub use self::hook::{HookKind, HookUse};
pub use self::http::{
    Auth, AuthPart, Base, Body, Capture, Cleanup, Download, Errors, Follow, Health, Http, KeyPlace, Lookup,
    Operation, Pair, PairValue, Poll, Prepare, Request, Settle, States, Submit, Target, Unknown,
};
pub use self::openapi::OpenApi;

pub use self::token::{Claim, ClaimValue, ClientAuth, Jwt, OAuth2, TokenUrl};

pub use self::outcome::{Each, Extra, Files, Outcome, Part, ResultAt, ResultRequest, Take};
pub use self::polling::{BatchPoll, Envelope, Learn, Listed, Probe, SideProgress};
pub use self::stream::{Stream, StreamFormat};
pub use self::webhook::{CallBody, EventAt, HmacSignature, SignedPart, StampAt, Verify, Webhook};
pub use self::websocket::Websocket;

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
#[derive(Clone, Debug)]
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
    /// The description that it is checked against.
    pub openapi: Option<OpenApi>,
    /// The declared protocol; `None` for a custom connector.
    pub http: Option<Http>,
    /// Every reference of the declaration with its place, in order.
    pub uses: Vec<Use>,
    /// Every hook of the declaration with its place, in order.
    pub hooks: Vec<HookUse>,
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
                asset: self.http.as_ref().and_then(|http| http.asset(name)),
            });
            member.object |= used.need == Need::Spread && used.reference.path.len() == 1;
        }
        for member in members.values_mut() {
            member.required = self.requires(&member.name);
        }
        members.into_values().collect()
    }

    /// Whether every job needs a member of the payload, whichever its operation is.
    fn requires(&self, member: &str) -> bool {
        let operations = self.http.as_ref().map_or(&[][..], |http| &http.operations);
        (0..=operations.len()).all(|operation| {
            let apart = operations.get(operation).is_some_and(|operation| operation.poll.is_some());
            self.uses.iter().any(|used| {
                used.need == Need::Required
                    && used.payload_member() == Some(member)
                    && used.route.serves(operation, apart)
            })
        })
    }
}

/// A member of the payload that a hole reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadMember {
    /// Its name.
    pub name: String,
    /// Whatever the job's operation is, some hole of it has neither `?` nor `??`.
    pub required: bool,
    /// It is spread, so it must be an object.
    pub object: bool,
    /// An adapter reads it, so it must be an asset.
    pub asset: Option<PayloadAsset>,
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
    /// For which operations it is read.
    pub route: Route,
}

/// For which operations a part of a declaration is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// For all of them.
    All,
    /// For one, by its number; the main one is the last.
    Operation(usize),
    /// For those that have no poll of their own.
    Rest,
}

impl Route {
    /// Whether it is there for an operation, which may have a poll of its own.
    pub fn serves(self, operation: usize, polls_apart: bool) -> bool {
        match self {
            Self::All => true,
            Self::Operation(number) => number == operation,
            Self::Rest => !polls_apart,
        }
    }
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
    /// A prepare step, by its number: what the steps before it captured is known.
    Prepare(usize),
    /// A selector over the answer of the submit.
    Captured,
    /// Anything that is evaluated once the service job is known.
    Job,
    /// The same, for one item of the result.
    Item,
    /// As `Job`; the answers to further questions are there too.
    Poll,
    /// A request for many jobs at once.
    Batch,
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
#[allow(missing_docs, reason = "the words are those of the attribute")]
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
    /// For how long it may wait at the service.
    pub queued: Option<Setting<Duration>>,
    /// For how long it may run.
    pub running: Option<Setting<Duration>>,
    /// Seconds that it is expected to take.
    pub eta: Vec<Selector>,
    /// Durations are learnt.
    pub learn: Option<Learn>,
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
    /// Largest file of a result, bytes.
    pub max_file: Option<u64>,
    /// Largest result, all of its files together, bytes.
    pub max_total: Option<u64>,
}
