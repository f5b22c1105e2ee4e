//! `emp env example`: an environment to fill in.

use std::collections::BTreeSet;

use emp_core::Registry;
use emp_core::spec::EnvField;

use super::reader::Reader;
use crate::exit::{Exit, Failure};
use crate::output::Output;

const FILE: &str = ".env.example";

/// Prints, writes or compares the example: of every connector, or of the readers of some workers.
pub(super) fn run(
    registry: &Registry,
    readers: Option<Vec<Reader>>,
    write: bool,
    check: bool,
    out: &Output,
) -> Result<Exit, Failure> {
    let text = readers.map_or_else(|| of_connectors(registry), of_workers);
    if write {
        std::fs::write(FILE, text).map_err(|error| Failure::io("cannot write .env.example", &error))?;
        out.note(format!("wrote {FILE}"));
    } else if !check {
        out.line(text.trim_end());
    } else if !std::fs::read_to_string(FILE).is_ok_and(|old| old == text) {
        let message = format!("{FILE} is not what the connectors declare");
        return Err(Failure::new(Exit::Conflict, "E_STALE", message).help("emp env example --write"));
    }
    Ok(Exit::Ok)
}

/// Every connector's variables, what they are, and how they are spelled.
fn of_connectors(registry: &Registry) -> String {
    let head = "# The environment of every connector, written by `emp env example --write`. Do not edit.\n"
        .to_owned();
    registry.entries().iter().fold(head, |text, entry| {
        let fields: String = entry.spec.env.iter().map(of_field).collect();
        text + "\n# " + entry.spec.name + "\n" + &fields
    })
}

fn of_field(field: &EnvField) -> String {
    line(field.variable, field.description, field.required, field.default)
}

/// Each variable of some workers once, sorted by what reads it first.
fn of_workers(readers: Vec<Reader>) -> String {
    let mut text = "# The environment of the workers that were asked for.\n".to_owned();
    let mut seen = BTreeSet::new();
    let mut last = String::new();
    for reader in readers {
        if !seen.insert(reader.variable.clone()) {
            continue;
        }
        let who = reader.who();
        if who != last {
            text = text + "\n# " + &who + "\n";
            last = who;
        }
        text += &line(&reader.variable, &reader.description, reader.required, reader.default.as_deref());
    }
    text
}

fn line(variable: &str, description: &str, required: bool, default: Option<&str>) -> String {
    let about = match description.trim() {
        "" => String::new(),
        about => format!("# {}\n", about.replace('\n', "\n# ")),
    };
    let line = match (required, default) {
        (true, _) => format!("{variable}=\n"),
        (false, Some(default)) => format!("# {variable}={default}\n"),
        (false, None) => format!("# {variable}=\n"),
    };
    about + &line
}
