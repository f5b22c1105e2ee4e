//! What an answer says of a job, in the forms that services have.

use std::time::Duration;

use emp_core::error::Billed;
use emp_core::job::JobState;
use emp_core::{Connector, ErrorCode, Timestamp};
use serde_json::json;

use crate::derived::Derived;

/// Finds its job by its id, inside the answer.
#[derive(Connector)]
#[connector(service = "keyed", version = "1.0.0", unregistered)]
#[http(base = "https://keyed.example.com")]
#[auth(none)]
#[submit(post = "/prompt", json { "prompt": payload.prompt, "tag": payload.tag? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/history/{job.id}", progress = "$.running[?@[1]=='{job.id}'][2]" | fraction)]
#[states(rules(
    "$['{job.id}'].status" == "error" => failed,
    "$['{job.id}'].status" == "done" => succeeded,
    "$.running[?@[1]=='{job.id}']" present => running,
    "$.pending[?@.of=='job-{job.id}']" present => queued,
))]
#[outcome(json = "$['{job.id}'].outputs")]
struct Keyed {}

#[tokio::test]
async fn m25_a_job_is_found_by_its_id_inside_the_answer() {
    let derived = Derived::new::<Keyed>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(ended.job.result, Some(json!({ "echo": { "prompt": "text" } })));
    assert_eq!((derived.count("POST /prompt"), derived.fake.ledger().accepted()), (1, 1));
    assert!(derived.elapsed() >= 22, "it queued and ran");
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(fractions.len() > 2 && fractions.is_sorted(), "{fractions:?}");
    let failed = Derived::new::<Keyed>(&["submit:job_fails=service"]).await.finish().await;
    assert_eq!(failed.job.state, JobState::Failed);
}

/// Tells the history of a job that has ended, and beside it what waits and runs. It never says that it does not know a job.
#[derive(Connector)]
#[connector(service = "beside", version = "1.0.0", unregistered)]
#[http(base = "https://beside.example.com")]
#[auth(none)]
#[submit(post = "/prompt", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/history/{job.id}", also(queue = get("/queue", query("all" = "1"))))]
#[states(rules(
    "$['{job.id}'].status" == "error" => failed,
    "$['{job.id}'].status" == "done" => succeeded,
    queue."$.queue_running[?@[1]=='{job.id}']" present => running,
    queue."$.queue_pending[?@[1]=='{job.id}']" present => queued,
    absent_for > "15s" => lost,
    code == 200 => running,
))]
#[outcome(json = "$['{job.id}'].outputs")]
struct Beside {}

#[tokio::test]
async fn m27_a_further_question_is_asked_while_the_answer_does_not_decide() {
    let derived = Derived::new::<Beside>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let (polls, probes) = (derived.count("GET /history/"), derived.count("GET /queue?all=1"));
    assert!(
        polls > 2 && probes == polls - 1,
        "{polls} polls, {probes} further questions: the last answer is final"
    );
}

#[tokio::test]
async fn x7_m27_a_job_is_lost_only_when_it_was_nowhere_for_the_declared_time() {
    let derived = Derived::with::<Beside>(&["poll:forgotten*7"], |options, _| {
        options.queued = Duration::from_secs(100);
    })
    .await;
    let ended = derived.finish().await;
    assert_eq!(
        ended.job.state,
        JobState::Succeeded,
        "it is in the queue all the time: {:?}",
        ended.job.error
    );
    assert!(
        derived.fake.requests()[12].at > Timestamp(1_700_000_015_000),
        "it was not in the history for long"
    );
}

#[tokio::test]
async fn x7_m27_a_job_that_is_nowhere_is_lost_after_the_declared_time() {
    /// As `Beside`, without anything beside.
    #[derive(Connector)]
    #[connector(service = "gone", version = "1.0.0", unregistered)]
    #[http(base = "https://gone.example.com")]
    #[auth(none)]
    #[submit(post = "/prompt", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
    #[poll(get = "/history/{job.id}")]
    #[states(rules(
        "$['{job.id}'].status" == "done" => succeeded,
        absent_for > "15s" => lost,
        code == 200 => running,
    ))]
    struct Gone {}

    let derived = Derived::new::<Gone>(&["poll:forgotten*"]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EServiceJobLost));
    let last = derived.fake.requests().last().map(|request| request.at);
    assert!(last > Some(Timestamp(1_700_000_015_000)), "not sooner: {last:?}");
    assert!(
        derived.fake.requests().iter().all(|request| request.answer == Some(200)),
        "it answers {{}} with 200"
    );
    let seen_again = Derived::new::<Gone>(&["poll:forgotten*3"]).await.finish().await;
    assert_eq!(seen_again.job.state, JobState::Succeeded, "{:?}", seen_again.job.error);
}

