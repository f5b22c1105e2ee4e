//! Declared sockets against their fakes: progress at once, the poll's word for the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp::REGISTRY;
use emp_core::connector::{Entry, Loaded};
use emp_core::job::JobState;
use emp_core::time::ManualClock;
use emp_core::{Connector, Timestamp, Url};
use emp_testkit::{FakeOptions, FakeService, Rig, fake_env};
use serde_json::json;

/// Polled seldom, so that what is quick comes over the socket.
#[derive(Connector)]
#[connector(service = "watched", version = "1.0.0", unregistered)]
#[http(base = env.url)]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[websocket(
    get = "/ws",
    query("clientId" = job.id),
    job = "$.data.prompt_id",
    rules("$.type" == "done" => succeeded, "$.type" == "error" => failed),
    progress = "$.data.value" | ratio("$.data.max"),
)]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["error"], unknown = failed)]
#[outcome(json = "$.output")]
#[pace(first = "1h", min = "1h", max = "1h", deadline = "24h")]
struct Watched {
    /// Where it is.
    #[env("WATCHED_URL", default = "http://127.0.0.1:1")]
    url: Url,
}

static WATCHED: Entry = Entry::of::<Watched>();

struct Bench {
    fake: FakeService,
    rig: Rig,
}

async fn bench(entry: &'static Entry, faults: &[&str]) -> Bench {
    let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
    let options = FakeOptions {
        queued: Duration::from_secs(2),
        running: Duration::from_secs(20),
        clock: Arc::<ManualClock>::clone(&clock),
        faults: faults.iter().map(|fault| fault.parse().expect("a fault")).collect(),
        ..FakeOptions::default()
    };
    let fake = FakeService::start(entry.spec, options).await.expect("starts");
    let loaded = Loaded { base: Some(fake.base_url()), ..entry.load(&fake_env(entry.spec)).expect("loads") };
    let rig = Rig::with_sockets(loaded, json!({ "prompt": "a cat" }), clock).await.expect("a job");
    Bench { fake, rig }
}

impl Bench {
    fn polls(&self) -> usize {
        let step = Some(emp_testkit::Step::Poll);
        self.fake.requests().iter().filter(|request| request.step == step).count()
    }

    fn sockets(&self) -> usize {
        let step = Some(emp_testkit::Step::Socket);
        self.fake.requests().iter().filter(|request| request.step == step).count()
    }
}

#[tokio::test]
async fn the_socket_shows_the_progress_and_its_final_word_makes_the_poll_ask() {
    let bench = bench(&WATCHED, &[]).await;
    let begun = Instant::now();
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert!(begun.elapsed() < Duration::from_secs(10), "an hour lies between two polls");
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(fractions.len() > 2 && fractions.is_sorted(), "{fractions:?}");
    assert_eq!(
        (bench.polls(), bench.sockets(), bench.fake.ledger().accepted()),
        (2, 1, 1),
        "at first and at last"
    );
}

#[tokio::test]
async fn a_socket_that_breaks_is_opened_again_and_the_poll_asks_in_between() {
    let bench = bench(&WATCHED, &["socket:cut_body"]).await;
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!((bench.sockets(), bench.fake.ledger().accepted()), (2, 1));
    assert!(
        (3..=6).contains(&bench.polls()),
        "after the break, after the new connection, at the end: {}",
        bench.polls()
    );
}

#[tokio::test]
async fn a_failure_on_the_socket_is_believed_when_the_poll_says_it() {
    let bench = bench(&WATCHED, &["submit:job_fails=service*"]).await;
    let begun = Instant::now();
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Failed);
    assert_eq!(ended.job.error.map(|error| error.code), Some(emp_core::ErrorCode::EServiceFailed));
    assert_eq!((bench.polls(), bench.sockets()), (2, 1), "the poll is asked as soon as the socket says it");
    assert!(begun.elapsed() < Duration::from_secs(10), "an hour lies between two polls");
}

#[tokio::test]
async fn without_its_socket_a_job_is_polled() {
    let entry = REGISTRY.get("SimulationWebsocketConnector").expect("registered");
    let bench = bench(entry, &["socket:404*"]).await;
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert!(bench.polls() >= 2 && bench.sockets() >= 1);
}

#[tokio::test]
async fn the_simulation_over_a_socket_tells_its_steps() {
    let entry = REGISTRY.get("SimulationWebsocketConnector").expect("registered");
    let bench = bench(entry, &[]).await;
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let messages = ended.progress.iter().filter(|progress| progress.message.is_some()).count();
    assert!(messages > 2, "the texts are on the socket only: {:?}", ended.progress);
}

#[tokio::test]
async fn p15_a_cancel_leaves_the_socket_and_goes_to_the_service() {
    let entry = REGISTRY.get("SimulationWebsocketConnector").expect("registered");
    let bench = bench(entry, &["submit:job_never_ends"]).await;
    let cancel = async {
        while bench.sockets() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bench.rig.cancel().await.expect("the store works");
    };
    let (ended, ()) = tokio::join!(bench.rig.finish(), cancel);
    assert_eq!(ended.expect("the store works").job.state, JobState::Cancelled);
    assert_eq!(bench.fake.unfinished(), 0);
}

#[tokio::test]
async fn f03_death_while_watching_costs_nothing_more() {
    let bench = bench(&WATCHED, &[]).await;
    let died = tokio::time::timeout(Duration::from_millis(60), bench.rig.attempt()).await;
    assert!(died.is_err(), "{died:?}");
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!((bench.fake.ledger().accepted(), ended.job.attempt, ended.job.deliveries), (1, 1, 2));
    assert_eq!(bench.sockets(), 2);
}
