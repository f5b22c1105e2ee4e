//! `emp check --fix`: changes of the mapping that cannot do harm, in the text as it is written.
//!
//! What the findings themselves know how to mend (a variable that is not listed, a declaration that nobody uses), and the order of the
//! keys, which is that of the schema. Names keep their order: people group them.

use std::collections::BTreeMap;

use emp_build::{Fix, Report};
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;

/// A mapping after its fixes.
#[derive(Debug, PartialEq)]
pub(super) struct Mended {
    /// The text.
    pub(super) text: String,
    /// What was done, one phrase each.
    pub(super) done: Vec<String>,
}

/// Makes every fix of a report; `None` when the text cannot be edited safely: it is not JSON, or a key stands twice.
pub(super) fn mended(text: &str, report: &Report) -> Option<Mended> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    if report.findings.iter().any(|finding| finding.code == "EMP0205") {
        return None;
    }
    let root = CstRootNode::parse(text, &ParseOptions::default()).ok()?;
    let mut done = Vec::new();
    // From the end, so that the numbers of list entries before stay what they were.
    for finding in report.findings.iter().rev() {
        let applied = match &finding.fix {
            Some(Fix::Remove(pointer)) => remove(&root, pointer).then(|| format!("took out {pointer}")),
            Some(Fix::Require(worker, name)) => {
                require(&root, worker, name).then(|| format!("added {name} to {worker}/required_env"))
            }
            None => None,
        };
        done.extend(applied.map(|what| format!("{}: {what}", finding.code)));
    }
    done.reverse();
    let sorted = Order::of(&emp_build::schema::mapping(&emp_build::schema::Choices::default())).apply(&root);
    if sorted > 0 {
        done.push(format!("put the keys of {sorted} objects into the schema's order"));
    }
    Some(Mended { text: root.to_string(), done })
}

/// The node at a JSON pointer: the member itself, not only its value.
fn find(root: &CstRootNode, pointer: &str) -> Option<CstNode> {
    let start = root.value()?;
    pointer.split('/').skip(1).try_fold(start, |node, token| {
        let token = token.replace("~1", "/").replace("~0", "~");
        let value = value(node)?;
        match (value.as_object(), value.as_array()) {
            (Some(object), _) => object.get(&token).map(CstNode::from),
            (_, Some(list)) => list.elements().into_iter().nth(token.parse().ok()?),
            _ => None,
        }
    })
}

/// The value of a member; any other node is its own value.
fn value(node: CstNode) -> Option<CstNode> {
    match node.as_object_prop() {
        Some(member) => member.value(),
        None => Some(node),
    }
}

fn remove(root: &CstRootNode, pointer: &str) -> bool {
    let Some(node) = find(root, pointer) else { return false };
    node.remove();
    true
}

fn require(root: &CstRootNode, worker: &str, name: &str) -> bool {
    let object = find(root, worker).and_then(value).and_then(|node| node.as_object());
    let list = object.and_then(|object| object.array_value_or_create("required_env"));
    let Some(list) = list else { return false };
    list.append(CstInputValue::String(name.to_owned()));
    true
}

