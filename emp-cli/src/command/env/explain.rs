//! `emp env explain`: where each variable is read, and what for.

use std::collections::BTreeMap;

use emp_core::mapping::Mapping;
use serde::Serialize;

use super::reader::Reader;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// A variable with everybody who reads it.
#[derive(Serialize)]
struct Explanation {
    variable: String,
    required: bool,
    secret: bool,
    /// The workers that list it in `required_env`.
    listed_by: Vec<String>,
    read_by: Vec<Reader>,
}

pub(super) fn run(
    wanted: Option<&str>,
    mapping: &Mapping,
    workers: &[String],
    readers: Vec<Reader>,
    out: &Output,
) -> Result<Exit, Failure> {
    let mut by_name: BTreeMap<String, Vec<Reader>> = BTreeMap::new();
    for reader in readers {
        by_name.entry(reader.variable.clone()).or_default().push(reader);
    }
    if let Some(wanted) = wanted {
        let Some(readers) = by_name.remove_entry(wanted) else {
            let near = emp_core::syntax::nearest(wanted, by_name.keys().map(String::as_str));
            let message = format!("none of the workers reads `{wanted}`");
            let help =
                near.map_or_else(|| "emp env explain".to_owned(), |near| format!("emp env explain {near}"));
            return Err(Failure::new(Exit::NotFound, "E_NO_VARIABLE", message).help(help));
        };
        by_name = BTreeMap::from([readers]);
    }
    let lists = |name: &str| {
        let workers = workers.iter().filter(|worker| {
            mapping.worker(worker).is_some_and(|entry| entry.required_env.iter().any(|one| one == name))
        });
        workers.cloned().collect::<Vec<_>>()
    };
    let all: Vec<Explanation> = by_name
        .into_iter()
        .map(|(variable, read_by)| Explanation {
            required: read_by.iter().any(|reader| reader.required),
            secret: read_by.iter().any(|reader| reader.secret),
            listed_by: lists(&variable),
            variable,
            read_by,
        })
        .collect();
    if out.is_json() {
        out.json(&all);
    } else {
        out.line(all.iter().map(text).collect::<Vec<_>>().join("\n\n"));
    }
    Ok(Exit::Ok)
}

fn text(one: &Explanation) -> String {
    let mut head = vec![one.variable.clone()];
    head.extend(one.required.then(|| "required".to_owned()));
    head.extend(one.secret.then(|| "secret".to_owned()));
    let mut lines = vec![head.join("  ")];
    for reader in &one.read_by {
        let default = match &reader.default {
            Some(default) => format!("; {default} when it is not set"),
            None => String::new(),
        };
        let field =
            reader.field.iter().filter(|_| reader.connector.is_some()).map(|field| format!(" ({field})"));
        lines.push(format!("  {}{}: {}{default}", reader.who(), field.collect::<String>(), reader.expected));
        lines.extend(reader.description.lines().map(|line| format!("      {line}")));
    }
    if !one.listed_by.is_empty() {
        lines.push(format!("  required_env of {}", one.listed_by.join(", ")));
    }
    lines.join("\n")
}
