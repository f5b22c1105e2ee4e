//! Declarations by hand, a port that records, and a server that answers with any bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::job::{Call, Delta, Intent, JOB_SCHEMA, Job, JobId, JobState, Phase, Progress, ServiceJob};
use emp_core::spec::{
    Auth, AuthPart, Base, Body, Capture, ConnectorSpec, Download, DurationUnit, EnvField, EnvKind, Errors,
    Follow, HttpProtocol, Limits, Outcome, Pace, PayloadSchema, Poll, Protocol, RequestSpec, Settle,
    SourceLocation, StateSet, States, Submit, Take, Unknown, UrlSpec,
};
use emp_core::time::ManualClock;
use emp_core::{Clock as _, Timestamp};
use emp_engine::gateway::{GatewayOptions, Patience};
use emp_engine::port::{JobPort, Stop};
use emp_engine::run::{End, Next, Run};
use emp_engine::{Engine, EngineOptions};
use emp_syntax::hole::{Hole, Reference, Root, Step};
use emp_syntax::json::{Json, Member};
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::rule::{FailureKind, StateVerdict};
use emp_syntax::selector::{Selector, Source};
use emp_syntax::template::{Part, Template};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) const SECRET: &str = "sk-canary-0123456789";

pub(crate) fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub(crate) fn list<T>(values: Vec<T>) -> &'static [T] {
    Vec::leak(values)
}

pub(crate) fn at(path: &str) -> Selector {
    Selector { source: Source::Path(JsonPath::parse(path).unwrap()), reducers: Vec::new().into() }
}

pub(crate) fn header(name: &str) -> Selector {
    Selector { source: Source::Header(name.to_owned().into()), reducers: Vec::new().into() }
}

pub(crate) fn reference(root: Root, names: &[&str]) -> Reference {
    let path: Vec<Step> = names.iter().map(|name| Step::Name((*name).to_owned().into())).collect();
    Reference { root, path: path.into() }
}

pub(crate) fn hole(root: Root, names: &[&str]) -> Hole {
    Hole { reference: reference(root, names), optional: false, default: None }
}

/// A template of literal text, one hole, and literal text.
pub(crate) fn template(before: &str, inner: Option<(Hole, bool)>, after: &str) -> Template {
    let mut parts = vec![Part::Literal(before.to_owned().into())];
    parts.extend(inner.map(|(hole, reserved)| Part::Hole { hole, reserved }));
    if !after.is_empty() {
        parts.push(Part::Literal(after.to_owned().into()));
    }
    Template { parts: parts.into() }
}

pub(crate) fn request(method: &'static str, url: UrlSpec) -> RequestSpec {
    RequestSpec { method, url, timeout: Some(fixed(2)), ..RequestSpec::DEFAULT }
}

pub(crate) fn fixed(secs: u64) -> emp_core::spec::Setting<Duration> {
    emp_core::spec::Setting::Fixed(Duration::from_secs(secs))
}

pub(crate) fn path(text: &str) -> UrlSpec {
    UrlSpec::Path(template(text, None, ""))
}

pub(crate) fn job_path(before: &str, after: &str) -> UrlSpec {
    UrlSpec::Path(template(before, Some((hole(Root::Job, &["id"]), false)), after))
}

pub(crate) fn capture(name: &'static str, from: Selector) -> Capture {
    Capture { name, from: list(vec![from]) }
}

static ENV: &[EnvField] = &[
    EnvField {
        field: "base_url",
        variable: "BASE_URL",
        kind: EnvKind::Url,
        required: true,
        default: None,
        range: None,
        unit: DurationUnit::Seconds,
        description: "",
    },
    EnvField {
        field: "api_key",
        variable: "API_KEY",
        kind: EnvKind::Secret,
        required: true,
        default: None,
        range: None,
        unit: DurationUnit::Seconds,
        description: "",
    },
];

/// A declaration to be changed by a test.
pub(crate) struct Declared {
    pub(crate) http: HttpProtocol,
    pub(crate) pace: Pace,
    pub(crate) limits: Limits,
}

