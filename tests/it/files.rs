//! Files that jobs bring, files that they end with, and what is left of both at the service.

use emp::REGISTRY;
use emp_core::connector::Entry;
use emp_core::job::JobState;
use emp_testkit::Step;
use serde_json::{Value, json};

use crate::bench::{Bench, over_http};

/// The smallest sound and the smallest picture of all.
const SOUND: &str = "data:audio/mpeg;base64,SUQzBAAAAAAAAA==";
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgo=";

fn entry(name: &str) -> &'static Entry {
    REGISTRY.get(name).expect("registered")
}

/// A job with these members in its payload, to its end, which is a success.
async fn done(name: &str, faults: &[&str], members: Value) -> Bench {
    let bench = Bench::with_payload(entry(name), faults, members).await;
    let ended = bench.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{name}: {:?}", ended.job.error);
    bench
}

#[tokio::test]
async fn results_that_are_files_are_in_the_output_store() {
    let with_files =
        over_http().filter(|entry| entry.spec.http().is_some_and(|http| http.outcome.take.has_files()));
    let mut seen = 0;
    for entry in with_files {
        let name = entry.spec.name;
        let ended = Bench::new(entry, &[]).await.finish().await;
        let result = ended.job.result.unwrap_or_default();
        let files = result["files"].as_array().cloned().unwrap_or_default();
        assert!(!files.is_empty(), "{name}: {result} {:?}", ended.job.error);
        for file in files {
            assert!(file["url"].is_string() && file["bytes"].as_u64() > Some(0), "{name}: {file}");
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen} connectors have files");
}

#[tokio::test]
async fn a_recording_without_a_url_is_uploaded_before_it_is_transcribed() {
    let with_bytes = done("AssemblyAIConnector", &[], json!({ "audio": SOUND })).await;
    assert_eq!(with_bytes.targets(Step::Prepare), ["/v2/upload"]);
    let with_url = done("AssemblyAIConnector", &[], json!({ "audio": "https://example.com/a.mp3" })).await;
    assert!(with_url.targets(Step::Prepare).is_empty());
}

#[tokio::test]
async fn subtitles_are_kept_where_they_are_wanted() {
    let asked = |bench: &Bench| bench.targets(Step::Result);
    let wanted = done("AssemblyAIConnector", &[], json!({ "srt": true })).await;
    assert_eq!(asked(&wanted), ["/v2/transcript/fake-1/srt"]);
    assert!(asked(&done("AssemblyAIConnector", &[], json!({ "srt": false })).await).is_empty());
}

#[tokio::test]
async fn what_is_ephemeral_is_deleted_at_the_service_when_its_result_is_stored() {
    for name in ["AssemblyAIConnector", "ElevenLabsDubbingConnector", "OpenAIVideosConnector"] {
        // Where a cancel is the same request, the service cannot tell them apart, and the job was not cancelled.
        let deleted =
            |bench: &Bench| bench.fake.requests().iter().filter(|sent| sent.method == "DELETE").count();
        assert_eq!(deleted(&done(name, &[], json!({ "ephemeral": true })).await), 1, "{name}");
        assert_eq!(deleted(&done(name, &[], json!({ "ephemeral": false })).await), 0, "{name}");
    }
}

#[tokio::test]
async fn a_batch_of_openai_is_a_file_that_is_uploaded_and_its_answers_are_one_that_is_fetched() {
    let bench = done("OpenAIBatchesConnector", &[], json!({})).await;
    assert_eq!(bench.targets(Step::Prepare), ["/v1/files"]);
    let prepared = bench.fake.ledger().prepared[0].captured["file_id"].clone();
    assert_eq!(prepared, json!("file_id-1"));
    let fetched: Vec<_> =
        bench.fake.requests().into_iter().filter(|request| request.target.ends_with("/content")).collect();
    assert_eq!(fetched.len(), 1, "{fetched:?}");
    assert!(fetched[0].authorized, "a file of the API's own is asked for with the credential");
}

#[tokio::test]
async fn the_results_of_a_batch_of_anthropic_come_by_lines() {
    let ended = Bench::new(entry("AnthropicBatchesConnector"), &[]).await.finish().await;
    let lines = ended.job.result.as_ref().and_then(Value::as_array).map(Vec::len);
    assert_eq!(lines, Some(1), "{:?}", ended.job);
}

#[tokio::test]
async fn the_sound_of_a_dub_may_come_after_the_dub() {
    let bench = done("ElevenLabsDubbingConnector", &["result:425"], json!({})).await;
    assert_eq!(bench.targets(Step::Result), ["/v1/dubbing/fake-1/audio/es"; 2]);
}

#[tokio::test]
async fn an_image_that_is_brought_is_edited_and_without_one_an_image_is_made() {
    for (name, edits, makes) in [
        ("OpenAIImagesConnector", "/v1/images/edits", "/v1/images/generations"),
        ("A1111Connector", "/sdapi/v1/img2img", "/sdapi/v1/txt2img"),
    ] {
        let edited = done(name, &[], json!({ "image": PICTURE })).await;
        assert_eq!(edited.targets(Step::Submit), [edits], "{name}");
        assert_eq!(done(name, &[], json!({})).await.targets(Step::Submit), [makes], "{name}");
    }
}

#[tokio::test]
async fn hugging_face_is_asked_for_what_fal_has_at_its_own_host() {
    let bench = done("HuggingFaceFalConnector", &[], json!({})).await;
    let polls = bench.targets(Step::Poll);
    assert!(!polls.is_empty());
    for poll in polls {
        assert!(poll.starts_with("/fal-ai/path-of-fake-1/status?_subdomain=queue"), "{poll}");
    }
    assert_eq!(bench.targets(Step::Result), ["/fal-ai/path-of-fake-1?_subdomain=queue"]);
}

#[tokio::test]
async fn a_video_of_veo_is_fetched_with_the_key() {
    let bench = done("VeoConnector", &[], json!({})).await;
    let requests = bench.fake.requests();
    let fetched: Vec<_> = requests.iter().filter(|request| request.step == Some(Step::File)).collect();
    assert!(!fetched.is_empty() && fetched.iter().all(|request| request.authorized), "{fetched:?}");
}

#[tokio::test]
async fn bytes_are_fetched_where_they_are_and_not_twice() {
    let apart = done("OpenAIVideosConnector", &[], json!({})).await;
    assert_eq!(apart.targets(Step::Result), ["/v1/videos/fake-1/content"]);
    let with_the_poll = done("StabilityAsyncConnector", &[], json!({})).await;
    assert!(with_the_poll.targets(Step::Result).is_empty());
}

#[tokio::test]
async fn a_link_that_has_ended_says_how_long_it_was_good() {
    let bench = Bench::new(entry("BflConnector"), &["file:403*"]).await;
    let error = bench.finish().await.job.error.expect("the link is refused");
    assert!(error.message.contains("keeps results for 600 s"), "{error}");
}

#[tokio::test]
async fn a_service_without_room_is_asked_again_and_paid_once() {
    for (name, fault) in [("HuggingFaceConnector", "submit:503"), ("AnthropicConnector", "submit:529")] {
        let bench = Bench::new(entry(name), &[fault]).await;
        let job = bench.finish().await.job;
        let told = (job.state, job.attempt, bench.fake.ledger().accepted());
        assert_eq!(told, (JobState::Succeeded, 1, 1), "{name}: {:?}", job.error);
    }
}
