//! The engine against the fake: each fault, and the conduct that `reliability.md` section 6 asks for.

use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::error::Billed;
use emp_core::job::{JobState, UpstreamCancel};
use emp_core::spec::{ConnectorSpec, Settle};
use emp_core::time::ManualClock;
use emp_core::{Clock as _, ErrorCode, Timestamp};
use emp_testkit::{Ended, FakeOptions, FakeService, Fault, Rig, fake_env};
use serde_json::json;

use crate::support::{Shape, spec};

/// A job, its fake, and nothing else.
struct Bench {
    fake: FakeService,
    rig: Rig,
}

impl Bench {
    async fn new(shape: Shape, faults: &[&str]) -> Self {
        Self::with(shape, faults, false).await
    }

    /// Nothing listens yet.
    async fn closed() -> Self {
        Self::with(Shape::default(), &[], true).await
    }

    async fn with(shape: Shape, faults: &[&str], closed: bool) -> Self {
        let spec: &'static ConnectorSpec = spec(shape);
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        // A sync service holds its answer in real time.
        let running =
            Duration::from_secs(if spec.http().is_some_and(|http| http.poll.is_none()) { 0 } else { 20 });
        let options = FakeOptions {
            queued: running / 10,
            running,
            closed,
            clock: Arc::<ManualClock>::clone(&clock),
            faults: faults.iter().map(|fault| fault.parse::<Fault>().expect(fault)).collect(),
            ..FakeOptions::default()
        };
        let fake = FakeService::start(spec, options).await.expect("starts");
        let (settings, errors) = Settings::load(spec.env, &fake_env(spec));
        assert_eq!(errors, []);
        let loaded = Loaded { spec, settings, custom: None, base: Some(fake.base_url()) };
        let rig = Rig::new(loaded, json!({ "input": "x" }), clock).await.expect("a job");
        Self { fake, rig }
    }

    async fn finish(&self) -> Ended {
        let ended = self.rig.finish().await.expect("the store works");
        let (accepted, attempts) = (self.fake.ledger().accepted(), ended.job.attempt as usize);
        assert!(accepted <= attempts, "{accepted} accepted submits, {attempts} attempts");
        ended
    }

    /// A worker that dies while it waits for an answer.
    async fn die(&self) {
        let died = tokio::time::timeout(Duration::from_millis(100), self.rig.attempt()).await;
        assert!(died.is_err(), "{died:?}");
    }
}

fn at_most_once() -> Shape {
    Shape { settle: Settle::AtMostOnce, ..Shape::default() }
}

#[tokio::test]
async fn f25_a_polled_job_ends_with_its_result_and_its_progress_rises() {
    for captured_urls in [false, true] {
        let bench = Bench::new(Shape { captured_urls, ..Shape::default() }, &[]).await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
        assert_eq!(ended.job.result, Some(json!({ "output": "done" })));
        assert_eq!(ended.job.service_job.map(|job| job.id), Some("fake-1".to_owned()));
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries), (1, 1, 1));
        let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
        assert!(fractions.len() > 1 && fractions.is_sorted(), "{fractions:?}");
        assert!(fractions.iter().all(|fraction| (0.3..=0.9).contains(fraction)), "{fractions:?}");
        assert_eq!(bench.fake.ledger().entries[0].queue_job_id.as_deref(), Some(bench.rig.job_id().as_str()));
    }
}

#[tokio::test]
async fn f25_a_sync_job_ends_with_its_result() {
    let bench = Bench::new(Shape { sync: true, ..Shape::default() }, &[]).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.result, Some(json!({ "output": "done" })), "{:?}", ended.job.error);
    assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1));
}

#[tokio::test]
async fn faults_of_an_idempotent_submit_cost_one_accepted_submit() {
    let faults = [
        // F26: accepted, but the answer is of no use.
        "submit:no_id",
        "submit:html",
        // F31, F32, F33, F34: nobody can tell.
        "submit:500",
        "submit:500_after",
        "submit:timeout",
        "submit:timeout_after",
        "submit:cut",
        "submit:cut_after",
        "submit:cut_body",
        "submit:huge_body",
        "submit:slow_body",
        // F30, F31: certainly not accepted.
        "submit:429=2s",
        "submit:503",
    ];
    for fault in faults {
        let bench = Bench::new(Shape::default(), &[fault]).await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{fault}: {:?}", ended.job.error);
        assert_eq!(bench.fake.ledger().accepted(), 1, "{fault}: {:?}", bench.fake.ledger());
        assert_eq!(bench.fake.ledger().conflicts, 0, "{fault}: the resend had other bytes");
    }
}

