//! What a user copies, tried: the pre-commit hook in a repository, and the CI files step by step.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{ROOT, Ran, edit, emp, program, run, tool};

/// A repository with a mapping that can work, and its mapping.
fn repository() -> (TempDir, PathBuf) {
    let home = TempDir::new().expect("a folder");
    run(emp(home.path()).args(["new", "jobs"])).exits(0);
    let project = home.path().join("jobs");
    for args in [&["init", "--quiet"] as &[&str], &["add", "--all"]] {
        run(program("git", &project).args(args)).exits(0);
    }
    let mapping = project.join("service-mapping.json");
    (home, mapping)
}

fn break_(mapping: &Path) {
    edit(mapping, "\"connector\": \"MyServiceConnector\"", "\"connector\": \"MyServceConnector\"");
}

fn mend(mapping: &Path) {
    edit(mapping, "MyServceConnector", "MyServiceConnector");
}

/// A program with this project's own `emp` first on the PATH.
fn with_emp(mut command: Command) -> Command {
    let own = Path::new(env!("CARGO_BIN_EXE_emp")).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&path)));
    command.env("PATH", path.expect("a PATH"));
    command
}

#[test]
fn the_pre_commit_hook_refuses_a_commit_of_a_mapping_that_cannot_work() {
    let manifest = Path::new(ROOT).join(".pre-commit-hooks.yaml");
    run(program(tool("bin/pre-commit"), Path::new(ROOT)).arg("validate-manifest").arg(&manifest)).exits(0);

    let (home, mapping) = repository();
    // The hook is tried from a repository of its own: nothing of this one but the manifest is needed.
    let hooks = home.path().join("hooks");
    std::fs::create_dir(&hooks).expect("a folder");
    std::fs::copy(&manifest, hooks.join(".pre-commit-hooks.yaml")).expect("copies");
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    for args in [&["init", "--quiet"] as &[&str], &["add", "--all"], &["commit", "--quiet", "-m", "Hooks"]] {
        run(program("git", &hooks).args(identity).args(args)).exits(0);
    }
    let hook = || -> Ran {
        let project = mapping.parent().expect("a folder");
        let mut command = with_emp(program(tool("bin/pre-commit"), project));
        command.env("PRE_COMMIT_HOME", home.path().join("cache"));
        run(command.args(["try-repo", "--all-files", "--color", "never", "../hooks", "emp-check-system"]))
    };
    let passed = hook().exits(0);
    assert!(passed.out.contains("Passed"), "{passed:#?}");
    break_(&mapping);
    let failed = hook().exits(1);
    assert!(failed.out.contains("error[EMP0210]"), "{failed:#?}");
    mend(&mapping);
    hook().exits(0);
}

/// A file of a forge as a value, by Python's reader of YAML.
fn yaml(file: &Path) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let ran = run(program(tool("bin/python"), Path::new(ROOT)).args(["-c", script]).arg(file)).exits(0);
    serde_json::from_str(&ran.out).expect("JSON")
}

fn valid(schema: &str, file: &Path) {
    let mut check = program(tool("bin/check-jsonschema"), Path::new(ROOT));
    run(check.args(["--builtin-schema", schema]).arg(file)).exits(0);
}

/// Runs a step as a runner does: a shell that stops at the first failure.
fn step(script: &str, project: &Path, variables: &Value) -> Ran {
    let mut bash = with_emp(program("bash", project));
    for (name, value) in variables.as_object().into_iter().flatten() {
        bash.env(name, value.as_str().expect("a text"));
    }
    run(bash.args(["-e", "-o", "pipefail", "-c", script]))
}

#[test]
fn the_workflow_for_github_annotates_the_lines_and_writes_a_log_for_code_scanning() {
    let file = Path::new(ROOT).join("docs/ci/github.yml");
    valid("vendor.github-workflows", &file);
    let job = &yaml(&file)["jobs"]["check"];
    let steps: Vec<&str> =
        job["steps"].as_array().expect("steps").iter().filter_map(|step| step["run"].as_str()).collect();
    let [install, check, report] = steps[..] else { panic!("three commands: {steps:?}") };
    let (_home, mapping) = repository();
    let project = mapping.parent().expect("a folder");

    step(install, project, &job["env"]).exits(0);
    step(check, project, &job["env"]).exits(0);
    step(report, project, &job["env"]).exits(0);
    break_(&mapping);
    let annotated = step(check, project, &job["env"]).exits(3);
    assert!(annotated.out.starts_with("::error file=service-mapping.json,line="), "{annotated:#?}");
    step(report, project, &job["env"]).exits(0);
    let log = std::fs::read_to_string(project.join("emp-check.sarif")).expect("a log");
    let log: Value = serde_json::from_str(&log).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "EMP0210");
}

#[test]
fn the_job_for_gitlab_fails_and_leaves_its_findings_as_tests() {
    let file = Path::new(ROOT).join("docs/ci/gitlab.yml");
    valid("vendor.gitlab-ci", &file);
    let job = &yaml(&file)["emp-check"];
    let lines: Vec<&str> =
        job["script"].as_array().expect("a script").iter().filter_map(Value::as_str).collect();
    let script = lines.join("\n");
    let (_home, mapping) = repository();
    let project = mapping.parent().expect("a folder");
    step(&script, project, &job["variables"]).exits(0);
    break_(&mapping);
    step(&script, project, &job["variables"]).exits(3);
    let tests = std::fs::read_to_string(project.join("emp-check.xml")).expect("a file");
    assert!(tests.contains("type=\"EMP0210\""), "{tests}");
}

#[test]
fn the_ci_file_of_a_new_project_is_a_workflow() {
    let (_home, mapping) = repository();
    valid("vendor.github-workflows", &mapping.with_file_name(".github/workflows/ci.yml"));
}
