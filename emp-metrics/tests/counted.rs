//! What passes a store is counted: by outcome, with closed labels, whatever comes.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use emp_core::Timestamp;
use emp_core::error::{ErrorCode, JobError};
use emp_core::job::{Intent, Job, JobState, ServiceJob, UpstreamCancel, WorkerId};
use emp_metrics::{Kind, Metered, Metrics, alerts, catalogue, dashboard};
use emp_store::StoreOptions;
use emp_store::store::{Answer, Change, ClaimKey, ClaimRequest, Enqueued, Finish, NewJob, Store, Write};
use serde_json::{Map, json};

/// A store, counted, with one known service.
async fn counted() -> (Arc<Metrics>, Metered) {
    let metrics = Arc::new(Metrics::new(["known"], "1.2.3"));
    let inner = emp_store::open("memory:", StoreOptions::default()).await.unwrap();
    (Arc::clone(&metrics), Metered::new(inner, metrics))
}

async fn claimed(store: &Metered, service: &str) -> Job {
    let job = NewJob {
        service: service.to_owned(),
        payload: json!({}),
        priority: 0,
        labels: BTreeMap::new(),
        idempotency_key: None,
    };
    assert!(matches!(store.enqueue(job).await.unwrap(), Enqueued::New(_)));
    let request = ClaimRequest {
        worker: WorkerId::start("w"),
        services: BTreeMap::from([(service.to_owned(), 1)]),
        labels: BTreeMap::new(),
        connectors: BTreeSet::from(["Fake".to_owned()]),
        max: 1,
    };
    store.claim(request).await.unwrap().remove(0)
}

fn key(job: &Job) -> ClaimKey {
    ClaimKey { job: job.id.clone(), nonce: job.lease.as_ref().unwrap().nonce.clone() }
}

async fn write(store: &Metered, job: &Job, change: Change) -> Answer {
    store.write(vec![Write { claim: key(job), change }]).await.unwrap()[0]
}

fn intent() -> Change {
    Change::Intent(Intent {
        connector: "Fake".to_owned(),
        fingerprint: 7,
        key: "k".to_owned(),
        digest: "d".to_owned(),
        prepared: Map::new(),
        at: Timestamp::default(),
    })
}

fn submitted(id: &str) -> Change {
    Change::Submitted(ServiceJob {
        id: id.to_owned(),
        captured: Map::new(),
        connector: "Fake".to_owned(),
        fingerprint: 7,
        submitted_at: Timestamp::default(),
    })
}

fn succeeded() -> Change {
    Change::Finish(Finish::Succeeded { result: json!(1), meta: Map::new() })
}

fn error() -> JobError {
    JobError::new(ErrorCode::ETransient, "no")
}

/// The value of a series, by the line's beginning.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.text();
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[tokio::test]
async fn a_job_is_counted_by_what_came_of_its_submit_and_of_itself() {
    let (metrics, store) = counted().await;
    let job = claimed(&store, "known").await;
    assert!(write(&store, &job, intent()).await.holds());
    assert!(write(&store, &job, submitted("a")).await.holds());
    assert!(write(&store, &job, succeeded()).await.holds());
    // Said twice, counted once.
    assert_eq!(write(&store, &job, succeeded()).await, Answer::OkAlready);
    let sync = claimed(&store, "known").await;
    write(&store, &sync, intent()).await;
    write(&store, &sync, Change::Finish(Finish::Failed(error()))).await;
    let lost = claimed(&store, "known").await;
    write(&store, &lost, intent()).await;
    write(&store, &lost, Change::Finish(Finish::Uncertain(error()))).await;
    let unsent = claimed(&store, "known").await;
    write(&store, &unsent, intent()).await;
    write(&store, &unsent, Change::NotSent { reason: "no".to_owned() }).await;
    for (series, count) in [
        ("emp_jobs_total{outcome=\"succeeded\",service=\"known\"}", 1.0),
        ("emp_jobs_total{outcome=\"failed\",service=\"known\"}", 1.0),
        ("emp_jobs_total{outcome=\"uncertain\",service=\"known\"}", 1.0),
        ("emp_submits_total{outcome=\"accepted\",service=\"known\"}", 1.0),
        ("emp_submits_total{outcome=\"refused\",service=\"known\"}", 1.0),
        ("emp_submits_total{outcome=\"uncertain\",service=\"known\"}", 1.0),
        ("emp_submits_total{outcome=\"not_sent\",service=\"known\"}", 1.0),
        ("emp_submits_uncertain_total{service=\"known\"}", 1.0),
        ("emp_job_wait_seconds_count{service=\"known\"}", 4.0),
        ("emp_store_up", 1.0),
        ("emp_build_info{version=\"1.2.3\"}", 1.0),
    ] {
        assert_eq!(value(&metrics, series), Some(count), "{series}\n{}", metrics.text());
    }
    metrics.jobs(&store.counts().await.unwrap());
    assert_eq!(value(&metrics, "emp_jobs{service=\"known\",state=\"running\"}"), Some(1.0));
    assert_eq!(value(&metrics, "emp_jobs{service=\"known\",state=\"uncertain\"}"), Some(1.0));
}

