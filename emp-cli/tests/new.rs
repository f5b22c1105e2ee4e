//! A user's own crate: `emp connector new` writes connectors into it, they compile, and they keep their contract at once.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const SECRET: &str = "sk-never-to-be-written-1234567890";

/// The manifest of a user's crate. Profiles and features are those of this workspace, so that what is built already is used.
fn manifest(workspace: &Path) -> String {
    let root = workspace.display();
    format!(
        r#"[package]
name = "user"
version = "0.1.0"
edition = "2024"

[dependencies]
emp-cli = {{ path = "{root}/emp-cli" }}
emp-core = {{ path = "{root}/emp-core" }}
schemars = {{ version = "1.2.3", features = ["preserve_order", "url2"] }}
serde = {{ version = "1", features = ["derive"] }}
serde_json = {{ version = "1", features = ["preserve_order", "raw_value", "float_roundtrip"] }}

[build-dependencies]
emp-build = {{ path = "{root}/emp-build" }}

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
debug = false

[workspace]
"#
    )
}

struct User {
    home: TempDir,
    target: PathBuf,
}

impl User {
    fn new() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let home = TempDir::new().expect("a folder");
        let write = |file: &str, text: &str| fs::write(home.path().join(file), text).expect(file);
        fs::create_dir_all(home.path().join("src")).expect("a folder");
        fs::create_dir_all(home.path().join("connectors")).expect("a folder");
        write("Cargo.toml", &manifest(workspace));
        write(
            "build.rs",
            "fn main() {\n    emp_build::connectors(\"connectors\").mapping(\"service-mapping.json\").emit();\n}\n",
        );
        write(
            "src/lib.rs",
            "//! A user's connectors.\n#![deny(warnings, missing_docs)]\nemp_core::include_registry!();\n",
        );
        write(
            "src/main.rs",
            "fn main() -> std::process::ExitCode {\n    emp_cli::main(&user::REGISTRY)\n}\n",
        );
        write("service-mapping.json", "{\n  \"connectors\": {},\n  \"workers\": {}\n}\n");
        fs::copy(workspace.join("Cargo.lock"), home.path().join("Cargo.lock")).expect("the lock");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder").to_owned();
        Self { home, target }
    }

    fn run(&self, command: &mut Command) -> String {
        let output = command.current_dir(self.home.path()).output().expect("starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{command:?}\n{out}\n{err}");
        out
    }

    fn build(&self) {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        self.run(Command::new(cargo).args(["build", "--offline"]).env("CARGO_TARGET_DIR", &self.target));
    }

    fn emp(&self, args: &[&str]) -> String {
        let binary = self.target.join("debug").join(format!("user{}", std::env::consts::EXE_SUFFIX));
        self.run(Command::new(binary).args(args))
    }
}

#[test]
fn a_new_connector_compiles_and_keeps_its_contract_at_once() {
    let user = User::new();
    user.build();
    user.emp(&["connector", "new", "acme-video"]);
    let curl = format!(
        "curl -X POST 'https://api.curly.dev/v1/images?lang=en' -H 'Authorization: Key {SECRET}' -H 'Content-Type: application/json' \
         -H 'X-Version: 2' -d '{{\"prompt\": \"it'\"'\"'s \\u00e9 \\\"quoted\\\"\", \"steps\": 20, \"cfg\": 7.5, \"tags\": [\"a\"], \"n-iter\": 1, \"size\": {{\"w\": 1}}}}'"
    );
    user.emp(&["connector", "new", "Curly", "--service", "curly-images", "--from-curl", &curl]);
    fs::write(user.home.path().join("acme.yaml"), include_str!("data/acme.yaml")).expect("written");
    let told = user.emp(&[
        "connector",
        "new",
        "acme_speech",
        "--from-openapi",
        "acme.yaml",
        "--operation",
        "createSpeech",
    ]);
    assert!(told.contains("frobbing"), "a word whose meaning is a guess is not named:\n{told}");
    let source = |file: &str| fs::read_to_string(user.home.path().join("connectors").join(file)).expect(file);
    let curly = source("curly.rs");
    assert!(!curly.contains(SECRET), "{curly}");
    for text in
        ["\"Authorization\") = \"Key {api_key}\"", "\"CURLY_API_KEY\"", "payload.cfg", "pub steps: i64"]
    {
        assert!(curly.contains(text), "{text}:\n{curly}");
    }
    let speech = source("acme_speech.rs");
    for text in [
        "#[http(base = \"https://api.acme.dev/v2\")]",
        "#[auth(header(\"x-acme-key\") = \"{api_key}\")]",
        "post = \"/voices/{payload.voice_id}/speech\"",
        "get = \"/tasks/{job.id}\"",
        "at = \"$.task.status\"",
        "failed = [\"failed\", \"timed_out\"]",
        "#[cancel(delete = \"/tasks/{job.id}\", gone = [404])]",
        "/// The text to speak.",
        "pub speed: Option<f64>",
    ] {
        assert!(speech.contains(text), "{text}:\n{speech}");
    }
    user.build();
    // What was written down for the build agrees with the mapping, and every scenario passes.
    user.emp(&["check"]);
    let json = user.emp(&["connector", "test", "--all", "--format", "json"]);
    let reports: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let names: Vec<&str> = reports["reports"]
        .as_array()
        .expect("reports")
        .iter()
        .filter_map(|report| report["connector"].as_str())
        .collect();
    assert_eq!(names, ["AcmeSpeechConnector", "AcmeVideoConnector", "CurlyConnector"]);
}
