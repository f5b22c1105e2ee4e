//! `emp machine up`: runs the plan of this machine.

use std::ffi::OsString;
use std::path::Path;

use emp_core::Registry;
use emp_core::workers::PlanError;
use emp_machine::{installer_environment, launches};
use emp_supervisor::{Folder, Installation, Options, Outcome, Site, guard};

use super::remote::failure;
use crate::args::Up;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{logging, machine, runtime};

pub(super) async fn run(
    args: &Up,
    registry: &'static Registry,
    file: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    logging::start(logging::ALL);
    let mapping = runtime::mapping(file, registry)?;
    let env = Environment::read(registry)?;
    let plan = machine::plan(&args.planned, registry, &mapping, &env, out)?;
    plan.startable().map_err(|error| machine::failure(&error))?;
    let refuse = |faults| Err(machine::failure(&PlanError(faults)));
    let missing = plan.missing();
    if !missing.is_empty() {
        return refuse(missing);
    }
    let site = Site::take(Folder::at(&args.dir.dir)).await.map_err(|error| failure(&error))?;
    // Not before an earlier run has been ended, which listened there.
    let taken = machine::taken_ports(&plan);
    if !taken.is_empty() {
        return refuse(taken);
    }
    let program = std::env::current_exe().map_err(|error| Failure::io("this program has no path", &error))?;
    let program = program.display().to_string();
    let own = file.map(|file| vec!["--mapping".to_owned(), file.display().to_string()]);
    let installations = plan.installs.iter().map(|install| Installation {
        environment: installer_environment(&plan, install, registry),
        install: install.clone(),
    });
    let options = Options {
        installations: installations.collect(),
        install_again: args.reinstall,
        launches: launches(&plan, registry, &program, &own.unwrap_or_default()),
        starts_within: args.start_timeout,
        drain: machine::stops_within(),
        guard: ["machine", "exec"].map(str::to_owned).to_vec(),
        program,
    };
    match emp_supervisor::up(site, options).await {
        Ok(Outcome::Stopped) => Ok(Exit::Ok),
        Ok(Outcome::Killed) => Ok(Exit::Interrupted),
        Ok(Outcome::Failed) => {
            Err(Failure::new(Exit::No, "E_NO_WORKERS", "no worker can run on this machine")
                .help(format!("emp machine logs --dir {}", args.dir.dir.display())))
        }
        Err(error) => Err(failure(&error)),
    }
}

/// Becomes a program; comes back only when it could not.
pub(super) fn exec(parent: u32, command: &[OsString]) -> Result<Exit, Failure> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Exit::Usage) };
    let error = guard::run(parent, program, arguments);
    Err(Failure::io(&format!("cannot run {}", program.display()), &error))
}
