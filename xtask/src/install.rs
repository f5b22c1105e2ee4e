//! What the tests and the CI need beside Rust, installed where it is missing.

use std::path::Path;

use crate::step::{Failed, Step, say};

/// A real redis-server, from the system's packages.
pub(crate) fn redis_server() -> Result<(), Failed> {
    if Step::program("redis-server", "redis-server", ["--version"]).holds() {
        return Ok(());
    }
    if !Step::program("apt-get", "apt-get", ["--version"]).holds() {
        say(
            "redis-server is missing and this machine has no apt-get: install Redis 7 or Valkey by hand, then repeat",
        );
        return Err(Failed { step: "install redis-server".to_owned(), code: 7 });
    }
    let sudo = Step::program("root", "sh", ["-c", "test \"$(id -u)\" -ne 0 && command -v sudo"]).holds();
    let apt = |args: &'static str| {
        let command = format!("{}apt-get {args}", if sudo { "sudo " } else { "" });
        Step::program("install redis-server", "sh", ["-c", &command])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
    };
    apt("update -qq")?;
    apt("install -y -qq --no-install-recommends redis-server")
}

/// Where programs of others go that only tests run.
const TOOLS: &str = "target/tools";

/// Validators, hooks and an editor's JSON service, of the versions that `tests/outside` names; rust-analyzer.
pub(crate) fn outside_tools() -> Result<(), Failed> {
    if !Step::program("rust-analyzer", "rust-analyzer", ["--version"]).holds() {
        Step::program("install rust-analyzer", "rustup", ["component", "add", "rust-analyzer"]).run()?;
    }
    once("requirements.txt", || {
        Step::program("make a Python environment", "python3", ["-m", "venv", TOOLS]).run()?;
        let pip = Path::new(TOOLS).join("bin/pip");
        Step::program(
            "install validators",
            pip,
            ["install", "--quiet", "--disable-pip-version-check", "-r", "tests/outside/requirements.txt"],
        )
        .run()
    })?;
    once("package.json", || {
        let copy = std::fs::create_dir_all(TOOLS).and_then(|()| {
            std::fs::copy("tests/outside/package.json", Path::new(TOOLS).join("package.json"))
        });
        if copy.is_err() {
            return Err(Failed { step: format!("write {TOOLS}/package.json"), code: 3 });
        }
        Step::program(
            "install the editor's JSON service",
            "npm",
            ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", TOOLS],
        )
        .run()
    })
}

/// Installs what a list of `tests/outside` names, unless that very list was installed before.
fn once(list: &str, install: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
    let wanted = std::fs::read_to_string(Path::new("tests/outside").join(list)).unwrap_or_default();
    let stamp = Path::new(TOOLS).join(format!("{list}.installed"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    std::fs::write(&stamp, wanted).map_err(|_| Failed { step: format!("write {}", stamp.display()), code: 3 })
}

/// The dependency checker, built once from its package.
pub(crate) fn cargo_deny() -> Result<(), Failed> {
    if Step::cargo("cargo deny", ["deny", "--version"]).holds() {
        return Ok(());
    }
    // In its own folder, so that its features and profile do not rebuild what the workspace has built.
    Step::cargo("install cargo-deny", ["install", "--locked", "--quiet", "cargo-deny"])
        .env("CARGO_TARGET_DIR", "target/cargo-deny")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .run()
}
