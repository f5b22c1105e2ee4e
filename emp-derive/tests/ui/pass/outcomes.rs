use emp_core::secret::Secret;
use emp_core::spec::Files;
use emp_core::{Connector, ErrorCode};

/// Makes images, and films of them.
#[derive(Connector)]
#[connector(service = "images", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id", result_url = "$.result"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[outcome(
    get = job.result_url,
    rules(code == 425 => running),
    on_http_error => failed(service),
    json = "$.info",
    files = urls("$.images[*].url", "$.video.url"),
    base64 = "$.preview",
    mime = "$.preview_type",
    types = ["image/*", "video/mp4"],
    min = 1,
    too_few => failed(moderated),
    partial(when = "$.unsafe" > 0),
    refresh = poll,
    keep_for = "1h",
    meta(seed = "$.seed"),
)]
#[limits(max_file = "10MB", max_total = "1GiB")]
struct Images {
    #[env("IMAGES_KEY")]
    key: Secret,
}

/// Reads documents.
#[derive(Connector)]
#[connector(service = "documents", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json { "url": payload.url }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[outcome(
    first_of(json = "$.result", get(["$.url", header("location")], json = "$"), get("/jobs/{job.id}/all", raw)),
    also(lines = get("/jobs/{job.id}/lines", jsonl, json = "$") if payload.lines == true),
)]
struct Documents {
    #[env("DOCUMENTS_KEY")]
    key: Secret,
}

fn main() {
    let outcome = &Documents::SPEC.http().unwrap().outcome;
    assert!(outcome.first_of.len() == 3 && outcome.also.len() == 1 && outcome.also[0].take.jsonl);
    let spec = Images::SPEC;
    let outcome = &spec.http().unwrap().outcome;
    assert!(outcome.partial.is_some());
    assert!(outcome.has_files() && outcome.refresh && outcome.request.is_some());
    assert!(matches!(outcome.take.files, Files::Urls(urls) if urls.len() == 2));
    let min = outcome.min.unwrap();
    assert_eq!((min.count, ErrorCode::from(min.kind)), (1, ErrorCode::EModerated));
    assert_eq!((spec.limits.max_file, spec.limits.max_total), (Some(10_000_000), Some(1 << 30)));
}
