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
