//! The clients: they submit until they are told that the job is taken in, cancel some, look until each has ended, and write down what
//! they were told.

use std::sync::Arc;
use std::time::Duration;

use emp_core::job::JobState;
use emp_testkit::MARK;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::http;
use crate::stage::Stage;

/// Between two tries of one request, and between two looks at a job.
const AGAIN: Duration = Duration::from_millis(300);
/// One job in so many is cancelled.
const CANCELLED: u32 = 5;

/// What a client knows of its job.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// By which the service's ledger knows it.
    pub(crate) mark: String,
    /// Index of its service.
    pub(crate) service: usize,
    /// The id, once the API has said that it is taken in.
    pub(crate) id: Option<String>,
    /// The API has said that it is cancelled.
    pub(crate) cancelled: bool,
    /// The ends that it was seen in.
    pub(crate) seen: Vec<JobState>,
}

/// The clients of a run.
#[derive(Debug)]
pub(crate) struct Clients {
    running: JoinSet<Known>,
    submitting: tokio::task::JoinHandle<JoinSet<Known>>,
    over: watch::Sender<bool>,
}

/// Starts clients that submit for as long as the run lasts.
pub(crate) fn start(stage: &Arc<Stage>, seed: u64, length: Duration) -> Clients {
    let over = watch::Sender::new(false);
    let (stage, ended) = (Arc::clone(stage), over.subscribe());
    let submitting = tokio::spawn(async move {
        let mut chance = fastrand::Rng::with_seed(seed ^ 0x00c1_1e47);
        let mut clients = JoinSet::new();
        let begun = tokio::time::Instant::now();
        let mut number = 0;
        while begun.elapsed() < length {
            let wish = Wish {
                service: chance.usize(0..stage.services.len()),
                mark: format!("{MARK}{number}"),
                priority: chance.u8(0..10),
                cancel: (chance.u32(0..CANCELLED) == 0).then(|| Duration::from_millis(chance.u64(0..5000))),
            };
            clients.spawn(client(Arc::clone(&stage), wish, ended.clone()));
            number += 1;
            tokio::time::sleep(Duration::from_millis(chance.u64(50..450))).await;
        }
        clients
    });
    Clients { running: JoinSet::new(), submitting, over }
}

impl Clients {
    /// Waits until every job has come to rest, at most for so long; gives what the clients know.
    pub(crate) async fn rest(mut self, patience: Duration) -> Vec<Known> {
        let end = tokio::time::Instant::now() + patience;
        if let Ok(clients) = self.submitting.await {
            self.running = clients;
        }
        let mut known = Vec::new();
        loop {
            tokio::select! {
                next = self.running.join_next() => match next {
                    Some(Ok(job)) => known.push(job),
                    Some(Err(_)) => {}
                    None => return known,
                },
                () = tokio::time::sleep_until(end), if !*self.over.borrow() => {
                    self.over.send_replace(true);
                }
            }
        }
    }
}

/// What a client wants.
struct Wish {
    service: usize,
    mark: String,
    priority: u8,
    cancel: Option<Duration>,
}

async fn client(stage: Arc<Stage>, wish: Wish, mut over: watch::Receiver<bool>) -> Known {
    let mut known = Known {
        mark: wish.mark.clone(),
        service: wish.service,
        id: None,
        cancelled: false,
        seen: Vec::new(),
    };
    // Whoever is still waiting when the run is over says what it knows.
    tokio::select! {
        () = live(&stage, &wish, &mut known) => {}
        _ = over.wait_for(|over| *over) => {}
    }
    known
}

async fn live(stage: &Stage, wish: &Wish, known: &mut Known) {
    let id = submit(stage, wish).await;
    known.id = Some(id.clone());
    if let Some(after) = wish.cancel {
        tokio::time::sleep(after).await;
        known.cancelled = cancel(stage, &id).await;
    }
    loop {
        if let Some((StatusCode::OK, job)) =
            http::ask(stage.api_address, "GET", &format!("/api/jobs/{id}"), None, None).await
            && let Some(state) = state(&job)
            && (state.terminal() || state == JobState::Uncertain)
        {
            known.seen.push(state);
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Sends the job with one key until somebody says that it is taken in.
async fn submit(stage: &Stage, wish: &Wish) -> String {
    let role = &stage.services[wish.service].role;
    let body = json!({
        "service": role.service,
        "payload": role.payload(&wish.mark),
        "priority": wish.priority,
    });
    loop {
        let answer = http::ask(stage.api_address, "POST", "/api/jobs", Some(&wish.mark), Some(&body)).await;
        if let Some((StatusCode::OK | StatusCode::ACCEPTED, receipt)) = answer
            && let Some(id) = receipt["job_id"].as_str()
        {
            return id.to_owned();
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Asks for a cancel until there is an answer; says whether it is recorded.
async fn cancel(stage: &Stage, id: &str) -> bool {
    loop {
        let path = format!("/api/jobs/{id}/cancel");
        match http::ask(stage.api_address, "POST", &path, None, None).await {
            Some((StatusCode::ACCEPTED, _)) => return true,
            Some((StatusCode::CONFLICT, _)) => return false,
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// The state in a job as the API shows it.
pub(crate) fn state(job: &Value) -> Option<JobState> {
    serde_json::from_value(job["state"].clone()).ok()
}
