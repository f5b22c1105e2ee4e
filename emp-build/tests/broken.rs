//! Mappings that are broken in ways that nobody thought of: a report or a pass, never a panic, and no hang.

use std::time::{Duration, Instant};

use emp_build::{CheckInputs, Document, Folder, Inputs, Report, render, report};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value};

const MAPPING: &str = include_str!("data/four-shapes.json");
/// One with every section, for what depends on several of them.
const LARGE: &str = include_str!("data/nineteen-workers.json");
const DOCKERFILE: &str = "FROM debian:stable-slim AS base\nFROM base AS delta\n";

/// Far more than the slowest machine needs: what is looked for is a search that never ends. How long a check takes is measured by the benches.
const HANG: Duration = Duration::from_mins(2);

/// A connector that the large mapping uses, and one that nobody does.
fn connectors() -> Vec<Document> {
    let source = |name: &str, fields: &str| {
        format!(
            "/// {name}.\n#[derive(emp_core::Connector)]\n#[connector(service = \"{}\", version = \"1.0.0\", custom)]\n\
             pub struct {name}Connector {{ {fields} }}\n",
            name.to_lowercase()
        )
    };
    let alpha = "#[env(\"ALPHA_API_KEY\")] key: emp_core::Secret, #[env(\"ALPHA_TIMEOUT\", default = \"30\", unit = ms)] t: std::time::Duration";
    vec![
        Document::new("connectors/alpha.rs", source("Alpha", alpha)),
        Document::new("connectors/delta.rs", source("Delta", "")),
        Document::new("connectors/spare.rs", source("Spare", "")),
    ]
}

fn report_with(mapping: &str, files: Vec<Document>) -> Report {
    report(&Inputs {
        mapping: Document::new("service-mapping.json", mapping),
        connectors: Folder { name: "connectors".to_owned(), files: Ok(files), nested: Vec::new() },
        dockerfiles: vec![Document::new("Dockerfile", DOCKERFILE)],
        openapi: Vec::new(),
        target: emp_build::Target::default(),
    })
}

fn report_of(mapping: &str) -> Report {
    report_with(mapping, Vec::new())
}

/// Everything that is made of a report, and what holds for each finding.
fn exercise(mapping: &str) {
    let start = Instant::now();
    let report = report_with(mapping, connectors());
    let lines = mapping.lines().count().max(1) + 1;
    for finding in report.findings.iter().filter(|finding| finding.file == "service-mapping.json") {
        assert!(finding.line >= 1 && finding.line <= lines && finding.column >= 1, "{finding:?}");
        assert!(!finding.help.is_empty() && !finding.message.contains('\n'), "{finding:?}");
    }
    for text in [render::human(&report), render::github(&report), render::json(&report)] {
        assert!(!text.contains('\u{1b}'), "control characters reach the terminal");
    }
    assert!(start.elapsed() < HANG, "{}", &mapping[..mapping.floor_char_boundary(60)]);
}

/// One way to break a mapping.
#[derive(Clone, Debug)]
enum Break {
    Drop(Index),
    Rename(Index, String),
    Retype(Index, Value),
    Duplicate(Index),
    Swap(Index, Index),
    Nest(Index, usize),
}

fn breaks() -> impl Strategy<Value = Break> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
        Just(serde_json::json!([["", {}], null])),
        "\\PC{0,12}".prop_map(Value::from),
        "[${}:?\\-A-Z0-9]{0,10}".prop_map(Value::from),
        proptest::sample::select(vec![
            "65535",
            "0",
            "4294967295",
            "99999999999",
            "${X:-0}",
            "${X:-65535}",
            "9GiB",
            "1e309",
            "${",
        ])
        .prop_map(Value::from),
    ];
    prop_oneof![
        any::<Index>().prop_map(Break::Drop),
        (any::<Index>(), "\\PC{0,8}").prop_map(|(at, name)| Break::Rename(at, name)),
        (any::<Index>(), value).prop_map(|(at, value)| Break::Retype(at, value)),
        any::<Index>().prop_map(Break::Duplicate),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Break::Swap(a, b)),
        (any::<Index>(), 1..200_usize).prop_map(|(at, depth)| Break::Nest(at, depth)),
    ]
}

