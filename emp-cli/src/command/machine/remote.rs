//! `emp machine status | restart | down`: asks the supervisor, or looks at what it left behind.

use std::time::{Duration, Instant};

use emp_supervisor::leftovers::Marked;
use emp_supervisor::{Error, Folder, MachineStatus, ProcessStatus, Reply, Request, ask};

use crate::args::Dir;
use crate::exit::{Exit, Failure};
use crate::machine::stops_within;
use crate::output::Output;

/// How long what is left behind may take to end.
const LEFTOVERS_WITHIN: Duration = Duration::from_secs(10);
/// What a supervisor takes beyond its workers' drain.
const SLACK: Duration = Duration::from_secs(30);

pub(super) async fn status(dir: &Dir, out: &Output) -> Result<Exit, Failure> {
    let folder = Folder::at(&dir.dir);
    let status = match asked(&folder, &Request::Status).await {
        Ok(status) => status,
        Err(Error::Rests { .. }) => return Err(rests(&folder)),
        Err(error) => return Err(failure(&error)),
    };
    show(&status, out);
    Ok(if status.is_up() { Exit::Ok } else { Exit::No })
}

pub(super) async fn restart(name: Option<&str>, dir: &Dir, out: &Output) -> Result<Exit, Failure> {
    let request = Request::Restart { name: name.map(str::to_owned) };
    let status = asked(&Folder::at(&dir.dir), &request).await.map_err(|error| failure(&error))?;
    show(&status, out);
    Ok(Exit::Ok)
}

pub(super) async fn down(now: bool, dir: &Dir, out: &Output) -> Result<Exit, Failure> {
    let folder = Folder::at(&dir.dir);
    match asked(&folder, &Request::Down { now }).await {
        Ok(status) => {
            let count = status.processes.iter().filter(|process| process.state.runs()).count();
            out.note(format!("ending {count} processes"));
            let deadline = Instant::now() + stops_within() + SLACK;
            while folder.runs() {
                if Instant::now() > deadline {
                    let message = format!("the machine in {} has not ended", dir.dir.display());
                    return Err(Failure::new(Exit::TimedOut, "E_MACHINE_STAYS", message)
                        .help(format!("emp machine down --now --dir {}", dir.dir.display())));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Err(Error::Rests { .. }) => {}
        Err(error) => return Err(failure(&error)),
    }
    // What a supervisor leaves that was killed, before this or meanwhile.
    let Some(last) = folder.recorded() else { return Ok(Exit::Ok) };
    let within = if now { Duration::ZERO } else { LEFTOVERS_WITHIN };
    let ended = tokio::task::spawn_blocking(move || Marked::run(&last).end(within)).await;
    let (count, left) = ended.unwrap_or_default();
    if count > 0 {
        out.note(format!("ended {} processes that had been left behind", count.saturating_sub(left.len())));
    }
    if left.is_empty() {
        return Ok(Exit::Ok);
    }
    let pids: Vec<String> = left.iter().map(u32::to_string).collect();
    Err(Failure::new(Exit::No, "E_MACHINE_STAYS", format!("processes {} cannot be ended", pids.join(", ")))
        .help("look at who owns them: `ps -o pid,user,stat,cmd -p PID`"))
}

async fn asked(folder: &Folder, request: &Request) -> Result<MachineStatus, Error> {
    match ask(folder, request).await? {
        Reply::Status(status) => Ok(status),
        Reply::Unknown(known) => {
            let name = match request {
                Request::Restart { name } => name.clone().unwrap_or_default(),
                _ => String::new(),
            };
            Err(Error::Unknown { name, known })
        }
    }
}

/// Nobody runs there; perhaps something has been left.
fn rests(folder: &Folder) -> Failure {
    let left = folder.recorded().map(|last| Marked::run(&last).find()).unwrap_or_default();
    let shown = folder.path().display();
    if left.is_empty() {
        return failure(&Error::Rests { folder: shown.to_string() });
    }
    let pids: Vec<String> = left.iter().map(u32::to_string).collect();
    let message =
        format!("no machine runs in {shown}, but processes that one has left do: {}", pids.join(", "));
    Failure::new(Exit::NotFound, "E_MACHINE_RESTS", message).help(format!("emp machine down --dir {shown}"))
}

pub(super) fn failure(error: &Error) -> Failure {
    let (exit, help) = match error {
        Error::Runs { folder } => {
            (Exit::Conflict, format!("emp machine down --dir {folder}, or another --dir"))
        }
        Error::Rests { folder } => (Exit::NotFound, format!("emp machine up --workers .. --dir {folder}")),
        Error::Install(_) => (
            Exit::No,
            "mend what its log says and run `emp machine up` again; what is installed is not installed again"
                .to_owned(),
        ),
        Error::Unknown { .. } => (Exit::NotFound, "emp machine status names them all".to_owned()),
        Error::Io { .. } => {
            (Exit::Unreachable, "see whether the folder is yours and its disk not full".to_owned())
        }
    };
    Failure::new(exit, error.code(), error.to_string()).help(help)
}

fn show(status: &MachineStatus, out: &Output) {
    if out.is_json() {
        out.json(status);
        return;
    }
    if status.stopping {
        out.note("everything is being ended");
    }
    out.table(
        &["process", "what", "state", "pid", "restarts", "health", "ports", "gpu", "slots", "reason"],
        status.processes.iter().map(row).collect(),
    );
}

fn row(process: &ProcessStatus) -> Vec<String> {
    let ports: Vec<String> = process.ports.iter().map(u16::to_string).collect();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        process.name.clone(),
        process.role.clone(),
        process.state.as_str().to_owned(),
        number(process.pid),
        process.restarts.to_string(),
        process.health.as_str().to_owned(),
        ports.join(" "),
        number(process.gpu),
        number(process.slots),
        process.reason.clone().unwrap_or_default(),
    ]
}