#[tokio::test]
async fn m27_m29_a_further_question_that_fails_says_nothing_of_the_job() {
    for fault in ["probe:500*3", "probe:404*3", "probe:cut*3", "probe:html*3", "probe:429=2s"] {
        let derived = Derived::new::<Beside>(&[fault, "poll:forgotten*4"]).await;
        let ended = derived.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{fault}: {:?}", ended.job.error);
    }
    let refused = Derived::new::<Beside>(&["probe:401*"]).await.finish().await;
    assert_eq!(
        refused.job.error.map(|error| error.code),
        Some(ErrorCode::EAuth),
        "the credential is everybody's"
    );
}

/// Has one endpoint for the states of all jobs.
#[derive(Connector)]
#[connector(service = "listed", version = "1.0.0", unregistered)]
#[http(base = "https://listed.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs", items = "$.data.jobs[*]", id = "$.id", progress = "$.progress" | percent, envelope(ok = "$.code" == 0))]
#[states(at = "$.state", queued = ["waiting"], running = ["busy"], succeeded = ["ready"], failed = ["broken"], unknown = running(warn))]
#[outcome(json = "$.result")]
struct InAList {}

#[tokio::test]
async fn m28_the_job_is_an_element_of_a_list() {
    let derived = Derived::new::<InAList>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(ended.job.result, Some(json!({ "echo": { "prompt": "text" } })));
    assert!(ended.progress.iter().any(|progress| progress.fraction.is_some()));
    let missing = Derived::new::<InAList>(&["poll:forgotten*"]).await.finish().await;
    assert_eq!(
        missing.job.error.map(|error| error.code),
        Some(ErrorCode::EServiceJobLost),
        "absent is a 404"
    );
    let late = Derived::new::<InAList>(&["poll:forgotten*3"]).await.finish().await;
    assert_eq!(late.job.state, JobState::Succeeded, "{:?}", late.job.error);
    let refused = Derived::new::<InAList>(&["poll:not_ok*4"]).await.finish().await;
    assert_eq!(
        refused.job.state,
        JobState::Succeeded,
        "a refusal is no list without the job: {:?}",
        refused.job.error
    );
}

/// Answers 200 to everything, and says inside what it means.
#[derive(Connector)]
#[connector(service = "enveloped", version = "1.0.0", unregistered)]
#[http(base = "https://enveloped.example.com")]
#[auth(none)]
#[submit(
    post = "/v1/videos",
    json { "prompt": payload.prompt },
    envelope(ok = "$.code" == 0, message = "$.message"),
    capture(id = "$.data.task_id"),
    at_most_once,
)]
#[poll(get = "/v1/videos/{job.id}", envelope(ok = "$.code" == 0, message = "$.message"))]
#[states(at = "$.data.task_status", running = ["processing"], succeeded = ["succeed"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.data.task_result")]
#[errors(
    200 if "$.code" == 1302 => rate_limited(wait = "$.wait"),
    200 if "$.code" == 1301 => invalid_input,
    200 if "$.code" == 1500 => transient,
)]
struct Enveloped {}

#[tokio::test]
async fn m26_an_envelope_that_is_ok_changes_nothing() {
    let derived = Derived::new::<Enveloped>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(derived.fake.ledger().accepted(), 1);
}

#[tokio::test]
async fn m26_a_submit_that_its_envelope_refuses_was_not_accepted() {
    let derived = Derived::new::<Enveloped>(&["submit:not_ok"]).await;
    let ended = derived.finish().await;
    let error = ended.job.error.expect("it failed");
    assert_eq!((ended.job.state, error.code), (JobState::Failed, ErrorCode::EServiceFailed));
    assert_eq!((error.billed, derived.fake.ledger().accepted()), (Billed::No, 0));
    assert_eq!(error.detail.as_deref(), Some("the fake service was told to refuse this"));
    let invalid = Derived::new::<Enveloped>(&["submit:refused=invalid_input"]).await.finish().await;
    assert_eq!(
        invalid.job.error.map(|error| error.code),
        Some(ErrorCode::EInvalidInput),
        "`#[errors]` says which"
    );
    let limited = Derived::new::<Enveloped>(&["submit:refused=rate_limited"]).await;
    let ended = limited.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 1), "{:?}", ended.job.error);
}

#[tokio::test]
async fn m26_a_submit_without_its_envelope_may_have_been_accepted() {
    for fault in ["submit:no_id", "submit:html", "submit:cut_body", "submit:refused=transient"] {
        let derived = Derived::new::<Enveloped>(&[fault]).await;
        let ended = derived.finish().await;
        assert_eq!(ended.job.state, JobState::Uncertain, "{fault}: {:?}", ended.job.error);
        assert_eq!(derived.count("POST"), 1, "{fault}: never sent again");
    }
}

#[tokio::test]
async fn m26_m29_a_poll_that_its_envelope_refuses_says_nothing_of_the_job() {
    let derived = Derived::new::<Enveloped>(&["poll:not_ok*5"]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(derived.fake.ledger().accepted(), 1);
}
