//! Programs, run in folders of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// This workspace.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().to_string_lossy())).into()
}

/// The folder that cargo builds this workspace into. Others' workspaces are built into it as well, so that what they
/// have in common is built once.
pub(crate) fn target() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_emp"));
    binary.ancestors().nth(2).expect("target/debug/emp").to_owned()
}

/// Where `cargo xtask test` installs programs of others.
pub(crate) fn tools() -> PathBuf {
    Path::new(ROOT).join("target/tools")
}

/// One of those programs.
#[track_caller]
pub(crate) fn tool(name: &str) -> PathBuf {
    let tool = tools().join(name);
    assert!(tool.exists(), "{} is not installed: run `cargo xtask test`", tool.display());
    tool
}

/// A program in a folder, without the variables that cargo and the build of this workspace have set.
pub(crate) fn program(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            let kept = ["CARGO", "CARGO_HOME"].contains(&name) || name.starts_with("CARGO_BUILD");
            (name.starts_with("CARGO") && !kept)
                || name.starts_with("EMP_")
                || ["WORKERS", "GITHUB_ACTIONS", "OUT_DIR", "RUSTFLAGS"].contains(&name)
        });
        if ours {
            command.env_remove(name);
        }
    }
    command.current_dir(home);
    command
}

/// This project's own program.
pub(crate) fn emp(home: &Path) -> Command {
    program(env!("CARGO_BIN_EXE_emp"), home)
}

/// Cargo in somebody's workspace, with the versions of this one's `Cargo.lock` and without the network.
pub(crate) fn cargo(home: &Path) -> Command {
    let lock = home.join("Cargo.lock");
    if !lock.exists() {
        std::fs::copy(Path::new(ROOT).join("Cargo.lock"), lock).expect("copies the lock file");
    }
    let mut cargo = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), home);
    cargo.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    cargo
}

/// Changes a file of somebody's workspace.
#[track_caller]
pub(crate) fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("reads");
    assert!(text.contains(from), "{} has no {from:?}:\n{text}", file.display());
    std::fs::write(file, text.replacen(from, to, 1)).expect("writes");
}
