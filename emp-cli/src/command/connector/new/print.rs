//! The source file of a new connector.

use std::fmt::Write as _;

use serde_json::Value;

use super::names::Names;
use super::path::braces;
use super::plan::{Credential, Field, Kind, NewConnector, Polled};

/// Where a line of a list is broken.
const WIDTH: usize = 118;

/// The source of a connector.
pub(super) fn source(names: &Names, service: &str, new: &NewConnector) -> String {
    let mut text = String::new();
    // A string takes all that is written to it.
    let _ = write(&mut text, names, service, new);
    text
}

fn write(text: &mut String, names: &Names, service: &str, new: &NewConnector) -> std::fmt::Result {
    let title = names.title();
    writeln!(
        text,
        "//! {title}: {}.",
        if new.polled.is_some() { "a job is submitted and asked after" } else { "one request, one answer" }
    )?;
    writeln!(text, "//!\n//! Source: {}.\n", doc(&new.source))?;
    uses(text, new)?;
    writeln!(text, "/// {title}.\n#[derive(Connector)]")?;
    let mode = if new.polled.is_some() { "" } else { ", mode = sync" };
    let payload =
        if new.fields.is_empty() { String::new() } else { format!(", payload = {}", names.payload()) };
    writeln!(text, "#[connector(service = {service:?}, version = \"0.1.0\"{mode}{payload})]")?;
    writeln!(text, "#[http(base = {:?})]", braces(&new.base))?;
    auth(text, &new.credential)?;
    submit(text, new)?;
    if let Some(polled) = &new.polled {
        writeln!(text, "#[poll({} = {:?})]", polled.method.to_lowercase(), polled.path)?;
        states(text, polled)?;
    }
    if !new.outcome.is_empty() {
        writeln!(text, "#[outcome(json = {:?})]", new.outcome)?;
    }
    text.push_str(ERRORS);
    if let Some((method, path)) = new.polled.as_ref().and_then(|polled| polled.cancel.as_ref()) {
        writeln!(text, "#[cancel({} = {path:?}, gone = [404])]", method.to_lowercase())?;
    }
    if new.polled.is_some() {
        writeln!(text, "#[pace(first = \"1s\", min = \"1s\", max = \"10s\", deadline = \"30m\")]")?;
    }
    writeln!(text, "pub struct {} {{", names.connector())?;
    for (field, variable, what) in credentials(names, &new.credential) {
        writeln!(text, "    /// {what} of {title}.\n    #[env({variable:?})]\n    {field}: Secret,")?;
    }
    writeln!(text, "}}")?;
    if !new.fields.is_empty() {
        writeln!(
            text,
            "\n/// A job for {title}.\n#[derive(Deserialize, JsonSchema)]\npub struct {} {{",
            names.payload()
        )?;
        new.fields.iter().try_for_each(|field| member(text, field))?;
        writeln!(text, "}}")?;
    }
    Ok(())
}

const ERRORS: &str = r#"#[errors(
    message = ["$.error.message", "$.error", "$.message", "$.detail"],
    400 | 404 | 422 => invalid_input, 401 | 403 => auth, 402 => billing,
    429 => rate_limited(wait = [header("retry-after")]), 5xx => transient,
)]
"#;

fn uses(text: &mut String, new: &NewConnector) -> std::fmt::Result {
    let secret = if new.credential == Credential::None { "" } else { ", Secret" };
    match secret {
        "" => writeln!(text, "use emp_core::Connector;")?,
        secret => writeln!(text, "use emp_core::{{Connector{secret}}};")?,
    }
    if !new.fields.is_empty() {
        writeln!(text, "use schemars::JsonSchema;\nuse serde::Deserialize;")?;
        let has = |kind| new.fields.iter().any(|field| field.kind == kind);
        if has(Kind::Object) {
            writeln!(text, "use serde_json::{{Map, Value}};")?;
        } else if has(Kind::List) || has(Kind::Any) {
            writeln!(text, "use serde_json::Value;")?;
        }
    }
    writeln!(text)
}

/// The fields of a credential: name, variable, and what it is.
pub(super) fn credentials(
    names: &Names,
    credential: &Credential,
) -> Vec<(&'static str, String, &'static str)> {
    let upper = names.upper();
    match credential {
        Credential::None => Vec::new(),
        Credential::Basic => vec![
            ("user", format!("{upper}_USER"), "The user"),
            ("password", format!("{upper}_PASSWORD"), "The password"),
        ],
        _ => vec![("api_key", format!("{upper}_API_KEY"), "The key")],
    }
}

