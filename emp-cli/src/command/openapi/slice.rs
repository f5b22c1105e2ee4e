//! `emp openapi slice`.

use emp_core::{Clock, SystemClock};
use emp_openapi::{About, CutError};
use serde_json::Value;

use super::read::{self, Description};
use crate::args::openapi::{Origin, Slice};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(args: &Slice, out: &Output) -> Result<Exit, Failure> {
    let Description { document, sha256 } = read::description(&args.spec)?;
    let about = About {
        source: args.source.clone().unwrap_or_else(|| args.spec.display().to_string()),
        date: args.date.clone().unwrap_or_else(today),
        licence: args.licence.clone().unwrap_or_else(|| licence(&document)),
        origin: match args.origin {
            Origin::Official => emp_openapi::Origin::Official,
            Origin::Sdk => emp_openapi::Origin::Sdk,
            Origin::Hand => emp_openapi::Origin::Hand,
        },
        sha256,
    };
    let slice = emp_openapi::slice(&document, &args.operations, &about).map_err(|error| failure(&error))?;
    let text = format!("{slice:#}\n");
    let path = args.out.display();
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("cannot make the folder", &error))?;
    }
    std::fs::write(&args.out, &text).map_err(|error| Failure::io(&format!("cannot write {path}"), &error))?;
    out.note(format!("wrote {path}: {} operations, {} KB", args.operations.len(), text.len().div_ceil(1024)));
    Ok(Exit::Ok)
}

/// The first ten characters of a time: its day.
fn today() -> String {
    SystemClock.now().to_rfc3339().chars().take(10).collect()
}

fn licence(document: &Value) -> String {
    let name = document.pointer("/info/license/name").and_then(Value::as_str);
    name.unwrap_or("none stated").to_owned()
}

pub(super) fn failure(error: &CutError) -> Failure {
    Failure::new(Exit::NotFound, "E_OPENAPI", error.to_string())
        .help("name an operation by its operationId, or by its method and path: --operation \"POST /jobs\"")
}
