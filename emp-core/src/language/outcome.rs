//! Where the result is.
//!
//! Without `#[outcome]` the result is the whole body of the answer that says that the job is done. `json` and `text` take parts of it. A
//! result with files is an object: `{"files": [{"name", "url", "mime", "bytes", "sha256"}], "json"?: .., "text"?: ..}`; the files are in the
//! output store (`EMP_OUTPUTS`), and `url` says where.
//!
//! # Files behind URLs
//!
//! They are fetched from the base's own origin and from the hosts that `download` names. A link that has expired is asked after again
//! where `refresh = poll` says that the next poll has a fresh one. A service that moderates gives fewer results than were asked for:
//! `min` makes that a failure.
//!
//! ```
//! use emp_core::{Connector, Secret};
//!
//! /// Makes images.
//! #[derive(Connector)]
//! #[connector(service = "images", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(bearer = api_key)]
//! #[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
//! #[poll(get = "/jobs/{job.id}")]
//! #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
//! #[outcome(
//!     json = "$.metadata",
//!     files = urls("$.images[*].url", "$.video.url"),
//!     types = ["image/*", "video/mp4"],
//!     refresh = poll,
//!     min = 1,
//!     too_few => failed(moderated),
//!     meta(seed = "$.seed"),
//!     keep_for = "1h",
//! )]
//! #[limits(max_file = "500MB", max_total = "2GB")]
//! pub struct Images {
//!     /// The key.
//!     #[env("IMAGES_KEY")]
//!     api_key: Secret,
//! }
//! # fn main() {}
//! ```
//!
//! # A request for the result
//!
//! `get` asks for it once the job is done, at a path or at a URL that the submit captured. What its answer says is its own: here 425 means
//! not yet, and any other refusal that the service's job has failed. With `raw` the answer's bytes are the file, whatever its size.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Dubs.
//! # #[derive(Connector)]
//! # #[connector(service = "dubbing", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/dubbing", json { "url": payload.url }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/dubbing/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["dubbed"], unknown = running(warn))]
//! #[outcome(
//!     get = "/dubbing/{job.id}/audio/{payload.lang}",
//!     query("format" = "mp3"),
//!     header("Accept" = "audio/*"),
//!     timeout = "10m",
//!     rules(code == 425 => running),
//!     on_http_error => failed(service),
//!     raw,
//!     mime = header("content-type"),
//! )]
//! # pub struct Dubbing {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! # Some of the result, and not all
//!
//! `min` makes too few results a failure. Where some are worth having, `partial` says which answers have not all of them: a job that
//! such an answer ends has succeeded, and its fact `partial` is true (the API says `"partial": true`); while such an answer says that the
//! job goes on, what it has of `json` and `text` is told with the progress (`so_far`). What the answer means for the job's state is for
//! `#[states]` to say: a failure that brings results is a success by a rule.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Makes songs.
//! # #[derive(Connector)]
//! # #[connector(service = "songs", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/songs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/songs/{job.id}")]
//! #[states(
//!     at = "$.status", running = ["pending", "first_song"], succeeded = ["done"], failed = ["stopped"], unknown = running(warn),
//!     rules("$.status" == "stopped" && "$.songs[*].url" present => succeeded),
//! )]
//! #[outcome(json = "$.songs[*].url" | all, partial(when = "$.status" in ["first_song", "stopped"]))]
//! # pub struct Songs {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! # Files in base64, and a request for each item
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Makes images at once.
//! # #[derive(Connector)]
//! # #[connector(service = "images", version = "1.0.0", mode = sync, unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/images", json { "prompt": payload.prompt }, at_most_once)]
//! #[outcome(base64 = "$.data[*].b64_json")]
//! # pub struct Images {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::Connector;
//! # /// Runs workflows.
//! # #[derive(Connector)]
//! # #[connector(service = "workflows", version = "1.0.0", unregistered)]
//! # #[http(base = "http://127.0.0.1:8188")]
//! # #[auth(none)]
//! # #[submit(post = "/prompt", json { "prompt": payload.graph }, capture(id = "$.prompt_id"), billable = false)]
//! # #[poll(get = "/history/{job.id}")]
//! # #[states(rules("$.*.status.completed" == true => succeeded, code == 200 => running))]
//! #[outcome(
//!     json = "$.*.outputs",
//!     files = each(
//!         "$.*.outputs.*.*[?@.type=='output']",
//!         get = "/view",
//!         query("filename" = item.filename, "subfolder" = item.subfolder, "type" = item.type),
//!         header("Accept" = "*/*"),
//!         timeout = "5m",
//!         name = item.filename,
//!     ),
//! )]
//! # pub struct Workflows {}
//! # fn main() {}
//! ```
//!
//! Where nobody knows in advance where the URLs are, `auto_urls` takes every text in the result that is a URL of a declared host.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Runs any model.
//! # #[derive(Connector)]
//! # #[connector(service = "models", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/predictions", json { "input": payload.input }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/predictions/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["succeeded"], unknown = running(warn))]
//! #[outcome(json = "$.output", files = auto_urls)]
//! # pub struct Models {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! # Alternatives, more answers, and lines
//!
//! `first_of` tries places in order; the first that has something is the result. `get("$.url", ..)` follows a URL that the answer names, and is
//! passed over when there is none. `also` asks for more when the job is done: values are members of `also` in the result, files are
//! among `files`. `jsonl` reads JSON by lines, as batches give it, also as a gzip file.
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Reads documents.
//! # #[derive(Connector)]
//! # #[connector(service = "documents", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/documents", json { "url": payload.url }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/operations/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["succeeded"], unknown = running(warn))]
//! #[outcome(
//!     first_of(
//!         json = "$.result",
//!         get("$.resourceLocation", json = "$"),
//!         get(header("location"), files = urls("$.url")),
//!         get("/documents/{job.id}", query("part" = "all"), header("Accept" = "text/plain"), timeout = "1m", text = "$.text"),
//!     ),
//!     also(
//!         srt = get("/documents/{job.id}/srt", raw) if payload.srt == true,
//!         lines = get("/documents/{job.id}/lines", jsonl, json = "$"),
//!     ),
//! )]
//! # pub struct Documents {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
//!
//! ```
//! # use emp_core::{Connector, Secret};
//! # /// Runs batches.
//! # #[derive(Connector)]
//! # #[connector(service = "batches", version = "1.0.0", unregistered)]
//! # #[http(base = "https://api.example.com")]
//! # #[auth(bearer = key)]
//! # #[submit(post = "/batches", json { "input": payload.input }, capture(id = "$.id"), at_most_once)]
//! # #[poll(get = "/batches/{job.id}")]
//! # #[states(at = "$.status", succeeded = ["completed"], unknown = running(warn))]
//! #[outcome(get = "/batches/{job.id}/output", jsonl, json = "$[*].response" | all)]
//! # pub struct Batches {
//! #     #[env("KEY")]
//! #     key: Secret,
//! # }
//! # fn main() {}
//! ```