/// The order of keys, as the schema has them.
struct Order(BTreeMap<&'static str, Vec<String>>);

impl Order {
    fn of(schema: &Value) -> Self {
        let keys = |part: &Value| {
            let properties = part["properties"].as_object().into_iter().flatten();
            properties.map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        let definitions = ["Worker", "ServiceEntry", "ConnectorEntry", "MachineEntry", "ResourceBinding"];
        let named = definitions.into_iter().map(|name| (name, keys(&schema["$defs"][name])));
        Self(named.chain([("", keys(schema))]).collect())
    }

    /// Sorts the keys of every object that the schema knows; says how many were not in order.
    fn apply(&self, root: &CstRootNode) -> usize {
        let Some(mapping) = root.object_value() else { return 0 };
        let section = |name: &str| mapping.object_value(name).into_iter();
        let inside = |name: &str| {
            section(name).flat_map(|section| section.properties()).filter_map(|member| member.object_value())
        };
        let services = inside("workers").filter_map(|worker| worker.array_value("service"));
        let services = services.flat_map(|list| list.elements()).filter_map(|entry| entry.as_object());
        let mut all: Vec<(&str, CstObject)> = services.map(|entry| ("ServiceEntry", entry)).collect();
        all.extend(inside("workers").map(|worker| ("Worker", worker)));
        all.extend(inside("connectors").map(|connector| ("ConnectorEntry", connector)));
        all.extend(inside("resource_bindings").map(|binding| ("ResourceBinding", binding)));
        all.extend(section("machine").map(|machine| ("MachineEntry", machine)));
        all.push(("", mapping.clone()));
        all.iter().filter(|(name, object)| self.sort(name, object)).count()
    }

    fn sort(&self, name: &str, object: &CstObject) -> bool {
        let order = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        // What the schema does not know stays behind what it knows.
        let rank = |key: Option<String>| {
            let place = order.iter().position(|known| Some(known) == key.as_ref());
            place.unwrap_or(order.len())
        };
        let ranks: Vec<_> = object.properties().iter().map(|member| rank(member.decoded_name())).collect();
        if ranks.is_sorted() {
            return false;
        }
        object.sort_properties().by_key(|member| rank(member.decoded_name()));
        true
    }
}

#[cfg(test)]
mod tests {
    use emp_build::{Document, Folder, Inputs, report};

    use super::*;

    const SOURCE: &str = "/// A.\n#[derive(emp_core::Connector)]\n#[connector(service = \"a\", version = \"1.0.0\", custom)]\n\
        pub struct AConnector {\n    #[env(\"A_KEY\")]\n    key: emp_core::Secret,\n    #[env(\"A_ID\")]\n    id: String,\n}\n";

    fn checked(mapping: &str) -> Report {
        let files = vec![Document::new("connectors/a.rs", SOURCE)];
        report(&Inputs {
            mapping: Document::new("service-mapping.json", mapping),
            connectors: Folder { name: "connectors".to_owned(), files: Ok(files), nested: Vec::new() },
            dockerfiles: Vec::new(),
            openapi: Vec::new(),
            target: emp_build::Target::default(),
        })
    }

    const MESSY: &str = "{\n   \"workers\": {\n      \"a\": {\n         \"required_env\": [ \"A_KEY\", \"HOME\", \"PATH\" ],\n         \
        \"service\": [ { \"connector\": \"AConnector\",   \"capability\": \"a\", \"type\": \"external\" } ],\n         \
        \"ports\": [8000]\n      }\n   },\n   \"connectors\": { \"AConnector\": {}, \"GoneConnector\": {} },\n\n   \
        \"resource_bindings\": { \"spare\": { \"scaling\": \"per_gpu\" } }\n}\n";

    #[test]
    fn everything_safe_is_mended_and_the_formatting_is_kept() {
        let mended = mended(MESSY, &checked(MESSY)).unwrap();
        assert_eq!(
            mended.text,
            "{\n   \"connectors\": { \"AConnector\": {} },\n   \"workers\": {\n      \"a\": {\n         \
             \"service\": [ { \"capability\": \"a\",   \"connector\": \"AConnector\", \"type\": \"external\" } ],\n         \
             \"required_env\": [ \"A_KEY\", \"A_ID\" ]\n      }\n   },\n\n   \"resource_bindings\": {}\n}\n"
        );
        let after = checked(&mended.text);
        assert!(after.findings.is_empty(), "{:?} {}", after.findings, mended.text);
        assert_eq!(mended.done.len(), 7, "{:?}", mended.done);
    }

    #[test]
    fn what_is_mended_needs_no_mending_and_what_is_sound_is_not_touched() {
        let once = mended(MESSY, &checked(MESSY)).unwrap();
        assert_eq!(
            mended(&once.text, &checked(&once.text)),
            Some(Mended { text: once.text.clone(), done: Vec::new() })
        );
    }

    /// A sound mapping but for what is put in, with a binding, an allowance and a declaration that nobody uses.
    fn leftovers(binding: &str, connector: &str) -> String {
        format!(
            r#"{{ "connectors": {{ "AConnector": {{}}, "GoneConnector": {{}} }}, "workers": {{ "a": {{ "service": [
               {{ "capability": "a", "connector": "{connector}", "type": "external" }}
            ], {binding} "required_env": ["A_KEY", "A_ID"] }} }},
            "resource_bindings": {{ "spare": {{ "scaling": "unlimited" }} }}, "checks": {{ "allow": {{ "EMP0261": "why" }} }} }}"#
        )
    }

    #[test]
    fn what_may_be_needed_behind_another_fault_is_left() {
        let left = |binding: &str, connector: &str| {
            // As often as one change makes another possible.
            let mended = (0..4)
                .fold(leftovers(binding, connector), |text, _| mended(&text, &checked(&text)).unwrap().text);
            ["\"spare\": {", "EMP0261", "GoneConnector\": {"].map(|one| mended.contains(one))
        };
        assert_eq!(left("", "AConnector"), [false, false, false], "all three are leftovers");
        // A variable may choose the binding, and so may a setting whose key or value is not right yet.
        assert_eq!(left(r#""resource_binding": "${B:-shared}","#, "AConnector"), [true, false, false]);
        assert_eq!(left(r#""resource_bindng": "spare","#, "AConnector")[..2], [true, true]);
        assert_eq!(left(r#""resource_binding": ["spare"],"#, "AConnector")[..2], [true, true]);
        // Behind an error is what the allowance may be for, and a slip of the pen for what is declared.
        assert_eq!(left("", "GonConnector"), [false, true, true]);
    }

    #[test]
    fn a_folder_without_connectors_is_the_wrong_one_and_takes_no_declaration_away() {
        let text = leftovers("", "AConnector");
        let files = Folder { name: "connectors".to_owned(), files: Ok(Vec::new()), nested: Vec::new() };
        let report = report(&Inputs {
            mapping: Document::new("service-mapping.json", text.as_str()),
            connectors: files,
            dockerfiles: Vec::new(),
            openapi: Vec::new(),
            target: emp_build::Target::default(),
        });
        let mended = mended(&text, &report).unwrap().text;
        assert!(mended.contains("GoneConnector") && mended.contains("EMP0261"), "{mended}");
    }

    #[test]
    fn a_text_that_cannot_be_edited_safely_is_left_alone() {
        for text in ["", "{", "{ \"workers\": {}, \"workers\": {} }", "{ // no JSON\n}"] {
            assert_eq!(mended(text, &checked(text)), None, "{text}");
        }
        assert!(mended("[]", &checked("[]")).is_some_and(|mended| mended.done.is_empty()));
    }
}
