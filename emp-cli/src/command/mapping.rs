//! `emp mapping`: service mappings of elsewhere.

mod migrate;
mod worker;

use std::path::Path;

use emp_core::mapping::Mapping;
use emp_core::strict_json::{self, JsonFault};

use crate::args::MappingCommand;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;

/// More values than any mapping has.
const MOST_VALUES: usize = 1 << 20;

pub(super) fn run(args: &MappingCommand, out: &Output) -> Result<Exit, Failure> {
    let MappingCommand::Migrate { file, output } = args;
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::io(&format!("cannot read {}", file.display()), &error))?;
    // A key that stands twice would have its first value dropped without a word.
    let old = strict_json::parse(text.as_bytes(), MOST_VALUES).map_err(|fault| {
        let JsonFault { message, line, column, .. } = fault;
        let message =
            format!("{}:{line}:{column}: this is no JSON that can be read: {message}", file.display());
        Failure::new(Exit::Config, "E_MAPPING", message)
            .help(format!("emp check --mapping {}", file.display()))
    })?;
    let migrated = migrate::migrate(&old);
    let new = format!("{:#}\n", migrated.mapping);
    // What comes out is of our shape, whatever came in: anything else would be a fault of ours.
    Mapping::parse(&new).map_err(|error| {
        Failure::new(Exit::Config, "E_MAPPING", format!("{} cannot be migrated: {error}", file.display()))
            .help("take out what the message names, and migrate again")
    })?;
    if let Some(path) = output {
        files::replace(path, &new)?;
    }
    if out.is_json() {
        out.json(&migrated);
    } else {
        if output.is_none() {
            out.line(new.trim_end());
        }
        for note in &migrated.notes {
            out.note(format!("{}: {}", note.pointer, note.message));
        }
        let name = output.as_deref().unwrap_or(Path::new("service-mapping.json"));
        out.note(format!(
            "{} to look at; then: emp check --mapping {}",
            match migrated.notes.len() {
                1 => "1 thing".to_owned(),
                many => format!("{many} things"),
            },
            name.display()
        ));
    }
    Ok(Exit::Ok)
}
