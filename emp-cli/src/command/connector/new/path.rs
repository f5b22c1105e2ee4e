//! Paths with parameters, as documentations write them, and the holes that they become.

use emp_core::secret::names_credential;

use super::plan::{Field, Kind, is_ident};

/// Text in which no brace opens a hole.
pub(super) fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// A path with its parameters as holes: the job's id where that is one of them.
pub(super) fn holes(path: &str, id: Option<&str>) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(&braces(before));
        if Some(name) == id {
            text.push_str("{job.id}");
        } else {
            text.extend(["{payload.", &ident(name), "}"]);
        }
        rest = after;
    }
    text + &braces(rest)
}

/// The parameters of a path.
pub(super) fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// A parameter as a field of the payload.
pub(super) fn field(parameter: &str, doc: Option<String>, next: &mut Vec<String>) -> Field {
    let name = ident(parameter);
    if names_credential(&name) {
        next.push(format!(
            "`{name}` of the path looks like a credential, and a payload is kept and shown: if it is one, take it out, and write \
             `#[auth]` for the service's own way"
        ));
    }
    Field {
        doc: doc.unwrap_or_else(|| format!("`{parameter}` of the path.")),
        kind: Kind::Text,
        required: true,
        example: None,
        in_path: true,
        name,
    }
}

/// A parameter's name as a field's: `modelId` is `model_id`.
pub(super) fn ident(name: &str) -> String {
    let mut text = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            if letter.is_ascii_uppercase() && after_lower {
                text.push('_');
            }
            text.push(letter.to_ascii_lowercase());
        } else if !text.ends_with('_') {
            text.push('_');
        }
        after_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
    }
    if is_ident(&text) { text } else { format!("p_{text}") }
}

/// The path of a URL with its parameters in braces, however a documentation writes them: `{id}`, `{{id}}`, `:id`, `<id>`, `$ID`,
/// `${ID}`. A URL has some of these letters escaped.
pub(super) fn named(path: &str) -> String {
    let mut path = path.to_owned();
    for (escaped, letter) in [("%7B", "{"), ("%7D", "}"), ("%3C", "<"), ("%3E", ">")] {
        path = path.replace(escaped, letter).replace(&escaped.to_ascii_lowercase(), letter);
    }
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn segment(text: &str) -> String {
    let between = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    let bare = |start: &str| text.strip_prefix(start);
    // The longer spelling of two comes first.
    let name = between("{{", "}}")
        .or_else(|| between("${", "}"))
        .or_else(|| between("{", "}"))
        .or_else(|| between("<", ">"))
        .or_else(|| bare("$"))
        .or_else(|| bare(":"));
    let named = name.map(str::trim).filter(|name| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    });
    named.map_or_else(|| text.to_owned(), |name| format!("{{{name}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_in_every_spelling() {
        for spelling in
            ["{modelId}", "%7BmodelId%7D", "{{modelId}}", ":modelId", "<modelId>", "$MODEL_ID", "${MODEL_ID}"]
        {
            let path = named(&format!("/v1/models/{spelling}/run"));
            assert_eq!(holes(&path, None), "/v1/models/{payload.model_id}/run", "{spelling}");
        }
        for text in ["/v1/models/m:run", "/v1/a{b}c", "/v1/:", "/v1/{}"] {
            assert_eq!(named(text), text);
        }
    }

    #[test]
    fn the_jobs_own_parameter_is_its_id() {
        assert_eq!(
            holes("/models/{model}/jobs/{jobId}", Some("jobId")),
            "/models/{payload.model}/jobs/{job.id}"
        );
        assert_eq!([ident("x-Id"), ident("modelID"), ident("v2Id")], ["x_id", "model_id", "v2_id"]);
        assert_eq!(ident("type"), "p_type");
    }
}