/// Submit, poll, cancel at `/jobs`, with a bearer-like credential and a billable submit that is never repeated.
pub(crate) fn declared() -> Declared {
    let set = |verdict, word: &'static str| StateSet { verdict, words: list(vec![word]) };
    let http = HttpProtocol {
        base: Base::Env("base_url"),
        allow_hosts: &[],
        follow: Follow::SelfOnly,
        download: Download::DEFAULT,
        auth: Auth::Header { name: "x-api-key", value: &[AuthPart::Field("api_key")] },
        submit: Submit {
            request: RequestSpec {
                body: Body::Json(Json::Object(
                    vec![Member::Field {
                        name: "prompt".into(),
                        value: Json::Hole(hole(Root::Payload, &["prompt"])),
                    }]
                    .into(),
                )),
                ..request("POST", path("/jobs"))
            },
            accept: &[],
            capture: list(vec![capture("id", at("$.id"))]),
            feeds_poll: false,
            hold: None,
            billable: true,
            settle: Settle::AtMostOnce,
            rejects: &[],
            ..Submit::DEFAULT
        },
        poll: Some(Poll {
            request: request("GET", job_path("/jobs/", "")),
            progress: list(vec![at("$.progress")]),
            progress_text: &[],
            queue_position: &[],
            eta: &[],
            logs: &[],
            ..Poll::DEFAULT
        }),
        states: States {
            at: list(vec![at("$.status")]),
            fold_case: false,
            sets: list(vec![
                set(StateVerdict::Queued, "queued"),
                set(StateVerdict::Running, "running"),
                set(StateVerdict::Succeeded, "succeeded"),
                set(StateVerdict::Failed { kind: FailureKind::Service, message: None }, "failed"),
                set(StateVerdict::Failed { kind: FailureKind::Transient, message: None }, "preempted"),
                set(StateVerdict::Canceled, "canceled"),
            ]),
            unknown: Unknown::Running,
            judge: None,
            rules: &[],
        },
        outcome: Outcome {
            take: Take { json: list(vec![at("$.output")]), ..Take::DEFAULT },
            ..Outcome::DEFAULT
        },
        errors: Errors { message: list(vec![at("$.error")]), ..Errors::DEFAULT },
        cancel: None,
        health: None,
        ..HttpProtocol::DEFAULT
    };
    Declared { http, pace: Pace { jitter: 0.0, ..Pace::DEFAULT }, limits: Limits::DEFAULT }
}

impl Declared {
    pub(crate) fn with(mut self, edit: impl FnOnce(&mut HttpProtocol)) -> Self {
        edit(&mut self.http);
        self
    }

    pub(crate) fn loaded(self, base: &str) -> Arc<Loaded> {
        loaded(Protocol::Http(self.http), self.pace, self.limits, base)
    }
}

pub(crate) fn loaded(protocol: Protocol, pace: Pace, limits: Limits, base: &str) -> Arc<Loaded> {
    let spec = leak(ConnectorSpec {
        name: "TestConnector",
        services: &["test"],
        version: "1.0.0",
        description: "",
        source: SourceLocation { file: "test.rs", line: 1, lines: 1 },
        fingerprint: 7,
        env: ENV,
        payload: PayloadSchema::Any,
        output: None,
        pace,
        limits,
        openapi: None,
        protocol,
    });
    let env: BTreeMap<String, String> =
        [("BASE_URL".to_owned(), base.to_owned()), ("API_KEY".to_owned(), SECRET.to_owned())].into();
    let (settings, errors) = Settings::load(ENV, &env);
    assert_eq!(errors, []);
    Arc::new(Loaded { spec, settings, custom: None, base: None })
}

pub(crate) fn job(payload: Value) -> Job {
    let now = Timestamp(1_700_000_000_000);
    Job {
        schema: JOB_SCHEMA,
        id: "01890a5d-ac96-774b-bcce-b302099a8057".parse::<JobId>().unwrap(),
        arrival: 1,
        seq: 1,
        state: JobState::Running,
        phase: Some(Phase::Prepared),
        service: "test".to_owned(),
        payload,
        priority: 0,
        labels: BTreeMap::new(),
        attempt: 0,
        deliveries: 1,
        crashes: 0,
        crashed: Vec::new(),
        lease: None,
        intent: None,
        service_job: None,
        orphans: Vec::new(),
        progress: None,
        cancel: None,
        result: None,
        discarded_result: None,
        meta: serde_json::Map::new(),
        error: None,
        ready_at: now,
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
        idempotency_key: None,
        queued_at: now,
        intent_by: None,
        closed: None,
        lapsed: None,
        nudged: false,
        call: None,
        heard: Vec::new(),
    }
}

