//! When a job is polled, and when its time is up.

use std::time::Duration;

use emp_core::job::JobState;
use emp_core::{Connector, ErrorCode};

use crate::derived::Derived;

/// Holds its answer back until something changes.
#[derive(Connector)]
#[connector(service = "held", version = "1.0.0", unregistered)]
#[http(base = "https://held.example.com")]
#[auth(none)]
#[submit(post = "/jobs", header("Prefer" = "wait={queue.hold_secs}"), json { "prompt": payload.prompt }, hold = "5s", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", query("wait" = "{queue.hold_secs}"), hold = "25s")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[pace(first = "1s", min = "1s", max = "5s", jitter = 0.0)]
struct Held {}

#[tokio::test]
async fn m32_a_held_poll_ends_when_the_job_changes_and_is_followed_by_the_next_at_once() {
    let derived = Derived::with::<Held>(&[], |options, clock| options.skip = Some(clock.clone())).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let requests = derived.fake.requests();
    let polls: Vec<_> = requests.iter().filter(|request| request.method == "GET").collect();
    assert_eq!(polls.len(), 2, "until it runs, and until it is done: {:?}", derived.lines());
    assert!(polls.iter().all(|poll| poll.target.ends_with("?wait=25")), "{:?}", derived.lines());
    assert_eq!(derived.elapsed(), 22, "nothing was waited on top of the job's own time");
}

#[tokio::test]
async fn m17_x14_a_hold_is_no_longer_than_what_is_left_of_the_jobs_time() {
    /// As `Held`, with little time.
    #[derive(Connector)]
    #[connector(service = "brief", version = "1.0.0", unregistered)]
    #[http(base = "https://brief.example.com")]
    #[auth(none)]
    #[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
    #[poll(get = "/jobs/{job.id}", query("wait" = "{queue.hold_millis}"), hold = "25s")]
    #[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], unknown = running(warn))]
    #[pace(first = "1s", min = "1s", deadline = "10s", jitter = 0.0)]
    struct Brief {}

    let derived = Derived::with::<Brief>(&[], |options, clock| options.skip = Some(clock.clone())).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EDeadline));
    let waits: Vec<String> =
        derived.lines().into_iter().filter_map(|line| Some(line.split_once("wait=")?.1.to_owned())).collect();
    assert_eq!(waits.first().map(String::as_str), Some("9000"), "one second was waited before");
    assert_eq!(derived.elapsed(), 10);
}

/// Has a clock for each phase.
#[derive(Connector)]
#[connector(service = "clocks", version = "1.0.0", unregistered)]
#[http(base = "https://clocks.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], canceled = ["canceled"], unknown = running(warn))]
#[cancel(delete = "/jobs/{job.id}")]
#[pace(max = "5s", deadline(queued = "10m", running = "30s"))]
struct PhaseClocks {}

#[tokio::test]
async fn x16_each_phase_has_its_own_clock_and_its_own_words() {
    let cases = [
        (Duration::from_secs(599), Duration::from_secs(20), None),
        (Duration::from_secs(700), Duration::from_secs(1), Some("waited too long in the service's queue")),
        (Duration::from_mins(5), Duration::from_mins(1), Some("ran too long at the service")),
    ];
    for (queued, running, words) in cases {
        let derived = Derived::with::<PhaseClocks>(&[], |options, _| {
            (options.queued, options.running) = (queued, running);
        })
        .await;
        let ended = derived.finish().await;
        match words {
            None => assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error),
            Some(words) => {
                let error = ended.job.error.expect("its time is up");
                assert_eq!(error.code, ErrorCode::EDeadline);
                assert!(
                    error.message.contains(words) && error.message.contains("cancelled at the service"),
                    "{error}"
                );
                assert_eq!(derived.count("DELETE"), 1, "it is cancelled at the service");
            }
        }
    }
}

/// Says in seconds how long a job takes.
#[derive(Connector)]
#[connector(service = "expected", version = "1.0.0", unregistered)]
#[http(base = "https://expected.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", eta = "$.eta")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], unknown = running(warn))]
#[pace(first = "1s", min = "1s", max = "1h", factor = 1.5, jitter = 0.0)]
struct Expected {}

#[tokio::test]
async fn x6_seconds_left_put_the_polls_where_the_job_ends() {
    let long = |options: &mut emp_testkit::FakeOptions, _: &_| {
        (options.queued, options.running) = (Duration::from_secs(1), Duration::from_secs(1199));
    };
    let derived = Derived::with::<Expected>(&[], long).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let polls = derived.count("GET");
    assert!((3..=8).contains(&polls), "{polls} polls");
    assert!(derived.elapsed() <= 1202, "late by {} s", derived.elapsed() - 1200);
}

/// Says how long a job takes when it takes it.
#[derive(Connector)]
#[connector(service = "promised", version = "1.0.0", unregistered)]
#[http(base = "https://promised.example.com")]
#[auth(none)]
#[submit(
    post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id", expected_secs = "$.expected"), at_most_once,
)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], unknown = running(warn))]
#[pace(first = "1s", min = "1s", max = "1h", factor = 1.5, jitter = 0.0, eta = job.expected_secs)]
struct Promised {}

#[tokio::test]
async fn x6_what_the_submits_answer_expects_puts_the_polls_where_the_job_ends() {
    let derived = Derived::with::<Promised>(&[], |options, _| {
        (options.queued, options.running) = (Duration::from_secs(1), Duration::from_secs(1199));
    })
    .await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let polls = derived.count("GET");
    assert!((3..=8).contains(&polls), "{polls} polls");
    assert!(derived.elapsed() <= 1202, "late by {} s", derived.elapsed() - 1200);
}

/// Answers when it is done, and says beside it how far it is.
#[derive(Connector)]
#[connector(service = "side", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://side.example.com")]
#[auth(none)]
#[submit(post = "/txt2img", json { "prompt": payload.prompt }, at_most_once)]
#[side_progress(get = "/progress", progress = "$.progress" | fraction, eta = "$.eta_relative", preview = "$.current_image", every = "10ms")]
#[outcome(json = "$.images")]
struct Side {}

/// In real time: the fake holds the submit open for 150 ms.
fn in_real_time(options: &mut emp_testkit::FakeOptions, _: &std::sync::Arc<emp_core::time::ManualClock>) {
    options.clock = std::sync::Arc::new(emp_core::SystemClock);
    (options.queued, options.running) = (Duration::ZERO, Duration::from_millis(150));
}

#[tokio::test]
async fn m61_progress_is_asked_beside_an_open_submit() {
    let derived = Derived::with::<Side>(&[], in_real_time).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert!(derived.count("GET /progress") >= 2, "{:?}", derived.lines());
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(!fractions.is_empty() && fractions.is_sorted(), "{fractions:?}");
    let preview = ended.progress.iter().find_map(|progress| progress.preview.clone()).expect("a preview");
    assert!(preview.starts_with("data:image/png;base64,iVBOR"), "{preview}");
    assert_eq!(derived.fake.ledger().accepted(), 1);
}

#[tokio::test]
async fn m61_what_happens_beside_a_submit_never_touches_the_job() {
    for fault in ["side:500*", "side:401*", "side:cut*", "side:timeout*", "side:html*", "side:429=60s*"] {
        let derived = Derived::with::<Side>(&[fault], in_real_time).await;
        let ended = derived.finish().await;
        assert_eq!(
            (ended.job.state, ended.job.attempt),
            (JobState::Succeeded, 1),
            "{fault}: {:?}",
            ended.job.error
        );
        assert_eq!(derived.fake.ledger().accepted(), 1, "{fault}");
    }
}
