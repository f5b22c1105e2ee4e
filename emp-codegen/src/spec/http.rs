//! `#[http]` to `#[health]`: the declared protocol.

use std::time::Duration;

use emp_syntax::hole::{Hole, Reference};
use emp_syntax::hook::{Classify, Hook, Judge};
use emp_syntax::json::{Json, Member};
use emp_syntax::rule::{CodePattern, ErrorRule, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::Selector;
use emp_syntax::template::Template;

use super::{
    BatchPoll, Cancel, Envelope, Jwt, Listed, OAuth2, Outcome, Probe, Setting, SideProgress, Spanned, Stream,
    Webhook, Websocket,
};

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
    /// All of them, at the base's origin.
    Rebase,
}

/// From where results are fetched.
#[derive(Clone, Debug, Default)]
pub struct Download {
    /// These hosts, beside the base's origin.
    pub hosts: Vec<String>,
    /// They get the API's credential.
    pub same_auth: bool,
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
    /// A token that is signed.
    Jwt(Jwt),
    /// A token that is fetched.
    OAuth2(OAuth2),
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
    /// From where results are fetched.
    pub download: Download,
    /// The credential.
    pub auth: Auth,
    /// Requests before the submit, in order.
    pub prepare: Vec<Prepare>,
    /// Other submits, for the jobs that their conditions name.
    pub operations: Vec<Operation>,
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
    /// What is tidied up after a result.
    pub cleanup: Option<Cleanup>,
    /// How health is asked.
    pub health: Option<Health>,
    /// How the output comes piece by piece.
    pub stream: Option<Stream>,
    /// A socket beside the poll.
    pub websocket: Option<Websocket>,
    /// What is believed of calls.
    pub webhook: Option<Webhook>,
    /// All jobs at once.
    pub batch_poll: Option<BatchPoll>,
    /// How far a job is while its submit is open.
    pub side_progress: Option<SideProgress>,
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
    /// The body.
    pub body: Option<Body>,
    /// Largest body, bytes.
    pub max_body: Option<u64>,
    /// For how long it may take.
    pub timeout: Option<Setting<Duration>>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// Typed-hole JSON.
    Json(Json),
    /// Names and texts.
    Form(Vec<Member>),
    /// Names, texts and files.
    Multipart(Vec<Member>),
    /// One value.
    Raw {
        /// What is sent.
        value: Json,
        /// Its type.
        content_type: Option<String>,
    },
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

/// A request before the submit.
#[derive(Clone, Debug)]
pub struct Prepare {
    /// Of which jobs or elements.
    pub when: Option<Predicate>,
    /// Once for each element of this list.
    pub each: Option<Reference>,
    /// The request.
    pub request: Request,
    /// Codes that mean accepted.
    pub accept: Vec<CodePattern>,
    /// What the answer gives.
    pub capture: Vec<Capture>,
}

/// What is done for jobs of one kind.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Of which jobs.
    pub when: Predicate,
    /// How such a job is submitted.
    pub submit: Submit,
    /// How it is asked after, when that differs.
    pub poll: Option<Poll>,
}

/// How a job is submitted.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The request.
    pub request: Request,
    /// When a 2xx answer is a refusal.
    pub envelope: Option<Envelope>,
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
    /// When a 2xx answer is a refusal.
    pub envelope: Option<Envelope>,
    /// Further questions.
    pub also: Vec<Probe>,
    /// Where an answer repeats the job's id.
    pub echo: Vec<Selector>,
    /// The answer is a list.
    pub listed: Option<Listed>,
    /// For how long the service holds the request.
    pub hold: Option<Setting<Duration>>,
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
    /// A picture.
    pub preview: Vec<Selector>,
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
    /// Asked before the rules.
    pub judge: Option<Hook<Judge>>,
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

/// What a refusal means.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// The text for people.
    pub message: Vec<Selector>,
    /// The service's own code.
    pub code: Vec<Selector>,
    /// Asked before the rules.
    pub classify: Option<Hook<Classify>>,
    /// Where the service says whether to ask again.
    pub retry: Vec<Selector>,
    /// The first that applies decides.
    pub rules: Vec<ErrorRule>,
}

/// What is tidied up after a result.
#[derive(Clone, Debug)]
pub struct Cleanup {
    /// The request.
    pub request: Request,
    /// After which jobs.
    pub when: Option<Predicate>,
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
