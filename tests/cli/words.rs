//! Help, codes, completions, and readers that go away.

use std::process::Stdio;

use tempfile::TempDir;

use crate::support::{emp, run, run_with};

#[test]
fn codes_of_all_parts_are_explained() {
    let explained = run(&["explain", "EMP0104", "--json"]).exits(0).json();
    for part in ["code", "title", "why", "help"] {
        assert!(explained[part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {explained:#}");
    }
    assert!(run(&["explain", "e_auth"]).exits(0).out.contains("E_AUTH"));
    let all = run(&["explain", "--json"]).exits(0).json();
    assert!(all.as_array().is_some_and(|all| all.len() > 60));
}

#[test]
fn an_unknown_code_is_told_its_nearest() {
    let unknown = run(&["explain", "EMP010", "--json"]).exits(5).error();
    assert!(unknown["help"].as_str().is_some_and(|help| help.starts_with("emp explain EMP0")), "{unknown}");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).exits(0).out.contains("connector"), "{shell}");
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for wrong in [&["jbo"] as &[&str], &["demo", "--jobs", "1"], &["job", "wait", "x", "--timeout", "soon"]] {
        let ran = run(wrong).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran:#?}");
    }
}

#[test]
fn no_escape_code_goes_into_a_pipe() {
    for args in [&["--help"] as &[&str], &["connector", "list"], &["explain", "nothing"]] {
        let ran = run(args);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:#?}");
    }
}

/// `emp explain --json | head -1`: the reader has what it wants, and there is nothing to report.
#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let home = TempDir::new().expect("a folder");
    for args in
        [&["explain", "--json"] as &[&str], &["explain"], &["completions", "bash"], &["schema"], &["--help"]]
    {
        let (read, write) = std::io::pipe().expect("a pipe");
        drop(read);
        let ran = run_with(emp(home.path()).args(args).stdout(Stdio::from(write)).stderr(Stdio::piped()));
        assert!(ran.err.is_empty(), "{args:?}: {ran:#?}");
        assert_ne!(ran.code, Some(101), "{args:?}: {ran:#?}");
    }
}
