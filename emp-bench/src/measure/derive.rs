//! What the derive takes: 100 connectors of 10 fields, beside the same structs with `serde::Deserialize` and with nothing.
//!
//! rustc itself is run, as cargo runs it for `cargo check` and for `cargo build`, so that neither cargo nor a dependency is in the
//! numbers. The macros are not optimised, as cargo compiles macros.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Measure;
use crate::plan::{Plan, workspace};
use crate::process::{self, milliseconds};
use crate::report::{Bound, Taken};
use crate::series::{Series, in_turns};
use crate::subjects::{self, Derive};
use crate::{Failure, artifacts};

pub(super) const MEASURE: Measure = Measure {
    name: "derive",
    about: "what rustc takes of processor time for 100 connectors of 10 fields",
    peers: &["serde", "bare"],
    take,
};

const STRUCTS: usize = 100;

/// What is compiled in turns.
const CONTENDERS: [(&str, Derive); 3] = [
    ("emp", Derive::Connector { registered: false }),
    ("serde", Derive::Deserialize),
    ("bare", Derive::Nothing),
];

/// What rustc is asked for by `cargo check` and by `cargo build`.
const CASES: [(&str, &[&str]); 2] =
    [("check", &["--emit=metadata"]), ("build", &["--emit=metadata,link", "-C", "debuginfo=2"])];

fn take(plan: &Plan) -> Result<Taken, Failure> {
    let compiler = Compiler::find()?;
    let folder = tempfile::tempdir().map_err(Failure::io("cannot make a folder"))?;
    let mut taken = Taken::default();
    taken.version("serde", compiler.version.clone());
    for (name, derive) in CONTENDERS {
        std::fs::write(folder.path().join(format!("{name}.rs")), subjects::library(derive, STRUCTS))
            .map_err(Failure::io("cannot write a library"))?;
    }
    for (case, flags) in CASES {
        let samples = in_turns(plan.rounds(9), CONTENDERS.len(), |contender| {
            process::run(&mut compiler.command(folder.path(), CONTENDERS[contender].0, flags))
        })?;
        let cpu: Vec<Series> = samples
            .iter()
            .map(|samples| Series::new(samples.iter().map(|sample| milliseconds(sample.cpu)).collect()))
            .collect();
        for ((name, _), series) in CONTENDERS.iter().zip(&cpu) {
            taken.row(case, name, "ms of processor", series);
        }
        for ((peer, _), theirs) in
            CONTENDERS.iter().zip(&cpu).skip(1).filter(|((peer, _), _)| plan.against(peer))
        {
            let name = format!("derive_{case}_vs_{peer}");
            let ratio = taken.ratio(&name, &cpu[0], theirs);
            if *peer == "serde" {
                taken.goal(&name, Bound::AtMost(1.5), ratio);
            }
        }
    }
    Ok(taken)
}

/// rustc with the libraries that the structs need.
struct Compiler {
    rustc: PathBuf,
    core: PathBuf,
    serde: PathBuf,
    /// Of serde.
    version: Option<String>,
}

impl Compiler {
    fn find() -> Result<Self, Failure> {
        let built = artifacts::build(["-p", "emp-core"])?;
        // Not the proxy, which first looks for the toolchain, in every run.
        let sysroot = Command::new("rustc")
            .current_dir(workspace())
            .args(["--print", "sysroot"])
            .output()
            .map_err(Failure::io("cannot start rustc"))?;
        let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
        Ok(Self {
            rustc: Path::new(&sysroot).join("bin/rustc"),
            core: built.library("emp_core")?,
            serde: built.library("serde")?,
            version: built.version("serde"),
        })
    }

    fn command(&self, folder: &Path, name: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(&self.rustc);
        command
            .current_dir(folder)
            .args(["--edition=2024", "--crate-type=lib", "--crate-name", name])
            .arg(format!("{name}.rs"))
            .args(flags)
            .arg(format!("--extern=emp_core={}", self.core.display()))
            .arg(format!("--extern=serde={}", self.serde.display()));
        // cargo puts every dependency beside serde.
        if let Some(dependencies) = self.serde.parent() {
            command.arg(format!("-Ldependency={}", dependencies.display()));
        }
        command
    }
}
