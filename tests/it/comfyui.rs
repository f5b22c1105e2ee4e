//! ComfyUI's queue, its socket and their order, against a fake that speaks as a real server does.

use std::sync::Arc;
use std::time::Duration;

use emp::REGISTRY;
use emp_core::connector::{Entry, Loaded};
use emp_core::job::{JobState, UpstreamCancel};
use emp_core::time::ManualClock;
use emp_core::{ErrorCode, Timestamp};
use emp_testkit::{FakeComfyUi, Rig, fake_env};
use serde_json::{Value, json};

struct Bench {
    comfy: FakeComfyUi,
    rig: Rig,
}

impl Bench {
    async fn new() -> Self {
        Self::with(json!({ "1": { "class_type": "EmptyImage", "inputs": {} } })).await
    }

    async fn with(workflow: Value) -> Self {
        let entry: &Entry = REGISTRY.get("ComfyUILocalConnector").expect("registered");
        let comfy = FakeComfyUi::start().await.expect("starts");
        let loaded = entry.load(&fake_env(entry.spec)).expect("loads");
        let loaded = Loaded { base: Some(comfy.base_url()), ..loaded };
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let rig = Rig::with_sockets(loaded, json!({ "workflow": workflow }), clock).await.expect("a job");
        Self { comfy, rig }
    }

    /// Waits until something is so.
    async fn until(&self, so: impl Fn(&FakeComfyUi) -> bool) {
        while !so(&self.comfy) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until the job is queued and its socket open.
    async fn queued(&self) {
        self.until(|comfy| comfy.accepted() == 1 && comfy.listening() == 1).await;
    }

    fn asked(&self, request: &str) -> usize {
        self.comfy.requests().iter().filter(|seen| *seen == request).count()
    }
}

#[tokio::test]
async fn a_workflow_is_shown_on_the_socket_and_its_pictures_are_fetched() {
    let bench = Bench::new().await;
    let script = async {
        bench.queued().await;
        bench.comfy.run();
        for step in 1..=4 {
            bench.comfy.progress(step, 4);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bench.comfy.finish();
    };
    let (ended, ()) = tokio::join!(bench.rig.finish(), script);
    let ended = ended.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(fractions.len() >= 4 && fractions.is_sorted() && fractions.contains(&0.25), "{fractions:?}");
    let result = ended.job.result.expect("a result");
    assert_eq!(result["files"][0]["mime"], "image/png", "{result}");
    assert_eq!(
        (result["files"].as_array().map(Vec::len), bench.asked("GET /view")),
        (Some(1), 1),
        "no preview"
    );
    assert_eq!((bench.comfy.accepted(), bench.comfy.opened()), (1, 1));
}

#[tokio::test]
async fn an_exception_and_a_bad_workflow_are_failures_with_their_words() {
    let bench = Bench::new().await;
    let script = async {
        bench.queued().await;
        bench.comfy.run();
        bench.comfy.fail("CUDA out of memory");
    };
    let (ended, ()) = tokio::join!(bench.rig.attempt(), script);
    let error = ended.expect("the store works").and_then(|job| job.error).expect("an error");
    assert_eq!(error.code, ErrorCode::EServiceFailed);
    assert!(error.detail.is_some_and(|detail| detail.contains("CUDA out of memory")));

    let bench = Bench::with(json!({ "1": { "class_type": "NoSuchNode" } })).await;
    let ended = bench.rig.finish().await.expect("the store works");
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EInvalidInput));
    assert_eq!(bench.comfy.accepted(), 0);
}

#[tokio::test]
async fn an_interruption_at_the_server_ends_the_job() {
    let bench = Bench::new().await;
    let script = async {
        bench.queued().await;
        bench.comfy.run();
        bench.comfy.interrupt();
    };
    let (ended, ()) = tokio::join!(bench.rig.finish(), script);
    assert_eq!(
        ended.expect("the store works").job.error.map(|error| error.code),
        Some(ErrorCode::ECancelled)
    );
}

#[tokio::test]
async fn a_socket_that_breaks_is_opened_again_and_nothing_is_sent_again() {
    let bench = Bench::new().await;
    let script = async {
        bench.queued().await;
        bench.comfy.run();
        bench.comfy.cut_sockets();
        bench.until(|comfy| comfy.opened() == 2 && comfy.listening() == 1).await;
        bench.comfy.progress(1, 2);
        bench.comfy.finish();
    };
    let (ended, ()) = tokio::join!(bench.rig.finish(), script);
    let ended = ended.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(bench.comfy.accepted(), 1);
}

#[tokio::test]
async fn x7_a_server_that_starts_anew_has_lost_the_job() {
    let bench = Bench::new().await;
    let script = async {
        bench.queued().await;
        bench.comfy.run();
        bench.comfy.restart();
    };
    let (ended, ()) = tokio::join!(bench.rig.finish(), script);
    let ended = ended.expect("the store works");
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EServiceJobLost));
    assert_eq!((ended.job.state, bench.comfy.accepted()), (JobState::Failed, 1), "it is not submitted again");
}

#[tokio::test]
async fn p15_a_cancel_takes_a_job_that_waits_out_of_the_queue_and_interrupts_one_that_runs() {
    for (runs, route) in [(false, "POST /queue"), (true, "POST /interrupt")] {
        let bench = Bench::new().await;
        let script = async {
            bench.queued().await;
            if runs {
                bench.comfy.run();
            }
            bench.rig.cancel().await.expect("the store works");
        };
        let (ended, ()) = tokio::join!(bench.rig.finish(), script);
        let ended = ended.expect("the store works");
        assert_eq!(ended.job.state, JobState::Cancelled);
        assert_eq!(
            ended.job.cancel.and_then(|cancel| cancel.upstream),
            Some(UpstreamCancel::Confirmed),
            "{route}"
        );
        assert_eq!(
            (bench.asked(route), bench.comfy.pending(), bench.comfy.running()),
            (1, 0, false),
            "{route}"
        );
    }
}

#[tokio::test]
async fn f02_f03_death_in_any_phase_costs_one_submit() {
    for phase in ["submitted", "queued", "running"] {
        let bench = Bench::new().await;
        if phase == "submitted" {
            bench.comfy.lose_answers();
        }
        let moment = async {
            match phase {
                "submitted" => bench.until(|comfy| comfy.accepted() == 1).await,
                "queued" => bench.queued().await,
                _ => {
                    bench.queued().await;
                    bench.comfy.run();
                }
            }
        };
        assert!(bench.rig.die_when(moment).await.expect("the store works"), "{phase}");
        let script = async {
            bench.until(|comfy| comfy.listening() == 1 && comfy.opened() >= 1).await;
            bench.comfy.run();
            bench.comfy.finish();
        };
        let (ended, ()) = tokio::join!(bench.rig.finish(), script);
        let ended = ended.expect("the store works");
        assert_eq!(ended.job.state, JobState::Succeeded, "{phase}: {:?}", ended.job.error);
        assert_eq!((bench.comfy.accepted(), ended.job.attempt), (1, 1), "{phase}");
        // A lost answer is looked up by the id that we gave.
        assert_eq!(bench.asked("POST /prompt"), 1, "{phase}");
    }
}
