//! A store that cannot.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use emp_api::{ApiState, Auth, Limits, router};
use emp_core::Timestamp;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_store::{
    Answer, CancelAnswer, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError, WorkerStatus,
    Write,
};

use crate::support::{catalog, get, guide, post, send};

/// How it fails.
#[derive(Clone, Copy, Debug)]
enum Broken {
    Down,
    Full,
    Crowded,
    Panics,
    Hangs,
}

impl Broken {
    async fn fail<T>(&self) -> Result<T, StoreError> {
        match self {
            Self::Down => Err(StoreError::Down("/var/lib/secret-path: locked".into())),
            Self::Full => Err(StoreError::Full("/var/lib/secret-path: disk".into())),
            Self::Crowded => Err(StoreError::Crowded("secret-path: 7 wait".into())),
            Self::Panics => panic!("secret-path"),
            Self::Hangs => std::future::pending().await,
        }
    }

    fn router(self) -> Router {
        router(ApiState::with(Arc::new(self), catalog(), Auth::None, Limits::default()))
    }
}

#[async_trait]
impl Store for Broken {
    async fn enqueue(&self, _: NewJob) -> Result<Enqueued, StoreError> {
        self.fail().await
    }
    async fn claim(&self, _: ClaimRequest) -> Result<Vec<Job>, StoreError> {
        self.fail().await
    }
    async fn write(&self, _: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
        self.fail().await
    }
    async fn cancel(&self, _: &JobId, _: &str, _: Option<&str>) -> Result<CancelAnswer, StoreError> {
        self.fail().await
    }
    async fn nudge(&self, _id: &JobId, _call: Option<Call>) -> Result<bool, StoreError> {
        self.fail().await
    }

    async fn reap(&self) -> Result<usize, StoreError> {
        self.fail().await
    }
    async fn get(&self, _: &JobId) -> Result<Option<Job>, StoreError> {
        self.fail().await
    }
    async fn list(&self, _: ListQuery) -> Result<Page, StoreError> {
        self.fail().await
    }
    async fn events(&self, _: &JobId, _: u64) -> Result<Option<Vec<Event>>, StoreError> {
        self.fail().await
    }
    async fn announce(&self, _: WorkerStatus) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn retire(&self, _: &WorkerId) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn workers(&self) -> Result<Vec<WorkerStatus>, StoreError> {
        self.fail().await
    }
    async fn counts(&self) -> Result<BTreeMap<String, BTreeMap<JobState, u64>>, StoreError> {
        self.fail().await
    }
    async fn changed(&self) {}
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

#[tokio::test]
async fn p27_a_store_that_is_down_or_full_is_said_politely_and_names_no_path() {
    let down = send(&Broken::Down.router(), post("/api/jobs", guide().to_string())).await;
    down.assert_problem(503, "E_STORE_DOWN");
    assert_eq!(down.header("retry-after"), "1");
    let full = send(&Broken::Full.router(), post("/api/jobs", guide().to_string())).await;
    full.assert_problem(507, "E_STORE_FULL");
    let crowded = send(&Broken::Crowded.router(), post("/api/jobs", guide().to_string())).await;
    crowded.assert_problem(429, "E_QUEUE_FULL");
    for reply in [&full, &crowded] {
        assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    }
    assert!(!crowded.text.contains("secret-path"));
    assert!(!down.text.contains("secret-path") && !full.text.contains("secret-path"));
}

#[tokio::test]
async fn every_call_that_needs_the_store_says_that_it_is_down() {
    let router = Broken::Down.router();
    let id = JobId::random();
    let paths = ["", &format!("/{id}"), &format!("/{id}/events"), &format!("/{id}/result")]
        .map(|rest| format!("/api/jobs{rest}"));
    for path in
        paths.iter().map(String::as_str).chain(["/api/services", "/api/services/my-service", "/api/workers"])
    {
        send(&router, get(path)).await.assert_problem(503, "E_STORE_DOWN");
    }
    send(&router, post(&format!("/api/jobs/{id}/cancel"), "")).await.assert_problem(503, "E_STORE_DOWN");
}

#[tokio::test]
async fn a_panic_is_a_problem_without_its_text_and_the_next_request_is_served() {
    let router = Broken::Panics.router();
    let reply = send(&router, get("/api/jobs")).await;
    reply.assert_problem(500, "E_INTERNAL");
    assert!(!reply.text.contains("secret-path"));
    assert_eq!(send(&router, get("/livez")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn livez_never_looks_at_the_store_and_readyz_always_does() {
    for store in [Broken::Down, Broken::Panics, Broken::Hangs] {
        assert_eq!(send(&store.router(), get("/livez")).await.status, 200, "{store:?}");
    }
    for store in [Broken::Down, Broken::Hangs] {
        let reply = send(&store.router(), get("/readyz")).await;
        reply.assert_problem(503, "E_STORE_DOWN");
        assert!(!reply.text.contains("secret-path"), "{}", reply.text);
    }
}
