//! `emp connector record`: writes down what a reviewed connector says of its service, for the kit to hold it against.

use std::fs;

use emp_core::Registry;
use emp_testkit::contract::Record;

use super::{chosen, test};
use crate::args::ConnectorRecord;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(args: &ConnectorRecord, registry: &Registry, out: &Output) -> Result<Exit, Failure> {
    let entries = chosen(args.which.name.as_deref(), registry)?;
    fs::create_dir_all(&args.records)
        .map_err(|error| Failure::io(&format!("cannot make {}", args.records.display()), &error))?;
    for entry in entries {
        let name = entry.spec.name;
        let path = args.records.join(format!("{name}.json"));
        let Some(record) = Record::of(entry.spec) else {
            out.note(format!("{name}: a custom connector declares no service that could be recorded"));
            continue;
        };
        // A record that cannot be read is written anew.
        let before = test::read(&args.records, name).ok().flatten();
        if before.as_ref() == Some(&record) {
            out.note(format!("{} is as it was", path.display()));
            continue;
        }
        fs::write(&path, record.to_text())
            .map_err(|error| Failure::io(&format!("cannot write {}", path.display()), &error))?;
        out.note(format!("wrote {}", path.display()));
        for change in before.iter().flat_map(|before| before.differences(entry.spec)) {
            out.note(format!("  {change}"));
        }
    }
    Ok(Exit::Ok)
}
