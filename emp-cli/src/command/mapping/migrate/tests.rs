use super::*;

const LATER: &str = r#"{
  "workers": {
    "studio": {
      "services": ["painter", "upscaler"],
      "is_gpu_bound": true,
      "job_service_required_map": [
        { "job_service_required": "paint", "worker_service": "painter" },
        { "job_service_required": "upscale", "worker_service": "upscaler" }
      ]
    },
    "text": {
      "services": ["writer", "reader", "gone"],
      "is_gpu_bound": false,
      "required_env": ["WRITER_API_KEY"],
      "job_service_required_map": [
        { "job_service_required": "write", "worker_service": "writer" },
        { "job_service_required": "rewrite", "worker_service": "writer" },
        { "job_service_required": "sing", "worker_service": "singer" }
      ],
      "color": "blue"
    },
    "mill": { "services": ["mill"], "is_gpu_bound": true, "job_service_required_map": [{ "job_service_required": "grind", "worker_service": "mill" }] }
  },
  "machine_capabilities": { "static": { "docker": true } },
  "connectors": { "PainterConnector": { "path": "./bundle.js", "description": "Paints" }, "WriterConnector": { "path": "./connectors/writer.rs" } },
  "services": {
    "painter": {
      "connector": "PainterConnector", "type": "internal", "installer": "installPainter", "installer_filename": "./painter.js",
      "build_stage": "painter", "service_instances_per_gpu": "${PAINTERS:-1}", "ports": ["${PAINTER_PORT:-7000}"], "port_increment": "${PAINTER_STEP:-1}",
      "description": "Paints", "telemetry_logs": []
    },
    "upscaler": { "connector": "UpscalerConnector", "type": "internal", "installer": "installUpscaler", "service_instances_per_gpu": 1, "ports": [7100] },
    "writer": {
      "connector": "WriterConnector", "type": "external", "installer": null, "installer_filename": null, "build_stage": "base",
      "required_env": ["WRITER_API_KEY", "WRITER_MODEL"], "api_config": { "timeout": "${WRITER_TIMEOUT:-60}", "text_models": "a,b" }
    },
    "reader": { "connector": "ReaderConnector", "type": "external", "api_config": { "timeout": "${READER_TIMEOUT:-30}" } },
    "mill": { "connector": "MillConnector", "type": "pm2_service", "installer": null, "service_instances_per_machine": 10, "ports": [7200], "port_increment": 0 },
    "idle": { "connector": "IdleConnector", "type": "external" }
  },
  "service_types": { "external": { "requires_installer": false } }
}"#;

fn migrated(text: &str) -> Migrated {
    migrate(&serde_json::from_str(text).unwrap())
}

#[test]
fn the_later_shape_becomes_ours() {
    let new = migrated(LATER).mapping;
    emp_core::mapping::Mapping::parse(&new.to_string()).unwrap();
    let names: Vec<_> = new["workers"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["studio-painter", "studio-upscaler", "text", "mill"]);
    assert_eq!(
        new["workers"]["studio-painter"],
        json!({
            "service": [{ "capability": "paint", "connector": "PainterConnector", "type": "internal" }],
            "installer": "installPainter",
            "build_stage": "painter",
            "service_instances_per_gpu": "${PAINTERS:-1}",
            "ports": ["${PAINTER_PORT:-7000}"],
            "port_increment": "${PAINTER_STEP:-1}",
            "description": "Paints",
            "resource_binding": "gpu",
        })
    );
    assert_eq!(
        new["workers"]["text"],
        json!({
            "service": [
                { "capability": ["write", "rewrite"], "connector": "WriterConnector", "type": "external" },
                { "capability": "reader", "connector": "ReaderConnector", "type": "external" },
            ],
            "installer": null,
            "build_stage": "base",
            "resource_binding": "shared",
            "required_env": ["WRITER_API_KEY", "WRITER_MODEL"],
            "api_config": { "timeout": "${WRITER_TIMEOUT:-60}" },
        })
    );
    assert_eq!(new["workers"]["mill"]["resource_binding"], "cpu");
    assert_eq!(new["connectors"]["PainterConnector"], json!({ "description": "Paints" }));
    assert_eq!(new["connectors"]["WriterConnector"]["path"], "./connectors/writer.rs");
}

#[test]
fn what_could_not_be_carried_over_is_said_once_and_where_it_stood() {
    let notes: Vec<_> =
        migrated(LATER).notes.into_iter().map(|note| format!("{}: {}", note.pointer, note.message)).collect();
    assert_eq!(
        notes,
        [
            "/connectors: 1 of the paths name a bundle, and are left out: connectors are Rust sources in `connectors/`, found by their names",
            "/workers/studio: installs 2 services, which are workers of their own now: WORKERS=\"studio-painter:1,studio-upscaler:1\"",
            "/services/painter/installer_filename: is left out: installers are found by their names",
            "/services/painter/telemetry_logs: is left out: nobody reads it",
            "/workers/text/job_service_required_map: sends `sing` to `singer`, which the worker does not offer; it is left out",
            "/workers/text/job_service_required_map: has no job for `reader`; the worker accepts jobs for `reader` itself now",
            "/workers/text/services: `gone` is not under `services`, and is left out",
            "/services/writer/api_config/text_models: is no key of `api_config`, and is left out: connectors read their variables by themselves",
            "/services/reader/api_config/timeout: the worker has \"${WRITER_TIMEOUT:-60}\" for it already",
            "/workers/text/color: is no key of a worker, and is left out",
            "/services/mill/type: was `pm2_service`; it is `internal` now",
            "/services/mill/is_gpu_bound: counts its instances per machine, so it is bound to `cpu`; for a GPU count them per GPU",
            "/services/mill/installer: an internal service needs one: name it",
            "/services/idle: no worker offers it, and it is left out",
            "/machine_capabilities: was read by nobody and is left out; what a machine has is said in `machine`: gpus, cpus, memory, dockerfile",
        ]
    );
}

