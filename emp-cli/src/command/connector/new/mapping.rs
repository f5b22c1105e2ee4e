//! A new connector in `service-mapping.json`: put in, and everything else left as it is written.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};

use super::names::Names;

/// What a mapping gets.
pub(super) struct Entry<'a> {
    pub(super) names: &'a Names,
    pub(super) service: &'a str,
    /// Relative to the mapping.
    pub(super) path: &'a str,
    pub(super) required_env: Vec<String>,
}

/// The mapping with a new connector and a worker that serves it.
///
/// # Errors
/// When the text is no mapping, or has the connector, the worker or the service already.
pub(super) fn add(text: &str, entry: &Entry<'_>) -> Result<String, String> {
    // The mapping is JSON; what edits it would take comments as well.
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map_err(|error| format!("it is not JSON: {error}"))?;
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let mapping = root.object_value().ok_or("it is no JSON object")?;
    let connectors = section(&mapping, "connectors")?;
    let workers = section(&mapping, "workers")?;
    let connector = entry.names.connector();
    if connectors.get(&connector).is_some() {
        return Err(format!("it has a connector `{connector}` already"));
    }
    if workers.get(entry.service).is_some() {
        return Err(format!("it has a worker `{}` already", entry.service));
    }
    let title = entry.names.title();
    connectors.append(&connector, object([("path", string(entry.path)), ("description", string(&title))]));
    let service = object([
        ("capability", string(entry.service)),
        ("connector", string(&connector)),
        ("type", string("external")),
    ]);
    workers.append(
        entry.service,
        object([
            ("service", CstInputValue::Array(vec![service])),
            ("installer", CstInputValue::Null),
            ("resource_binding", string("shared")),
            ("build_stage", string("base")),
            (
                "required_env",
                CstInputValue::Array(entry.required_env.iter().map(|name| string(name)).collect()),
            ),
            ("description", string(&format!("{title} worker (no installation required)"))),
        ]),
    );
    Ok(root.to_string())
}

fn section(mapping: &CstObject, name: &str) -> Result<CstObject, String> {
    mapping.object_value_or_create(name).ok_or_else(|| format!("its `{name}` is no object"))
}

fn string(text: &str) -> CstInputValue {
    CstInputValue::String(text.to_owned())
}

fn object<const N: usize>(members: [(&str, CstInputValue); N]) -> CstInputValue {
    CstInputValue::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(names: &Names) -> Entry<'_> {
        Entry {
            names,
            service: "acme",
            path: "./connectors/acme.rs",
            required_env: vec!["ACME_API_KEY".to_owned()],
        }
    }

    #[test]
    fn a_mapping_keeps_its_formatting_elsewhere() {
        let names = Names::parse("acme").unwrap();
        let text = "{\n   \"connectors\": {\n      \"A\": { \"path\":   \"./a.rs\" }\n   },\n\n   \"workers\": {}\n}\n";
        let new = add(text, &entry(&names)).unwrap();
        assert!(
            new.contains("      \"A\": { \"path\":   \"./a.rs\" },\n      \"AcmeConnector\": {\n"),
            "{new}"
        );
        let value: serde_json::Value = serde_json::from_str(&new).unwrap();
        assert_eq!(value["workers"]["acme"]["service"][0]["connector"], "AcmeConnector");
        assert_eq!(value["workers"]["acme"]["required_env"][0], "ACME_API_KEY");
        assert!(new.ends_with("}\n"));
        assert_eq!(add(&new, &entry(&names)).unwrap_err(), "it has a connector `AcmeConnector` already");
    }

    #[test]
    fn what_is_no_mapping_is_left_alone() {
        let names = Names::parse("acme").unwrap();
        for text in ["", "[]", "{ \"connectors\": 1 }", "{ // no\n }"] {
            assert!(add(text, &entry(&names)).is_err(), "{text}");
        }
    }
}
