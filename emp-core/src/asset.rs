//! An asset in a payload: an image, a recording, a document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An asset in a payload, for the fields of `payload = T` that `file(..)`, `url(..)`, `base64(..)` and `data_uri(..)` read.
///
/// ```
/// use emp_core::asset::Asset;
///
/// let text: Asset = serde_json::from_str(r#""https://example.com/cat.png""#)?;
/// let object: Asset = serde_json::from_str(r#"{ "base64": "iVBORw0KGgo=", "mime": "image/png", "name": "cat.png" }"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Asset {
    /// `https://…` or `data:…`.
    Text(String),
    /// Where it is.
    Url(AssetUrl),
    /// What it is.
    Base64(AssetBase64),
}

/// An asset by its URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetUrl {
    /// `https://…`; fetched without any credential, or given to the service as it stands.
    pub url: String,
    /// Its media type, such as `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An asset by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetBase64 {
    /// The bytes, as base64 in the standard alphabet.
    pub base64: String,
    /// Their media type, such as `image/png`; told from the first bytes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Asset {
    /// The JSON Schema of an asset that may be of these types, by its bytes or only by its URL.
    pub fn schema(types: &[&str], inline: bool) -> Value {
        let text = json!({ "type": "string" });
        let object = |member: &str| {
            json!({
                "type": "object",
                "properties": { member: text, "mime": text, "name": text },
                "required": [member],
                "additionalProperties": false,
            })
        };
        let kinds = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
        if !inline {
            return json!({
                "description": format!("The URL of an asset{kinds}: a text, or an object that has it as `url`."),
                "examples": ["https://example.com/asset"],
                "anyOf": [text, object("url")],
            });
        }
        json!({
            "description": format!(
                "An asset{kinds}: the text `https://…` or `data:…`, or an object that has its `url` or its bytes as `base64`."
            ),
            "examples": [example(types)],
            "anyOf": [text, object("url"), object("base64")],
        })
    }
}

/// The smallest asset that passes for one of these types, by its first bytes.
fn example(types: &[&str]) -> String {
    let family = types.first().and_then(|mime| mime.split('/').next()).unwrap_or("image");
    let (mime, base64) = match (family, types.first().copied()) {
        (_, Some("application/pdf")) => ("application/pdf", "JVBERi0xLjQK"),
        (_, Some("image/jpeg")) => ("image/jpeg", "/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="),
        (_, Some("image/webp")) => ("image/webp", "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="),
        (_, Some("audio/mpeg")) => ("audio/mpeg", "SUQzBAAAAAAAAA=="),
        ("audio", _) => ("audio/wav", "UklGRiQAAABXQVZFZm10IA=="),
        ("video", _) => ("video/mp4", "AAAAGGZ0eXBpc29tAAAAAGlzb21tcDQy"),
        _ => ("image/png", "iVBORw0KGgo="),
    };
    format!("data:{mime};base64,{base64}")
}
