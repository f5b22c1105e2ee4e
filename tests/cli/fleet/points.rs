//! A real process dies at each moment of [`Point::ALL`], and the next one makes of the job what was promised.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use emp::REGISTRY;
use emp_engine::kill::Point;
use emp_testkit::{FakeOptions, FakeService, example};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Api, Running, emp, free_port};

/// SIGABRT: it died at the moment, and of nothing else.
const ABORTED: Option<i32> = Some(6);
/// So many deaths at once; each is mostly waiting for a lease.
const LANES: usize = 3;

/// A worker's death and what the service and the next worker make of it.
#[derive(Clone, Debug)]
struct Death {
    at: Point,
    connector: &'static str,
    worker: &'static str,
    payload: Value,
    faults: &'static [&'static str],
    /// The service refuses connections until the worker is dead.
    closed: bool,
    /// The job runs long enough to be cancelled.
    cancel: bool,
    state: &'static str,
    accepted: usize,
}

impl Death {
    /// A job of the guide's own service, which merges what comes again: it succeeds, and was paid once.
    fn guide(at: Point) -> Self {
        Self {
            at,
            connector: "MyServiceConnector",
            worker: "my-service-api:1",
            payload: json!({}),
            faults: &[],
            closed: false,
            cancel: false,
            state: "succeeded",
            accepted: 1,
        }
    }

    fn of(at: Point, connector: &'static str, worker: &'static str) -> Self {
        Self { connector, worker, ..Self::guide(at) }
    }

    /// Of a service that can neither merge nor be asked, so that a person is.
    fn uncertain(at: Point, accepted: usize) -> Self {
        Self { state: "uncertain", accepted, ..Self::of(at, "ReplicateConnector", "replicate:1") }
    }
}

/// How a worker is made to come to a moment; at those where it matters, under each settle rule.
fn deaths(at: Point) -> Vec<Death> {
    let guide = Death::guide(at);
    let replicate = Death::of(at, "ReplicateConnector", "replicate:1");
    let comfyui = Death::of(at, "ComfyUIRemoteConnector", "comfyui-remote:1");
    match at {
        Point::Claimed
        | Point::Prepared
        | Point::BeforeIntent
        | Point::Parked
        | Point::Polling
        | Point::Polled
        | Point::BeforeEnd
        | Point::AfterEnd
        | Point::CleaningUp
        | Point::Renewing => vec![guide],
        Point::AfterIntent => vec![guide, Death::uncertain(at, 0)],
        Point::Answered | Point::BeforeSubmitted => vec![guide, Death::uncertain(at, 1), comfyui],
        Point::AfterSubmitted => vec![guide, replicate, comfyui],
        Point::BeforeNotSent | Point::AfterNotSent => vec![Death { closed: true, ..guide }],
        Point::Settling => vec![Death { faults: &["submit:cut_after"], ..guide }],
        Point::Streaming => {
            let openai = Death { payload: json!({ "stream": true }), ..Death::uncertain(at, 1) };
            vec![Death { connector: "OpenAIConnector", worker: "openai:1", ..openai }]
        }
        Point::SocketOpen | Point::SocketHeard => {
            vec![Death::of(at, "SimulationWebsocketConnector", "simulation-websocket:1")]
        }
        Point::Fetching | Point::Fetched => vec![Death::of(at, "BflConnector", "bfl:1")],
        Point::Cancelling | Point::Cancelled => {
            vec![Death { cancel: true, state: "cancelled", ..guide }]
        }
    }
}

/// An API on a store of its own, on which workers die one after the other.
struct Lane {
    api: Api,
    _api: Running,
    home: TempDir,
    runtime: Runtime,
}

impl Lane {
    fn new() -> Self {
        let home = TempDir::new().expect("a folder");
        let port = free_port();
        let mut command = emp(home.path());
        let api = Running::start(command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]));
        Self { api: Api(port).ready(), _api: api, home, runtime: Runtime::new().expect("a runtime") }
    }

    fn worker(&self, death: &Death, fake: &FakeService) -> Command {
        let mut command = emp(self.home.path());
        command.args(["worker", "--workers", death.worker, "--lease", "1s"]);
        command.args(["--fake", &format!("{}={}", death.connector, fake.base_url())]);
        command
    }

    fn die(&self, death: &Death) {
        let spec = REGISTRY.get(death.connector).expect("it is there").spec;
        let options = FakeOptions {
            queued: Duration::ZERO,
            running: if death.cancel { Duration::from_hours(1) } else { Duration::from_millis(500) },
            faults: death.faults.iter().map(|fault| fault.parse().expect("a fault")).collect(),
            closed: death.closed,
            ..FakeOptions::default()
        };
        let fake = self.runtime.block_on(FakeService::start(spec, options)).expect("a fake");
        let mut payload = example(&spec.payload.to_json_schema());
        if let (Some(payload), Some(members)) = (payload.as_object_mut(), death.payload.as_object()) {
            payload.extend(members.clone());
        }
        let body = json!({ "service": spec.services[0], "payload": payload });
        let id = self.api.job(&body.to_string());

        let mut first = Running::start(self.worker(death, &fake).env("EMP_TEST_KILL_AT", death.at.word()));
        if death.cancel {
            self.api.until(&id, "at the service", |job| job["service_job_id"].is_string());
            self.api.cancel(&id);
        }
        let ended = first.ends();
        assert_eq!(ended.signal(), ABORTED, "{death:?}: {ended}\n{}", first.printed());
        if death.closed {
            let _inside = self.runtime.enter();
            fake.open().expect("opens");
        }
        let _second = Running::start(&mut self.worker(death, &fake));
        let job = self
            .api
            .until(&id, "at rest", |job| !job["finished_at"].is_null() || job["state"] == "uncertain");
        assert_eq!(job["state"], death.state, "{death:?}: {job:#}");
        assert_eq!(fake.ledger().accepted(), death.accepted, "{death:?}: {job:#}");
        assert_eq!(job["attempt"], 1, "{death:?}: {job:#}");
    }
}

#[test]
fn p01_a_worker_dies_at_every_moment_and_nothing_is_submitted_twice() {
    let mut all: Vec<Death> = Point::ALL.iter().flat_map(|point| deaths(*point)).collect();
    all.reverse();
    let left = Mutex::new(all);
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                let lane = Lane::new();
                loop {
                    let next = left.lock().expect("nobody has panicked with it").pop();
                    let Some(death) = next else { return };
                    lane.die(&death);
                }
            });
        }
    });
}

#[test]
fn every_moment_has_a_word_of_its_own() {
    let words: BTreeSet<&str> = Point::ALL.iter().map(|point| point.word()).collect();
    assert_eq!(words.len(), Point::ALL.len());
}
