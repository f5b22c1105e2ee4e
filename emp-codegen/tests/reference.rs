//! The reference that an editor shows on `#[derive(Connector)]` is the table that the parser uses.

#![allow(clippy::expect_used)] // helpers of tests

use emp_codegen::parse::keys::{
    ASSET, ASSIGN_ID, ATTRIBUTES, Attribute, CHUNKS, DEADLINE, EACH, ENV, ENVELOPE, IDEMPOTENT, JWT, LOOKUP,
    OAUTH2, PART,
};

use std::fmt::Write as _;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../emp-derive/REFERENCE.md");

const HEAD: &str = "Implements `emp_core::Connector` from a declaration: the environment as fields, the protocol as attributes.

```
# use emp_core::{Connector, Secret};
/// Makes images with my service.
#[derive(Connector)]
#[connector(service = \"my-service\", version = \"1.0.0\")]
#[http(base = \"https://api.my-service.com\")]
#[auth(bearer = api_key)]
#[submit(post = \"/jobs\", json { \"prompt\": payload.prompt }, capture(id = \"$.id\"), at_most_once)]
#[poll(get = \"/jobs/{job.id}\", progress = \"$.progress\" | percent)]
#[states(at = \"$.status\", running = [\"working\"], succeeded = [\"done\"], failed = [\"error\"], unknown = running(warn))]
#[outcome(json = \"$.result\")]
pub struct MyService {
    /// The key.
    #[env(\"MY_SERVICE_KEY\")]
    api_key: Secret,
}
# impl emp_core::Registered for MyService {} // build.rs does this for a connector in connectors/
# fn main() {}
```

*Holes* (`payload.x`, `env.field`, `job.id`, `queue.job_id`) stand in bodies as they are and in texts in braces; `?` leaves the
member out when there is no value, `?? 20` has another. *Selectors* read an answer: `\"$.path\"`, `header(\"x\")`, `code`, `raw`, `age`,
`state`, `absent_for`, then `| reducer`; a list is tried in order. A mistake has a code: `emp explain EMP0104`.

A `Secret` stands in `#[auth]` and nowhere else. `emp_core::language` has examples of everything, which compile.
";

/// Tables of what stands inside an attribute, with the attribute below which the reference shows them.
const PARTS: &[(&str, &Attribute)] = &[
    ("submit", &ASSET),
    ("outcome", &EACH),
    ("outcome", &PART),
    ("stream", &CHUNKS),
    ("auth", &JWT),
    ("auth", &OAUTH2),
    ("submit", &IDEMPOTENT),
    ("submit", &ASSIGN_ID),
    ("submit", &LOOKUP),
    ("poll", &ENVELOPE),
    ("pace", &DEADLINE),
];

fn section(attribute: &Attribute, title: &str) -> String {
    let mut text = format!("\n# `{title}`\n\n{}\n\n| key | for example | |\n|---|---|---|\n", attribute.doc);
    for key in attribute.keys {
        let example = key.example.replace('|', "\\|");
        writeln!(text, "| `{}` | `{example}` | {} |", key.name, key.doc).expect("a string takes text");
    }
    text
}

fn reference() -> String {
    let mut text = HEAD.to_owned();
    for attribute in ATTRIBUTES {
        text.push_str(&section(attribute, &format!("#[{}(..)]", attribute.name)));
        for (_, part) in PARTS.iter().filter(|(whole, _)| *whole == attribute.name) {
            text.push_str(&section(part, &format!("{}(..)", part.name)));
        }
    }
    text.push_str(&section(&ENV, "#[env(\"NAME\", ..)]"));
    text
}

#[test]
fn the_reference_is_the_parsers_table() {
    if std::env::var_os("EMP_BLESS").is_some() {
        std::fs::write(FILE, reference()).expect("the reference can be written");
    }
    let committed = std::fs::read_to_string(FILE).expect("the reference is committed");
    assert!(
        committed == reference(),
        "REFERENCE.md is stale: EMP_BLESS=1 cargo test -p emp-codegen --test reference"
    );
}

#[test]
fn keys_are_sorted_and_each_has_an_example_of_itself() {
    for attribute in ATTRIBUTES.iter().copied().chain(PARTS.iter().map(|(_, part)| *part)).chain([&ENV]) {
        assert!(attribute.keys.windows(2).all(|pair| pair[0].name < pair[1].name), "{}", attribute.name);
        for key in attribute.keys {
            assert!(key.example.starts_with(key.name), "{}.{}", attribute.name, key.name);
        }
    }
}

/// The module docs of `emp_core::language` and of its parts.
fn examples() -> String {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../emp-core/src"));
    let parts = std::fs::read_dir(root.join("language")).expect("the language has parts");
    let parts = parts.map(|part| part.expect("a file").path());
    let files = std::iter::once(root.join("language.rs")).chain(parts);
    files.map(|file| std::fs::read_to_string(file).expect("readable")).collect()
}

/// The keys of a request.
const REQUEST: [&str; 13] = [
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "query",
    "header",
    "json",
    "timeout",
    "form",
    "multipart",
    "raw",
    "max_body",
];

#[test]
fn every_key_is_in_an_example_that_compiles() {
    let examples = examples();
    let code: String = examples.split("```").skip(1).step_by(2).collect();
    for attribute in ATTRIBUTES.iter().copied().chain(PARTS.iter().map(|(_, part)| *part)).chain([&ENV]) {
        let whole = if ATTRIBUTES.iter().any(|known| known.name == attribute.name) || attribute.name == "env"
        {
            format!("#[{}(", attribute.name)
        } else {
            format!("{}(", attribute.name)
        };
        // The adapters of assets share their options.
        let also = if attribute.name == "file" { vec!["url("] } else { Vec::new() };
        let starts = std::iter::once(whole.as_str()).chain(also);
        let uses: Vec<&str> = starts.flat_map(|start| code.split(start).skip(1).map(whole_group)).collect();
        for key in attribute.keys {
            let spelt = |text: &&str| {
                text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .any(|word| word == key.name)
            };
            // The parts of a request are the same in all that make one.
            let shown = REQUEST.contains(&key.name) && spelt(&code.as_str()) || uses.iter().any(spelt);
            assert!(shown, "no example uses `{}` of `{}`", key.name, attribute.name);
        }
    }
}

/// A text up to the bracket that closes what stands before it.
fn whole_group(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|letter| {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}