fn auth(text: &mut String, credential: &Credential) -> std::fmt::Result {
    match credential {
        Credential::None => Ok(()),
        Credential::Bearer => writeln!(text, "#[auth(bearer = api_key)]"),
        Credential::Header { name, prefix } => {
            writeln!(text, "#[auth(header({name:?}) = {:?})]", format!("{}{{api_key}}", braces(prefix)))
        }
        Credential::Query { name } => writeln!(text, "#[auth(query({name:?}) = \"{{api_key}}\")]"),
        Credential::Basic => writeln!(text, "#[auth(basic(user = user, password = password))]"),
    }
}

fn submit(text: &mut String, new: &NewConnector) -> std::fmt::Result {
    writeln!(text, "#[submit(\n    {} = {:?},", new.method.to_lowercase(), new.path)?;
    let pairs = |pairs: &[(String, String)]| {
        pairs.iter().map(|(name, value)| format!("{name:?} = {:?}", braces(value))).collect::<Vec<_>>()
    };
    if !new.query.is_empty() {
        writeln!(text, "    query({}),", pairs(&new.query).join(", "))?;
    }
    for header in pairs(&new.headers) {
        writeln!(text, "    header({header}),")?;
    }
    let constants = new.constants.iter().map(|(name, value)| format!("{name:?}: {}", rust_json(value)));
    let holes = new.fields.iter().filter(|field| !field.in_path).map(|field| {
        format!("{:?}: payload.{}{}", field.name, field.name, if field.required { "" } else { "?" })
    });
    let members: Vec<String> = constants.chain(holes).collect();
    if !members.is_empty() {
        writeln!(text, "    json {{\n{}    }},", lines(&members, 8))?;
    }
    if let Some(polled) = &new.polled {
        writeln!(text, "    capture(id = {:?}),", polled.id)?;
    }
    // A rule that is right for every service; better ones are the service's own to offer.
    writeln!(text, "    at_most_once,\n)]")
}

fn states(text: &mut String, polled: &Polled) -> std::fmt::Result {
    let words = &polled.words;
    let running = [words.running.as_slice(), words.unclear.as_slice()].concat();
    writeln!(text, "#[states(\n    at = {:?},", polled.status)?;
    let sets = [
        ("queued", &words.queued),
        ("running", &running),
        ("succeeded", &words.succeeded),
        ("failed", &words.failed),
        ("canceled", &words.canceled),
    ];
    for (name, words) in sets.into_iter().filter(|(_, words)| !words.is_empty()) {
        writeln!(text, "    {name} = {words:?},")?;
    }
    writeln!(text, "    unknown = running(warn),\n)]")
}

fn member(text: &mut String, field: &Field) -> std::fmt::Result {
    writeln!(text, "    /// {}", doc(&field.doc))?;
    if let Some(example) = field.example.as_ref().and_then(|example| example_of(field.kind, example)) {
        writeln!(text, "    #[schemars(example = {example})]")?;
    }
    let kind = field.kind.rust();
    if field.required {
        writeln!(text, "    pub {}: {kind},", field.name)
    } else {
        writeln!(text, "    pub {}: Option<{kind}>,", field.name)
    }
}

/// An example as an expression; none when it is too long to be one.
fn example_of(kind: Kind, example: &Value) -> Option<String> {
    let text = match (kind, example) {
        (Kind::Text, Value::String(text)) => format!("&{text:?}"),
        (Kind::Number, value) => format!("{:?}", value.as_f64()?),
        (Kind::Integer | Kind::Bool, value) => value.to_string(),
        (_, value) => format!("serde_json::json!({})", rust_json(value)),
    };
    (text.chars().count() <= 300).then_some(text)
}

/// JSON as it stands in Rust: the escapes of a text are Rust's.
fn rust_json(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!("[{}]", items.iter().map(rust_json).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}: {}", rust_json(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// Text on one line of documentation, without what rustdoc would take for a link or a tag.
fn doc(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('[', "\\[").replace('<', "\\<")
}

/// Members, as many on a line as fit.
fn lines(members: &[String], indent: usize) -> String {
    let mut text = String::new();
    let mut width = 0;
    for member in members {
        let length = member.chars().count() + 2;
        if width == 0 || width + length > WIDTH {
            if width > 0 {
                text.push('\n');
            }
            text.push_str(&" ".repeat(indent));
            width = indent;
        } else {
            text.push(' ');
        }
        text.push_str(member);
        text.push(',');
        width += length;
    }
    text + "\n"
}