#[test]
fn the_earlier_shape_keeps_all_but_what_nobody_could_read() {
    let old = r#"{ "connectors": { "A": { "path": "./a.js" } }, "workers": { "a": {
        "service": [{ "capability": "a", "connector": "A", "type": "external" }],
        "required_env": ["${A_KEY_VAR:-A_KEY}", "B"], "api_config": { "base_url": "x", "voices": "y" } } } }"#;
    let new = migrated(old);
    assert_eq!(new.mapping["workers"]["a"]["required_env"], json!(["A_KEY", "B"]));
    assert_eq!(new.mapping["workers"]["a"]["api_config"], json!({ "base_url": "x" }));
    assert_eq!(new.notes.len(), 3);
}

#[test]
fn i21_what_is_no_mapping_gives_an_empty_one_and_no_panic() {
    for text in [
        "null",
        "[]",
        "3",
        "{}",
        r#"{"workers": [], "services": 3}"#,
        r#"{"workers": {"a": {"services": [1]}, "b": 7}}"#,
    ] {
        assert!(migrated(text).mapping["workers"].is_object(), "{text}");
    }
}

/// Every place of a value, as a pointer.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), into));
        }
        Value::Array(entries) => {
            (0..).zip(entries).for_each(|(index, value)| places(value, &format!("{at}/{index}"), into));
        }
        _ => {}
    }
}

/// Whatever stands anywhere in an old mapping is in the new one, or a note says what became of it.
#[test]
fn nothing_is_lost_without_a_word() {
    const MARK: &str = "lost-and-found";
    let old: Value = serde_json::from_str(LATER).unwrap();
    let known = migrate(&old).notes;
    let mut all = Vec::new();
    places(&old, "", &mut all);
    let mut tried = 0;
    // The path of a bundle is left out with all the others, in one note.
    for place in all.iter().filter(|place| !place.ends_with("/path")) {
        let there = old.pointer(place).unwrap();
        let mut wrong = vec![json!(MARK), json!([MARK]), json!({ MARK: MARK }), json!([[MARK]])];
        if let Value::Object(members) = there {
            let mut more = members.clone();
            more.insert(MARK.to_owned(), json!(MARK));
            wrong.push(Value::Object(more));
        }
        if let Value::Array(entries) = there {
            wrong.extend(
                [json!(MARK), json!({ MARK: MARK }), json!([MARK])]
                    .map(|one| Value::Array(entries.iter().cloned().chain([one]).collect())),
            );
        }
        for value in wrong {
            let mut changed = old.clone();
            *changed.pointer_mut(place).unwrap() = value.clone();
            let Migrated { mapping, notes } = migrate(&changed);
            let related = |note: &&Note| {
                let (short, long) = if note.pointer.len() < place.len() {
                    (&note.pointer, place)
                } else {
                    (place, &note.pointer)
                };
                long == short || long.strip_prefix(short.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            let mut about = notes.iter().filter(related);
            let told = about.any(|note| {
                let whole = note.message.contains("left out") && note.pointer.len() <= place.len();
                !known.contains(note) || whole || note.pointer == *place
            });
            assert!(
                told || mapping.to_string().contains(MARK),
                "{place} = {value}: nobody says what became of it\n{mapping:#}\n{notes:#?}"
            );
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn a_worker_that_becomes_several_takes_no_name_of_another() {
    let old = r#"{ "workers": {
        "a": { "services": ["b", "c"] }, "a-b": { "services": ["d"] } },
        "services": {
            "b": { "connector": "B", "type": "internal", "installer": "b", "ports": [1] },
            "c": { "connector": "C", "type": "internal", "installer": "c", "ports": [2] },
            "d": { "connector": "D", "type": "external" } } }"#;
    let new = migrated(old).mapping;
    let workers = new["workers"].as_object().unwrap();
    assert_eq!(workers.keys().collect::<Vec<_>>(), ["a-b-2", "a-c", "a-b"]);
    assert_eq!(workers["a-b"]["service"][0]["connector"], "D");
}

#[test]
fn what_a_worker_has_once_is_the_first_service_s_and_that_of_the_others_is_noted() {
    let old = r#"{ "workers": { "a": { "services": ["b", "c"] } }, "services": {
        "b": { "connector": "B", "type": "external", "description": "B", "build_stage": "base" },
        "c": { "connector": "C", "type": "external", "description": "C", "build_stage": "base", "is_gpu_bound": true } } }"#;
    let Migrated { mapping, notes } = migrated(old);
    assert_eq!(mapping["workers"]["a"]["description"], "B");
    let about: Vec<_> =
        notes.iter().map(|note| note.pointer.as_str()).filter(|at| at.starts_with("/services/c")).collect();
    assert_eq!(about, ["/services/c/description", "/services/c/is_gpu_bound"]);
}