pub(crate) fn submitted(id: &str) -> Job {
    Job {
        phase: Some(Phase::Submitted),
        attempt: 1,
        service_job: Some(ServiceJob {
            id: id.to_owned(),
            captured: serde_json::Map::new(),
            connector: "TestConnector".to_owned(),
            fingerprint: 7,
            submitted_at: Timestamp(1_700_000_000_000),
        }),
        ..job(json!({ "prompt": "a cat" }))
    }
}

/// What happened, in order: the port's writes and the server's requests in one list.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// A port over a list.
pub(crate) struct MemoryPort {
    pub(crate) log: Log,
    pub(crate) clock: ManualClock,
    pub(crate) progress: Mutex<Vec<Progress>>,
    pub(crate) deltas: Mutex<Vec<Delta>>,
    /// What the service says when it calls next.
    pub(crate) call: Mutex<Option<Call>>,
    pub(crate) stop: watch::Sender<Option<Stop>>,
    /// The stop that begins as soon as the intent is stored.
    pub(crate) stop_at_intent: Option<Stop>,
    /// The service has called.
    pub(crate) nudged: tokio::sync::Notify,
}

impl MemoryPort {
    pub(crate) fn new(log: Log) -> Arc<Self> {
        Arc::new(Self::bare(log))
    }

    pub(crate) fn bare(log: Log) -> Self {
        Self {
            log,
            clock: ManualClock::at(Timestamp(1_700_000_000_000)),
            progress: Mutex::default(),
            deltas: Mutex::default(),
            call: Mutex::default(),
            stop: watch::Sender::new(None),
            stop_at_intent: None,
            nudged: tokio::sync::Notify::new(),
        }
    }

    pub(crate) fn stop_with(&self, stop: Stop) {
        self.stop.send_replace(Some(stop));
    }

    fn note(&self, what: impl Into<String>) -> Result<(), Stop> {
        if self.stop() == Some(Stop::Fenced) {
            return Err(Stop::Fenced);
        }
        self.log.lock().unwrap().push(what.into());
        Ok(())
    }
}

#[async_trait]
impl JobPort for MemoryPort {
    async fn intent(&self, intent: Intent) -> Result<(), Stop> {
        self.note(format!("intent {}", intent.key))?;
        if let Some(stop) = self.stop_at_intent {
            self.stop_with(stop);
        }
        Ok(())
    }

    async fn not_sent(&self, reason: &str) -> Result<(), Stop> {
        self.note(format!("not_sent {reason}"))
    }

    async fn submitted(&self, service_job: ServiceJob) -> Result<(), Stop> {
        self.note(format!("submitted {}", service_job.id))
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }

    fn delta(&self, delta: Delta) {
        self.deltas.lock().unwrap().push(delta);
    }

    async fn call(&self) -> Option<Call> {
        self.call.lock().unwrap().take()
    }

    fn stop(&self) -> Option<Stop> {
        *self.stop.borrow()
    }

    async fn nudged(&self) {
        self.nudged.notified().await;
    }

    async fn stopped(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        let found = stop.wait_for(Option::is_some).await.unwrap();
        found.unwrap()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        // Real time goes by as well: services of these tests answer by it.
        tokio::time::sleep(duration).await;
        self.clock.advance(duration);
    }
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// Bytes as they stand, then the end of the connection.
    Raw(Vec<u8>),
    /// Bytes, then the same bytes again and again with pauses, until the client goes.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// Bytes as they stand, after a while.
    Late(Duration, Vec<u8>),
    /// Closes without an answer.
    Cut,
}

