//! `emp export`: the files that start the workers elsewhere, printed, written, or compared with what is there.

use std::path::Path;

use emp_core::Registry;
use emp_machine::export::{self, Conduct, File, MappingFile};
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
    // A Dockerfile is one text; what stands beside it has no place in it.
    let shown = if args.target == Target::Dockerfile { 1 } else { files.len() };
    for file in files.iter().skip(shown) {
        out.note(format!("`--out DIR` writes {} too", file.name));
    }
    let several = shown > 1;
    for file in files.into_iter().take(shown) {
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
    let own = file.map(mapping_file).transpose()?;
    let env = Environment::read(registry)?;
    let plan = machine::plan(&args.planned, registry, &mapping, &env, out)?;
    let binary = binary();
    let conduct = Conduct {
        program: args.program.as_deref().unwrap_or(&binary),
        binary: args.bin.as_deref().unwrap_or(&binary),
        mapping: own.as_ref().map(|(path, text)| MappingFile { path, text }),
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

/// The absolute path of a mapping and its text: what is written is read in other folders, and on other machines.
fn mapping_file(file: &Path) -> Result<(String, String), Failure> {
    let wrong = |error: &std::io::Error| Failure::io(&format!("cannot read {}", file.display()), error);
    let path = std::path::absolute(file).map_err(|error| wrong(&error))?;
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    Ok((path.display().to_string(), text))
}

/// What cargo calls this program: a project of one's own has a name of its own.
fn binary() -> String {
    let own = std::env::current_exe().ok();
    let name = own.as_deref().and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "emp".to_owned())
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
