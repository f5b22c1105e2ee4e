//! Every status word of the services' own descriptions is mapped, and no other: the costliest gap of hand-written clients.

use std::collections::BTreeSet;

use emp::REGISTRY;

/// The status words of each connector that reads some, as its vendor's description lists them.
const VOCABULARIES: &[(&str, &str, &[&str])] = &[
    (
        "AnthropicBatchesConnector",
        "anthropic.yaml, `MessageBatch.processing_status`",
        &["canceling", "ended", "in_progress"],
    ),
    (
        "AssemblyAIConnector",
        "assemblyai.yaml, `TranscriptStatus`",
        &["completed", "error", "processing", "queued"],
    ),
    (
        "AzureDocIntConnector",
        "`AnalyzeOperationOutput` of the client's reference, and the other spelling of cancelled",
        &["canceled", "cancelled", "failed", "notStarted", "running", "skipped", "succeeded"],
    ),
    (
        "BflConnector",
        "bfl.json, `StatusResponse`",
        &["Content Moderated", "Error", "Pending", "Ready", "Request Moderated", "Task not found"],
    ),
    (
        "CivitaiConnector",
        "civitai-javascript, `WorkflowStatus`",
        &["canceled", "expired", "failed", "preparing", "processing", "scheduled", "succeeded", "unassigned"],
    ),
    (
        "ElevenLabsDubbingConnector",
        "elevenlabs-docs-2025-08.json, the text and the examples of `GET /v1/dubbing/{dubbing_id}`",
        &["cloning", "dubbed", "dubbing", "failed", "preparing", "queued"],
    ),
    ("FalConnector", "fal's Python client, `client.py`", &["COMPLETED", "IN_PROGRESS", "IN_QUEUE"]),
    (
        "HuggingFaceFalConnector",
        "fal's Python client, `client.py`",
        &["COMPLETED", "IN_PROGRESS", "IN_QUEUE"],
    ),
    (
        "KlingConnector",
        "Kling's API reference, `task_status`",
        &["failed", "processing", "submitted", "succeed"],
    ),
    ("LeonardoConnector", "leonardo.json, `JobStatus`", &["COMPLETE", "FAILED", "PENDING"]),
    (
        "ComfyUILocalConnector",
        "`comfy_execution/jobs.py`, `JobStatus`, and the cancelled one of newer servers",
        &["cancelled", "completed", "failed", "in_progress", "pending"],
    ),
    (
        "ComfyUIRemoteConnector",
        "`comfy_execution/jobs.py`, `JobStatus`, and the cancelled one of newer servers",
        &["cancelled", "completed", "failed", "in_progress", "pending"],
    ),
    ("LumaConnector", "luma.yaml, `State`", &["completed", "dreaming", "failed", "queued"]),
    (
        "MeshyConnector",
        "docs.meshy.ai, task lifecycle",
        &["CANCELED", "FAILED", "IN_PROGRESS", "PENDING", "SUCCEEDED"],
    ),
    (
        "MyServiceConnector",
        "`mapApiStatusToJobStatus` of the connector guide",
        &["cancelled", "completed", "error", "failed", "processing", "queued"],
    ),
    (
        "OpenAIBatchesConnector",
        "openai.yaml, `Batch.status`",
        &[
            "cancelled",
            "cancelling",
            "completed",
            "expired",
            "failed",
            "finalizing",
            "in_progress",
            "validating",
        ],
    ),
    (
        "OpenAIResponsesConnector",
        "openai.yaml, `Response.status`",
        &["cancelled", "completed", "failed", "in_progress", "incomplete", "queued"],
    ),
    (
        "OpenAIVideosConnector",
        "openai.yaml, `VideoStatus`",
        &["completed", "failed", "in_progress", "queued"],
    ),
    (
        "ReplicateConnector",
        "replicate.json, `schemas_prediction_response.properties.status.enum`",
        &["aborted", "canceled", "failed", "processing", "starting", "succeeded"],
    ),
    (
        "RunPodConnector",
        "runpod/docs and runpod-python, `FINAL_STATES` and `is_completed`",
        &["CANCELLED", "COMPLETED", "FAILED", "IN_PROGRESS", "IN_QUEUE", "RUNNING", "TIMED_OUT"],
    ),
    (
        "RunwayConnector",
        "runway.json, the constants of `GET /v1/tasks/{id}`",
        &["CANCELLED", "FAILED", "PENDING", "RUNNING", "SUCCEEDED", "THROTTLED"],
    ),
    (
        "SimulationWebsocketConnector",
        "the connector itself: the service is simulated",
        &["cancelled", "completed", "failed", "queued", "running"],
    ),
    (
        "SunoConnector",
        "kie.ai's documentation, get music details",
        &[
            "CALLBACK_EXCEPTION",
            "CREATE_TASK_FAILED",
            "FIRST_SUCCESS",
            "GENERATE_AUDIO_FAILED",
            "PENDING",
            "SENSITIVE_WORD_ERROR",
            "SUCCESS",
            "TEXT_SUCCESS",
        ],
    ),
    (
        "TogetherQueueConnector",
        "together.yaml, `getQueueJobStatus`",
        &["canceled", "done", "failed", "pending", "running"],
    ),
    ("TogetherVideoConnector", "together.yaml, `VideoJob.status`", &["completed", "failed", "in_progress"]),
    (
        "WaveSpeedConnector",
        "huggingface_hub, `wavespeed.py`",
        &["completed", "created", "failed", "processing"],
    ),
];

/// Connectors of services that have no vocabulary of their own.
const GENERIC: [&str; 1] = ["RestAsyncConnector"];

#[test]
fn every_status_of_the_services_descriptions_is_mapped() {
    for (name, source, expected) in VOCABULARIES {
        assert_eq!(words(name), expected.iter().copied().collect(), "{name}: {source}");
    }
}

#[test]
fn every_connector_that_reads_status_words_has_its_source_in_the_table() {
    let reading =
        REGISTRY.entries().iter().map(|entry| entry.spec.name).filter(|name| !words(name).is_empty());
    let listed: BTreeSet<_> = VOCABULARIES.iter().map(|(name, ..)| *name).chain(GENERIC).collect();
    assert_eq!(reading.collect::<BTreeSet<_>>(), listed);
}

/// The words that a connector maps.
fn words(name: &str) -> BTreeSet<&'static str> {
    let http = REGISTRY.get(name).and_then(|entry| entry.spec.http());
    http.map(|http| http.states.sets.iter().flat_map(|set| set.words).copied().collect()).unwrap_or_default()
}
