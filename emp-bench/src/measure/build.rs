//! What a build script takes: 10 connectors and 10 workers, 200 and 10, 200 and 1,000.
//!
//! The program is what cargo runs: `emp_build::connectors(..).emit()`, not optimised, as build scripts are. Beside it runs a program that
//! only reads the same files, cuts the sources into tokens and parses the mapping: what any build script that looks at them must do.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Measure;
use crate::artifacts::{self, Artifacts};
use crate::plan::Plan;
use crate::process::{self, Sample, milliseconds};
use crate::report::{Bound, Taken};
use crate::series::{Series, in_turns};
use crate::{Failure, subjects};

pub(super) const MEASURE: Measure = Measure {
    name: "build",
    about: "what build.rs takes of processor time, and the wall's",
    peers: &["bare"],
    take,
};

/// Connectors, workers.
const SIZES: [(usize, usize); 3] = [(10, 10), (200, 10), (200, 1000)];

fn take(plan: &Plan) -> Result<Taken, Failure> {
    let built = artifacts::build(["-p", "emp-build", "--examples"])?;
    let mut taken = Taken::default();
    for (connectors, workers) in SIZES {
        let tree = tempfile::tempdir().map_err(Failure::io("cannot make a folder"))?;
        subjects::tree(tree.path(), connectors, workers)?;
        size(plan, &built, tree.path(), &format!("{connectors}_{workers}"), &mut taken)?;
    }
    Ok(taken)
}

fn size(plan: &Plan, built: &Artifacts, tree: &Path, case: &str, taken: &mut Taken) -> Result<(), Failure> {
    let programs = [built.program("build_script")?, built.program("bare_reader")?];
    let samples = in_turns(plan.rounds(15), programs.len(), |contender| run(&programs[contender], tree))?;
    checked(tree)?;
    let cpu = samples.iter().map(|samples| series(samples, |sample| sample.cpu)).collect::<Vec<_>>();
    let wall = series(&samples[0], |sample| sample.wall);
    taken.row(case, "emp", "ms of processor", &cpu[0]);
    taken.row(case, "emp", "ms on the wall", &wall);
    taken.row(case, "bare", "ms of processor", &cpu[1]);
    taken.ratio(&format!("build_{case}_vs_bare"), &cpu[0], &cpu[1]);
    if case == "200_1000" {
        // It has one thread, so on an idle machine the wall's time is the processor's; what else runs only adds to either.
        taken.goal("build_200_1000_ms", Bound::AtMost(200.0), cpu[0].min());
    }
    Ok(())
}

fn run(program: &PathBuf, tree: &Path) -> Result<Sample, Failure> {
    process::run(
        Command::new(program)
            .current_dir(tree)
            .env("CARGO_MANIFEST_DIR", tree)
            .env("OUT_DIR", tree.join("out"))
            .env_remove("EMP_BUILD"),
    )
}

/// A tree that is refused early would be quick: it must have passed.
fn checked(tree: &Path) -> Result<(), Failure> {
    let report = std::fs::read_to_string(tree.join("out/emp/report.txt"))
        .map_err(Failure::io("the build script wrote no report"))?;
    if report.is_empty() { Ok(()) } else { Err(Failure::Ran(format!("the tree is not valid:{report}"))) }
}

fn series(samples: &[Sample], of: impl Fn(&Sample) -> std::time::Duration) -> Series {
    Series::new(samples.iter().map(|sample| milliseconds(of(sample))).collect())
}
