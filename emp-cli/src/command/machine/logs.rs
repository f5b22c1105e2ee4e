//! `emp machine logs`: what processes and installers print, out of the supervisor's folder. It need not run for that.

use std::time::Duration;

use emp_supervisor::{Error, Folder, Follow, tail};

use super::remote::failure;
use crate::args::Logs;
use crate::exit::{Exit, Failure};
use crate::output::{Output, printable};

/// How often it is looked for new lines.
const LOOK: Duration = Duration::from_millis(200);

pub(super) fn run(args: &Logs, out: &Output) -> Result<Exit, Failure> {
    let folder = Folder::at(&args.dir.dir);
    let all = folder.logs();
    if all.is_empty() {
        return Err(failure(&Error::Rests { folder: args.dir.dir.display().to_string() }));
    }
    let meant = |name: &String| args.name.as_ref().is_none_or(|wanted| name == wanted);
    let mut names: Vec<String> = all.iter().filter(|name| meant(name)).cloned().collect();
    if names.is_empty() {
        // Not a process: all those of a worker.
        let last = folder.recorded();
        let processes = last.iter().flat_map(|status| &status.processes);
        let own = processes.filter(|process| Some(&process.worker) == args.name.as_ref());
        names = own.map(|process| process.name.clone()).filter(|name| all.contains(name)).collect();
    }
    if names.is_empty() {
        let name = args.name.clone().unwrap_or_default();
        return Err(failure(&Error::Unknown { name, known: all.join(", ") }));
    }
    let several = names.len() > 1;
    let line = |name: &str, text: &str| {
        if out.is_json() {
            out.line(serde_json::json!({ "process": name, "line": text }).to_string());
        } else if several {
            out.line(format!("{name}  {}", shown(text, out)));
        } else {
            out.line(shown(text, out));
        }
    };
    // What comes between the two is told twice rather than not at all.
    let mut follows: Vec<(String, Follow)> = Vec::new();
    if args.follow {
        follows.extend(names.iter().map(|name| (name.clone(), Follow::new(folder.log(name)))));
    }
    for name in &names {
        let path = folder.log(name);
        let lines = tail(&path, args.lines)
            .map_err(|error| Failure::io(&format!("cannot read {}", path.display()), &error))?;
        for text in lines {
            line(name, &text);
        }
    }
    if !args.follow {
        return Ok(Exit::Ok);
    }
    while !out.is_unread() {
        for (name, follow) in &mut follows {
            for text in follow.lines() {
                line(name, &text);
            }
        }
        std::thread::sleep(LOOK);
    }
    Ok(Exit::Ok)
}

/// What a process prints may steer no terminal; a file and a pipe get it as it is.
fn shown(text: &str, out: &Output) -> String {
    if out.is_terminal() { printable(text) } else { text.to_owned() }
}