/// The pointers of all values below the root.
fn pointers(value: &Value, above: &str, into: &mut Vec<String>) {
    let mut inside = |key: &str, value: &Value| {
        let pointer = format!("{above}/{}", key.replace('~', "~0").replace('/', "~1"));
        into.push(pointer.clone());
        pointers(value, &pointer, into);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| inside(key, value)),
        Value::Array(entries) => {
            entries.iter().enumerate().for_each(|(at, value)| inside(&at.to_string(), value));
        }
        _ => {}
    }
}

/// Breaks a mapping. A key twice cannot be in a value: that is a change of the text, which is returned.
fn broken(mapping: &str, all: &[Break]) -> String {
    let mut value: Value = serde_json::from_str(mapping).unwrap_or_default();
    let mut twice = None;
    for how in all {
        let mut places = Vec::new();
        pointers(&value, "", &mut places);
        if places.is_empty() {
            break;
        }
        let place = |at: &Index| places[at.index(places.len())].clone();
        match how {
            Break::Drop(at) => drop(taken(&mut value, &place(at))),
            Break::Rename(at, name) => {
                let pointer = place(at);
                if let Some(old) = taken(&mut value, &pointer) {
                    put(&mut value, &pointer, name, old);
                }
            }
            Break::Retype(at, other) => set(&mut value, &place(at), other.clone()),
            Break::Duplicate(at) => twice = place(at).rsplit('/').next().map(str::to_owned),
            Break::Swap(a, b) => {
                let (a, b) = (place(a), place(b));
                let (one, other) = (value.pointer(&a).cloned(), value.pointer(&b).cloned());
                if let (Some(one), Some(other)) = (one, other) {
                    set(&mut value, &a, other);
                    set(&mut value, &b, one);
                }
            }
            Break::Nest(at, depth) => {
                let pointer = place(at);
                let inner = value.pointer(&pointer).cloned().unwrap_or_default();
                set(&mut value, &pointer, (0..*depth).fold(inner, |inner, _| Value::Array(vec![inner])));
            }
        }
    }
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    match twice.map(|key| format!("{}:", Value::from(key))) {
        Some(key) => text.replacen(&key, &format!("{key} 0, {key}"), 1),
        None => text,
    }
}

fn set(value: &mut Value, pointer: &str, other: Value) {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = other;
    }
}

fn owner<'v>(value: &'v mut Value, pointer: &str) -> Option<(&'v mut Value, String)> {
    let (above, key) = pointer.rsplit_once('/')?;
    Some((value.pointer_mut(above)?, key.replace("~1", "/").replace("~0", "~")))
}

fn taken(value: &mut Value, pointer: &str) -> Option<Value> {
    match owner(value, pointer)? {
        (Value::Object(members), key) => members.shift_remove(&key),
        (Value::Array(entries), key) => {
            let at = key.parse::<usize>().ok().filter(|at| *at < entries.len())?;
            Some(entries.remove(at))
        }
        _ => None,
    }
}

