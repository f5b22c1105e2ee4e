//! What the tests and the CI need beside Rust, installed where it is missing.

use std::path::Path;

use crate::step::{Failed, Step, say};

/// A program that tests run, and the system's package of it.
struct Packaged {
    package: &'static str,
    /// The names under which it may be there already.
    known_as: &'static [&'static str],
    /// What does as well.
    by_hand: &'static str,
}

const REDIS: Packaged =
    Packaged { package: "redis-server", known_as: &["redis-server"], by_hand: "Redis 7 or Valkey" };

const PACKAGED: [Packaged; 6] = [
    REDIS,
    // What the tools of others are installed with.
    Packaged { package: "python3-venv", known_as: &["python3"], by_hand: "Python 3 with venv" },
    Packaged { package: "npm", known_as: &["npm"], by_hand: "Node.js with npm" },
    // What reads the units of systemd.
    Packaged { package: "systemd", known_as: &["systemd-analyze"], by_hand: "systemd" },
    // What reads the metrics and rules of Prometheus.
    Packaged { package: "prometheus", known_as: &["promtool"], by_hand: "Prometheus" },
    Packaged {
        package: "chromium",
        known_as: &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"],
        by_hand: "Chromium or Chrome",
    },
];

/// The programs that tests run, from the system's packages.
pub(crate) fn packages() -> Result<(), Failed> {
    PACKAGED.iter().try_for_each(package)
}

/// The programs that measures run: a server, and what installs the peers.
pub(crate) fn packages_of_measures() -> Result<(), Failed> {
    let wanted = ["redis-server", "python3-venv", "npm"];
    PACKAGED.iter().filter(|packaged| wanted.contains(&packaged.package)).try_for_each(package)
}

/// The server that jobs of many machines live in.
pub(crate) fn redis_server() -> Result<(), Failed> {
    package(&REDIS)
}

fn package(Packaged { package, known_as, by_hand }: &Packaged) -> Result<(), Failed> {
    let there = |name: &str| Step::program(name, name, ["--version"]).holds();
    if known_as.iter().any(|name| there(name)) {
        return Ok(());
    }
    let step = format!("install {package}");
    if !there("apt-get") {
        say(&format!(
            "{package} is missing and this machine has no apt-get: install {by_hand} by hand, then repeat"
        ));
        return Err(Failed { step, code: 7 });
    }
    as_root(&step, "apt-get update -qq")?;
    as_root(&step, &format!("apt-get install -y -qq --no-install-recommends {package}"))
}

/// A real valkey-server, where the system has a package of it: of the release itself, or of its backports. Without it the tests say
/// what they did not test.
pub(crate) fn valkey_server() {
    if Step::program("valkey-server", "valkey-server", ["--version"]).holds() {
        return;
    }
    // The backports are read into a folder of their own, so that nothing else on the machine comes from there.
    let install = "
        set -e
        apt-cache show valkey-server > /dev/null 2>&1 && exec apt-get install -y -qq --no-install-recommends valkey-server
        here=$(mktemp -d)
        trap 'rm -rf \"$here\"' EXIT
        mkdir \"$here/sources\" \"$here/lists\"
        cp /etc/apt/sources.list.d/debian.sources \"$here/sources/\"
        release=$(. /etc/os-release; echo \"$VERSION_CODENAME\")
        sed \"s/^Suites: $release .*/Suites: $release-backports/\" /etc/apt/sources.list.d/debian.sources \\
          > \"$here/sources/backports.sources\"
        options=\"-qq -o Dir::Etc::sourceparts=$here/sources -o Dir::State::lists=$here/lists\"
        apt-get update $options
        apt-get install -y --no-install-recommends -t \"$release-backports\" $options valkey-server
    ";
    if as_root("install valkey-server", install).is_err() {
        say("this system has no package of Valkey: it is not tested here");
    }
}

/// Runs a line of shell as root, with `sudo` where that is needed.
fn as_root(name: &str, line: &str) -> Result<(), Failed> {
    let sudo = Step::program("root", "sh", ["-c", "test \"$(id -u)\" -ne 0 && command -v sudo"]).holds();
    let step = if sudo {
        Step::program(name, "sudo", ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", line])
    } else {
        Step::program(name, "sh", ["-c", line])
    };
    step.env("DEBIAN_FRONTEND", "noninteractive").run()
}

/// Where programs of others go that only tests run.
const TOOLS: &str = "target/tools";

/// Validators, hooks and an editor's JSON service, of the versions that `tests/outside` names; rust-analyzer.
pub(crate) fn outside_tools() -> Result<(), Failed> {
    if !Step::program("rust-analyzer", "rust-analyzer", ["--version"]).holds() {
        Step::program("install rust-analyzer", "rustup", ["component", "add", "rust-analyzer"]).run()?;
    }
    once("requirements.txt", || {
        Step::program("make a Python environment", "python3", ["-m", "venv", "--clear", TOOLS]).run()?;
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
