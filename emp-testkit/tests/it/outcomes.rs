//! Results of every declared kind, from the fake through the engine into an output store, and what may go wrong on the way.

use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::error::Billed;
use emp_core::job::JobState;
use emp_core::time::ManualClock;
use emp_core::{Connector, ErrorCode, Secret, Timestamp};
use emp_outputs::OutputStore;
use emp_testkit::{Ended, FakeOptions, FakeService, Fault, Rig, Step, fake_env};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

macro_rules! connector {
    ($name:ident, $($attribute:meta),* $(,)?) => {
        /// Makes things, for a test.
        #[derive(Connector)]
        #[connector(service = "files", version = "1.0.0", unregistered)]
        #[http(base = "http://127.0.0.1:1")]
        #[auth(bearer = key)]
        #[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id", result_url = "$.result_url"), at_most_once)]
        #[poll(get = "/jobs/{job.id}")]
        #[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
        #[errors(message = "$.error")]
        $(#[$attribute])*
        #[allow(dead_code)]
        struct $name {
            /// The key.
            #[env("FILES_KEY")]
            key: Secret,
        }
    };
}

connector!(
    Urls,
    outcome(
        json = "$.info",
        files = urls("$.images[*].url", "$.video.url"),
        types = ["image/*"],
        meta(seed = "$.seed"),
        min = 1
    )
);
connector!(Refreshing, outcome(files = urls("$.images[*]"), refresh = poll));
connector!(Auto, outcome(json = "$.output", files = auto_urls));
connector!(Apart, outcome(get = job.result_url, json = "$.result", files = urls("$.file"), on_http_error => failed(service)));
connector!(Bytes, outcome(get = "/jobs/{job.id}/content", raw, rules(code == 425 => running)));
connector!(
    Items,
    outcome(
        json = "$.outputs",
        files = each("$.outputs.*.*[?@.type=='output']", get = "/view", query("filename" = item.filename, "type" = item.type), name = item.filename),
    ),
);
connector!(Small, outcome(files = urls("$.url")), limits(max_file = "20B"));

connector!(Here, outcome(first_of(json = "$.result", get("$.link", json = "$"))));
connector!(Elsewhere, outcome(first_of(get("$.link", json = "$.value"), json = "$.never"), min = 1));
connector!(Asked, outcome(first_of(get("/jobs/{job.id}/result", raw))));
connector!(
    More,
    outcome(
        json = "$.result",
        also(
            srt = get("/jobs/{job.id}/srt", raw) if payload.prompt == "a cat",
            lines = get("/jobs/{job.id}/lines", jsonl, json = "$[*]" | all),
            never = get("/jobs/{job.id}/never", raw) if payload.prompt == "a dog",
        ),
    ),
);
connector!(Lines, outcome(get = "/jobs/{job.id}/output", jsonl, json = "$[*].response" | all));

/// Answers with its files, and cannot be asked again.
#[derive(Connector)]
#[connector(service = "files", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "http://127.0.0.1:1")]
#[auth(bearer = key)]
#[submit(post = "/images", json { "prompt": payload.prompt }, at_most_once)]
#[outcome(base64 = "$.data[*].b64_json")]
#[allow(dead_code)]
struct Inline {
    /// The key.
    #[env("FILES_KEY")]
    key: Secret,
}

/// Speaks.
#[derive(Connector)]
#[connector(service = "files", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "http://127.0.0.1:1")]
#[auth(bearer = key)]
#[submit(post = "/speech", json { "prompt": payload.prompt }, at_most_once)]
#[outcome(raw, types = ["audio/*"], mime = header("content-type"))]
#[allow(dead_code)]
struct Speech {
    /// The key.
    #[env("FILES_KEY")]
    key: Secret,
}

struct Bench {
    fake: FakeService,
    rig: Rig,
}

impl Bench {
    async fn of<C: Connector>(faults: &[&str]) -> Self {
        Self::with::<C>(faults, OutputStore::memory()).await
    }

    async fn with<C: Connector>(faults: &[&str], outputs: OutputStore) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let options = FakeOptions {
            clock: Arc::<ManualClock>::clone(&clock),
            faults: faults.iter().map(|fault| fault.parse::<Fault>().expect(fault)).collect(),
            ..FakeOptions::instant()
        };
        let fake = FakeService::start(C::SPEC, options).await.expect("starts");
        let (settings, errors) = Settings::load(C::SPEC.env, &fake_env(C::SPEC));
        assert_eq!(errors, []);
        let loaded = Loaded { spec: C::SPEC, settings, custom: None, base: Some(fake.base_url()) };
        let rig =
            Rig::with_outputs(loaded, json!({ "prompt": "a cat" }), clock, outputs).await.expect("a job");
        Self { fake, rig }
    }

    /// The job's end; whatever happened, one submit was paid for.
    async fn finish(&self) -> Ended {
        let ended = self.rig.finish().await.expect("the store works");
        assert_eq!((self.fake.ledger().accepted(), ended.job.attempt), (1, 1), "{:?}", ended.job.error);
        ended
    }

    async fn result(&self) -> Value {
        let ended = self.finish().await;
        assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
        ended.job.result.expect("a result")
    }

    /// The files of a result, each checked against what the result says of it.
    async fn files(&self, result: &Value) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for entry in result["files"].as_array().expect("files") {
            let url = entry["url"].as_str().expect("a URL");
            let file = self.rig.outputs().open(self.rig.job_id(), url, None).await.expect("it is there");
            let pieces: Vec<bytes::Bytes> = file.body.try_collect().await.expect("it can be read");
            let bytes = pieces.concat();
            let digest: String = emp_engine::key::hex(&Sha256::digest(&bytes));
            assert_eq!(entry["bytes"], bytes.len());
            assert_eq!(entry["sha256"], digest);
            let name = entry["name"].as_str().expect("a name");
            assert!(url.ends_with(&format!("/{}/1/{name}", self.rig.job_id())), "{url}");
            files.push((format!("{name} {}", entry["mime"].as_str().expect("a type")), bytes));
        }
        files
    }

    fn asked(&self, step: Step) -> usize {
        self.fake.requests().iter().filter(|request| request.step == Some(step)).count()
    }
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn m36_m40_m44_files_behind_urls_are_stored_beside_value_and_facts() {
    let bench = Bench::of::<Urls>(&[]).await;
    let ended = bench.finish().await;
    let result = ended.job.result.expect("a result");
    assert_eq!(ended.job.meta["seed"], 1);
    assert_eq!(result["json"], json!({ "echo": { "prompt": "a cat" } }));
    let files = bench.files(&result).await;
    assert_eq!(names(&files), ["0-0.png image/png", "1-1.png image/png"]);
    assert!(files[0].1.starts_with(b"\x89PNG") && files[0].1 != files[1].1);
    assert!(
        bench.fake.requests().iter().all(|request| request.authorized),
        "its own origin gets the credential"
    );
}

