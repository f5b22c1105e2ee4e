//! What the design's prototype found in the vendors' files, row by row: status words, and paths that are there, are not, or may be.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking, as the test does")]

use emp_openapi::{Reach, Schema, Slice};
use emp_syntax::jsonpath::JsonPath;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/openapi");
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn slice(folder: &str, name: &str) -> Slice {
    let path = format!("{folder}/{name}.json");
    Slice::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The successful JSON answers of an operation.
fn answer<'d>(slice: &'d Slice, operation: &str) -> Schema<'d> {
    let responses = slice.operation(operation).unwrap().responses();
    let successes = responses.into_iter().filter(emp_openapi::Response::is_success);
    Schema::any(successes.filter_map(|response| response.json)).unwrap()
}

fn verdict(schema: &Schema<'_>, path: &str) -> &'static str {
    match schema.reach(&JsonPath::parse(path).unwrap()) {
        Reach::Found(_) => "ok",
        Reach::Open => "open",
        Reach::Missing(_) => "missing",
    }
}

fn words<'d>(schema: &Schema<'d>, path: &str) -> Option<Vec<&'d str>> {
    match schema.reach(&JsonPath::parse(path).unwrap()) {
        Reach::Found(found) => found.words(),
        _ => None,
    }
}

/// Folder, slice, operation, path of the status, how many words it has, and other paths with what they find.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<usize>,
    &'static [(&'static str, &'static str)],
);

const TABLE: [Row; 14] = [
    (
        COMMITTED,
        "replicate",
        "predictions.get",
        "$.status",
        Some(6),
        &[
            ("$.urls.cancel", "ok"),
            ("$.progress", "missing"),
            ("$.metrics.predict_time", "open"),
            ("$.output.image", "open"),
        ],
    ),
    (
        COMMITTED,
        "bfl",
        "GET /v1/get_result",
        "$.status",
        Some(6),
        &[("$.progress", "ok"), ("$.result.sample", "open"), ("$.error", "missing")],
    ),
    (
        COMMITTED,
        "runway",
        "GET /v1/tasks/{id}",
        "$.status",
        Some(6),
        &[("$.output[*]", "ok"), ("$.failure", "ok"), ("$.error", "missing"), ("$.progress", "ok")],
    ),
    (
        COMMITTED,
        "openai-videos",
        "GetVideo",
        "$.status",
        Some(4),
        &[("$.progress", "ok"), ("$.url", "missing")],
    ),
    (
        COMMITTED,
        "openai-responses",
        "getResponse",
        "$.status",
        Some(6),
        &[
            ("$.output[?@.type=='message'].content[?@.type=='output_text'].text", "ok"),
            ("$.output[?@.type=='massage'].content", "missing"),
            ("$.output[?@.type=='message'].contents", "missing"),
        ],
    ),
    (
        OWN,
        "openai-batch",
        "retrieveBatch",
        "$.status",
        Some(8),
        &[("$.request_counts.total", "ok"), ("$.url", "missing")],
    ),
    (
        COMMITTED,
        "openai-chat",
        "createChatCompletion",
        "$.choices[*].finish_reason",
        Some(5),
        &[
            ("$.choices[0].message.content", "ok"),
            ("$.choices[*].text", "missing"),
            ("$..finish_reason", "ok"),
        ],
    ),
    (
        OWN,
        "anthropic-batch",
        "message_batches_retrieve",
        "$.processing_status",
        Some(3),
        &[("$.status", "missing")],
    ),
    (
        COMMITTED,
        "assemblyai",
        "getTranscript",
        "$.status",
        Some(4),
        &[("$.progress", "missing"), ("$.text", "ok")],
    ),
    (
        COMMITTED,
        "luma",
        "getGeneration",
        "$.state",
        Some(4),
        &[("$.status", "missing"), ("$.assets.video", "ok")],
    ),
    (COMMITTED, "together", "retrieveVideo", "$.status", Some(3), &[("$.outputs.video_url", "ok")]),
    (COMMITTED, "together-queue", "getQueueJobStatus", "$.status", Some(5), &[]),
    (
        COMMITTED,
        "leonardo",
        "getGenerationById",
        "$.generations_by_pk.status",
        Some(3),
        &[("$.status", "missing")],
    ),
    (COMMITTED, "elevenlabs", "GET /v1/dubbing/{dubbing_id}", "$.status", None, &[("$.error", "ok")]),
];

#[test]
fn x1_every_row_of_the_prototype_is_found_again() {
    for (folder, name, operation, status, count, paths) in TABLE {
        let slice = slice(folder, name);
        let answer = answer(&slice, operation);
        assert_eq!(verdict(&answer, status), "ok", "{name}: {status}");
        let found = words(&answer, status);
        assert_eq!(found.as_ref().map(Vec::len), count, "{name}: {status} is {found:?}");
        for (path, expected) in paths {
            assert_eq!(verdict(&answer, path), *expected, "{name}: {path}");
        }
    }
}

#[test]
fn the_word_that_replicates_own_client_forgot_is_there() {
    let slice = slice(COMMITTED, "replicate");
    assert!(words(&answer(&slice, "predictions.get"), "$.status").unwrap().contains(&"aborted"));
}

#[test]
fn a_wrong_path_names_the_nearest_that_is_there() {
    let slice = slice(COMMITTED, "replicate");
    let answer = answer(&slice, "predictions.get");
    let nearest = |path: &str| match answer.reach(&JsonPath::parse(path).unwrap()) {
        Reach::Missing(missing) => missing.nearest,
        _ => panic!("{path} is there"),
    };
    assert_eq!(nearest("$.state").as_deref(), Some("$.status"));
    assert_eq!(nearest("$.urls.cancle").as_deref(), Some("$.urls.cancel"));
    assert_eq!(nearest("$.url.get").as_deref(), Some("$.urls.get"), "the rest of the path is kept");
    assert_eq!(nearest("$.cancel").as_deref(), Some("$.urls.cancel"), "the same name in another place");
    assert_eq!(nearest("$.zebra"), None);
}

#[test]
fn every_committed_slice_is_one_and_holds_only_facts() {
    const TEXTS: [&str; 6] = ["description", "example", "examples", "summary", "title", "externalDocs"];
    for folder in [COMMITTED, OWN] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let slice = Slice::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let about = slice.about();
            assert!(about.sha256.len() == 64 && !about.licence.is_empty(), "{}", path.display());
            assert!(slice.operations().next().is_some(), "{}", path.display());
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            let paths = serde_json::to_string(&document["paths"]).unwrap();
            // As keywords of an operation; a member of a schema may be called so.
            for word in TEXTS {
                let tokens = format!("\"{word}\":\"");
                assert!(!paths.contains(&tokens), "{}: {word}", path.display());
            }
        }
    }
}
