//! What a stock connector makes of an answer, by the evaluator alone: no fake, which answers only as the declaration says.

use std::time::Duration;

use emp::REGISTRY;
use emp_core::job::ServiceJob;
use emp_core::spec::HttpProtocol;
use emp_core::{ErrorCode, Timestamp};
use emp_engine::advice;
use emp_engine::context::Context;
use emp_engine::decide::{Verdict, decide};
use emp_engine::exchange::Exchange;
use emp_engine::memory::Memory;
use emp_engine::outcome::{captured, is_partial, progress};
use emp_engine::select::View;
use emp_testkit::fake_env;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

/// What the evaluator sees of an answer.
fn seen<T>(
    connector: &str,
    code: u16,
    headers: &[(&str, &str)],
    body: &Value,
    read: impl FnOnce(&HttpProtocol, &View<'_>) -> T,
) -> T {
    aged(connector, 60, code, headers, body, read)
}

/// As [`seen`], so many seconds after the submit.
fn aged<T>(
    connector: &str,
    age: u64,
    code: u16,
    headers: &[(&str, &str)],
    body: &Value,
    read: impl FnOnce(&HttpProtocol, &View<'_>) -> T,
) -> T {
    let entry = REGISTRY.get(connector).expect("registered");
    let loaded = entry.load(&fake_env(entry.spec)).expect("a whole environment");
    let service_job = ServiceJob {
        id: "job-1".to_owned(),
        captured: Map::new(),
        connector: connector.to_owned(),
        fingerprint: 0,
        submitted_at: Timestamp(0),
    };
    let context = Context {
        job_id: "job",
        budget: Duration::from_mins(10),
        service_job: Some(&service_job),
        ..Context::bare(&loaded)
    };
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::try_from(*name).expect("a name"), HeaderValue::try_from(*value).expect("a value"))
    });
    let exchange = Exchange::new(code, headers.collect(), body.to_string().as_bytes());
    let memory = Memory::default();
    let now = Timestamp(0).after(Duration::from_secs(age));
    let view = View { exchange: &exchange, context: &context, memory: &memory, now };
    read(entry.spec.http().expect("speaks HTTP"), &view)
}

fn verdict(connector: &str, code: u16, body: &Value) -> Verdict {
    seen(connector, code, &[], body, decide)
}

/// A verdict in a word, with the service's own text or the wait where there is one.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pending(stage) => format!("{stage:?}").to_lowercase(),
        Verdict::Succeeded => "succeeded".to_owned(),
        Verdict::Canceled => "canceled".to_owned(),
        Verdict::Lost => "lost".to_owned(),
        Verdict::Undecided => "undecided".to_owned(),
        Verdict::Failed { kind, error } => {
            format!("failed({}): {}", kind.word(), error.detail.as_deref().unwrap_or_default())
        }
        Verdict::Refused(refusal) => match refusal.wait {
            Some(wait) => format!("refused({}) for {wait:?}", refusal.kind.word()),
            None => format!("refused({})", refusal.kind.word()),
        },
        Verdict::Unknown { word } => format!("unknown {word:?}"),
    }
}

fn says(connector: &str, code: u16, body: &Value) -> String {
    word(&verdict(connector, code, body))
}

