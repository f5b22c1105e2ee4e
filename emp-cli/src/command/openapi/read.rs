//! Reading a vendor's description: JSON or YAML, from outside.

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::exit::{Exit, Failure};

/// The largest description that is read; the largest known has 3 MB.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Nodes of a YAML document; the largest known description has 120,000.
const MAX_NODES: usize = 2_000_000;

/// Events that come from aliases, which no known description has.
const MAX_REPLAYED: usize = 100_000;

/// A description, and the hash of its bytes in hex.
pub(in crate::command) struct Description {
    pub(in crate::command) document: Value,
    pub(in crate::command) sha256: String,
}

/// Reads a description.
pub(in crate::command) fn description(path: &Path) -> Result<Description, Failure> {
    let text = text(path)?;
    let document = parse(&text).map_err(|problem| {
        Failure::new(Exit::Config, "E_OPENAPI", format!("{} {problem}", path.display()))
            .help("download the vendor's OpenAPI 3 document anew; it is JSON or YAML")
    })?;
    let sha256 = emp_engine::key::hex(&Sha256::digest(text.as_bytes()));
    Ok(Description { document, sha256 })
}

/// Reads a text file of a bounded size.
pub(in crate::command) fn text(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let wrong = |error: &std::io::Error| Failure::io(&format!("cannot read {name}"), error);
    let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    if read as u64 > MAX_BYTES {
        let message = format!("{name} is larger than {} MiB", MAX_BYTES / 1024 / 1024);
        return Err(Failure::new(Exit::Config, "E_OPENAPI", message));
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Value, String> {
    // YAML is a superset of JSON, but JSON's own reader is faster and says better what is wrong.
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MAX_NODES,
            max_events: 3 * MAX_NODES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| format!("is not YAML: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_are_the_same_document_and_codes_are_names() {
        let yaml = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: ok}\n        '201': {}\n";
        let json = parse(yaml).unwrap();
        assert!(json.pointer("/paths/~1a/get/responses/200").is_some(), "{json}");
        assert_eq!(parse(&json.to_string()).unwrap(), json);
    }

    #[test]
    fn an_alias_bomb_is_refused_and_does_not_fill_the_memory() {
        let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]".to_owned();
        let level = |level: usize| {
            format!("a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "))
        };
        let bomb = std::iter::once(first).chain((1..12).map(level)).collect::<Vec<_>>().join("\n");
        assert!(parse(&bomb).unwrap_err().starts_with("is not YAML"));
        assert!(parse("a: [1").is_err());
        assert!(parse("{\"a\": 1").unwrap_err().starts_with("is not JSON"));
    }
}
