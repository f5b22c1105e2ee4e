//! `emp new`: somebody makes a project, breaks it, mends it, and runs its demo.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{ROOT, cargo, edit, emp, run};

/// A project as `emp new` makes it, against this checkout.
fn project(home: &TempDir) -> PathBuf {
    let made =
        run(emp(home.path()).args(["new", "their-jobs", "--connector", "their-service", "--path", ROOT]));
    let made = made.exits(0);
    let next: Vec<&str> = made.out.lines().collect();
    assert_eq!(next.len(), 4, "cd and three commands: {next:?}");
    home.path().join("their-jobs")
}

/// The commands that the README tells to run next.
fn next(readme: &str) -> Vec<&str> {
    let block = readme.split("```").nth(1).expect("a block of commands");
    block.trim().lines().collect()
}

#[test]
fn a_new_project_builds_breaks_recovers_and_runs_its_demo() {
    let home = TempDir::new().expect("a folder");
    let project = project(&home);
    run(cargo(&project).arg("build")).exits(0);

    // A letter goes missing in the mapping: the build says where, and what was meant.
    let mapping = project.join("service-mapping.json");
    edit(&mapping, "\"connector\": \"TheirServiceConnector\"", "\"connector\": \"TheirServceConnector\"");
    let broken = run(cargo(&project).arg("build")).exits(101);
    let text = std::fs::read_to_string(&mapping).expect("reads");
    let line = text.lines().position(|line| line.contains("TheirServceConnector")).expect("it is there") + 1;
    let place = format!("service-mapping.json:{line}:");
    for said in ["error[EMP0210]", &place, "did you mean `TheirServiceConnector`?"] {
        assert!(broken.err.contains(said), "no {said:?}:\n{}", broken.err);
    }
    assert_eq!(broken.err.matches("error[EMP").count(), 1, "one mistake, one error:\n{}", broken.err);
    let checked = run(emp(&project).arg("check")).exits(3);
    assert!(checked.out.contains("error[EMP0210]"), "`emp check` says the same: {checked:#?}");

    edit(&mapping, "TheirServceConnector", "TheirServiceConnector");
    run(cargo(&project).arg("build")).exits(0);
    let readme = std::fs::read_to_string(project.join("README.md")).expect("a README");
    let commands = next(&readme);
    assert_eq!(commands.len(), 3, "{readme}");
    // The third goes on until it is stopped; `tests/cli/dev.rs` has it.
    for command in &commands[..2] {
        let mut words = command.split(' ').skip(1).collect::<Vec<_>>();
        words.insert(1, "--quiet");
        let ran = run(cargo(&project).args(words)).exits(0);
        let wanted = if command.ends_with("demo") { "nothing was paid twice" } else { "0 FAIL" };
        assert!(ran.out.contains(wanted) || ran.err.contains(wanted), "{command}: {ran:#?}");
    }
    run(cargo(&project).args(["test", "--quiet"])).exits(0);
}

#[test]
fn nothing_is_overwritten_and_a_wrong_name_makes_nothing() {
    let home = TempDir::new().expect("a folder");
    std::fs::create_dir(home.path().join("full")).expect("a folder");
    std::fs::write(home.path().join("full/notes.md"), "mine").expect("writes");
    run(emp(home.path()).args(["new", "full"])).exits(6);
    run(emp(home.path()).args(["new", "3d"])).exits(2);
    run(emp(home.path()).args(["new", "jobs", "--connector", "4 you!"])).exits(2);
    run(emp(home.path()).args(["new", "jobs", "--path", "/"])).exits(5);
    let left: Vec<_> = std::fs::read_dir(home.path()).expect("reads").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
