//! What the tests and the CI need beside Rust, installed where it is missing.

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
