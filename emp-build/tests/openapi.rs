//! The stock connectors beside their slices: each status word is missed when it is taken out.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a helper of a test fails by panicking, as the test does"
)]

use std::path::Path;

use emp_build::{CheckInputs, Report};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A tree with one connector and all slices.
fn report_of(file: &str, source: &str) -> Report {
    let tree = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let path = tree.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    for slice in std::fs::read_dir(Path::new(ROOT).join("schemas/openapi")).unwrap() {
        let slice = slice.unwrap();
        std::fs::copy(slice.path(), folder("schemas/openapi").join(slice.file_name())).unwrap();
    }
    std::fs::write(folder("connectors").join(file), source).unwrap();
    std::fs::write(tree.path().join("service-mapping.json"), "{ \"connectors\": {}, \"workers\": {} }")
        .unwrap();
    let inputs = CheckInputs {
        mapping: "service-mapping.json".into(),
        connectors: "connectors".into(),
        dockerfile: None,
    };
    emp_build::report(&inputs.read(tree.path()))
}

/// The stock connectors that name a slice.
fn checked() -> Vec<(String, String)> {
    let files = std::fs::read_dir(Path::new(ROOT).join("connectors")).unwrap();
    let mut sources: Vec<(String, String)> = files
        .map(|file| file.unwrap())
        .map(|file| {
            (
                file.file_name().into_string().unwrap(),
                std::fs::read_to_string(file.path()).unwrap_or_default(),
            )
        })
        .filter(|(_, source)| source.contains("\n#[openapi("))
        .collect();
    sources.sort();
    sources
}

/// The text between an attribute's parentheses, by its bytes.
fn attribute(source: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let start = source.find(&format!("\n#[{name}("))?;
    let end = start + source[start..].find(")]\n")?;
    Some(start..end)
}

/// The words of the lists of `#[states]`, each with the source in which it is not there.
fn without_each_word(source: &str) -> Vec<(String, String)> {
    let Some(states) = attribute(source, "states") else { return Vec::new() };
    let end = source[states.clone()].find("rules(").map_or(states.end, |at| states.start + at);
    let lists = source[states.start..end].match_indices(" = [").map(|(at, _)| states.start + at);
    lists.flat_map(|equals| without_each_of(source, equals)).collect()
}

/// The words of one list, whose ` = [` is at a place.
fn without_each_of(source: &str, equals: usize) -> Vec<(String, String)> {
    let open = equals + " = [".len();
    let close = open + source[open..].find(']').unwrap();
    let words: Vec<&str> =
        source[open..close].split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let without = |word: &str| {
        let others: Vec<&str> = words.iter().copied().filter(|other| *other != word).collect();
        if others.is_empty() {
            // An empty list is a mistake of its own, and so is a declaration without any success: both are the derive's.
            let key = source[..equals].rfind(|c: char| c.is_whitespace()).unwrap();
            if source[key..equals].trim() == "succeeded" {
                return format!("{}\"another\"{}", &source[..open], &source[close..]);
            }
            let rest = source[close + 1..].trim_start_matches(',');
            return format!("{}{rest}", &source[..key]);
        }
        format!("{}{}{}", &source[..open], others.join(", "), &source[close..])
    };
    words.iter().map(|word| (word.trim_matches('"').to_owned(), without(word))).collect()
}

/// Connectors whose services describe their status as any text.
const WITHOUT_A_LIST: [&str; 1] = ["elevenlabs_dubbing.rs"];

#[test]
fn x12_a_status_word_that_is_taken_out_of_any_checked_connector_is_named() {
    let mut tried = 0;
    for (file, source) in checked() {
        let whole = report_of(&file, &source);
        assert!(!whole.has_errors(), "{file} does not fit its slice: {}", emp_build::render::human(&whole));
        let waived = attribute(&source, "openapi").map(|span| source[span].to_owned()).unwrap_or_default();
        for (word, without) in without_each_word(&source) {
            if waived.contains(&format!("\"{word}\"")) {
                continue;
            }
            let report = report_of(&file, &without);
            let named = report.errors().any(|finding| {
                finding.code == "EMP0187"
                    && finding.message.contains(&format!("`{word}`"))
                    && finding.file == format!("connectors/{file}")
                    && finding.line > 1
            });
            if WITHOUT_A_LIST.contains(&file.as_str()) {
                assert!(!named, "{file}: {word} is missed now, so the description has a list");
                continue;
            }
            assert!(
                named,
                "{file}: nobody misses {word}: {:?}",
                report.findings.iter().map(|finding| &finding.message).collect::<Vec<_>>()
            );
            tried += 1;
        }
    }
    assert!(tried >= 6, "replicate alone has six");
}

#[test]
fn a_wrong_path_in_a_stock_connector_names_the_nearest() {
    let replicate = std::fs::read_to_string(Path::new(ROOT).join("connectors/replicate.rs")).unwrap();
    let report = report_of("replicate.rs", &replicate.replace("\"$.urls.cancel\"", "\"$.url.cancel\""));
    let found = report.errors().find(|finding| finding.code == "EMP0188").unwrap();
    assert!(found.message.contains("`$.url.cancel`"), "{}", found.message);
    assert_eq!(found.help, "\"$.urls.cancel\"");
}