#[tokio::test]
async fn p02_a_lost_answer_without_a_rule_is_uncertain_and_never_sent_again() {
    let faults = [
        ("submit:no_id", 1),
        ("submit:html", 1),
        ("submit:500", 0),
        ("submit:500_after", 1),
        ("submit:timeout", 0),
        ("submit:timeout_after", 1),
        ("submit:cut", 0),
        ("submit:cut_after", 1),
        ("submit:cut_body", 1),
    ];
    for (fault, accepted) in faults {
        let bench = Bench::new(at_most_once(), &[fault]).await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Uncertain, "{fault}: {:?}", ended.job.error);
        assert_eq!(ended.job.error.map(|error| error.billed), Some(Billed::Maybe), "{fault}");
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (accepted, 1), "{fault}");
        assert_eq!(bench.fake.requests().len(), 1, "{fault}: {:?}", bench.fake.requests());
    }
}

#[tokio::test]
async fn f27_a_refused_submit_fails_and_costs_nothing() {
    let cases = [
        ("submit:refused=auth", ErrorCode::EAuth),
        ("submit:refused=invalid_input", ErrorCode::EInvalidInput),
    ];
    for (fault, code) in cases {
        let bench = Bench::new(Shape::default(), &[fault]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect(fault);
        assert_eq!(
            (ended.job.state, error.code, error.billed),
            (JobState::Failed, code, Billed::No),
            "{fault}"
        );
        assert_eq!((bench.fake.ledger().accepted(), bench.fake.requests().len()), (0, 1), "{fault}");
    }
}

#[tokio::test]
async fn f30_a_rate_limit_is_obeyed_and_is_not_an_attempt() {
    let bench = Bench::new(at_most_once(), &["submit:429=60s"]).await;
    let ended = bench.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 1), "{:?}", ended.job.error);
    let times: Vec<i64> = bench.fake.requests().iter().map(|request| request.at.0).collect();
    assert!(times[1] - times[0] >= 60_000, "{times:?}");
}

#[tokio::test]
async fn f29_a_key_that_is_in_flight_there_is_waited_for() {
    let bench = Bench::new(Shape::default(), &["submit:timeout_after", "submit:409@2"]).await;
    let ended = bench.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 1), "{:?}", ended.job.error);
    let ledger = bench.fake.ledger();
    assert_eq!((ledger.accepted(), ledger.merged(), ledger.conflicts), (1, 1, 0));
}

#[tokio::test]
async fn f24_a_closed_port_costs_no_attempt_and_f35_a_compressed_answer_is_no_success() {
    let bench = Bench::closed().await;
    let waiting = bench.rig.attempt().await.expect("the store works").expect("claimed");
    assert_eq!((waiting.attempt, waiting.service_job), (0, None), "{:?}", waiting.state);
    bench.fake.open().expect("opens");
    let ended = bench.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 1), "{:?}", ended.job.error);
    let bench = Bench::new(at_most_once(), &["submit:encoded"]).await;
    assert_eq!(bench.finish().await.job.state, JobState::Uncertain);
}

#[tokio::test]
async fn f36_f39_a_poll_that_fails_or_lies_for_a_while_changes_nothing() {
    let faults = [
        "poll:500*4",
        "poll:html*2",
        "poll:cut*3",
        "poll:timeout",
        "poll:429=0s",
        "poll:unknown_status*2",
        "poll:backwards@4",
        "poll:404*2",
        "poll:cut_body",
    ];
    for fault in faults {
        let bench = Bench::new(at_most_once(), &[fault]).await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{fault}: {:?}", ended.job.error);
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1), "{fault}");
    }
}

#[tokio::test]
async fn f34_an_answer_without_end_is_cut_off() {
    let bench = Bench::new(at_most_once(), &["poll:huge_body"]).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EResponseTooLarge));
    assert_eq!(ended.job.service_job.map(|job| job.id), Some("fake-1".to_owned()));
    assert_eq!(bench.fake.ledger().accepted(), 1);
}

#[tokio::test]
async fn f37_a_job_that_the_service_forgot_is_lost_and_not_bought_again() {
    for settle in [Shape::default(), at_most_once()] {
        let bench = Bench::new(settle, &["poll:404*"]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect("an error");
        assert_eq!((ended.job.state, error.code), (JobState::Failed, ErrorCode::EServiceJobLost));
        assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt), (1, 1));
        assert_eq!(ended.job.service_job.map(|job| job.id), Some("fake-1".to_owned()));
    }
}

