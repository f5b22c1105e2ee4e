//! `emp export`: the files that start the workers elsewhere, printed, written, or compared with what is there.

use std::path::Path;

use emp_core::Registry;
use emp_machine::export::{self, Conduct, File};
use emp_metrics::{alerts, dashboard};

use crate::args::{Export, Target};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{machine, runtime};

/// Where a worker shows its health and metrics, where each has an address of its own.
const METRICS_PORT: u16 = 9464;

pub(super) fn run(
    args: &Export,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    let files = match args.target {
        Target::Grafana => {
            vec![File { name: "emp.grafana.json".to_owned(), text: pretty(&dashboard::grafana()) }]
        }
        Target::Alerts => vec![File { name: "emp.rules.yaml".to_owned(), text: alerts::rules() }],
        _ => files(args, registry, mapping, out)?,
    };
    let workers =
        args.planned.workers.as_ref().map_or_else(String::new, |workers| format!(" --workers {workers}"));
    let folder = args.out.as_deref().unwrap_or(Path::new("."));
    if args.check {
        for file in &files {
            let path = folder.join(&file.name);
            if std::fs::read_to_string(&path).ok().as_ref() != Some(&file.text) {
                let message = format!("{} is not what the mapping and this environment say", path.display());
                let command =
                    format!("emp export {}{} --out {}", name(args.target), workers, folder.display());
                return Err(Failure::new(Exit::Conflict, "E_STALE", message).help(command));
            }
        }
        return Ok(Exit::Ok);
    }
    if args.out.is_some() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("cannot make the folder", &error))?;
        for file in &files {
            let path = folder.join(&file.name);
            std::fs::write(&path, &file.text)
                .map_err(|error| Failure::io(&format!("cannot write {}", path.display()), &error))?;
            out.note(format!("wrote {}", path.display()));
        }
        return Ok(Exit::Ok);
    }
    let several = files.len() > 1;
    for file in files {
        let head = if several { format!("# {}\n", file.name) } else { String::new() };
        out.line(format!("{head}{}", file.text.trim_end()));
    }
    Ok(Exit::Ok)
}

fn files(
    args: &Export,
    registry: &'static Registry,
    file: Option<&Path>,
    out: &Output,
) -> Result<Vec<File>, Failure> {
    let mapping = runtime::mapping(file, registry)?;
    let env = Environment::read(registry)?;
    let plan = machine::plan(&args.planned, registry, &mapping, &env, out)?;
    let own = file.map(|file| vec!["--mapping".to_owned(), file.display().to_string()]);
    let conduct = Conduct {
        program: &args.program,
        arguments: &own.unwrap_or_default(),
        image: &args.image,
        drain: machine::stops_within(),
        metrics_port: METRICS_PORT,
        registry,
    };
    let target = match args.target {
        Target::Pm2 => export::Target::Pm2,
        Target::Compose => export::Target::Compose,
        Target::Systemd => export::Target::Systemd,
        Target::K8s => export::Target::K8s,
        Target::Env => export::Target::Env,
        Target::Dockerfile => export::Target::Dockerfile,
        // Of every machine alike, and written before anything is planned.
        Target::Grafana | Target::Alerts => return Ok(Vec::new()),
    };
    export::export(&plan, target, &conduct).map_err(|error| machine::failure(&error))
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn name(target: Target) -> &'static str {
    match target {
        Target::Pm2 => "pm2",
        Target::Compose => "compose",
        Target::Systemd => "systemd",
        Target::K8s => "k8s",
        Target::Env => "env",
        Target::Dockerfile => "dockerfile",
        Target::Grafana => "grafana",
        Target::Alerts => "alerts",
    }
}