#[tokio::test]
async fn m37_a_result_is_asked_for_at_its_own_url() {
    let bench = Bench::of::<Apart>(&[]).await;
    let result = bench.result().await;
    assert_eq!(result["json"], json!({ "echo": { "prompt": "a cat" } }));
    assert_eq!(bench.files(&result).await.len(), 1);
    assert_eq!((bench.asked(Step::Result), bench.asked(Step::File)), (1, 1));
}

#[tokio::test]
async fn m37_a_refusal_of_the_result_means_what_is_declared_and_what_passes_is_asked_again() {
    let failed = Bench::of::<Apart>(&["result:422*"]).await.finish().await;
    let error = failed.job.error.expect("an error");
    assert_eq!(
        (failed.job.state, error.code, error.billed),
        (JobState::Failed, ErrorCode::EServiceFailed, Billed::Yes)
    );
    let bench = Bench::of::<Apart>(&["result:503*3"]).await;
    bench.result().await;
    assert_eq!(
        (bench.asked(Step::Result), bench.asked(Step::Poll)),
        (4, 4),
        "it is polled again, never submitted"
    );
    // 425: not yet.
    let bench = Bench::of::<Bytes>(&["result:425*2"]).await;
    bench.result().await;
    assert_eq!(bench.asked(Step::Result), 3);
}