#[tokio::test]
async fn a_status_that_nobody_declared_ends_the_job_after_a_while() {
    let bench = Bench::new(Shape::default(), &["poll:unknown_status*"]).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EUnknownStatus));
    assert_eq!(bench.fake.ledger().accepted(), 1);
}

#[tokio::test]
async fn a_failed_job_fails_with_the_services_words() {
    for (fault, code) in [
        ("submit:job_fails=service", ErrorCode::EServiceFailed),
        ("submit:job_fails=moderated", ErrorCode::EModerated),
    ] {
        let bench = Bench::new(Shape::default(), &[fault]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect(fault);
        assert_eq!((ended.job.state, error.code), (JobState::Failed, code), "{fault}");
        assert_eq!(error.billed, Billed::Yes, "{fault}: it was accepted");
        assert!(format!("{error:?}").contains("told to fail"), "{error:?}");
        assert_eq!(bench.fake.ledger().accepted(), 1, "{fault}");
    }
}

#[tokio::test]
async fn a_url_of_another_origin_is_not_followed() {
    let trap = FakeService::start(spec(Shape::default()), FakeOptions::instant()).await.expect("starts");
    let foreign = format!("submit:foreign_url={}", trap.base_url());
    let redirect = format!("poll:redirect={}*", trap.base_url());
    for fault in [foreign, redirect] {
        let bench = Bench::new(Shape { captured_urls: true, ..Shape::default() }, &[&fault]).await;
        let ended = bench.finish().await;
        assert_ne!(ended.job.state, JobState::Succeeded, "{fault}");
        assert_eq!(trap.requests(), [], "{fault}");
        assert!(bench.fake.ledger().accepted() <= 1, "{fault}");
    }
}

#[tokio::test]
async fn f02_a_worker_that_dies_during_a_submit_leaves_one_accepted_submit() {
    for (shape, state) in [(Shape::default(), JobState::Succeeded), (at_most_once(), JobState::Uncertain)] {
        for fault in ["submit:timeout", "submit:timeout_after"] {
            let bench =
                Bench::new(Shape { settle: shape.settle.clone(), ..Shape::default() }, &[fault]).await;
            bench.die().await;
            let ended = bench.finish().await;
            assert_eq!(ended.job.state, state, "{fault}: {:?}", ended.job.error);
            assert_eq!((ended.job.attempt, ended.job.deliveries), (1, 2), "{fault}");
            assert!(bench.fake.ledger().accepted() <= 1, "{fault}");
        }
    }
}

#[tokio::test]
async fn f03_a_worker_that_dies_while_polling_is_followed_by_one_that_polls() {
    let bench = Bench::new(at_most_once(), &["poll:timeout"]).await;
    bench.die().await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries), (1, 1, 2));
}

#[tokio::test]
async fn p15_a_cancel_reaches_the_service_and_says_what_became_of_it() {
    for (fault, upstream) in [
        (None, UpstreamCancel::Confirmed),
        (Some("cancel:409"), UpstreamCancel::Refused),
        (Some("cancel:ignored"), UpstreamCancel::Unknown),
    ] {
        let faults: Vec<&str> = ["submit:job_never_ends", "poll:timeout"].into_iter().chain(fault).collect();
        let bench = Bench::new(at_most_once(), &faults).await;
        bench.die().await;
        bench.rig.cancel().await.expect("recorded");
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Cancelled, "{fault:?}");
        assert_eq!(ended.job.cancel.and_then(|cancel| cancel.upstream), Some(upstream), "{fault:?}");
        assert_eq!(bench.fake.ledger().accepted(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn p23_a_service_that_names_a_time_is_left_alone_until_then() {
    for (fault, method) in [("submit:429=40s", "POST"), ("poll:429=40s", "GET")] {
        let bench = Bench::new(Shape::default(), &[fault]).await;
        let ended = bench.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{fault}: {:?}", ended.job.error);
        assert!(bench.rig.clock().elapsed() >= Duration::from_secs(40), "{fault}");
        let asked = bench.fake.requests().iter().filter(|request| request.method == method).count();
        assert_eq!((asked, bench.fake.ledger().accepted()), (2, 1), "{fault}: it was not left alone");
    }
}
