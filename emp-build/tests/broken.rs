//! Mappings that are broken in ways that nobody thought of: a report or a pass, never a panic, and quickly.

use std::time::{Duration, Instant};

use emp_build::{Document, Folder, Inputs, Report, render, report};
use proptest::prelude::*;
use serde_json::Value;

const MAPPING: &str = include_str!("data/four-shapes.json");

fn report_of(mapping: &str) -> Report {
    report(&Inputs {
        mapping: Document::new("service-mapping.json", mapping),
        connectors: Folder { name: "connectors".to_owned(), files: Ok(Vec::new()), nested: Vec::new() },
        dockerfiles: Vec::new(),
        openapi: Vec::new(),
    })
}

/// Everything that is made of a report, and what holds for each finding.
fn exercise(mapping: &str) {
    let report = report_of(mapping);
    let lines = mapping.lines().count().max(1) + 1;
    for finding in &report.findings {
        assert!(finding.line >= 1 && finding.line <= lines && finding.column >= 1, "{finding:?}");
        assert!(!finding.help.is_empty() && !finding.message.contains('\n'), "{finding:?}");
    }
    for text in [render::human(&report), render::github(&report), render::json(&report)] {
        assert!(!text.contains('\u{1b}'), "control characters reach the terminal");
    }
}

/// Changes the value that a number picks.
fn mutate(value: &mut Value, pick: &mut usize, how: &dyn Fn(&mut Value)) {
    if *pick == 0 {
        how(value);
    }
    *pick = pick.wrapping_sub(1);
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| mutate(entry, pick, how)),
        Value::Object(members) => members.values_mut().for_each(|member| mutate(member, pick, how)),
        _ => {}
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

    #[test]
    fn i21_a_value_of_another_type_anywhere_is_reported(mut pick in 0..120_usize, which in 0..9_usize, text in "\\PC{0,12}") {
        let mut value: Value = serde_json::from_str(MAPPING).unwrap();
        let other = match which {
            0 => Value::Null,
            1 => Value::from(-1),
            2 => Value::from(1.5e300),
            3 => Value::from(true),
            4 => Value::from(Vec::<Value>::new()),
            5 => serde_json::json!({}),
            6 => serde_json::json!({ text.clone(): [text] }),
            7 => Value::from(format!("${{{text}")),
            _ => Value::from(text),
        };
        mutate(&mut value, &mut pick, &|value| *value = other.clone());
        exercise(&serde_json::to_string_pretty(&value).unwrap());
    }
}

#[test]
fn the_mapping_that_is_broken_here_is_sound() {
    let report = report_of(MAPPING);
    let errors: Vec<_> = report.errors().filter(|finding| finding.code != "EMP0211").collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn i21_nesting_marks_and_sizes_are_survived_within_a_second() {
    let many = (0..12_000)
        .map(|n| format!("\"worker-{n}\": {{\"servce\": [], \"ports\": [{n}]}},\n"))
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
        format!("{{\"workers\": \"{}\"}}", "x".repeat(1_000_000)),
    ] {
        let start = Instant::now();
        exercise(&text);
        // A debug build on a busy machine is ten times slower than what a user runs.
        assert!(start.elapsed() < Duration::from_secs(10), "{}", &text[..text.floor_char_boundary(60)]);
    }
}

#[test]
fn twenty_findings_are_shown_and_all_are_counted() {
    let keys = (0..40).map(|n| format!("\n  \"key{n}\": 1,")).collect::<Vec<_>>().concat();
    let report = report_of(&format!("{{{keys}\n  \"workers\": {{}}\n}}"));
    assert_eq!(report.findings.len(), 40);
    let lines: Vec<_> = report.findings.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, (2..42).collect::<Vec<_>>(), "in the order of the file");
    let text = render::human(&report);
    assert_eq!(text.matches("error[EMP0204]").count(), 20);
    assert!(text.contains("40 errors, 0 warnings; 20 more are in `emp check --format json`"), "{text}");
    assert_eq!(render::github(&report).lines().count(), 40);
}

#[test]
fn the_json_of_a_report_has_the_keys_that_programs_read() {
    let report = report_of("{\n  \"workerz\": 1\n}");
    let json: Value = serde_json::from_str(&render::json(&report)).unwrap();
    insta::assert_json_snapshot!(json);
}

#[test]
fn the_place_in_the_text_is_the_place_in_the_data_behind_letters_of_any_width() {
    let report = report_of("{ \"größe→😀\": 1, \"workerz\": {} }");
    let text = render::human(&report);
    for finding in &report.findings {
        assert!(
            text.contains(&format!("--> service-mapping.json:{}:{}", finding.line, finding.column)),
            "{text}"
        );
    }
    assert_eq!(report.findings[1].column, 17);
}
