//! Who takes part: this project, bare loops, and peers that are installed by name and version from their registries.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::plan::{scratch, workspace};
use crate::{Failure, contender};

/// Somebody who understands the words of a contender, ready to be started.
#[derive(Debug)]
pub(crate) struct Contender {
    /// Its name in tables and ratios.
    pub(crate) name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    folder: PathBuf,
    /// What was installed, with its version.
    pub(crate) versions: Vec<(&'static str, Option<String>)>,
}

impl Contender {
    /// The command that makes it do something.
    pub(crate) fn command<const N: usize>(&self, url: &str, words: [&str; N]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).args(words).current_dir(&self.folder).env("REDIS_URL", url);
        command
    }
}

/// Gets somebody ready, installing what is missing.
pub(crate) fn contender(name: &'static str) -> Result<Contender, Failure> {
    match name {
        "emp" | "bare" => here(name),
        "bullmq" => bullmq(),
        _ => Err(Failure::Ran(format!("nobody is called `{name}`"))),
    }
}

/// This program once more.
fn here(name: &'static str) -> Result<Contender, Failure> {
    Ok(Contender {
        name,
        program: std::env::current_exe().map_err(Failure::io("this program has no name"))?,
        args: vec![contender::WORD.to_owned(), name.to_owned()],
        folder: scratch("here")?,
        versions: Vec::new(),
    })
}

fn bullmq() -> Result<Contender, Failure> {
    let folder = files("bullmq", &["package.json", "contender.mjs"])?;
    once(&folder, "package.json", || {
        let flags = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
        quiet(Command::new("npm").args(flags).current_dir(&folder))
    })?;
    let version = |package: &str| {
        let text =
            std::fs::read_to_string(folder.join("node_modules").join(package).join("package.json")).ok()?;
        let read: serde_json::Value = serde_json::from_str(&text).ok()?;
        read["version"].as_str().map(str::to_owned)
    };
    let versions = vec![
        ("bullmq", version("bullmq")),
        ("ioredis", version("ioredis")),
        ("node", output(Command::new("node").arg("--version"))),
    ];
    let (program, args) = ("node".into(), vec!["contender.mjs".to_owned()]);
    Ok(Contender { name: "bullmq", program, args, folder, versions })
}

/// A peer's folder, with its files as they are in this repository.
fn files(peer: &str, names: &[&str]) -> Result<PathBuf, Failure> {
    let folder = scratch(peer)?;
    for name in names {
        let from = workspace().join("emp-bench/peers").join(peer).join(name);
        std::fs::copy(&from, folder.join(name))
            .map_err(Failure::io(format!("cannot copy {}", from.display())))?;
    }
    Ok(folder)
}

/// Installs what a list names, unless that very list was installed before.
fn once(folder: &Path, list: &str, install: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let wanted = std::fs::read_to_string(folder.join(list)).unwrap_or_default();
    let stamp = folder.join(format!("{list}.installed"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    std::fs::write(&stamp, wanted).map_err(Failure::io("cannot note what was installed"))
}

/// Runs something whose words are of interest only when it fails.
fn quiet(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::io(format!("cannot start `{program}`; install it")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Ran(format!("`{program}` could not install a peer: {}", said.trim())))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().trim_start_matches('v').to_owned())
}
