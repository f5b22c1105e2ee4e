//! Forms, files, prepare steps and operations, with a type of payloads.

use emp_core::asset::Asset;
use emp_core::spec::Body;
use emp_core::syntax::json::{Json, Member};
use emp_core::{Connector, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// Edits images, or makes them.
#[derive(Connector)]
#[connector(service = "images", version = "1.0.0", payload = Images, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[prepare(when = payload.mask present, post = "/masks", raw(file(payload.mask)), capture(mask_id = "$.id"))]
#[submit(
    when = payload.image present,
    post = "/edits",
    multipart { image: file(payload.image, max = "4MB", types = ["image/png"]), mask: prepared.mask_id?, prompt: payload.prompt },
    max_body = "5MB",
    capture(id = "$.id"),
    at_most_once,
)]
#[submit(post = "/generations", form { prompt: payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(when = payload.image present, get = "/edits/{job.id}")]
#[poll(get = "/generations/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
struct ImagesConnector {
    #[env("IMAGES_KEY")]
    api_key: Secret,
}

/// A job.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Images {
    prompt: String,
    image: Option<Asset>,
    mask: Option<Asset>,
}

fn main() {
    let http = ImagesConnector::SPEC.http().unwrap();
    let [edit] = http.operations else { panic!("one operation beside the main one") };
    let Body::Multipart([Member::Field { name, value: Json::Asset(image) }, ..]) = &edit.submit.request.body else {
        panic!("an image first")
    };
    assert_eq!((name.as_ref(), image.max, image.types.len()), ("image", Some(4_000_000), 1));
    assert_eq!(edit.submit.request.max_body, Some(5_000_000));
    assert!(edit.poll.is_some() && matches!(http.submit.request.body, Body::Form(_)));
    let [step] = http.prepare else { panic!("one step") };
    assert!(step.when.is_some() && matches!(step.request.body, Body::Raw { content_type: None, .. }));
    // What only some jobs need is required of none.
    let schema = ImagesConnector::SPEC.payload.to_json_schema();
    assert_eq!(schema["required"], serde_json::json!(["prompt"]));
}