#[tokio::test]
async fn m38_the_bytes_of_an_answer_are_a_file() {
    let bench = Bench::of::<Bytes>(&[]).await;
    let result = bench.result().await;
    assert_eq!(names(&bench.files(&result).await), ["0-result.png image/png"]);
    assert_eq!(result.as_object().map(serde_json::Map::len), Some(1), "{result}");
    let speech = Bench::of::<Speech>(&[]).await;
    let result = speech.result().await;
    assert_eq!(names(&speech.files(&result).await), ["0-result.mp3 audio/mpeg"]);
}

#[tokio::test]
async fn m39_base64_in_the_answer_is_a_file() {
    let bench = Bench::of::<Inline>(&[]).await;
    let result = bench.result().await;
    assert_eq!(names(&bench.files(&result).await), ["0-result.png image/png"], "told from its first bytes");
}

#[tokio::test]
async fn m40_each_item_has_a_request_of_its_own() {
    let bench = Bench::of::<Items>(&[]).await;
    let result = bench.result().await;
    assert_eq!(names(&bench.files(&result).await), ["0-fake-filename.png image/png"]);
    let request = bench.fake.requests().into_iter().find(|request| request.step == Some(Step::File));
    assert_eq!(request.expect("asked").target, "/view?filename=fake-filename.png&type=output");
}

#[tokio::test]
async fn m40_auto_urls_are_found_wherever_they_stand() {
    let bench = Bench::of::<Auto>(&[]).await;
    let result = bench.result().await;
    assert_eq!(bench.files(&result).await.len(), 1);
    assert!(result["json"][0].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
}

#[tokio::test]
async fn m43_the_first_place_that_has_something_is_the_result() {
    let echo = json!({ "echo": { "prompt": "a cat" } });
    let here = Bench::of::<Here>(&[]).await;
    assert_eq!((here.result().await, here.asked(Step::Result)), (echo.clone(), 0));
    let elsewhere = Bench::of::<Elsewhere>(&[]).await;
    assert_eq!((elsewhere.result().await, elsewhere.asked(Step::Result)), (echo, 1));
    let asked = Bench::of::<Asked>(&["result:503"]).await;
    let result = asked.result().await;
    assert_eq!((asked.files(&result).await.len(), asked.asked(Step::Poll)), (1, 2));
    let nothing = Bench::of::<Here>(&["poll:too_few*"]).await.finish().await;
    assert_eq!(nothing.job.error.map(|error| error.code), Some(ErrorCode::EBadResponse));
}

#[tokio::test]
async fn more_answers_belong_to_the_result_and_one_that_is_refused_is_left_out() {
    let bench = Bench::of::<More>(&[]).await;
    let result = bench.result().await;
    assert_eq!(names(&bench.files(&result).await), ["0-srt.png image/png"]);
    assert_eq!(result["also"]["lines"], json!([{ "echo": { "prompt": "a cat" } }]));
    assert_eq!(
        (bench.asked(Step::Result), result["json"].is_object()),
        (2, true),
        "`never` is not asked for"
    );
    let refused = Bench::of::<More>(&["result:404"]).await;
    let result = refused.result().await;
    assert_eq!(
        (&result["files"], &result["also"]["lines"][0]["echo"]["prompt"]),
        (&json!([]), &json!("a cat"))
    );
    let late = Bench::of::<More>(&["result:500"]).await;
    let result = late.result().await;
    assert_eq!(late.files(&result).await.len(), 1, "what passes is asked for again");
}

#[tokio::test]
async fn m42_an_answer_by_lines_is_an_array() {
    let bench = Bench::of::<Lines>(&[]).await;
    assert_eq!(bench.result().await, json!([{ "echo": { "prompt": "a cat" } }]));
    let error = Bench::of::<Lines>(&["result:html*"]).await.finish().await.job.error.expect("an error");
    assert_eq!((error.code, error.billed), (ErrorCode::EBadResponse, Billed::Yes));
}

#[tokio::test]
async fn m45_too_few_results_are_a_failure_of_the_declared_kind() {
    let ended = Bench::of::<Urls>(&["poll:too_few*"]).await.finish().await;
    let error = ended.job.error.expect("an error");
    assert_eq!(
        (ended.job.state, error.code, error.billed),
        (JobState::Failed, ErrorCode::EModerated, Billed::Yes)
    );
    assert!(error.message.contains("0 results") && error.message.contains("at least 1"), "{error}");
}

/// Sings two songs, and may stop after the first.
#[derive(Connector)]
#[connector(service = "songs", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/songs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/songs/{job.id}", progress = "$.progress")]
#[states(
    at = "$.status", running = ["pending", "first"], succeeded = ["done"], failed = ["stopped"], unknown = running(warn),
    rules("$.status" == "stopped" && "$.songs" present => succeeded),
)]
#[outcome(json = "$.songs", partial(when = "$.status" in ["first", "stopped"]))]
struct Songs {
    /// The key.
    #[env("SONGS_KEY")]
    key: Secret,
}

