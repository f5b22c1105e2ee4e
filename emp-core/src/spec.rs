//! The declaration at run time: `static` data that the derive printed and the engine evaluates.
//!
//! Everything here is plain and public, so that a spec can also be written by hand, shown by `emp connector show`, or
//! turned into a fake service. Nothing is parsed at run time.

mod cancel;
mod cleanup;
mod default;
mod download;
mod env;
mod limits;
mod openapi;
mod operation;
mod outcome;
mod payload;
mod polling;
mod prepare;
mod request;
mod service;
mod steps;
mod stream;
mod token;
mod webhook;
mod websocket;

use serde_json::Value;

pub use cancel::{Cancel, CancelAt, CancelScope, CancelStage};
pub use cleanup::Cleanup;
pub use download::{Download, DownloadAuth};
pub use env::{DurationUnit, EnvField, EnvKind};
pub use limits::{Limits, Pace, Rate};
pub use openapi::OpenApi;
pub use operation::Operation;
pub use outcome::{Each, Extra, Files, Minimum, Outcome, Part, ResultAt, ResultRequest, Take};
pub use payload::{PayloadAsset, PayloadField, PayloadSchema};
pub use polling::{BatchPoll, Envelope, Learn, Listed, Probe, SideProgress};
pub use prepare::Prepare;
pub use request::{Body, Pair, PairValue, RequestSpec, UrlSpec};
pub use service::{Auth, AuthPart, Base, Follow};
pub use steps::{
    Capture, Errors, HealthProbe, KeyPlace, Lookup, Poll, Settle, StateSet, States, Submit, Unknown,
};
pub use stream::{Stream, StreamFormat};
pub use token::{Claim, ClaimValue, ClientAuth, Jwt, JwtAlg, OAuth2, TokenUrl};
pub use webhook::{
    CallBody, EventAt, HmacAlgorithm, HmacSignature, SignatureEncoding, SignedPart, StampAt, Verify, Webhook,
};
pub use websocket::Websocket;

/// A connector, as declared.
#[derive(Clone, Debug)]
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
    /// The service's own description, which the build has compared the declaration with.
    pub openapi: Option<OpenApi>,
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
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // one static per connector: a box would cost a pointer and a `const` could not make it
pub enum Protocol {
    /// Declared requests over HTTP.
    Http(HttpProtocol),
    /// `#[connector(custom)]`: the type's own `CustomConnector::run`.
    Custom,
}

/// A declared protocol over HTTP.
#[derive(Clone, Debug)]
pub struct HttpProtocol {
    /// Where the service is.
    pub base: Base,
    /// Hosts that `base` may name when it comes from the environment; empty means any. `*.x.com` matches one or more labels.
    pub allow_hosts: &'static [&'static str],
    /// Which server-supplied URLs are followed.
    pub follow: Follow,
    /// From where results are fetched.
    pub download: Download,
    /// The credential and its place.
    pub auth: Auth,
    /// Requests before the submit, in order.
    pub prepare: &'static [Prepare],
    /// Other submits, for the payloads that their conditions name. [`submit_for`](Self::submit_for) chooses.
    pub operations: &'static [Operation],
    /// How a job is submitted that is of no other operation.
    pub submit: Submit,
    /// How it is asked after; `None` for `mode = sync`. [`poll_for`](Self::poll_for) chooses.
    pub poll: Option<Poll>,
    /// What an answer says of the job.
    pub states: States,
    /// Where the result is.
    pub outcome: Outcome,
    /// What a refusal means.
    pub errors: Errors,
    /// How a job is cancelled.
    pub cancel: Option<Cancel>,
    /// What is tidied up when a job has its result.
    pub cleanup: Option<Cleanup>,
    /// How the service's health is asked.
    pub health: Option<HealthProbe>,
    /// How the output comes piece by piece.
    pub stream: Option<Stream>,
    /// A socket beside the poll.
    pub websocket: Option<Websocket>,
    /// What is believed of the calls of the service.
    pub webhook: Option<Webhook>,
    /// How all jobs that wait are asked after at once.
    pub batch_poll: Option<BatchPoll>,
    /// Where to ask how far a job is while its submit is open.
    pub side_progress: Option<SideProgress>,
}

/// A value that is fixed in the declaration or read from a field of the environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting<T> {
    /// Written in the declaration.
    Fixed(T),
    /// `env.field`.
    Env(&'static str),
}
