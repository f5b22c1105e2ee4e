//! Many jobs of one service at once.

use std::time::Duration;

use emp_core::Connector;
use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_engine::run::End;
use emp_testkit::{Fleet, fake_env};
use serde_json::json;

/// Lists its jobs, the newest first, a page at a time.
#[derive(Connector)]
#[connector(service = "lists", version = "1.0.0", unregistered)]
#[http(base = "https://lists.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", progress = "$.progress")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[batch_poll(get = "/jobs", query("limit" = "100"), items = "$.results[*]", id = "$.id", next = "$.next", pages = 5, worth_it_above = 20)]
struct Lists {}

/// Is asked with the ids.
#[derive(Connector)]
#[connector(service = "by-ids", version = "1.0.0", unregistered)]
#[http(base = "https://by-ids.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[batch_poll(post = "/fetch", json { "ids": queue.ids }, items = "$.jobs[*]", id = "$.id", most = 30, worth_it_above = 20, complete)]
struct ByIds {}

/// So many jobs, to their ends.
async fn finish<C: Connector>(jobs: usize, faults: &[&str]) -> Fleet {
    finish_all::<C>(&[jobs], faults).await
}

/// One lot of jobs after the other.
async fn finish_all<C: Connector>(waves: &[usize], faults: &[&str]) -> Fleet {
    let (settings, _) = Settings::load(C::SPEC.env, &fake_env(C::SPEC));
    let connector = Loaded { spec: C::SPEC, settings, custom: None, base: None };
    let faults = faults.iter().map(|fault| fault.parse().expect(fault)).collect();
    let mut fleet = Fleet::new(connector, faults).await.expect("starts");
    for jobs in waves {
        fleet.finish(*jobs, &json!({ "prompt": "a cat" })).await.expect("a store in memory");
    }
    fleet
}

#[tokio::test]
async fn x5_one_list_serves_fifty_jobs() {
    let fleet = finish::<Lists>(50, &[]).await;
    assert_eq!(fleet.succeeded(), 50, "{:?}", fleet.ends);
    let (pages, alone) =
        (fleet.count("GET /jobs?") + fleet.count("GET /__fake/url/page/"), fleet.count("GET /jobs/"));
    // Three pages a batch; 50 jobs alone make about 600 requests in these 220 seconds.
    assert!(pages <= 3 * 50, "{pages} pages");
    assert!(
        (50..=110).contains(&alone),
        "{alone} polls alone: once for each end, and when no more than 20 were left"
    );
    assert_eq!(fleet.fake.ledger().accepted(), 50);
    assert!(fleet.elapsed() < Duration::from_secs(220 + 60), "{:?}", fleet.elapsed());
}

#[tokio::test]
async fn x5_few_jobs_are_polled_alone() {
    let fleet = finish::<Lists>(20, &[]).await;
    assert_eq!((fleet.succeeded(), fleet.count("GET /jobs?")), (20, 0));
}

#[tokio::test]
async fn x5_one_question_with_the_ids_serves_fifty_jobs_and_its_answers_are_whole() {
    let fleet = finish::<ByIds>(50, &[]).await;
    assert_eq!(fleet.succeeded(), 50, "{:?}", fleet.ends);
    assert!(fleet.count("POST /fetch") <= 2 * 50, "{} questions", fleet.count("POST /fetch"));
    assert!(fleet.count("GET /jobs/") <= 45, "{} polls alone", fleet.count("GET /jobs/"));
    let whole =
        |end: &End| matches!(end, End::Succeeded { result, .. } if result["echo"]["prompt"] == "a cat");
    assert!(fleet.ends.iter().all(whole));
}

#[tokio::test]
async fn x5_a_batch_that_fails_or_tells_nothing_costs_no_job() {
    for fault in [
        "batch:500*",
        "batch:html*",
        "batch:429=5s",
        "batch:forgotten*",
        "batch:cut*2",
        "batch:unknown_status*",
    ] {
        let fleet = finish::<Lists>(30, &[fault]).await;
        assert_eq!(fleet.succeeded(), 30, "{fault}: {:?}", fleet.ends);
        assert_eq!(fleet.fake.ledger().accepted(), 30, "{fault}");
        assert!(fleet.count("GET /jobs/") >= 30, "{fault}: each was polled alone");
    }
}

/// Learns how long its jobs take.
#[derive(Connector)]
#[connector(service = "learns", version = "1.0.0", unregistered)]
#[http(base = "https://learns.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt, "model": payload.model ?? "m1" }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", queued = ["queued"], running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[pace(min = "1s", max = "10m", jitter = 0.0, learn = payload.prompt)]
struct Learns {}

#[tokio::test]
async fn x6_the_durations_of_earlier_jobs_put_the_polls_where_the_next_one_ends() {
    let polls = |fleet: &Fleet| fleet.count("GET /jobs/");
    let untaught = finish_all::<Learns>(&[1], &[]).await;
    let before = finish_all::<Learns>(&[4], &[]).await;
    let after = finish_all::<Learns>(&[4, 1], &[]).await;
    assert_eq!(after.succeeded(), 5, "{:?}", after.ends);
    let (first, fifth) = (polls(&untaught), polls(&after) - polls(&before));
    assert!(fifth < first && fifth <= 3, "{first} polls untaught, {fifth} polls of the fifth");
}
