//! Bodies, assets, and what is uploaded before the submit.
//!
//! # Forms and files
//!
//! A request has one body: `json`, `form` (urlencoded), `multipart` or `raw`. The holes of a form follow the rules of those in JSON: `?`
//! leaves a part out, `??` has another value, `..` spreads an object of scalars, a list has a part for each element. A request that is
//! sent again under its settle rule has the same bytes: the boundary follows from the attempt's key.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Makes images larger.
//! #[derive(Connector)]
//! #[connector(service = "upscale", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(bearer = api_key)]
//! #[submit(
//!     post = "/upscale",
//!     multipart {
//!         image: file(payload.image, max = "10MB", types = ["image/png", "image/jpeg"]),
//!         "mask[]": [file(payload.mask?), file(payload.second_mask?)],
//!         prompt: "a photo of {payload.subject}",
//!         seed: payload.seed?,
//!         output_format: payload.format ?? "png",
//!         ..payload.params
//!     },
//!     max_body = "12MB",
//!     capture(id = "$.id"),
//!     idempotent(header("Idempotency-Key"), ttl = "24h"),
//! )]
//! #[poll(post = "/status", form { id: job.id })]
//! #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! pub struct Upscale {
//!     /// The key.
//!     #[env("UPSCALE_KEY")]
//!     api_key: Secret,
//! }
//!
//! let schema = Upscale::SPEC.payload.to_json_schema();
//! // An asset is a text or an object.
//! assert!(schema["properties"]["image"]["anyOf"].is_array());
//! assert_eq!(schema["required"], serde_json::json!(["image", "subject"]));
//! ```
//!
//! # Assets
//!
//! An image or a recording in a payload is a text (`https://…` or `data:…`) or an object (`{"url": ..}`, or `{"base64": .., "mime": ..,
//! "name": ..}`), and the service gets it as it wants it:
//!
//! | adapter | the service gets | where |
//! |---|---|---|
//! | `file(..)` | the bytes | a part of `multipart`, or `raw` |
//! | `base64(..)`, `data_uri(..)` | the bytes as text | any body |
//! | `url(..)` | the URL as the client wrote it; with `inline` a data URI where the client gave bytes | any body |
//!
//! What an URL gives is fetched before the submit's intent is stored: from public addresses over https, without any credential and
//! without redirects. Size (`max`) and type (`types`) are checked then, the type by the first bytes too. The bytes are not stored: a
//! request that must be sent again is made anew, and is not sent when its bytes have changed. Paths of the worker's machine are refused,
//! since any client could read its files so.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Describes images.
//! #[derive(Connector)]
//! #[connector(service = "describe", version = "1.0.0", mode = sync, unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(bearer = api_key)]
//! #[submit(
//!     post = "/describe",
//!     json { "inline": data_uri(payload.image), "raw": base64(payload.second?), "page": url(payload.page?, inline) },
//!     at_most_once,
//! )]
//! #[outcome(text = "$.text")]
//! pub struct Describe {
//!     /// The key.
//!     #[env("DESCRIBE_KEY")]
//!     api_key: Secret,
//! }
//! # fn main() {}
//! ```
//!
//! With `payload = T` such a field is an [`Asset`](crate::asset::Asset).
//!
//! # Before the submit
//!
//! A `#[prepare]` step is a request before the submit, such as an upload: what it captures is `prepared.<name>` from then on. `when`
//! and `unless` make it conditional. It costs nothing, so that a fault is met by doing it again; what was captured is stored with the
//! submit's intent, and a refusal means what `#[errors]` says.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Writes down what is said.
//! #[derive(Connector)]
//! #[connector(service = "transcribe", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(header("Authorization") = "{api_key}")]
//! #[prepare(
//!     unless = payload.audio is url,
//!     post = "/upload",
//!     raw(file(payload.audio, types = ["audio/*", "video/*"]), content_type = "application/octet-stream"),
//!     max_body = "200MB",
//!     accept = [200, 201],
//!     capture(audio_url = "$.upload_url"),
//! )]
//! #[submit(
//!     post = "/transcripts",
//!     json { "audio_url": prepared.audio_url ?? url(payload.audio), ..payload.params },
//!     capture(id = "$.id"),
//!     at_most_once,
//! )]
//! #[poll(get = "/transcripts/{job.id}")]
//! #[states(at = "$.status", succeeded = ["completed"], failed = ["error"], unknown = running(warn))]
//! pub struct Transcribe {
//!     /// The key.
//!     #[env("TRANSCRIBE_KEY")]
//!     api_key: Secret,
//! }
//! # fn main() {}
//! ```
//!
//! With `each` a step is done for each element of a list of the payload's, which is `item` in it; what it captures is a list in the same
//! order.
//!
//! ```
//! # use emp_core::Connector;
//! /// Runs workflows on images of the client's.
//! #[derive(Connector)]
//! #[connector(service = "workflows", version = "1.0.0", unregistered)]
//! #[http(base = "http://127.0.0.1:8188")]
//! #[auth(none)]
//! #[prepare(
//!     each = payload.uploads,
//!     when = item.file present,
//!     post = "/upload/image",
//!     multipart { image: file(item.file), overwrite: "true" },
//!     capture(names = "$.name"),
//! )]
//! #[prepare(get = "/token", header("X-Job" = queue.job_id), query("v" = "1"), timeout = "5s", capture(token = "$.token"))]
//! #[submit(
//!     post = "/prompt",
//!     json { "prompt": payload.workflow, "images": prepared.names?, "token": prepared.token },
//!     capture(id = "$.prompt_id"),
//!     billable = false,
//! )]
//! #[poll(get = "/history/{job.id}")]
//! #[states(rules("$.outputs" present => succeeded, code == 200 => running))]
//! pub struct Workflows {}
//! # fn main() {}
//! ```
