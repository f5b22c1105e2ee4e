//! Units of systemd: one for each process and a target that wants them all. A secret is a credential, from a file that root owns.

use std::fmt::Write as _;

use super::{Conduct, File, MAPPING_FILE, Names, secret_name};
use crate::plan::{MachinePlan, Service, WorkerProcess};
use crate::variable::{FILE, Source, Variable};

/// Where the operator sets what is not set where the units are written.
const SETTINGS: &str = "/etc/emp/emp.env";
/// Where the operator puts the files of secrets, readable by root only.
const SECRETS: &str = "/etc/emp/secrets";

pub(super) fn write(plan: &MachinePlan, conduct: &Conduct<'_>) -> Vec<File> {
    let mut names = Names::default();
    let mut unit = |name: &str| format!("emp-{}.service", names.of(name));
    let mut files = Vec::new();
    for service in &plan.services {
        files.push(File { name: unit(&service.name), text: instance(service) });
    }
    for process in &plan.workers {
        let after = plan.service_of(process).map(|service| unit(&service.name));
        files.push(File { name: unit(&process.name), text: worker(process, after.as_deref(), conduct) });
    }
    let all: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let target = format!(
        "# Written by `emp export systemd`.\n[Unit]\nDescription=EMP: all workers of this machine\nWants={}\n\n[Install]\nWantedBy=multi-user.target\n",
        all.join(" ")
    );
    files.push(File { name: "emp.target".to_owned(), text: target });
    files
}

fn instance(service: &Service) -> String {
    let about = format!("EMP: service of worker {}, instance {}", service.worker, service.index);
    let mut text = head(&about, "");
    for (name, value) in &service.environment {
        let _ = writeln!(text, "Environment={}", quoted(&format!("{name}={value}")));
    }
    let _ = writeln!(text, "ExecStart={}", command(&service.command));
    text + "TimeoutStopSec=10\n" + &limits(service) + &tail()
}

fn limits(service: &Service) -> String {
    let cpus = service.cpus.map(|cpus| format!("CPUQuota={}%\n", u64::from(cpus) * 100));
    let memory = service.memory.map(|bytes| format!("MemoryMax={bytes}\n"));
    cpus.unwrap_or_default() + &memory.unwrap_or_default()
}

fn worker(process: &WorkerProcess, after: Option<&str>, conduct: &Conduct<'_>) -> String {
    let about = format!("EMP: worker {}", process.name);
    let order = after.map(|unit| format!("Requires={unit}\nAfter={unit}\n")).unwrap_or_default();
    let mut text = head(&about, &order);
    for variable in &process.variables {
        text += &environment(variable);
    }
    // What nobody has set where this was written must be set where it runs: the unit does not start without the file.
    if process.variables.iter().any(|variable| variable.is_missing() && !variable.secret) {
        let _ = writeln!(text, "EnvironmentFile={SETTINGS}");
    }
    if let Some(file) = conduct.mapping {
        // Root reads it for the worker, whose user may see no home. systemd puts the folder of such files in place of `%d`.
        let _ = writeln!(text, "LoadCredential={MAPPING_FILE}:{}", file.path.replace('%', "%%"));
        let _ = writeln!(text, "Environment=\"EMP_MAPPING=%d/{MAPPING_FILE}\"");
    }
    let words = [conduct.program.to_owned(), "worker".to_owned(), "--workers".to_owned(), process.workers()];
    let _ = writeln!(text, "ExecStart={}", command(&words));
    let _ = writeln!(text, "TimeoutStopSec={}", conduct.drain.as_secs());
    // Wrong usage and wrong configuration: starting again mends neither.
    text + "RestartPreventExitStatus=2 3\n" + &tail()
}

fn environment(variable: &Variable) -> String {
    let name = &variable.name;
    if variable.secret {
        if !variable.required && variable.source == Source::Unset {
            return String::new();
        }
        let credential = secret_name(name);
        let file = quoted(&format!("{name}{FILE}="));
        let file = format!("{}%d/{credential}\"", file.trim_end_matches('"'));
        return format!(
            "# {}\nLoadCredential={credential}:{SECRETS}/{name}\nEnvironment={file}\n",
            one_line(&variable.sentence())
        );
    }
    match &variable.value {
        Some(value) => format!("Environment={}\n", quoted(&format!("{name}={value}"))),
        None if variable.required => format!("# {}\n", one_line(&variable.sentence())),
        None => String::new(),
    }
}

fn head(about: &str, order: &str) -> String {
    format!(
        "# Written by `emp export systemd`.\n[Unit]\nDescription={}\nPartOf=emp.target\nAfter=network-online.target\nWants=network-online.target\n{order}\n[Service]\nType=exec\n",
        one_line(about).replace('%', "%%")
    )
}

fn tail() -> String {
    "Restart=on-failure\nRestartSec=2\nDynamicUser=yes\nUser=emp\nStateDirectory=emp\nWorkingDirectory=/var/lib/emp\nKillMode=mixed\n\
     NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\n\n[Install]\nWantedBy=emp.target\n"
        .to_owned()
}

/// A command line: nothing in it is a variable, a specifier or a word separator that was not one.
fn command(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(&word.replace('$', "$$"))).collect();
    words.join(" ")
}

/// A text in double quotes, as systemd reads them: C escapes, and `%%` for a per cent sign.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '%' => out.push_str("%%"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