async fn sung(faults: &[&str]) -> Ended {
    crate::bench::Bench::new::<Songs>(json!({ "prompt": "a cat" }), faults).await.finish().await
}

#[tokio::test]
async fn m45_some_of_the_result_is_told_on_the_way_and_of_the_end() {
    let whole = sung(&[]).await;
    assert_eq!((whole.job.state, whole.job.meta.get("partial")), (JobState::Succeeded, None));
    assert!(whole.progress.iter().all(|progress| progress.so_far.is_none()));

    // The fake says the first of the words that the condition names, which is one of a job that goes on.
    let early = sung(&["submit:partial"]).await;
    assert_eq!(
        (early.job.state, early.job.meta.get("partial")),
        (JobState::Succeeded, None),
        "{:?}",
        early.job.error
    );
    let so_far = early.progress.iter().find_map(|progress| progress.so_far.as_deref().cloned());
    assert_eq!(so_far, Some(json!({ "echo": { "prompt": "a cat" } })));
    assert_eq!(early.job.progress.and_then(|progress| progress.so_far), None, "the result is there by now");

    let stopped = sung(&["poll:rule=0@3"]).await;
    assert_eq!(
        (stopped.job.state, stopped.job.meta.get("partial")),
        (JobState::Succeeded, Some(&true.into()))
    );
    assert_eq!(stopped.job.result, Some(json!({ "echo": { "prompt": "a cat" } })));
}

#[tokio::test]
async fn x10_an_expired_link_is_asked_after_again_where_that_is_declared() {
    let bench = Bench::of::<Refreshing>(&["file:expired"]).await;
    let result = bench.result().await;
    assert_eq!(bench.files(&result).await.len(), 1);
    assert_eq!((bench.asked(Step::Poll), bench.asked(Step::File)), (2, 2));
    for fault in ["file:401*", "file:403*", "file:404*", "file:410*"] {
        let bench = Bench::of::<Refreshing>(&[fault]).await;
        let ended = bench.finish().await;
        let error = ended.job.error.expect("an error");
        assert_eq!((error.code, error.billed), (ErrorCode::EExpired, Billed::Yes), "{fault}");
        assert_eq!(bench.asked(Step::File), 4, "{fault}: three fresh links");
        assert!(
            error.detail.is_some_and(|detail| detail.contains("http://127.0.0.1:")),
            "{fault}: the links are kept"
        );
        let bench = Bench::of::<Urls>(&[fault]).await;
        assert_eq!(bench.finish().await.job.error.map(|error| error.code), Some(ErrorCode::EExpired));
        assert_eq!(bench.asked(Step::File), 1, "{fault}: not declared");
    }
}

