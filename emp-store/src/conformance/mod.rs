//! What every store promises, as one suite that every store runs.
//!
//! Each case is an async function over a [`Bench`]; its name begins with the promise's number in `reliability.md` section 5. A store's tests
//! are one line, which makes one test per case:
//!
//! ```ignore
//! emp_store::conformance!(|| async { Bench::new(Arc::new(MyStore::new(options(), clock.clone())), clock) });
//! ```
//!
//! [`run`] does them one after the other.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test suite says by panicking that a store does not keep a promise"
)]

mod bounds;
mod cancels;
mod claims;
mod keys;
mod nudges;
mod order;
mod poison;
mod retention;
mod submits;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use emp_core::error::Billed;
use emp_core::job::{EventKind, Intent, Job, JobId, Phase, ServiceJob, WorkerId};
use emp_core::time::ManualClock;
use emp_core::{ErrorCode, JobError, Timestamp};
use serde_json::{Map, json};

use crate::store::{
    Answer, Bounds, Change, ClaimKey, ClaimRequest, Enqueued, Finish, NewJob, Release, Store, StoreOptions,
    WorkerStatus, Write,
};

pub use bounds::*;
pub use cancels::*;
pub use claims::*;
pub use keys::*;
pub use nudges::*;
pub use order::*;
pub use poison::*;
pub use retention::*;
pub use submits::*;
pub use upkeep::*;

/// Calls a macro with the names of all cases. The one list of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($callback:path, $($context:tt)*) => {
        $callback! { $($context)*;
            p01_a_stored_service_job_is_never_submitted_again,
            p01_only_a_retry_opens_a_new_attempt,
            p02_a_new_owner_finds_the_intent,
            p02_an_uncertain_job_is_not_claimed_again,
            p03_one_attempt_has_one_key_and_one_body,
            p04_what_was_certainly_not_accepted_costs_no_attempt,
            p04_nothing_sent_is_never_uncertain,
            p05_a_zombie_changes_nothing_by_any_verb,
            p05_one_job_has_one_owner_under_contention,
            p05b_a_service_job_that_a_zombie_bought_is_kept,
            p05b_a_service_job_that_a_zombie_bought_is_adopted_while_unsettled,
            p05b_an_uncertain_job_is_settled_by_a_late_service_job,
            p05b_a_second_service_job_of_the_owner_is_kept_and_refused,
            p06_every_word_can_be_repeated,
            p06_another_word_after_the_end_is_fenced,
            p07_a_renewed_job_runs_for_days_under_one_claim,
            p08_work_of_a_dead_worker_is_back_after_one_lease,
            p08_no_page_of_lapsed_leases_blocks_another,
            p08_a_begun_job_goes_only_to_a_worker_with_its_connector,
            p09_a_lapsed_lease_that_nobody_took_is_renewed,
            p09_time_never_runs_backwards,
            p09_a_leap_of_the_clock_ends_no_live_lease,
            p10_two_starts_of_one_name_are_two_workers,
            p12_attempts_deliveries_and_crashes_are_counted_apart,
            p12_a_retry_says_when_and_why,
            p13_first_come_first_served_within_a_priority,
            p13_higher_priority_goes_first,
            p13_nothing_waits_longer_than_max_wait_behind_later_ones,
            p13_a_retry_rejoins_at_its_due_time,
            p13_a_released_job_keeps_its_place,
            p13_a_claim_takes_what_was_asked_for_and_no_more,
            p13_a_backlog_that_a_worker_cannot_serve_hides_nothing,
            p14_a_key_names_its_holder_and_is_freed_in_time,
            p15_a_cancel_of_what_nobody_works_on_ends_it_at_once,
            p15_a_result_after_a_cancel_is_discarded_and_kept,
            p15_a_cancel_after_the_end_is_too_late,
            p15_a_holder_hears_of_the_cancel_with_every_write,
            p15_a_cancel_is_carried_to_the_service_by_a_worker,
            p15_after_a_cancel_every_end_is_cancelled,
            p15_cancel_and_finish_race_to_one_truth,
            p16_the_same_key_and_body_is_the_same_job,
            p16_the_same_key_with_another_body_is_refused,
            p16_one_key_from_many_at_once_makes_one_job,
            p17_whoever_waits_is_told,
            p26_a_job_that_ends_its_workers_is_taken_out,
            p26_crashes_of_long_ago_do_not_count,
            p26_a_fleet_that_loses_its_leases_at_once_was_not_ended_by_its_jobs,
            p27_too_many_waiting_jobs_of_a_service_are_refused,
            p28_a_job_that_ended_is_forgotten_after_its_time,
            p28_a_job_is_kept_as_long_as_its_key,
            p30_progress_never_falls_and_ends_with_the_job,
            p30_a_new_attempt_begins_its_progress_anew,
            p30_only_success_makes_the_progress_whole,
            f34_a_result_that_cannot_be_read_again_is_a_failure,
            events_are_numbered_without_gaps_and_capped,
            m58_a_call_for_a_job_is_told_to_its_holder_once,
            m58_a_call_for_a_job_that_is_not_out_changes_nothing,
            m58_a_proven_call_is_kept_for_the_holder_until_another_comes,
            f42_a_call_that_was_heard_before_changes_nothing,
            m59_text_of_a_stream_is_kept_within_bounds_and_beside_the_other_events,
            counts_equal_the_sums,
            lists_are_paged_and_filtered,
            workers_are_listed_while_they_are_heard_of,
            what_is_not_there_is_said_so,
        }
    };
}