#[test]
fn a_chat_that_refuses_is_moderated_and_any_other_answer_is_a_success() {
    let chat = |message: Value, finish: &str| json!({ "choices": [{ "message": message, "finish_reason": finish }] });
    let of = |body: &Value| verdict("OpenAIConnector", 200, body);
    let refusal = of(&chat(json!({ "content": null, "refusal": "I can't help with that." }), "stop"));
    let Verdict::Failed { error, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!(
        (error.code, error.detail.as_deref()),
        (ErrorCode::EModerated, Some("I can't help with that."))
    );
    // The API writes `refusal: null` into every answer that is none.
    let answer = of(&chat(json!({ "content": "Paris.", "refusal": null }), "stop"));
    assert_eq!(answer, Verdict::Succeeded);
    let filtered = of(&chat(json!({ "content": "", "refusal": null }), "content_filter"));
    assert!(
        matches!(&filtered, Verdict::Failed { error, .. } if error.code == ErrorCode::EModerated),
        "{filtered:?}"
    );
}

#[test]
fn anthropic_says_in_the_stop_reason_that_it_refuses_and_with_529_that_it_has_no_room() {
    let refusal =
        json!({ "content": [], "stop_reason": "refusal", "stop_details": { "explanation": "no weapons" } });
    assert_eq!(says("AnthropicConnector", 200, &refusal), "failed(moderated): no weapons");
    let answer = json!({ "content": [{ "type": "text", "text": "Hello." }], "stop_reason": "end_turn" });
    assert_eq!(says("AnthropicConnector", 200, &answer), "succeeded");
    let overloaded =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    assert_eq!(says("AnthropicConnector", 529, &overloaded), "refused(capacity)");
}

#[test]
fn a_response_that_a_filter_stopped_is_moderated_and_one_that_is_too_long_is_a_result() {
    let of = |reason: &str| json!({ "status": "incomplete", "incomplete_details": { "reason": reason } });
    assert!(says("OpenAIResponsesConnector", 200, &of("content_filter")).starts_with("failed(moderated)"));
    assert_eq!(says("OpenAIResponsesConnector", 200, &of("max_output_tokens")), "succeeded");
}

#[test]
fn openai_says_in_a_header_when_to_ask_again() {
    let entry = REGISTRY.get("OpenAIResponsesConnector").expect("registered");
    let headers = [("openai-poll-after-ms", "2500")];
    let wait = seen(entry.spec.name, 200, &headers, &json!({}), |_, view| {
        advice::first(entry.spec.pace.advice, view)
    });
    assert_eq!(wait, Some(Duration::from_millis(2500)));
}

#[test]
fn an_empty_account_at_openai_is_no_rate_limit() {
    let of = |code: &str| json!({ "error": { "code": code, "message": "no" } });
    assert_eq!(says("OpenAIConnector", 429, &of("insufficient_quota")), "refused(billing)");
    let headers = [("retry-after-ms", "3000")];
    let limited = seen("OpenAIConnector", 429, &headers, &of("rate_limit_exceeded"), decide);
    assert_eq!(word(&limited), "refused(rate_limited) for 3s");
}

#[test]
fn bfls_words_have_spaces_and_two_of_them_are_moderation() {
    let of = |status: &str| json!({ "id": "x", "status": status, "details": { "Moderation Reasons": ["Sexual Content"] } });
    assert_eq!(says("BflConnector", 200, &of("Content Moderated")), "failed(moderated): Sexual Content");
    assert!(says("BflConnector", 200, &of("Request Moderated")).starts_with("failed(moderated)"));
    assert_eq!(says("BflConnector", 200, &of("Task not found")), "lost");
    assert_eq!(says("BflConnector", 429, &json!({ "retry_after": 7 })), "refused(rate_limited) for 7s");
}

#[test]
fn runpod_does_not_know_a_job_for_a_moment_and_later_has_lost_it() {
    let at = |age| word(&aged("RunPodConnector", age, 404, &[], &json!({}), decide));
    assert_eq!((at(5).as_str(), at(60).as_str()), ("running", "lost"));
}

#[test]
fn runpods_error_may_be_json_in_a_text() {
    let failed =
        json!({ "status": "FAILED", "error": r#"{"error_type":"OOM","error_message":"out of memory"}"# });
    assert_eq!(says("RunPodConnector", 200, &failed), "failed(service): out of memory");
    let plain = json!({ "status": "FAILED", "error": "job timed out" });
    assert_eq!(says("RunPodConnector", 200, &plain), "failed(service): job timed out");
}

#[test]
fn an_operation_of_veo_that_is_done_without_a_video_was_filtered() {
    let done =
        |response: Value| json!({ "name": "models/veo/operations/1", "done": true, "response": response });
    let video =
        json!({ "generateVideoResponse": { "generatedSamples": [{ "video": { "uri": "https://x" } }] } });
    assert_eq!(says("VeoConnector", 200, &done(video)), "succeeded");
    let filtered = json!({ "generateVideoResponse": { "raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["a face"] } });
    assert_eq!(says("VeoConnector", 200, &done(filtered)), "failed(moderated): a face");
    assert_eq!(says("VeoConnector", 200, &json!({ "name": "models/veo/operations/1" })), "running");
    let failed = json!({ "done": true, "error": { "code": 13, "message": "internal" } });
    assert_eq!(says("VeoConnector", 200, &failed), "failed(service): 13: internal");
}

#[test]
fn gemini_blocks_a_prompt_or_stops_an_answer() {
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
    assert_eq!(says("GeminiConnector", 200, &blocked), "failed(moderated): SAFETY");
    let stopped = json!({ "candidates": [{ "finishReason": "PROHIBITED_CONTENT" }] });
    assert!(says("GeminiConnector", 200, &stopped).starts_with("failed(moderated)"));
    let answer =
        json!({ "candidates": [{ "finishReason": "STOP", "content": { "parts": [{ "text": "Hello." }] } }] });
    assert_eq!(says("GeminiConnector", 200, &answer), "succeeded");
}

#[test]
fn a_runway_task_that_is_held_back_waits_and_one_that_is_unsafe_is_moderated() {
    assert_eq!(says("RunwayConnector", 200, &json!({ "status": "THROTTLED" })), "queued");
    let unsafe_task = json!({ "status": "FAILED", "failure": "unsafe", "failureCode": "SAFETY.INPUT.IMAGE" });
    assert_eq!(says("RunwayConnector", 200, &unsafe_task), "failed(moderated): SAFETY.INPUT.IMAGE: unsafe");
    let failed =
        json!({ "status": "FAILED", "failure": "broken", "failureCode": "INTERNAL.BAD_OUTPUT.CODE01" });
    assert_eq!(says("RunwayConnector", 200, &failed), "failed(service): INTERNAL.BAD_OUTPUT.CODE01: broken");
}

#[test]
fn every_request_to_runway_names_the_version() {
    let http = REGISTRY.get("RunwayConnector").and_then(|entry| entry.spec.http()).expect("speaks HTTP");
    let requests = [
        Some(&http.submit.request),
        http.poll.as_ref().map(|poll| &poll.request),
        http.cancel.as_ref().and_then(|cancel| cancel.request.as_ref()),
        http.health.as_ref().map(|health| &health.request),
    ];
    for request in requests {
        let headers = request.expect("declared").headers;
        assert!(headers.iter().any(|header| header.name == "x-runway-version"), "{headers:?}");
    }
}

#[test]
fn luma_says_its_state_in_another_member() {
    assert_eq!(says("LumaConnector", 200, &json!({ "state": "dreaming", "status": "done" })), "running");
    let failed = json!({ "state": "failed", "failure_reason": "no frames" });
    assert_eq!(says("LumaConnector", 200, &failed), "failed(service): no frames");
}

#[test]
fn a_status_of_azure_is_the_same_word_in_any_case() {
    for status in ["Succeeded", "succeeded", "SUCCEEDED"] {
        assert_eq!(says("AzureDocIntConnector", 200, &json!({ "status": status })), "succeeded");
    }
    for status in ["Canceled", "cancelled"] {
        assert_eq!(says("AzureDocIntConnector", 200, &json!({ "status": status })), "canceled");
    }
}

#[test]
fn an_azure_operation_is_known_by_a_header_and_paced_by_another() {
    let entry = REGISTRY.get("AzureDocIntConnector").expect("registered");
    let url = "https://x.cognitiveservices.azure.com/documentintelligence/documentModels/m/analyzeResults/3b31-42?api-version=2024-11-30";
    let headers = [("operation-location", url), ("x-ms-retry-after-ms", "1500"), ("retry-after", "9")];
    let (captured, wait) = seen(entry.spec.name, 202, &headers, &Value::Null, |http, view| {
        (captured(http.submit.capture, view), advice::first(entry.spec.pace.advice, view))
    });
    assert_eq!((&captured["poll_url"], &captured["id"]), (&json!(url), &json!("3b31-42")));
    assert_eq!(wait, Some(Duration::from_millis(1500)));
}

#[test]
fn leonardo_says_with_a_null_that_there_is_no_such_generation() {
    assert_eq!(says("LeonardoConnector", 200, &json!({ "generations_by_pk": null })), "lost");
    let pending = json!({ "generations_by_pk": { "status": "PENDING" } });
    assert_eq!(says("LeonardoConnector", 200, &pending), "running");
}

#[test]
fn the_id_of_a_service_is_where_its_answer_has_it() {
    let of = |connector: &str, body: &Value| {
        seen(connector, 200, &[], body, |http, view| captured(http.submit.capture, view).get("id").cloned())
    };
    let id = Some(json!("a-1"));
    assert_eq!(of("LeonardoConnector", &json!({ "sdGenerationJob": { "generationId": "a-1" } })), id);
    assert_eq!(of("MeshyConnector", &json!({ "result": "a-1" })), id);
    assert_eq!(of("KlingConnector", &json!({ "code": 0, "data": { "task_id": "a-1" } })), id);
    assert_eq!(of("TogetherQueueConnector", &json!({ "requestId": "a-1" })), id);
    assert_eq!(
        of("VeoConnector", &json!({ "name": "models/m/operations/1" })),
        Some(json!("models/m/operations/1"))
    );
}

#[test]
fn the_path_of_a_job_of_fal_is_cut_out_of_the_url_that_fal_gives() {
    let body =
        json!({ "request_id": "r", "response_url": "https://queue.fal.run/fal-ai/wan/requests/r?x=1" });
    let path = seen("HuggingFaceFalConnector", 200, &[], &body, |http, view| {
        captured(http.submit.capture, view).get("path").cloned()
    });
    assert_eq!(path, Some(json!("fal-ai/wan/requests/r")));
}

#[test]
fn progress_is_a_fraction_whatever_the_service_counts_in() {
    let of = |connector: &str, body: &Value| {
        let told =
            seen(connector, 200, &[], body, |http, view| progress(http.poll.as_ref().expect("polled"), view));
        told.and_then(|told| told.fraction)
    };
    assert_eq!(of("MeshyConnector", &json!({ "progress": 40 })), Some(0.4));
    assert_eq!(of("RunwayConnector", &json!({ "progress": 0.4 })), Some(0.4));
    assert_eq!(of("AzureDocIntConnector", &json!({ "percentCompleted": 40 })), Some(0.4));
    assert_eq!(of("OpenAIVideosConnector", &json!({ "progress": 40 })), Some(0.4));
    let counts = json!({ "request_counts": { "completed": 2, "failed": 1, "total": 5 } });
    assert_eq!(of("OpenAIBatchesConnector", &counts), Some(0.4));
    assert_eq!(of("BflConnector", &json!({ "progress": null })), None);
}

#[test]
fn m45_some_of_the_result_and_not_all_is_told_as_such() {
    let partial = |connector: &str, body: Value| {
        seen(connector, 200, &[], &body, |http, view| is_partial(&http.outcome, view))
    };
    let images = |safe: [bool; 2]| json!({ "data": safe.map(|safe| json!({ "is_image_safe": safe })) });
    assert!(partial("IdeogramConnector", images([true, false])));
    assert!(!partial("IdeogramConnector", images([true, true])));
    let batch = |status: &str, errors: Value| json!({ "status": status, "error_file_id": errors });
    assert!(partial("OpenAIBatchesConnector", batch("expired", Value::Null)));
    assert!(partial("OpenAIBatchesConnector", batch("completed", json!("file-1"))));
    assert!(!partial("OpenAIBatchesConnector", batch("completed", Value::Null)));
    let counts = |errored: u32| json!({ "request_counts": { "succeeded": 3, "errored": errored, "canceled": 0, "expired": 0 } });
    assert!(partial("AnthropicBatchesConnector", counts(1)));
    assert!(!partial("AnthropicBatchesConnector", counts(0)));
    let videos = |filtered: u32| json!({ "response": { "generateVideoResponse": { "raiMediaFilteredCount": filtered } } });
    assert!(partial("VeoConnector", videos(1)));
    assert!(!partial("VeoConnector", videos(0)));
}

#[test]
fn an_image_of_ideogram_that_is_not_safe_is_no_result() {
    let of = |safe: [bool; 2]| json!({ "data": safe.map(|safe| json!({ "url": "https://x", "is_image_safe": safe })) });
    assert_eq!(says("IdeogramConnector", 200, &of([true, false])), "succeeded");
    assert_eq!(says("IdeogramConnector", 200, &of([false, false])), "failed(moderated): ");
    assert_eq!(says("IdeogramConnector", 422, &json!({ "error": "unsafe prompt" })), "refused(moderated)");
}

#[test]
fn civitai_says_with_202_that_it_is_not_done() {
    assert_eq!(says("CivitaiConnector", 202, &json!({ "id": "w-1", "status": "preparing" })), "queued");
    assert!(says("CivitaiConnector", 200, &json!({ "status": "expired" })).starts_with("failed(expired)"));
}

#[test]
fn a_job_of_fal_that_failed_is_completed_with_an_error() {
    let failed = json!({ "status": "COMPLETED", "error": "out of memory", "error_type": "runner_error" });
    assert_eq!(says("FalConnector", 200, &failed), "failed(service): runner_error: out of memory");
    assert_eq!(says("FalConnector", 200, &json!({ "status": "COMPLETED" })), "succeeded");
    let user = [("x-fal-request-timeout-type", "user")];
    assert_eq!(word(&seen("FalConnector", 504, &user, &json!({}), decide)), "refused(timeout)");
}

#[test]
fn what_a_batch_of_openai_has_done_until_its_end_is_its_result() {
    let of = |status: &str, output: Value| {
        let mut batch = json!({ "status": status, "output_file_id": output });
        batch[format!("{status}_at")] = json!(1_714_508_499);
        says("OpenAIBatchesConnector", 200, &batch)
    };
    assert_eq!(of("expired", json!("file-1")), "succeeded");
    assert!(of("expired", Value::Null).starts_with("failed(expired)"));
    assert_eq!(of("cancelled", json!("file-1")), "succeeded");
    assert_eq!(of("cancelled", Value::Null), "canceled");
    let failed = json!({ "status": "failed", "errors": { "data": [{ "code": "invalid_json_line", "message": "line 3 is no JSON" }] } });
    assert_eq!(
        says("OpenAIBatchesConnector", 200, &failed),
        "failed(service): invalid_json_line: line 3 is no JSON"
    );
}

#[test]
fn a_batch_of_anthropic_ends_well_as_soon_as_one_of_its_messages_did() {
    let of = |counts: Value, cancelled: Value| {
        let batch = json!({ "processing_status": "ended", "request_counts": counts, "cancel_initiated_at": cancelled, "ended_at": "2026-01-02T00:00:00Z" });
        says("AnthropicBatchesConnector", 200, &batch)
    };
    let counts = |succeeded: u32, errored: u32, expired: u32| json!({ "processing": 0, "succeeded": succeeded, "errored": errored, "canceled": 0, "expired": expired });
    assert_eq!(of(counts(1, 4, 0), Value::Null), "succeeded");
    assert_eq!(of(counts(0, 5, 0), Value::Null), "succeeded", "why each was refused is in the results");
    assert_eq!(of(counts(1, 0, 4), Value::Null), "succeeded");
    assert!(of(counts(0, 0, 5), Value::Null).starts_with("failed(expired)"));
    assert_eq!(of(counts(1, 0, 0), json!("2026-01-01T00:00:00Z")), "succeeded");
    assert_eq!(of(counts(0, 0, 0), json!("2026-01-01T00:00:00Z")), "canceled");
    assert_eq!(
        says("AnthropicBatchesConnector", 200, &json!({ "processing_status": "canceling" })),
        "running"
    );
}

#[test]
fn stability_says_with_a_code_that_it_works_and_with_a_header_that_it_has_filtered() {
    let of = |connector: &str, code: u16, reason: Option<&str>| {
        let headers: Vec<_> = reason.map(|reason| ("finish-reason", reason)).into_iter().collect();
        word(&seen(connector, code, &headers, &Value::Null, decide))
    };
    for connector in ["StabilityConnector", "StabilityAsyncConnector"] {
        assert_eq!(of(connector, 200, Some("SUCCESS")), "succeeded", "{connector}");
        assert!(of(connector, 200, Some("CONTENT_FILTERED")).starts_with("failed(moderated)"), "{connector}");
        assert!(of(connector, 200, None).starts_with("failed(bug)"), "{connector}");
        let refused = json!({ "name": "content_moderation", "errors": ["flagged"] });
        assert_eq!(says(connector, 403, &refused), "refused(moderated)", "{connector}");
    }
    assert_eq!(of("StabilityAsyncConnector", 202, None), "running");
    assert_eq!(of("StabilityAsyncConnector", 404, None), "lost");
}

#[test]
fn an_envelope_of_suno_may_be_a_refusal_under_200() {
    assert_eq!(says("SunoConnector", 200, &json!({ "code": 402, "msg": "no credits" })), "refused(billing)");
    assert_eq!(says("SunoConnector", 200, &json!({ "code": 429, "msg": "slower" })), "refused(rate_limited)");
    assert_eq!(
        says("SunoConnector", 200, &json!({ "code": 200, "data": { "status": "PENDING" } })),
        "queued"
    );
}

#[test]
fn a_call_back_that_failed_takes_no_song_away() {
    let of = |songs: Value| json!({ "code": 200, "data": { "status": "CALLBACK_EXCEPTION", "response": { "sunoData": songs } } });
    assert_eq!(says("SunoConnector", 200, &of(json!([{ "audioUrl": "https://x/1.mp3" }]))), "succeeded");
    assert!(says("SunoConnector", 200, &of(json!([]))).starts_with("failed(service)"));
    let first = json!({ "code": 200, "data": { "status": "FIRST_SUCCESS", "response": { "sunoData": [{ "audioUrl": "https://x/1.mp3" }] } } });
    assert_eq!(says("SunoConnector", 200, &first), "running");
    let words = json!({ "code": 200, "data": { "status": "SENSITIVE_WORD_ERROR", "errorMessage": "no" } });
    assert_eq!(says("SunoConnector", 200, &words), "failed(moderated): no");
}

#[test]
fn a_model_at_hugging_face_that_is_being_loaded_has_no_room_for_a_while() {
    let loading = json!({ "error": "Model x is currently loading", "estimated_time": 20.0 });
    assert_eq!(says("HuggingFaceConnector", 503, &loading), "refused(capacity) for 20s");
}

#[test]
fn an_answer_of_wavespeed_is_inside_an_envelope() {
    let of = |code: u32, status: &str| json!({ "code": code, "message": "no", "data": { "status": status } });
    assert_eq!(says("WaveSpeedConnector", 200, &of(200, "processing")), "running");
    assert_eq!(says("WaveSpeedConnector", 200, &of(200, "completed")), "succeeded");
    assert_eq!(says("WaveSpeedConnector", 200, &of(500, "completed")), "refused(service)");
}