pub(crate) fn reply(code: u16, body: impl AsRef<str>) -> Reply {
    reply_with(code, "Content-Type: application/json\r\n", body)
}

pub(crate) fn reply_with(code: u16, headers: &str, body: impl AsRef<str>) -> Reply {
    let body = body.as_ref();
    Reply::Raw(
        format!("HTTP/1.1 {code} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes(),
    )
}

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) log: Log,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { port: listener.local_addr().unwrap().port(), log: Arc::default(), seen: Arc::default() };
        let (log, seen, answer) = (Arc::clone(&server.log), Arc::clone(&server.seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (log, seen, answer) = (Arc::clone(&log), Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    serve(socket, &log, &seen, answer.as_ref()).await;
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, method: &str) -> usize {
        self.seen().iter().filter(|seen| seen.method == method).count()
    }
}

async fn serve(
    mut socket: TcpStream,
    log: &Log,
    seen: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen) -> Reply + Send + Sync),
) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let head = text[..end].to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().unwrap());
            break (text[..end].to_owned(), end + 4 + length);
        }
    };
    while bytes.len() < length {
        socket.read_buf(&mut bytes).await.ok()?;
    }
    let mut words = head.split(' ');
    let request = Seen {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        body: String::from_utf8_lossy(&bytes[head.len() + 4..]).into_owned(),
        head,
    };
    log.lock().unwrap().push(request.line());
    seen.lock().unwrap().push(request.clone());
    match answer(&request) {
        Reply::Raw(bytes) => socket.write_all(&bytes).await.ok()?,
        Reply::Late(after, bytes) => {
            tokio::time::sleep(after).await;
            socket.write_all(&bytes).await.ok()?;
        }
        Reply::Drip(first, again, pause) => {
            socket.write_all(&first).await.ok()?;
            loop {
                socket.write_all(&again).await.ok()?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Cut => {}
    }
    socket.shutdown().await.ok()
}

/// An engine with short deadlines and no randomness.
pub(crate) fn engine() -> Arc<Engine> {
    engine_with(|_| {})
}

pub(crate) fn engine_with(edit: impl FnOnce(&mut GatewayOptions)) -> Arc<Engine> {
    let mut gateway = GatewayOptions {
        patience: Patience {
            connect: Duration::from_secs(1),
            total: Duration::from_secs(2),
            idle: Duration::from_millis(150),
            rate_after: Duration::from_millis(100),
            min_rate: 1024,
            longest: None,
        },
        ..GatewayOptions::default()
    };
    edit(&mut gateway);
    Engine::new(EngineOptions {
        gateway,
        cancel_deadline: Duration::from_millis(1500),
        random: || 0.5,
        ..EngineOptions::default()
    })
}

/// A run with its port.
pub(crate) fn run(engine: &Engine, connector: &Arc<Loaded>, job: Job, port: &Arc<MemoryPort>) -> Run {
    engine.start(job, Arc::clone(connector), Arc::clone(port) as Arc<dyn JobPort>)
}

/// Steps until the end; a wait only moves the port's clock.
pub(crate) async fn finish(engine: &Engine, run: &mut Run, port: &MemoryPort) -> End {
    for _ in 0..500 {
        match engine.step(run).await {
            Next::Wait(wait) => port.clock.advance(wait.max(Duration::from_millis(1))),
            Next::End(end) => return end,
            Next::Stopped(stop) => panic!("stopped: {stop:?}"),
        }
    }
    panic!("it never ends");
}

/// A new job from submit to end.
pub(crate) async fn whole(connector: &Arc<Loaded>, log: &Log) -> (End, Arc<MemoryPort>) {
    let engine = engine();
    let port = MemoryPort::new(Arc::clone(log));
    let mut run = run(&engine, connector, job(json!({ "prompt": "a cat" })), &port);
    (finish(&engine, &mut run, &port).await, port)
}

pub(crate) fn failed(end: End) -> emp_core::JobError {
    match end {
        End::Failed(error) => error,
        other => panic!("not failed: {other:?}"),
    }
}

impl MemoryPort {
    pub(crate) fn clock_now(&self) -> i64 {
        self.clock.now().0
    }
}
