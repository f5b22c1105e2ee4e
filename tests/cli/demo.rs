//! `emp` and `emp demo`: the first minute.

use tempfile::TempDir;

use crate::support::{Running, emp, run, run_with, until};

#[test]
fn without_arguments_it_says_what_to_do_next() {
    let welcome = run(&[]).exits(0);
    for next in ["demo", "dev --fake", "check", "explain"] {
        assert!(welcome.out.contains(&format!("emp {next}")), "{welcome:#?}");
    }
    let welcome = run(&["--json"]).exits(0).json();
    assert!(
        welcome["connectors"].as_array().is_some_and(|all| all.contains(&"MyServiceConnector".into())),
        "{welcome}"
    );
}

#[test]
fn the_demo_pays_once_for_each_job_and_leaves_nothing_behind() {
    let (home, temp) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let demo = run_with(emp(home.path()).args(["demo", "--jobs", "6", "--json"]).env("TMPDIR", temp.path()));
    let told = demo.exits(0).json();
    assert_eq!(told["completed"], told["jobs"].as_array().expect("jobs").len(), "{told:#}");
    assert_eq!(told["attempts"], told["accepted_submits"], "{told:#}");
    assert_eq!(told["paid_twice"], 0, "{told:#}");
    assert!(told["recovered"].as_u64() > Some(0), "{told:#}");
    nothing_left([&home, &temp]);
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind_either() {
    let (home, temp) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let mut demo = Running::start(emp(home.path()).arg("demo").env("TMPDIR", temp.path()));
    demo.line("1. 12 jobs");
    demo.signal("TERM");
    assert_eq!(demo.ends().code(), Some(130), "{}", demo.printed());
    nothing_left([&home, &temp]);
}

#[track_caller]
fn nothing_left(folders: [&TempDir; 2]) {
    for folder in folders {
        let left: Vec<_> = folder.path().read_dir().expect("a folder").collect();
        assert!(left.is_empty(), "{left:?}");
        // The store's path is in the arguments of the demo's worker.
        let path = folder.path().display().to_string();
        until("no worker is left", || {
            let found = std::process::Command::new("pgrep").args(["-f", &path]).output();
            found.map(|found| found.stdout).unwrap_or_default().is_empty().then_some(())
        });
    }
}
