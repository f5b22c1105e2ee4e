//! Cancels in the forms that services have: by state, of whatever runs, never of a result, and by closing the connection.

use std::time::Duration;

use emp_core::job::{JobState, UpstreamCancel};
use emp_core::{Connector, ErrorCode};

use crate::derived::Derived;

/// Has one route for jobs that wait and another for jobs that run, as ComfyUI does.
#[derive(Connector)]
#[connector(service = "by-state", version = "1.0.0", unregistered)]
#[http(base = "https://by-state.example.com")]
#[auth(none)]
#[submit(post = "/prompt", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], canceled = ["canceled"], unknown = running(warn))]
#[cancel(when(queued) = post("/queue", json { "delete": [job.id] }), when(running) = post("/interrupt", json { "prompt_id": job.id }))]
#[pace(deadline = "60s")]
struct ByState {}

/// Deletes what a finished job has made when it is asked to cancel it, as Runway does.
#[derive(Connector)]
#[connector(service = "deletes", version = "1.0.0", unregistered)]
#[http(base = "https://deletes.example.com")]
#[auth(none)]
#[submit(post = "/tasks", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/tasks/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], canceled = ["canceled"], unknown = running(warn))]
#[cancel(delete = "/tasks/{job.id}", only_if = running)]
struct Deletes {}

/// Interrupts whatever runs.
#[derive(Connector)]
#[connector(service = "interrupts", version = "1.0.0", unregistered)]
#[http(base = "https://interrupts.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], canceled = ["canceled"], unknown = running(warn))]
#[cancel(post = "/interrupt", scope = service)]
#[limits(in_flight = 1)]
struct Interrupts {}

/// Works as long as its connection is open.
#[derive(Connector)]
#[connector(service = "open", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://open.example.com")]
#[auth(none)]
#[submit(post = "/generate", json { "prompt": payload.prompt }, at_most_once)]
#[cancel(drop_connection)]
struct Open {}

/// Works on an open connection, and has an interrupt beside it, as AUTOMATIC1111 does.
#[derive(Connector)]
#[connector(service = "open-interrupt", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://open-interrupt.example.com")]
#[auth(none)]
#[submit(post = "/txt2img", json { "prompt": payload.prompt }, at_most_once)]
#[cancel(post = "/interrupt", scope = service)]
#[limits(in_flight = 1)]
struct OpenInterrupt {}

/// A job that is cancelled as soon as the fake has seen so many polls, or at once after the submit.
async fn cancelled_after(derived: &Derived, polls: usize, path: &str) -> (JobState, Option<UpstreamCancel>) {
    let mut attempt = Box::pin(derived.rig.attempt());
    while derived.count(path) < polls {
        tokio::select! {
            ended = &mut attempt => panic!("it ended before it was cancelled: {ended:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    derived.rig.cancel().await.expect("the store works");
    let _ended = attempt.await.expect("the store works");
    let job = derived.rig.ended().await.expect("the store works").job;
    (job.state, job.cancel.and_then(|cancel| cancel.upstream))
}

async fn slow<C: Connector>(queued: u64, running: u64) -> Derived {
    Derived::with::<C>(&[], |options, _| {
        options.queued = Duration::from_secs(queued);
        options.running = Duration::from_secs(running);
    })
    .await
}

#[tokio::test]
async fn m53_the_request_is_the_one_for_the_state_that_the_service_tells_when_it_is_asked() {
    let waits = slow::<ByState>(1000, 1000).await;
    let told = cancelled_after(&waits, 1, "GET /jobs").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Confirmed)));
    assert_eq!((waits.count("POST /queue"), waits.count("POST /interrupt")), (1, 0));
    let runs = slow::<ByState>(0, 1000).await;
    let told = cancelled_after(&runs, 1, "GET /jobs").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Confirmed)));
    assert_eq!((runs.count("POST /queue"), runs.count("POST /interrupt")), (0, 1));
}

#[tokio::test]
async fn m54_a_job_that_passes_its_deadline_is_cancelled_once_and_the_error_says_so() {
    let derived = slow::<ByState>(0, 1000).await;
    let ended = derived.finish().await;
    let error = ended.job.error.expect("it failed");
    assert_eq!(error.code, ErrorCode::EDeadline);
    assert!(error.message.contains("it was cancelled at the service"), "{error}");
    assert_eq!((derived.count("POST /interrupt"), derived.fake.cancelled()), (1, 1));
}

#[tokio::test]
async fn m53_a_finished_result_is_not_destroyed_by_a_cancel_that_comes_too_late() {
    let done = slow::<Deletes>(0, 0).await;
    let told = cancelled_after(&done, 1, "POST /tasks").await;
    assert_eq!(told.1, Some(UpstreamCancel::Refused));
    assert_eq!(done.count("DELETE"), 0);
    let runs = slow::<Deletes>(0, 1000).await;
    let told = cancelled_after(&runs, 1, "GET /tasks").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Confirmed)));
    assert_eq!(runs.count("DELETE"), 1);
}

#[tokio::test]
async fn x8_an_interrupt_of_whatever_runs_is_sent_only_while_our_job_is_seen_to_run() {
    let waits = slow::<Interrupts>(1000, 1000).await;
    let told = cancelled_after(&waits, 1, "GET /jobs").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Unknown)));
    assert_eq!(waits.count("POST /interrupt"), 0, "another's job may be running");
    let runs = slow::<Interrupts>(0, 1000).await;
    let told = cancelled_after(&runs, 1, "GET /jobs").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Confirmed)));
    assert_eq!((runs.count("POST /interrupt"), runs.fake.cancelled()), (1, 1));
}

#[tokio::test]
async fn m53_a_sync_job_is_cancelled_while_its_connection_is_open() {
    let open = slow::<Open>(0, 600).await;
    let told = cancelled_after(&open, 1, "POST /generate").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Confirmed)));
    while open.fake.cancelled() == 0 {
        tokio::task::yield_now().await;
    }
    let interrupted = slow::<OpenInterrupt>(0, 600).await;
    let told = cancelled_after(&interrupted, 1, "POST /txt2img").await;
    assert_eq!(told, (JobState::Cancelled, Some(UpstreamCancel::Unknown)), "it interrupts whatever runs");
    assert_eq!(interrupted.count("POST /interrupt"), 1);
}
