//! How a build behaves in somebody's workspace: when it runs, what it writes, and for which target.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{ROOT, cargo, edit, emp, program, run};

/// A library with one connector and a mapping. What only a program needs is left out, so that it is checked quickly.
/// Each test has a name of its own: in one target folder cargo takes two packages of one name for one.
pub(crate) fn library(home: &TempDir, name: &str) -> PathBuf {
    run(emp(home.path()).args(["new", name, "--path", ROOT])).exits(0);
    let project = home.path().join(name);
    std::fs::remove_file(project.join("src/main.rs")).expect("removes");
    std::fs::remove_dir_all(project.join("tests")).expect("removes");
    let manifest = project.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("reads");
    let kept = text.lines().filter(|line| {
        !["emp-cli", "emp-testkit", "tokio", "[dev-dependencies]"].iter().any(|start| line.starts_with(start))
    });
    std::fs::write(&manifest, kept.collect::<Vec<_>>().join("\n")).expect("writes");
    project
}

/// What `cargo check` has to say of a build script.
struct Build {
    /// What it wrote.
    out: PathBuf,
    /// When it ran.
    ran: SystemTime,
}

fn checked(project: &Path) -> Build {
    let ran = run(cargo(project).args(["check", "--quiet", "--message-format=json"])).exits(0);
    let name = project.file_name().expect("a name").to_string_lossy();
    let messages = ran.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executed = messages.filter(|message| {
        message["reason"] == "build-script-executed"
            && message["package_id"].as_str().is_some_and(|id| id.contains(&*name))
    });
    let executed = executed.next().expect("the package has a build script");
    let out = PathBuf::from(executed["out_dir"].as_str().expect("a folder"));
    let output = out.with_file_name("output");
    let ran =
        std::fs::metadata(&output).and_then(|output| output.modified()).expect("cargo keeps its output");
    Build { out: out.join("emp"), ran }
}

#[test]
fn the_build_script_runs_again_when_an_input_has_changed_and_only_then() {
    let home = TempDir::new().expect("a folder");
    let project = library(&home, "library-rerun");
    let mut last = checked(&project).ran;
    let mut again = |what: &str| {
        let now = checked(&project).ran;
        let again = now != last;
        last = now;
        println!("{what}: {again}");
        again
    };
    assert!(!again("nothing has changed"));
    edit(&project.join("README.md"), "Jobs", "Many jobs");
    assert!(!again("the README has changed"));
    edit(&project.join("src/lib.rs"), "//! The", "//! All the");
    assert!(!again("the library has changed"));
    edit(&project.join("service-mapping.json"), "worker (", "worker of theirs (");
    assert!(again("the mapping has changed"));
    assert!(!again("nothing has changed since"));
    edit(&project.join("connectors/my_service.rs"), "asked after.", "asked after, often.");
    assert!(again("a connector has changed"));
    std::fs::write(project.join("connectors/helper.rs"), "//! Nothing yet.\n").expect("writes");
    assert!(again("a file has come"));
    std::fs::remove_file(project.join("connectors/helper.rs")).expect("removes");
    assert!(again("a file has gone"));
    assert!(!again("nothing has changed at last"));
}

#[test]
fn two_checkouts_in_two_folders_are_built_into_the_same_bytes() {
    let homes = [TempDir::new().expect("a folder"), TempDir::new().expect("a folder")];
    let files = homes.each_ref().map(|home| {
        let folder = checked(&library(home, "library-same")).out;
        let folder = folder.as_path();
        let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
            .expect("reads")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let text = std::fs::read(entry.path()).expect("reads");
                (entry.file_name().to_string_lossy().into_owned(), text)
            })
            .collect();
        files.sort();
        // In one target folder the two have one place for what they write: the second starts with none of the first.
        std::fs::remove_dir_all(folder).expect("removes");
        files
    });
    assert!(files[0].iter().any(|(name, text)| name == "registry.rs" && !text.is_empty()));
    assert_eq!(files[0], files[1]);
}

/// The targets whose standard library is installed, this machine's first.
fn targets() -> Vec<String> {
    let rustc = |args: &[&str]| run(program("rustc", Path::new(ROOT)).args(args)).exits(0).out;
    let host = rustc(&["-vV"]).lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned));
    let host = host.expect("rustc names its host");
    let installed = Path::new(rustc(&["--print", "sysroot"]).trim()).join("lib/rustlib");
    let others = std::fs::read_dir(installed).expect("reads").filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let has_std =
            std::fs::read_dir(entry.path().join("lib")).is_ok_and(|mut files| files.next().is_some());
        (has_std && name != host).then_some(name)
    });
    [host.clone()].into_iter().chain(others).collect()
}

/// A connector that only one system has.
const ELSEWHERE: &str = "//! Where it is.\n\n/// Where it is.\n#[cfg(windows)]\n#[derive(emp_core::Connector)]\n\
    #[connector(service = \"elsewhere\", version = \"1.0.0\")]\n#[http(base = \"https://api.example.com\")]\n#[auth(none)]\n\
    #[submit(post = \"/jobs\", json { \"input\": payload.input }, at_most_once, timeout = \"30s\")]\n\
    #[outcome(json = \"$.output\")]\n\
    #[errors(message = [\"$.error\"], 4xx => invalid_input, 5xx => transient)]\npub struct ElsewhereConnector {}\n";

#[test]
fn a_connector_of_another_system_is_left_out_and_missed_only_where_it_is_used() {
    let home = TempDir::new().expect("a folder");
    let project = library(&home, "library-elsewhere");
    std::fs::write(project.join("connectors/elsewhere.rs"), ELSEWHERE).expect("writes");
    // For the machine itself, but as cargo builds for another one: build scripts and libraries apart.
    for target in targets() {
        run(cargo(&project).args(["check", "--quiet", "--target", &target])).exits(0);
    }
    let mapping = project.join("service-mapping.json");
    edit(&mapping, "\"connectors\": {", "\"connectors\": {\n    \"ElsewhereConnector\": {},");
    edit(
        &mapping,
        "\"workers\": {",
        "\"workers\": {\n    \"elsewhere\": { \"service\": [\n      { \"capability\": \"elsewhere\", \
         \"connector\": \"ElsewhereConnector\", \"type\": \"external\" }\n    ] },",
    );
    for target in targets() {
        let ran = run(cargo(&project).args(["check", "--quiet", "--target", &target]));
        if target.contains("windows") {
            ran.exits(0);
        } else {
            let ran = ran.exits(101);
            assert!(
                ran.err.contains("error[EMP0216]") && ran.err.contains("cfg(windows)"),
                "{target}: {ran:#?}"
            );
        }
    }
}

#[test]
fn a_build_has_nothing_that_could_reach_the_network() {
    let tree = ["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--package", "emp-build"];
    let ran = run(program(env!("CARGO"), Path::new(ROOT)).args(tree)).exits(0);
    let crates: Vec<&str> = ran.out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"emp-codegen") && crates.contains(&"jsonschema"), "{crates:?}");
    for network in ["tokio", "mio", "socket2", "hyper", "reqwest", "ureq", "rustls", "native-tls", "curl"] {
        assert!(!crates.contains(&network), "{network}");
    }
}
