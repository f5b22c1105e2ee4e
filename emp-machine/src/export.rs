//! The files that start a plan's processes elsewhere. Each format has its own escaper, because each has its own idea of a dollar sign.
//!
//! No file holds the value of a secret. How one reaches its process is each format's own way: pm2 hands the environment of whoever
//! starts it on, Compose, systemd and Kubernetes bring a file or a reference. Where the target can stop on a missing variable it does
//! so with [our sentence](crate::Variable::sentence); where it cannot, the process does.

mod compose;
mod dockerfile;
mod k8s;
mod pm2;
mod shell;
mod systemd;
mod yaml;

use std::time::Duration;

use emp_core::connector::Registry;
use emp_core::workers::PlanError;

use crate::plan::{MachinePlan, Service, WorkerProcess};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A pm2 ecosystem, as JSON.
    Pm2,
    /// A file for Docker Compose.
    Compose,
    /// Units of systemd.
    Systemd,
    /// Kubernetes manifests.
    K8s,
    /// A shell script that sets the environment, or stops.
    Env,
    /// A Dockerfile with the build stages of the mapping.
    Dockerfile,
}

/// How processes are started, wherever they are.
#[derive(Clone, Copy, Debug)]
pub struct Conduct<'a> {
    /// Our program.
    pub program: &'a str,
    /// What cargo calls it, for an image that builds it.
    pub binary: &'a str,
    /// The mapping that the processes read; `None` for the one that the program was built with.
    pub mapping: Option<MappingFile<'a>>,
    /// The image that has it, for containers.
    pub image: &'a str,
    /// How long a worker may take to stop.
    pub drain: Duration,
    /// The port of a worker's health and metrics, where each has an address of its own.
    pub metrics_port: u16,
    /// Every connector: what belongs to others is kept from a process where the target lets us.
    pub registry: &'a Registry,
}

/// A mapping that stands in a file of the machine where the export is made.
#[derive(Clone, Copy, Debug)]
pub struct MappingFile<'a> {
    /// Its absolute path: nobody starts a process in the folder of the export.
    pub path: &'a str,
    /// What is in it, for targets that carry it to another machine.
    pub text: &'a str,
}

/// What a mapping is called where a target brings it.
const MAPPING_FILE: &str = "service-mapping.json";
/// Where a container finds it.
const MAPPING_PATH: &str = "/etc/emp/service-mapping.json";

impl Conduct<'_> {
    /// The words that make a worker of our program, when the mapping is found at a path.
    fn worker(&self, process: &WorkerProcess, mapping: &str) -> Vec<String> {
        let mapping = self.mapping.map(|_| ["--mapping", mapping]).into_iter().flatten();
        let command = ["worker", "--workers"].into_iter();
        mapping.chain(command).map(str::to_owned).chain([process.workers()]).collect()
    }
}

/// The command that asks a service whether it is ready, from inside its container: a service listens on loopback, where nobody outside
/// of the container reaches it. Empty when it listens nowhere.
fn service_check(service: &Service) -> Vec<String> {
    let Some(port) = service.ports.first() else { return Vec::new() };
    let asked = match &service.health_path {
        Some(path) => ["--url".to_owned(), format!("http://127.0.0.1:{port}{path}")],
        None => ["--listens".to_owned(), format!("127.0.0.1:{port}")],
    };
    ["emp", "health"].map(str::to_owned).into_iter().chain(asked).collect()
}

/// One written file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its usual name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Writes a plan for a target.
///
/// # Errors
/// When the mapping does not say how a service is started, and the target starts it.
pub fn export(plan: &MachinePlan, target: Target, conduct: &Conduct<'_>) -> Result<Vec<File>, PlanError> {
    if !matches!(target, Target::Env | Target::Dockerfile) {
        plan.startable()?;
    }
    let one = |name: &str, text: String| vec![File { name: name.to_owned(), text }];
    Ok(match target {
        Target::Pm2 => one("ecosystem.config.json", pm2::write(plan, conduct)),
        Target::Compose => one("compose.yaml", compose::write(plan, conduct)),
        Target::Systemd => systemd::write(plan, conduct),
        Target::K8s => one("emp.k8s.yaml", k8s::write(plan, conduct)),
        Target::Env => one("emp.env.sh", shell::write(plan)),
        Target::Dockerfile => dockerfile::write(plan, conduct),
    })
}

/// Names as DNS and systemd like them: lower case, digits and dashes, no two the same, at most 63 letters.
#[derive(Debug, Default)]
struct Names(std::collections::BTreeMap<String, String>);

impl Names {
    fn of(&mut self, name: &str) -> String {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let plain = plain.trim_matches('-');
        let plain = if plain.starts_with(|c: char| c.is_ascii_alphabetic()) {
            plain.to_owned()
        } else {
            format!("w-{plain}")
        };
        let short: String = plain.chars().take(52).collect();
        let short = short.trim_end_matches('-');
        let numbered = (2..).map(|number| format!("{short}-{number}"));
        let taken = |candidate: &String| self.0.values().any(|known| known == candidate);
        let free = std::iter::once(short.to_owned()).chain(numbered).find(|candidate| !taken(candidate));
        let free = free.unwrap_or_default();
        self.0.insert(name.to_owned(), free.clone());
        free
    }
}

/// A secret's name in lower case, as files and references are called.
fn secret_name(variable: &str) -> String {
    variable.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_plain_and_stay_apart() {
        let mut names = Names::default();
        assert_eq!(names.of("my-service-api"), "my-service-api");
        assert_eq!(names.of("My_Service.API"), "my-service-api-2");
        assert_eq!(names.of("my-service-api"), "my-service-api");
        assert_eq!(names.of("3d größe"), "w-3d-gr--e");
        assert_eq!(names.of("***"), "w");
        assert_eq!(names.of(&"x".repeat(80)).len(), 52);
    }
}
