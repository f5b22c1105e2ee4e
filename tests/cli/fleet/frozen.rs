//! A worker that sleeps past its lease, as a laptop does whose lid is shut, and goes on as if nothing had been.

use serde_json::Value;

use super::Fleet;

/// What a zombie could have changed.
fn record(job: &Value) -> [&Value; 6] {
    ["state", "phase", "service_job_id", "worker", "attempt", "deliveries"].map(|field| &job[field])
}

/// One of its jobs is being polled, and one is at the submit, whose answer comes after all.
#[test]
fn p05_a_worker_that_was_frozen_past_its_lease_is_fenced_and_changes_nothing() {
    let fleet = Fleet::start();
    let service = fleet.service("MyServiceConnector");
    let mut zombie = fleet.worker("my-service-api:2", &[&service]);
    let polled = fleet.at_the_service(&service, 1).remove(0);
    service.fake.fault("submit:timeout_after".parse().expect("a fault"));
    let submitting = fleet.api.job(&service.body());
    service.accepts(2);
    zombie.signal("STOP");
    let ids = [&polled, &submitting];
    let stale = fleet.job(&polled)["worker"].clone();

    let heir = fleet.worker("my-service-api:2", &[&service]);
    for id in ids {
        fleet.api.until(id, "with the heir", |job| {
            job["service_job_id"].is_string() && job["worker"].is_string() && job["worker"] != stale
        });
    }
    let before = ids.map(|id| fleet.job(id));
    zombie.signal("CONT");
    for id in ids {
        let line = zombie.line("fenced: the job is not this worker's any more");
        assert!(ids.iter().any(|id| line.contains(id.as_str())), "{id}: {line}");
    }
    for (id, before) in ids.into_iter().zip(&before) {
        assert_eq!(record(&fleet.job(id)), record(before));
        let events = fleet.events(id);
        let lost = events.iter().position(|event| event["type"] == "lease_lost").expect("it was lost");
        let after = &events[lost + 1..];
        assert!(after.iter().all(|event| event["worker"] != stale), "{events:#?}");
    }

    service.finish_all();
    for id in ids {
        let job = fleet.api.ended(id);
        assert_eq!((&job["status"], &job["attempt"]), (&"completed".into(), &1.into()), "{job:#}");
    }
    assert_eq!(service.fake.ledger().accepted(), 2, "the key merged what the heir sent again");

    // It is a worker like any other from now on.
    drop(heir);
    let next = fleet.at_the_service(&service, 1).remove(0);
    assert_eq!(fleet.job(&next)["worker"], stale);
}
