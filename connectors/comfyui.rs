//! ComfyUI: a workflow is queued under an id of ours, shown on the socket, and its pictures are fetched one by one.
//!
//! Sources: ComfyUI's `server.py` and `comfy_execution/jobs.py`, and a transcript of a real server (0.12.1). A second submit with a
//! known `prompt_id` is run a second time there, so that a lost answer is looked up and never sent again. `/api/jobs/{id}` looks at the
//! history, at what runs and at what waits in one step, where `/history` says `{}` of all that has not ended; it needs a server of
//! late 2025 or newer. A job that waits is deleted from the queue; one that runs is interrupted by its id.

use emp_core::{Connector, Secret, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Workflows at a ComfyUI of this machine.
#[derive(Connector)]
#[connector(service = "comfyui", version = "1.0.0", payload = ComfyUIPayload)]
#[variant(
    name = ComfyUIRemoteConnector, service = "comfyui-remote", description = "Workflows at a ComfyUI elsewhere.",
    env(url("COMFYUI_REMOTE_URL"), token("COMFYUI_REMOTE_TOKEN", optional)),
)]
#[http(base = env.url, allow_http)]
#[auth(bearer = token)]
#[submit(
    post = "/prompt",
    json { "prompt": payload.workflow, "client_id": job.assigned_id, "prompt_id": job.assigned_id, "extra_data": payload.extra_data? },
    capture(id = "$.prompt_id"),
    assign_id(uuid, absent_for = "30s"),
)]
#[poll(get = "/api/jobs/{job.id}")]
#[websocket(
    get = "/ws", query("clientId" = job.id), job = "$.data.prompt_id", at = "$.type",
    running = ["execution_start", "executing", "progress"], succeeded = ["execution_success"],
    failed = ["execution_error"], canceled = ["execution_interrupted"],
    progress = "$.data.value" | ratio("$.data.max"), progress_text = "$.data.node",
)]
#[states(
    at = "$.status", queued = ["pending"], running = ["in_progress"], succeeded = ["completed"], failed = ["failed"],
    canceled = ["cancelled"], unknown = running(warn),
    rules("$.execution_status.messages[?@[0]=='execution_interrupted']" present => canceled),
)]
#[outcome(json = "$.outputs", files = each(
    "$.outputs.*.*[?@.type=='output']", get = "/view", name = item.filename,
    query("filename" = item.filename, "subfolder" = item.subfolder, "type" = item.type),
))]
#[errors(
    message = ["$.execution_error.exception_message", "$.error.message", "$.error"],
    code = ["$.error.type", "$.execution_error.exception_type"],
    400 => invalid_input, 401 | 403 => auth, 5xx => transient,
)]
#[cancel(when(queued) = post("/queue", json { "delete": [job.id] }), when(running) = post("/interrupt", json { "prompt_id": job.id }))]
#[pace(first = "500ms", min = "500ms", max = "3s", deadline = "1h")]
#[health(get = "/system_stats", every = "15s", metric(vram_free = "$.devices[0].vram_free"))]
#[limits(in_flight = 1)]
pub struct ComfyUILocalConnector {
    /// Where it is.
    #[env("COMFYUI_URL", default = "http://127.0.0.1:8188")]
    url: Url,
    /// What the proxy before it asks for, if it asks.
    #[env("COMFYUI_TOKEN", optional)]
    token: Option<Secret>,
}

/// A workflow.
#[derive(Deserialize, JsonSchema)]
pub struct ComfyUIPayload {
    /// The nodes by their ids, as `Save (API Format)` writes them.
    #[schemars(example = serde_json::json!({ "1": { "class_type": "EmptyImage", "inputs": { "width": 64, "height": 64, "batch_size": 1, "color": 0 } }, "2": { "class_type": "SaveImage", "inputs": { "images": ["1", 0], "filename_prefix": "emp" } } }))]
    pub workflow: Map<String, Value>,
    /// What nodes ask for beside the workflow.
    pub extra_data: Option<Map<String, Value>>,
}
