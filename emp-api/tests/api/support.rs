//! An API over a store in memory, and what tests do with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use emp_api::{ApiState, Auth, Catalog, Limits, router};
use emp_core::connector::Entry;
use emp_core::env::Settings;
use emp_core::job::{Intent, JobId, ServiceJob, WorkerId};
use emp_core::mapping::Mapping;
use emp_core::spec::{
    DurationUnit, EnvField, EnvKind, Limits as SpecLimits, Pace, PayloadField, PayloadSchema, Protocol,
    SourceLocation,
};
use emp_core::time::ManualClock;
use emp_core::{Connector, ConnectorSpec, EnvError, Registry, Timestamp};
use emp_outputs::OutputStore;
use emp_store::{Change, ClaimKey, ClaimRequest, ListQuery, MemoryStore, Store, StoreOptions, Write};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The guide's connector, as far as the API looks at it.
pub(crate) struct MyService;

pub(crate) static MY_SERVICE: ConnectorSpec = ConnectorSpec {
    name: "MyServiceConnector",
    services: &["my-service"],
    version: "1.0.0",
    description: "MyService API connector",
    source: SourceLocation { file: "connectors/my_service.rs", line: 1, lines: 40 },
    fingerprint: 7,
    env: &[
        EnvField {
            field: "api_key",
            variable: "MY_SERVICE_API_KEY",
            kind: EnvKind::Secret,
            required: true,
            default: None,
            range: None,
            unit: DurationUnit::Seconds,
            description: "The key.",
        },
        EnvField {
            field: "retries",
            variable: "MY_SERVICE_RETRY_ATTEMPTS",
            kind: EnvKind::Integer { min: 0, max: 255 },
            required: false,
            default: Some("3"),
            range: None,
            unit: DurationUnit::Seconds,
            description: "Attempts.",
        },
    ],
    payload: PayloadSchema::Holes(&[
        PayloadField { name: "input", required: true, object: false, asset: None },
        PayloadField { name: "model", required: false, object: false, asset: None },
        PayloadField { name: "options", required: false, object: true, asset: None },
    ]),
    output: None,
    pace: Pace::DEFAULT,
    limits: SpecLimits::DEFAULT,
    openapi: None,
    protocol: Protocol::Custom,
};

impl Connector for MyService {
    const SPEC: &'static ConnectorSpec = &MY_SERVICE;

    fn from_settings(_: &Settings, _: &mut Vec<EnvError>) -> Option<Self> {
        Some(Self)
    }
}

static ENTRIES: [Entry; 1] = [Entry::of::<MyService>()];
pub(crate) static REGISTRY: Registry = Registry::new(&ENTRIES, None);

pub(crate) fn mapping() -> Mapping {
    let worker = |capability| json!({ "service": [{ "capability": capability, "connector": "MyServiceConnector", "type": "external" }] });
    let mapping = json!({
        "connectors": { "MyServiceConnector": { "description": "MyService" } },
        "workers": { "my-service-api": worker("my-service"), "simulator": worker("simulation") },
    });
    Mapping::parse(&mapping.to_string()).unwrap()
}

pub(crate) fn catalog() -> Catalog {
    Catalog::new(&mapping(), &REGISTRY)
}

/// An API in this process.
pub(crate) struct Api {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) state: ApiState,
    router: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }

    /// The answer must be a problem of this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["type"], format!("/api/problems/{code}"));
        assert_eq!(self.json["request_id"], self.header("x-request-id"));
        for member in ["title", "detail", "instance"] {
            assert!(
                self.json[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {}",
                self.text
            );
        }
    }
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with(Auth::None, Limits::default())
    }

    pub(crate) fn with(auth: Auth, limits: Limits) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let store = Arc::new(MemoryStore::new(StoreOptions::default(), clock.clone()));
        let state = ApiState::with(store.clone(), catalog(), auth, limits);
        Self { store, clock, router: router(state.clone()), state }
    }

    /// An API that can reach an output store.
    pub(crate) fn with_outputs(outputs: Arc<OutputStore>) -> Self {
        let api = Self::new();
        let state = api.state.clone().outputs(outputs);
        Self { router: router(state.clone()), state, ..api }
    }

    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Reply {
        self.send(request("GET", path).header(name, value).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(get(path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(post(path, body.to_string())).await
    }

    pub(crate) async fn submit(&self, body: &Value) -> Reply {
        self.post("/api/jobs", body).await
    }

    /// A job of the guide's; its id.
    pub(crate) async fn job(&self) -> JobId {
        let reply = self.submit(&guide()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        reply.json["job_id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn count(&self) -> usize {
        self.store.list(ListQuery { limit: 200, ..ListQuery::default() }).await.unwrap().jobs.len()
    }

    /// A worker claims the next job.
    pub(crate) async fn claim(&self) -> ClaimKey {
        let request = ClaimRequest {
            worker: WorkerId::start("tester"),
            services: BTreeMap::from([("my-service".to_owned(), 1)]),
            labels: BTreeMap::new(),
            connectors: BTreeSet::from(["MyServiceConnector".to_owned()]),
            max: 1,
        };
        let job = self.store.claim(request).await.unwrap().remove(0);
        ClaimKey { job: job.id, nonce: job.lease.unwrap().nonce }
    }

    pub(crate) async fn change(&self, claim: &ClaimKey, change: Change) {
        let write = Write { claim: claim.clone(), change };
        let answer = self.store.write(vec![write]).await.unwrap().remove(0);
        assert!(answer.holds(), "{answer:?}");
    }

    /// The submit of a claimed job, done.
    pub(crate) async fn submitted(&self, claim: &ClaimKey) {
        let intent = Intent {
            connector: "MyServiceConnector".into(),
            fingerprint: 7,
            key: "key-1".into(),
            digest: "d".into(),
            prepared: serde_json::Map::new(),
            at: Timestamp(0),
        };
        self.change(claim, Change::Intent(intent)).await;
        let job = ServiceJob {
            id: "svc-1".into(),
            captured: serde_json::Map::new(),
            connector: "MyServiceConnector".into(),
            fingerprint: 7,
            submitted_at: Timestamp(0),
        };
        self.change(claim, Change::Submitted(job)).await;
    }
}

/// The job of the guide's curl.
pub(crate) fn guide() -> Value {
    json!({ "service": "my-service", "payload": { "input": "test input", "model": "my-model-v1" } })
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "localhost:3000")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    request("GET", path).body(Body::empty()).unwrap()
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    request("POST", path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    assert_ne!(parts.status, StatusCode::SWITCHING_PROTOCOLS);
    Reply { status: parts.status.as_u16(), headers: parts.headers, text, json }
}
