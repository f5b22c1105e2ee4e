//! The committed schemas, by programs that are not ours: Python's `jsonschema`, and the JSON service of VS Code.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ROOT, Ran, program, run, tool, tools};

fn schema(name: &str) -> PathBuf {
    Path::new(ROOT).join("schemas").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("reads")).expect("JSON")
}

/// Python's validator over files.
fn python(schema: &Path, files: &[PathBuf]) -> Ran {
    let mut command = program(tool("bin/check-jsonschema"), Path::new(ROOT));
    run(command.args(["--output-format", "json", "--schemafile"]).arg(schema).args(files))
}

/// Which of some values Python's validator refuses.
fn refused(schema: &Path, values: &[Value]) -> Vec<bool> {
    let home = TempDir::new().expect("a folder");
    let files: Vec<PathBuf> =
        (0..values.len()).map(|index| home.path().join(format!("{index}.json"))).collect();
    for (file, value) in files.iter().zip(values) {
        std::fs::write(file, value.to_string()).expect("writes");
    }
    let ran = python(schema, &files);
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    let errors = told["errors"].as_array().cloned().unwrap_or_default();
    let of = |file: &PathBuf| errors.iter().any(|error| error["filename"] == *file.to_string_lossy());
    files.iter().map(of).collect()
}

/// What an editor offers at a place of a text, and what it underlines in it.
struct Seen {
    words: Vec<String>,
    wrong: Vec<String>,
}

fn editor(schema: &Value, texts: &[(String, Option<usize>)]) -> Vec<Seen> {
    let texts: Vec<Value> = texts.iter().map(|(text, at)| json!({ "text": text, "at": at })).collect();
    let mut child = program("node", Path::new(ROOT))
        .arg("tests/outside/editor.mjs")
        .env("EMP_TOOLS", tools())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is there: `cargo xtask test` says how to get it");
    let asked = json!({ "schema": schema, "texts": texts }).to_string();
    child.stdin.take().expect("a pipe").write_all(asked.as_bytes()).expect("writes");
    let output = child.wait_with_output().expect("ends");
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).expect("the editor answers");
    let list = |value: &Value| -> Vec<String> {
        let texts = value.as_array().expect("a list").iter();
        texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    answers
        .iter()
        .map(|answer| Seen { words: list(&answer["words"]), wrong: list(&answer["wrong"]) })
        .collect()
}

/// The files that `emp schema` writes.
fn schemas() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(ROOT).join("schemas")).expect("reads");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".schema.json"));
    files.sort();
    files
}

#[test]
fn every_schema_is_one_by_the_draft_that_it_names() {
    let files = schemas();
    assert!(files.len() >= 5, "{files:?}");
    for file in &files {
        let schema = read(file);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", file.display());
        for key in ["title", "description"] {
            assert!(schema[key].is_string(), "{} has no {key}", file.display());
        }
    }
    run(program(tool("bin/check-jsonschema"), Path::new(ROOT)).arg("--check-metaschema").args(&files))
        .exits(0);
}

/// A value of the mapping: where it is, what an editor must offer there, and what it must underline.
struct Edit {
    pointer: &'static str,
    offered: &'static str,
    wrong: &'static str,
}

const EDITS: [Edit; 6] = [
    Edit {
        pointer: "/workers/my-service-api/service/0/connector",
        offered: "ReplicateConnector",
        wrong: "ReplicatConnector",
    },
    Edit {
        pointer: "/workers/my-service-api/service/0/capability",
        offered: "my-service",
        wrong: "my-servce",
    },
    Edit { pointer: "/workers/my-service-api/service/0/type", offered: "external", wrong: "extern" },
    Edit {
        pointer: "/workers/my-service-api/required_env/0",
        offered: "REPLICATE_API_TOKEN",
        wrong: "REPLICATE_TOKEN",
    },
    Edit { pointer: "/workers/my-service-api/resource_binding", offered: "mock_gpu", wrong: "mockgpu" },
    Edit { pointer: "/workers/comfyui/resource_binding", offered: "gpu", wrong: "gpus" },
];

#[test]
fn editing_one_value_of_a_valid_mapping_is_completed_and_checked() {
    let file = schema("service-mapping.schema.json");
    let (schema, mapping) = (read(&file), read(&Path::new(ROOT).join("service-mapping.json")));
    let edited = |edit: &Edit, value: &str| {
        let mut mapping = mapping.clone();
        let at = mapping.pointer_mut(edit.pointer).unwrap_or_else(|| panic!("{} is there", edit.pointer));
        *at = json!(value);
        mapping
    };
    let values: Vec<Value> =
        EDITS.iter().map(|edit| edited(edit, edit.wrong)).chain([mapping.clone()]).collect();
    let told: Vec<(&str, bool)> =
        EDITS.iter().map(|edit| edit.pointer).chain([""]).zip(refused(&file, &values)).collect();
    let (whole, edits) = told.split_last().expect("all of them");
    assert!(!whole.1, "Python's validator takes the mapping as it is");
    for (pointer, refused) in edits {
        assert!(refused, "Python's validator takes anything at {pointer}");
    }

    let texts: Vec<(String, Option<usize>)> = values
        .iter()
        .zip(EDITS.iter().map(Some).chain([None]))
        .map(|(value, edit)| {
            let text = format!("{value:#}");
            // The cursor is behind the opening quote of the wrong value.
            let at = edit.map(|edit| text.find(&format!("\"{}\"", edit.wrong)).expect("it is there") + 1);
            (text, at)
        })
        .collect();
    let seen = editor(&schema, &texts);
    assert_eq!(seen.last().expect("an answer").wrong, Vec::<String>::new(), "the editor takes the mapping");
    for (edit, seen) in EDITS.iter().zip(&seen) {
        let Edit { pointer, offered, .. } = edit;
        assert!(
            seen.words.iter().any(|word| word == offered),
            "{pointer}: {offered} is not among {:?}",
            seen.words
        );
        assert!(!seen.wrong.is_empty(), "{pointer}: nothing is underlined");
    }
}

#[test]
fn a_job_is_checked_against_the_payload_of_its_service() {
    let file = schema("job-request.schema.json");
    let job = |service: &str, payload: Value| json!({ "service": service, "payload": payload });
    let valid = job("my-service", json!({ "input": "test input", "model": "my-model-v1" }));
    let wrong = [
        job("my-service", json!({ "input": 7, "model": "my-model-v1" })),
        job("my-service", json!({ "model": "my-model-v1" })),
        job("my-servce", json!({ "input": "test input", "model": "my-model-v1" })),
    ];
    let values: Vec<Value> = [valid].into_iter().chain(wrong).collect();
    assert_eq!(refused(&file, &values), [false, true, true, true]);
}