#[tokio::test]
async fn a_job_that_is_taken_over_at_the_service_is_a_submit_avoided_and_its_old_claim_is_fenced() {
    let (metrics, store) = counted().await;
    let job = claimed(&store, "known").await;
    write(&store, &job, intent()).await;
    write(&store, &job, submitted("a")).await;
    let release =
        emp_store::store::Release { after: std::time::Duration::ZERO, reason: "stopping".to_owned() };
    write(&store, &job, Change::Release(release)).await;
    let request = ClaimRequest {
        worker: WorkerId::start("w2"),
        services: BTreeMap::from([("known".to_owned(), 1)]),
        labels: BTreeMap::new(),
        connectors: BTreeSet::from(["Fake".to_owned()]),
        max: 1,
    };
    assert_eq!(store.claim(request).await.unwrap().len(), 1);
    assert_eq!(value(&metrics, "emp_submits_avoided_total{service=\"known\"}"), Some(1.0));
    assert_eq!(write(&store, &job, Change::Renew).await, Answer::Fenced);
    assert_eq!(value(&metrics, "emp_fenced_writes_total{verb=\"renew\"}"), Some(1.0));
    assert_eq!(value(&metrics, "emp_lease_lost_total"), Some(1.0));
}

#[tokio::test]
async fn ten_thousand_jobs_of_services_with_any_name_make_no_more_series_than_two_services_do() {
    let (metrics, store) = counted().await;
    for number in 0..10_000_u32 {
        let service = if number % 2 == 0 { "known".to_owned() } else { format!("s-{number}") };
        let job = claimed(&store, &service).await;
        write(&store, &job, intent()).await;
        let end = match number % 5 {
            0 => Finish::Succeeded { result: json!(number), meta: Map::new() },
            1 => Finish::Failed(error()),
            2 => Finish::Cancelled(UpstreamCancel::Confirmed),
            3 => Finish::Uncertain(error()),
            _ => Finish::Retry { error: error(), after: std::time::Duration::from_hours(1) },
        };
        write(&store, &job, Change::Finish(end)).await;
    }
    metrics.jobs(&store.counts().await.unwrap());
    let text = metrics.text();
    assert!(!text.contains("s-"), "a name from outside is a label: {text}");
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    // Two services, eight states, five outcomes, and the buckets of their histograms.
    let states = JobState::ALL.len();
    let bound = 2 * (states + 4 * 5 + 5 * 17 + 17) + 16 * 13 + 20;
    assert!(series <= bound, "{series} series, at most {bound} are expected:\n{text}");
}

#[test]
fn every_metric_is_named_as_prometheus_wants_it() {
    let mut names = BTreeSet::new();
    for metric in catalogue::ALL {
        assert!(names.insert(metric.name), "{} twice", metric.name);
        assert!(metric.name.starts_with("emp_") && !metric.help.trim().is_empty(), "{}", metric.name);
        assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        assert!(metric.kind != Kind::Histogram || metric.name.ends_with("_seconds"), "{}", metric.name);
        let closed = ["service", "outcome", "state", "verb", "op", "version"];
        assert!(metric.labels.iter().all(|label| closed.contains(label)), "{}", metric.name);
    }
}

#[test]
fn the_dashboard_and_the_alerts_name_only_metrics_of_the_list() {
    let words = |text: &str| -> BTreeSet<String> {
        let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let own = text.split(word).filter(|word| word.starts_with("emp_"));
        own.map(|word| word.trim_end_matches("_bucket").to_owned()).collect()
    };
    let known: BTreeSet<String> = catalogue::ALL.iter().map(|metric| metric.name.to_owned()).collect();
    let board = dashboard::grafana();
    for panel in board["panels"].as_array().unwrap() {
        let used = words(panel["targets"][0]["expr"].as_str().unwrap());
        assert_eq!(used.len(), 1, "{panel:#}");
        assert!(used.is_subset(&known), "{used:?}");
    }
    assert_eq!(board["panels"].as_array().unwrap().len(), catalogue::ALL.len());
    for alert in alerts::all() {
        assert_eq!(
            words(&alert.expression),
            BTreeSet::from([alert.metric.name.to_owned()]),
            "{}",
            alert.name
        );
    }
    assert!(words(&alerts::rules()).is_subset(&known));
}