/// Makes one `#[tokio::test]` per case. The argument is called for each and gives a future of a [`Bench`] with an empty store, or
/// of `None` where there can be none on this machine.
#[macro_export]
macro_rules! conformance {
    ($make:expr) => {
        $crate::__conformance_cases! { $crate::__conformance_tests, $make }
    };
}

/// The tests of [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($make:expr; $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let bench: Option<$crate::conformance::Bench> = ($make)().await.into();
                if let Some(bench) = bench {
                    $crate::conformance::$case(bench).await;
                }
            }
        )*
    };
}

/// One case, on the heap: all of them in one future are more than a stack has.
fn turn<'a, F, G>(make: &'a impl Fn() -> F, case: fn(Bench) -> G) -> Pin<Box<dyn Future<Output = ()> + 'a>>
where
    F: Future<Output = Bench> + 'a,
    G: Future<Output = ()> + 'a,
{
    Box::pin(async move { case(make().await).await })
}

macro_rules! in_turn {
    ($make:ident; $($case:ident,)*) => {
        $( turn(&$make, $case).await; )*
    };
}

/// Runs every case, each on a store of its own.
pub async fn run<F>(make: impl Fn() -> F)
where
    F: Future<Output = Bench>,
{
    crate::__conformance_cases! { in_turn, make }
}

/// The options that the cases count on.
pub fn options() -> StoreOptions {
    StoreOptions {
        lease: Duration::from_secs(30),
        max_wait: Duration::from_mins(10),
        max_crashes: 3,
        worker_ttl: Duration::from_secs(90),
        max_events: 20,
        bounds: Bounds { of: BTreeMap::from([("bounded".to_owned(), 3)]), ..Bounds::default() },
        ..StoreOptions::default()
    }
}

/// The clock that the cases begin with: a moment in 2026.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp(1_790_000_000_000)))
}

/// An empty store with [`options`] and a clock that the case moves.
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// What must outlive the store. Declared last, so that it is dropped last.
    guards: Vec<Box<dyn std::any::Any + Send + Sync>>,
}

