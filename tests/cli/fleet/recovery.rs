//! A worker is killed while its jobs are being polled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::{Fleet, LEASE};

/// For how long this machine has let nobody work: a thread that wants to run every 10 ms tells.
struct Stalls {
    over: Arc<AtomicBool>,
    millis: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Stalls {
    fn watch() -> Self {
        const TICK: Duration = Duration::from_millis(10);
        let (over, millis) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (until, sum) = (Arc::clone(&over), Arc::clone(&millis));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                let before = Instant::now();
                std::thread::sleep(TICK);
                sum.fetch_add(before.elapsed().saturating_sub(TICK).as_millis() as u64, Ordering::Relaxed);
            }
        });
        Self { over, millis, thread: Some(thread) }
    }

    fn so_far(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// When the first event of a kind was, by the store's clock, which is this machine's.
fn at(events: &[Value], kind: &str) -> SystemTime {
    let event = events.iter().find(|event| event["type"] == kind);
    let at =
        event.unwrap_or_else(|| panic!("no event `{kind}`: {events:#?}"))["at"].as_str().expect("a moment");
    humantime::parse_rfc3339(at).expect("RFC 3339")
}

#[test]
fn p08_fifty_polled_jobs_outlive_the_worker_that_has_half_of_them() {
    let fleet = Fleet::start();
    let service = fleet.service("MyServiceConnector");
    // The first worker fills its slots; what comes then is the second one's, which has room for the rest.
    let first = fleet.worker("my-service-api:25", &[&service]);
    let firsts = fleet.at_the_service(&service, 25);
    let _second = fleet.worker("my-service-api:50", &[&service]);
    let seconds = fleet.at_the_service(&service, 25);
    let worker = |id: &str| fleet.job(id)["worker"].clone();
    let (dead, alive) = (worker(&firsts[0]), worker(&seconds[0]));
    assert!(firsts.iter().all(|id| worker(id) == dead) && seconds.iter().all(|id| worker(id) == alive));

    let stalls = Stalls::watch();
    first.signal("KILL");
    let died = SystemTime::now();
    for id in &firsts {
        fleet.api.until(id, "with the other worker", |job| job["worker"] == alive);
    }
    let slack = stalls.so_far();
    for id in &firsts {
        let events = fleet.events(id);
        let (lost, resumed) = (at(&events, "lease_lost"), at(&events, "resumed"));
        let recovered = resumed.duration_since(died).expect("after the death");
        assert!(
            recovered <= LEASE + Duration::from_secs(5) + slack,
            "{recovered:?}, {slack:?} of it stalled: {events:#?}"
        );
        let silent = lost.duration_since(died).expect("after the death");
        // The last renewal was at most a third of a lease, and a stall, before the death.
        assert!(silent + slack >= LEASE / 2, "taken from a worker that may live: {silent:?}");
    }
    service.finish_all();
    for (ids, deliveries) in [(&firsts, 2), (&seconds, 1)] {
        for id in ids {
            let job = fleet.api.ended(id);
            assert_eq!((&job["status"], &job["attempt"]), (&"completed".into(), &1.into()), "{job:#}");
            assert_eq!(job["deliveries"], deliveries, "{job:#}");
        }
    }
    let ledger = service.fake.ledger();
    assert_eq!((ledger.accepted(), ledger.merged()), (50, 0), "50 jobs, 50 submits");
}