#[tokio::test]
async fn c45_a_download_that_fails_is_tried_again_and_nothing_is_submitted_again() {
    for fault in ["file:500*2", "file:cut*2", "file:cut_body*2", "file:html*2", "file:429=5s"] {
        let bench = Bench::of::<Urls>(&[fault]).await;
        let result = bench.result().await;
        assert_eq!(bench.files(&result).await.len(), 2, "{fault}");
        assert!(bench.asked(Step::Poll) > 1, "{fault}");
    }
    let bench = Bench::of::<Urls>(&["file:500*"]).await;
    let ended = bench.finish().await;
    let error = ended.job.error.expect("an error");
    assert_eq!((error.code, error.billed, error.retriable), (ErrorCode::EBadResponse, Billed::Yes, false));
    assert_eq!(bench.asked(Step::File), 8, "a bounded budget");
    assert!(error.detail.is_some_and(|detail| detail.contains("/__fake/file/")), "the links are kept");
}

#[tokio::test]
async fn a_page_in_place_of_a_file_is_no_result() {
    let error = Bench::of::<Urls>(&["file:html*"]).await.finish().await.job.error.expect("an error");
    assert_eq!(error.code, ErrorCode::EBadResponse);
    assert!(error.message.contains("text/html") && error.message.contains("image/*"), "{error}");
}

#[tokio::test]
async fn f34_a_file_larger_than_its_cap_ends_the_job_at_once() {
    for fault in [&[][..], &["file:huge_body*"]] {
        let bench = Bench::of::<Small>(fault).await;
        let error = bench.finish().await.job.error.expect("an error");
        assert_eq!((error.code, error.billed), (ErrorCode::EResponseTooLarge, Billed::Yes));
        assert!(error.message.contains("max_file"), "{error}");
        assert_eq!(bench.asked(Step::File), 1);
    }
}

#[tokio::test]
async fn f03_a_worker_that_dies_in_the_middle_of_a_download_costs_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let outputs = OutputStore::at(&dir.path().display().to_string()).expect("opens");
    let bench = Bench::with::<Urls>(&["file:slow_body"], outputs).await;
    let died = tokio::time::timeout(Duration::from_millis(150), bench.rig.attempt()).await;
    assert!(died.is_err(), "{died:?}");
    let ended = bench.finish().await;
    assert_eq!((ended.job.state, ended.job.deliveries), (JobState::Succeeded, 2), "{:?}", ended.job.error);
    let result = ended.job.result.expect("a result");
    assert_eq!(bench.files(&result).await.len(), 2);
    let folder = dir.path().join(format!("{}/1", bench.rig.job_id()));
    let mut left: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["0-0.png", "1-1.png"], "nothing half is left");
}

#[tokio::test]
async fn a_store_that_takes_nothing_keeps_the_job_until_it_does() {
    let dir = tempfile::tempdir().expect("a directory");
    let outputs = OutputStore::at(&dir.path().display().to_string()).expect("opens");
    let bench = Bench::with::<Urls>(&[], outputs).await;
    let in_the_way = dir.path().join(bench.rig.job_id().as_str());
    std::fs::write(&in_the_way, "not a directory").expect("can be written");
    let ended = bench.finish().await;
    let error = ended.job.error.expect("an error");
    assert_eq!(
        (error.code, error.billed),
        (ErrorCode::EOutput, Billed::Yes),
        "at the deadline, and not before"
    );
    assert!(bench.asked(Step::File) > 20 && error.message.contains("EMP_OUTPUTS"), "{error}");
    assert!(error.detail.is_some_and(|detail| detail.contains("/__fake/file/")), "the links are kept");
    assert!(
        ended
            .progress
            .iter()
            .any(|progress| progress.message.as_ref().is_some_and(|text| text.contains("output store")))
    );
}

#[tokio::test]
async fn a_sync_answer_that_cannot_be_stored_is_kept_and_stored_later() {
    let dir = tempfile::tempdir().expect("a directory");
    let outputs = OutputStore::at(&dir.path().display().to_string()).expect("opens");
    let bench = Bench::with::<Inline>(&[], outputs).await;
    let in_the_way = dir.path().join(bench.rig.job_id().as_str());
    std::fs::write(&in_the_way, "not a directory").expect("can be written");
    let clear = async {
        while bench.asked(Step::Submit) == 0 {
            tokio::task::yield_now().await;
        }
        std::fs::remove_file(&in_the_way).expect("can be removed");
    };
    let (result, ()) = tokio::join!(bench.result(), clear);
    assert_eq!(bench.files(&result).await.len(), 1);
}