impl Bench {
    /// A bench for a store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        Self { store, clock, guards: Vec::new() }
    }

    /// Keeps something as long as the store: its directory, its server.
    #[must_use]
    pub fn keeping(mut self, guard: impl std::any::Any + Send + Sync) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    async fn add(&self, new: NewJob) -> Job {
        match self.store.enqueue(new).await.expect("enqueue") {
            Enqueued::New(job) => job,
            other => panic!("expected a new job, got {other:?}"),
        }
    }

    async fn add_one(&self) -> Job {
        self.add(new("svc")).await
    }

    async fn claim_as(&self, worker: &str) -> Option<Job> {
        self.claim_n(worker, 1).await.pop()
    }

    async fn claim_n(&self, worker: &str, count: usize) -> Vec<Job> {
        self.store.claim(ask(worker, &[("svc", count)], &[])).await.expect("claim")
    }

    /// A worker that has said that it is alive.
    async fn announced(&self, name: &str) -> WorkerStatus {
        let worker = WorkerStatus {
            id: WorkerId::start(name),
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            host: "here".to_owned(),
            pid: 7,
            labels: BTreeMap::new(),
            services: Vec::new(),
            connectors: BTreeSet::from(["Fake".to_owned()]),
            slots: 4,
            running: Vec::new(),
            draining: false,
            started_at: self.store.now(),
            seen_at: self.store.now(),
        };
        self.store.announce(worker.clone()).await.expect("announce");
        worker
    }

    /// A job that a worker has just claimed.
    async fn claimed(&self) -> Job {
        self.add_one().await;
        self.claim_as("a").await.expect("a job to claim")
    }

    /// A job of which the service knows.
    async fn submitted(&self) -> Job {
        let job = self.claimed().await;
        assert_eq!(self.write(&job, Change::Intent(intent("key-1"))).await, Answer::Ok);
        assert_eq!(self.write(&job, Change::Submitted(bought("far-1"))).await, Answer::Ok);
        job
    }

    /// Writes by the claim that a claimed job shows.
    async fn write(&self, claimed: &Job, change: Change) -> Answer {
        let lease = claimed.lease.as_ref().expect("a claimed job");
        let claim = ClaimKey { job: claimed.id.clone(), nonce: lease.nonce.clone() };
        let answers = self.store.write(vec![Write { claim, change }]).await.expect("write");
        assert_eq!(answers.len(), 1, "one answer for one write");
        answers[0]
    }

    async fn job(&self, id: &JobId) -> Job {
        self.store.get(id).await.expect("get").expect("the job")
    }

    async fn kinds(&self, id: &JobId) -> Vec<EventKind> {
        let events = self.store.events(id, 0).await.expect("events").expect("the job's events");
        events.iter().map(|event| event.kind).collect()
    }

    /// Lets every lease lapse and takes the jobs back.
    async fn lapse(&self) -> usize {
        self.clock.advance(options().lease + Duration::from_millis(1));
        self.store.reap().await.expect("reap")
    }
}

fn new(service: &str) -> NewJob {
    NewJob {
        service: service.to_owned(),
        payload: json!({ "prompt": "a lighthouse", "n": 1 }),
        priority: 5,
        labels: BTreeMap::new(),
        idempotency_key: None,
    }
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn ask(worker: &str, services: &[(&str, usize)], has: &[(&str, &str)]) -> ClaimRequest {
    ClaimRequest {
        worker: WorkerId::start(worker),
        services: services.iter().map(|(service, count)| ((*service).to_owned(), *count)).collect(),
        labels: labels(has),
        connectors: BTreeSet::from(["Fake".to_owned()]),
        max: 1000,
    }
}

fn intent(key: &str) -> Intent {
    Intent {
        connector: "Fake".to_owned(),
        fingerprint: 7,
        key: key.to_owned(),
        digest: format!("digest of {key}"),
        prepared: Map::from_iter([("url".to_owned(), key.into())]),
        at: Timestamp::default(),
    }
}

fn bought(id: &str) -> ServiceJob {
    ServiceJob {
        id: id.to_owned(),
        captured: Map::new(),
        connector: "Fake".to_owned(),
        fingerprint: 7,
        submitted_at: Timestamp(1),
    }
}

fn error() -> JobError {
    JobError::new(ErrorCode::ETransient, "the service coughed").billed(Billed::Maybe)
}

fn success() -> Change {
    Change::Finish(Finish::Succeeded { result: json!({ "ok": true }), meta: Map::new() })
}

fn retry(after: Duration) -> Change {
    Change::Finish(Finish::Retry { error: error(), after })
}

fn release(after: Duration) -> Change {
    Change::Release(Release { after, reason: "drain".to_owned() })
}

fn at_phase(job: &Job, phase: Phase) {
    assert_eq!(job.phase, Some(phase), "{job:?}");
}