fn put(value: &mut Value, pointer: &str, name: &str, old: Value) {
    match owner(value, pointer) {
        Some((Value::Object(members), _)) => drop(members.insert(name.to_owned(), old)),
        Some((Value::Array(entries), _)) => {
            entries.push(Value::Object(Map::from_iter([(name.to_owned(), old)])));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn i21_a_thousand_broken_mappings_are_reported_or_pass(
        large in any::<bool>(),
        all in proptest::collection::vec(breaks(), 1..5),
        cut in proptest::option::weighted(0.2, any::<Index>()),
        mark in proptest::bool::weighted(0.05),
    ) {
        let mut text = broken(if large { LARGE } else { MAPPING }, &all);
        if let Some(cut) = cut {
            text.truncate(text.floor_char_boundary(cut.index(text.len().max(1))));
        }
        if mark {
            text.insert(0, '\u{feff}');
        }
        exercise(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn i21_a_mapping_cut_or_patched_anywhere_is_reported(at in 0..MAPPING.len(), length in 0..40_usize, patch in "[\\[\\]{}\":,$\u{1b}\u{feff}é0-9a-z ]{0,6}") {
        let start = MAPPING.floor_char_boundary(at);
        let end = MAPPING.floor_char_boundary(at + length).max(start);
        exercise(&MAPPING[..start]);
        exercise(&format!("{}{patch}{}", &MAPPING[..start], &MAPPING[end..]));
    }
}

#[test]
fn the_mapping_that_is_broken_here_is_sound() {
    let report = report_of(MAPPING);
    let errors: Vec<_> =
        report.errors().filter(|finding| !["EMP0211", "EMP0240"].contains(&finding.code)).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn i21_nesting_marks_and_sizes_are_survived() {
    let many = (0..12_000)
        .map(|n| format!("\"worker-{n}\": {{\"servce\": [], \"ports\": [{n}]}},\n"))
        .collect::<Vec<_>>()
        .concat();
    let internal = (0..500)
        .map(|n| {
            format!(
                "\"worker-{n}\": {{\"service\": [{{\"capability\": \"c{n}\", \"connector\": \"C{n}\", \"type\": \"internal\"}}], \
                 \"installer\": \"i\", \"ports\": [\"${{P{n}:-1}}\"], \"service_instances_per_machine\": 4294967295}},\n"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let keys: String = (0..20_000).map(|_| "\"a\": 1,").collect();
    for text in [
        "[".repeat(500_000),
        format!("{}{}", "{\"a\":".repeat(100), "}".repeat(100)),
        format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120)),
        format!("\u{feff}{MAPPING}"),
        "\0".repeat(1000),
        String::new(),
        format!("{{{keys}\"b\": 2}}"),
        format!("{{\"workers\": {{{many}\"last\": {{}}}}}}"),
        format!("{{\"workers\": {{{internal}\"last\": {{}}}}}}"),
        format!("{{\"workers\": \"{}\"}}", "x".repeat(10_000_000)),
    ] {
        exercise(&text);
    }
}

#[test]
fn i21_files_of_other_encodings_and_of_ten_megabytes_are_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let units: Vec<u16> = MAPPING.encode_utf16().collect();
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        mark.into_iter().chain(units.iter().flat_map(|unit| bytes(*unit))).collect::<Vec<u8>>()
    };
    for (bytes, words) in [
        (utf16([0xFF, 0xFE], u16::to_le_bytes), "is UTF-16, not UTF-8"),
        (utf16([0xFE, 0xFF], u16::to_be_bytes), "is UTF-16, not UTF-8"),
        (format!("\u{feff}{MAPPING}").into_bytes(), "byte order mark"),
        (vec![b' '; 10_000_000], "is larger than"),
        (vec![0xC3, 0x28], "is not UTF-8"),
    ] {
        std::fs::write(folder.path().join("service-mapping.json"), bytes).expect("it is written");
        let asked = CheckInputs {
            mapping: "service-mapping.json".into(),
            connectors: "connectors".into(),
            dockerfile: None,
        };
        let report = report(&asked.read(folder.path()));
        assert!(
            report.findings.iter().any(|finding| finding.message.contains(words)),
            "{:?}",
            report.findings
        );
    }
}

#[test]
fn twenty_findings_are_shown_and_all_are_counted() {
    let keys = (0..40).map(|n| format!("\n  \"key{n}\": 1,")).collect::<Vec<_>>().concat();
    let report = report_with(&format!("{{{keys}\n  \"workers\": {{}}\n}}"), Vec::new());
    let own: Vec<_> = report.findings.iter().filter(|finding| finding.code == "EMP0204").collect();
    assert_eq!(own.len(), 40);
    let lines: Vec<_> = own.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, (2..42).collect::<Vec<_>>(), "in the order of the file");
    let text = render::human(&report);
    assert_eq!(text.matches("\nerror[EMP0204]").count() + text.matches("\nwarning[").count() + 1, 20);
    assert!(text.contains(" more are in `emp check --format json`"), "{text}");
}

#[test]
fn the_json_of_a_report_has_the_keys_that_programs_read() {
    let mut report = report_of("{\n  \"workerz\": 1\n}");
    report.findings.retain(|finding| finding.file == "service-mapping.json");
    let json: Value = serde_json::from_str(&render::json(&report)).unwrap();
    insta::assert_json_snapshot!(json);
}

#[test]
fn the_place_in_the_text_is_the_place_in_the_data_behind_letters_of_any_width() {
    let mut report = report_of("{ \"größe→😀\": 1, \"workerz\": {} }");
    report.findings.retain(|finding| finding.file == "service-mapping.json");
    let text = render::human(&report);
    for finding in &report.findings {
        assert!(
            text.contains(&format!("--> service-mapping.json:{}:{}", finding.line, finding.column)),
            "{text}"
        );
    }
    assert_eq!(report.findings[1].column, 17);
}
