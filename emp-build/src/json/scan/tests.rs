use proptest::prelude::*;
use serde_json::{Map, Value};

use super::super::At;
use super::super::walk::joined;
use super::*;

fn values() -> impl Strategy<Value = Value> {
    let text = "[a-z/~\"\\\\é\u{1F600}\n ]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                pointers(entry, &format!("{at}/{index}"), into);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                pointers(member, &joined(at, key), into);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn the_bytes_at_a_pointer_are_the_value_at_that_pointer(value in values(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let node = scan(&text).expect("serde_json wrote it");
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        for pointer in all {
            let at = At::find(&node, &pointer).expect("the value has it");
            let read: Value = serde_json::from_str(&text[at.node.span.clone()]).unwrap();
            prop_assert_eq!(Some(&read), value.pointer(&pointer));
            prop_assert_eq!(&at.pointer, &pointer);
            if let Some(member) = at.member {
                let key: String = serde_json::from_str(&text[member.span.clone()]).unwrap();
                prop_assert_eq!(&key, &member.key);
            }
        }
    }

    #[test]
    fn i21_any_text_is_scanned_or_refused(text in ".*", junk in "[\\[\\]{}\":,\\\\u0-9a-f ]{0,40}") {
        for text in [text, junk] {
            let read = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert!(!read || scan(&text).is_some(), "{}", text);
        }
    }

    #[test]
    fn a_place_in_a_decoded_string_is_found_in_its_literal(before in ".{0,8}", part in "[a-z]{1,4}", after in ".{0,8}", escaped: bool) {
        let decoded = format!("{before}{part}{after}");
        let mut literal = serde_json::to_string(&decoded).unwrap();
        if escaped {
            let units: Vec<_> = decoded.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            literal = format!("\"{}\"", units.concat());
        }
        let text = format!("[{literal}]");
        let span = 1..text.len() - 1;
        let raw = raw_span(&text, &span, &(before.len()..before.len() + part.len()));
        let read: String = serde_json::from_str(&format!("\"{}\"", &text[raw])).unwrap();
        prop_assert_eq!(read, part);
    }
}

#[test]
fn i21_deep_nesting_is_refused_and_not_followed() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(scan(&deep).is_none());
}

#[test]
fn duplicates_are_kept_and_the_last_is_the_one_that_counts() {
    let node = scan(r#"{"a": 1, "a": 2}"#).unwrap();
    assert_eq!(node.members().len(), 2);
    assert_eq!(At::find(&node, "/a").unwrap().node.span, 14..15);
}
