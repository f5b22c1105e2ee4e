//! The declaration as it was written: owned, with the place of every key and value, and nothing concluded from it yet.
#![allow(missing_docs, reason = "a field is the key of its attribute, and `parse::keys` documents every key")]

use std::time::Duration;

mod life;
mod outcome;
mod polling;

pub use life::{
    RawCancel, RawChunks, RawCleanup, RawHealth, RawLimits, RawPace, RawStream, RawStreamFormat, RawWebhook,
    RawWebsocket,
};
pub use outcome::{RawEach, RawExtra, RawFiles, RawOutcome, RawPart, RawPartial, RawTake};
pub use polling::{ProbeUse, RawBatchPoll, RawEnvelope, RawListed, RawProbe, RawSideProgress};

use emp_syntax::hole::Reference;
use emp_syntax::hook::{Classify, Hook, Judge};
use emp_syntax::rule::{CodePattern, ErrorRule, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::Selector;
use proc_macro2::{Ident, Span};

use crate::spec::{
    Auth, Base, Body, Capture, DurationUnit, EnvKind, Follow, HookUse, KeyPlace, Pair, Setting, Spanned,
    Target, TypeRef, Unknown, Use,
};

/// A value that may have been written.
pub type Given<T> = Option<Spanned<T>>;

/// A connector's declaration, parsed and not yet checked.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // each field is the attribute of its name
pub struct RawSpec {
    pub name: Ident,
    pub reach: Reach,
    pub description: String,
    pub fields: Vec<RawField>,
    pub connector: Given<RawConnector>,
    pub openapi: Given<RawOpenApi>,
    pub http: Given<RawHttp>,
    pub origins: Given<RawOrigins>,
    pub auth: Given<Auth>,
    /// The steps before the submit, in order.
    pub prepare: Vec<Spanned<RawPrepare>>,
    pub submit: Given<RawSubmit>,
    /// The submits with a condition, in order.
    pub operations: Vec<Spanned<RawSubmit>>,
    pub poll: Given<RawPoll>,
    /// The polls with a condition, in order.
    pub polls: Vec<Spanned<RawPoll>>,
    pub states: Given<RawStates>,
    pub outcome: Given<RawOutcome>,
    pub errors: Given<RawErrors>,
    pub cancel: Given<RawCancel>,
    pub cleanup: Given<RawCleanup>,
    pub pace: Given<RawPace>,
    pub limits: Given<RawLimits>,
    pub health: Given<RawHealth>,
    pub stream: Given<RawStream>,
    pub websocket: Given<RawWebsocket>,
    pub webhook: Given<RawWebhook>,
    pub batch_poll: Given<RawBatchPoll>,
    pub side_progress: Given<RawSideProgress>,
    pub probe_uses: Vec<ProbeUse>,
    pub uses: Vec<Use>,
    pub hooks: Vec<HookUse>,
    pub lines: u32,
}

/// From where the type can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// From the root of its crate, where the registry is.
    Crate,
    /// From its own module or a part of the crate only.
    Module,
}

/// `#[connector(..)]`
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // each field is the key of its name
pub struct RawConnector {
    pub service: Given<Vec<Spanned<String>>>,
    pub version: Given<String>,
    pub payload: Given<TypeRef>,
    pub output: Given<TypeRef>,
    pub sync: Given<bool>,
    pub stream: bool,
    pub custom: bool,
    pub unregistered: bool,
    pub krate: Option<TypeRef>,
}

/// `#[openapi(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawOpenApi {
    pub file: Given<String>,
    pub submit: Given<String>,
    pub poll: Given<String>,
    pub cancel: Given<String>,
    pub open: Vec<Spanned<String>>,
    pub allow: Vec<Spanned<String>>,
    pub strict: bool,
}

/// A field with its `#[env(..)]`.
#[derive(Clone, Debug)]
pub struct RawField {
    pub field: Ident,
    pub type_span: Span,
    pub kind: EnvKind,
    pub option: bool,
    pub variable: Given<String>,
    pub default: Given<String>,
    pub optional: Option<Span>,
    pub range: Given<(f64, f64)>,
    pub unit: Given<DurationUnit>,
    pub description: String,
}

/// `#[http(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawHttp {
    pub base: Given<Base>,
    pub allow_hosts: Vec<Spanned<String>>,
    pub allow_http: bool,
}

/// `#[origins(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawOrigins {
    pub follow: Given<Follow>,
    pub download: Given<Vec<String>>,
    pub same_auth: Given<bool>,
}

/// The request inside an attribute.
#[derive(Clone, Debug, Default)]
pub struct RawRequest {
    pub target: Given<(&'static str, Target)>,
    pub query: Vec<Pair>,
    pub headers: Vec<Pair>,
    pub body: Given<Body>,
    pub max_body: Given<u64>,
    pub timeout: Given<Setting<Duration>>,
}

/// `#[prepare(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawPrepare {
    /// `unless` is `when` with a `Not`.
    pub when: Given<Predicate>,
    pub each: Given<Reference>,
    pub request: RawRequest,
    pub accept: Vec<CodePattern>,
    pub capture: Vec<Capture>,
}

/// `#[submit(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawSubmit {
    pub when: Given<Predicate>,
    pub request: RawRequest,
    pub envelope: Given<RawEnvelope>,
    pub accept: Given<Vec<CodePattern>>,
    pub capture: Vec<Capture>,
    pub feeds_poll: bool,
    pub hold: Given<Setting<Duration>>,
    pub billable: Given<bool>,
    pub settle: Vec<Spanned<RawSettle>>,
    pub rejects: Given<Vec<CodePattern>>,
}

/// A settle rule as written.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one of it lives for one expansion")]
pub enum RawSettle {
    Idempotent { key: Given<KeyPlace>, ttl: Given<Duration> },
    AssignId { absent_for: Given<Duration>, resend: bool },
    Lookup(RawLookup),
    AtMostOnce,
    AtLeastOnce,
}

/// `lookup(..)`
#[derive(Clone, Debug, Default)]
pub struct RawLookup {
    pub request: RawRequest,
    pub items: Given<Selector>,
    pub tag: Given<Selector>,
    pub id: Given<Selector>,
    pub wait: Given<Duration>,
}

/// `#[poll(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawPoll {
    pub when: Given<Predicate>,
    pub request: RawRequest,
    pub envelope: Given<RawEnvelope>,
    pub also: Vec<RawProbe>,
    pub echo: Vec<Selector>,
    pub listed: RawListed,
    pub hold: Given<Setting<Duration>>,
    pub progress: Vec<Selector>,
    pub progress_text: Vec<Selector>,
    pub queue_position: Vec<Selector>,
    pub eta: Vec<Selector>,
    pub logs: Vec<Selector>,
    pub preview: Vec<Selector>,
}

/// `#[states(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawStates {
    pub at: Given<Vec<Selector>>,
    pub fold_case: bool,
    pub sets: Vec<Spanned<(StateVerdict, Vec<Spanned<String>>)>>,
    pub unknown: Given<Unknown>,
    pub judge: Option<Hook<Judge>>,
    pub rules: Vec<StateRule>,
}

/// `#[errors(..)]`
#[derive(Clone, Debug, Default)]
pub struct RawErrors {
    pub message: Vec<Selector>,
    pub code: Vec<Selector>,
    pub classify: Option<Hook<Classify>>,
    pub retry: Vec<Selector>,
    pub rules: Vec<ErrorRule>,
}
