//! Files of results over the API.

use std::sync::Arc;

use bytes::Bytes;
use emp_engine::outputs::{FileKey, FileName, MediaType, Outputs as _};
use emp_outputs::OutputStore;
use emp_store::{Change, Finish};
use serde_json::{Map, json};

use crate::support::Api;

/// An API with a job whose result has a file.
async fn with_file() -> (Api, String) {
    let outputs = Arc::new(OutputStore::memory());
    let api = Api::with_outputs(Arc::clone(&outputs));
    let id = api.job().await;
    let claim = api.claim().await;
    api.submitted(&claim).await;
    let media = MediaType::parse("image/svg+xml");
    let key = FileKey { job: id.clone(), attempt: 1, name: FileName::new(0, Some("cat"), &media) };
    let mut writer = outputs.create(&key, &media).await.unwrap();
    writer.write(Bytes::from_static(b"<svg onload=alert(1)>")).await.unwrap();
    let url = writer.finish().await.unwrap();
    let file =
        json!({ "name": key.name.as_str(), "url": url, "mime": media.as_str(), "bytes": 21, "sha256": "" });
    let foreign = json!({ "name": "passwd", "url": "file:///etc/passwd", "mime": "text/plain" });
    let result = json!({ "files": [file, foreign] });
    api.change(&claim, Change::Finish(Finish::Succeeded { result, meta: Map::new() })).await;
    (api, format!("/api/jobs/{id}/files"))
}

#[tokio::test]
async fn i43_a_file_of_a_result_is_an_attachment_in_a_sandbox() {
    let (api, files) = with_file().await;
    let reply = api.get(&format!("{files}/0-cat.svg")).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "<svg onload=alert(1)>"));
    assert_eq!(reply.header("content-type"), "image/svg+xml");
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"0-cat.svg\"");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(reply.header("content-security-policy").starts_with("sandbox"));
    assert_eq!((reply.header("content-length"), reply.header("accept-ranges")), ("21", "bytes"));
}

#[tokio::test]
async fn a_range_of_a_file_is_served() {
    let (api, files) = with_file().await;
    let part = api.get_with(&format!("{files}/0-cat.svg"), "range", "bytes=1-3").await;
    assert_eq!((part.status, part.text.as_str(), part.header("content-range")), (206, "svg", "bytes 1-3/21"));
    let beyond = api.get_with(&format!("{files}/0-cat.svg"), "range", "bytes=99-").await;
    beyond.assert_problem(416, "E_BAD_RANGE");
}

#[tokio::test]
async fn i42_what_the_result_does_not_name_or_the_store_does_not_have_is_not_there() {
    let (api, files) = with_file().await;
    for name in ["passwd", "0-cat.png", "..%2f0-cat.svg", "..", "%00"] {
        let reply = api.get(&format!("{files}/{name}")).await;
        assert_eq!(reply.status, 404, "{name}: {}", reply.text);
        assert!(!reply.text.contains("root:"), "{name}");
    }
    let other = "/api/jobs/019370a0-0000-7000-8000-000000000000/files/0-cat.svg";
    api.get(other).await.assert_problem(404, "E_NO_SUCH_JOB");
}
