//! `emp mapping`: service mappings of elsewhere.

mod migrate;
mod worker;

use std::path::Path;

use emp_core::mapping::Mapping;

use crate::args::MappingCommand;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(args: &MappingCommand, out: &Output) -> Result<Exit, Failure> {
    let MappingCommand::Migrate { file, output } = args;
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::io(&format!("cannot read {}", file.display()), &error))?;
    let old = serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::Config, "E_MAPPING", format!("{} is not JSON: {error}", file.display()))
            .help(format!("emp check --mapping {}", file.display()))
    })?;
    let migrated = migrate::migrate(&old);
    let new = format!("{:#}\n", migrated.mapping);
    // What comes out is of our shape, whatever came in: anything else would be a fault of ours.
    Mapping::parse(&new).map_err(|error| {
        Failure::new(Exit::Config, "E_MAPPING", format!("{} cannot be migrated: {error}", file.display()))
            .help("take out what the message names, and migrate again")
    })?;
    if out.is_json() {
        out.json(&migrated);
    } else {
        match output {
            Some(path) => write(path, &new)?,
            None => out.line(new.trim_end()),
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

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::io(&format!("cannot write {}", path.display()), &error))
}
