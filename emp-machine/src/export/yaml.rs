//! YAML, by the library, with every text in quotes: no reader, of YAML 1.1 or 1.2, takes one for a number, a date or a boolean.

use serde_json::Value;

/// One document.
pub(super) fn document(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { quote_all: true, prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options).unwrap_or_default()
}

/// Several documents, in order.
pub(super) fn documents(values: &[Value]) -> String {
    values.iter().fold(String::new(), |text, value| text + "---\n" + &document(value))
}
