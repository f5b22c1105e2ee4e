//! `emp export`: what it writes, read by the tools that it is written for. `cargo xtask test` installs them under `target/tools`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use emp_testkit::{FakeOptions, FakeService};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Api, GUIDE, Ran, Running, emp, free_port, run_with, until};

const WORKERS: &str = "simulation-websocket,my-service-api:2";

/// A folder with a mapping: an internal simulation service at a port, and the guide's external one.
struct Site {
    home: TempDir,
    port: u16,
}

impl Site {
    fn new() -> Self {
        let site = Self { home: TempDir::new().expect("a folder"), port: free_port() };
        let program = env!("CARGO_BIN_EXE_emp");
        let mapping = json!({
            "connectors": { "SimulationWebsocketConnector": {}, "MyServiceConnector": {} },
            "machine": { "api_port": null },
            "workers": {
                "simulation-websocket": {
                    "service": [{ "capability": "simulation-websocket", "connector": "SimulationWebsocketConnector", "type": "internal" }],
                    "installer": "nothing", "resource_binding": "cpu", "build_stage": "simulation",
                    "service_instances_per_machine": 2, "ports": [site.port],
                    "installer_config": {
                        "install_command": "true",
                        "start_command": format!("{program} connector fake SimulationWebsocketConnector --port ${{EMP_PORT}}"),
                        "health_path": "/__fake/ledger",
                        "note": "it's a $$ and a \" and a 'quote'",
                    },
                },
                "my-service-api": {
                    "service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }],
                    "build_stage": "base", "required_env": ["MY_SERVICE_API_KEY"],
                },
            },
        });
        std::fs::write(site.mapping(), mapping.to_string()).expect("writes");
        site
    }

    fn mapping(&self) -> PathBuf {
        self.home.path().join("service-mapping.json")
    }

    fn emp(&self, args: &[&str]) -> Command {
        let mut command = emp(self.home.path());
        command.args(args).env("EMP_MAPPING", self.mapping()).env("EMP_STORE", self.store());
        command
    }

    fn store(&self) -> String {
        format!("file:{}", self.home.path().join("data").display())
    }

    /// What `emp export` prints.
    fn export(&self, args: &[&str]) -> Ran {
        let program = env!("CARGO_BIN_EXE_emp");
        let common = ["--workers", WORKERS, "--program", program];
        run_with(&mut self.emp(&[&["export"], args, &common].concat()))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path
    }
}

/// A tool that `cargo xtask test` installs.
fn tool(path: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(path);
    assert!(tool.exists(), "{} is missing: run `cargo xtask test`", tool.display());
    tool
}

#[test]
fn pm2_has_the_variables_of_each_worker_and_no_others() {
    let site = Site::new();
    let mut command = site.emp(&["export", "pm2", "--workers", "my-service-api:2"]);
    let ran =
        run_with(command.env("MY_SERVICE_API_KEY", "known-secret").env("OPENAI_API_KEY", "other-secret"))
            .exits(0);
    let apps = &ran.json()["apps"];
    assert_eq!(apps.as_array().map(Vec::len), Some(1), "{apps:#}");
    assert_eq!(apps[0]["kill_timeout"], 70_000);
    assert_eq!(
        apps[0]["args"],
        json!(["--mapping", site.mapping(), "worker", "--workers", "my-service-api:2"])
    );
    let names: Vec<&String> = apps[0]["env"].as_object().expect("an object").keys().collect();
    assert!(names.iter().all(|name| name.starts_with("MY_SERVICE_") || *name == "EMP_STORE"), "{names:?}");
    assert!(!ran.out.contains("known-secret") && !ran.out.contains("other-secret"), "{}", ran.out);
}

const TARGETS: [&str; 6] = ["pm2", "compose", "systemd", "k8s", "env", "dockerfile"];

#[test]
fn the_password_of_a_store_stands_in_no_file() {
    let site = Site::new();
    let with_password = |args: &[&str]| {
        let mut command = site.emp(args);
        command.args(["--workers", WORKERS, "--gpus", "0"]);
        run_with(command.env("EMP_STORE", "redis+sentinel://h:26379/primary?sentinel_password=known-secret"))
    };
    for target in TARGETS {
        let ran = with_password(&["export", target]).exits(0);
        assert!(!ran.out.contains("known-secret"), "{target}: {}", ran.out);
    }
    let plan = with_password(&["machine", "plan", "--json"]);
    let store = plan.json()["workers"][0]["variables"].as_array().expect("a list").clone();
    let store = store.into_iter().find(|variable| variable["name"] == "EMP_STORE").expect("it is there");
    assert_eq!((&store["secret"], &store["source"]), (&true.into(), &"environment".into()), "{store}");
    assert!(!plan.out.contains("known-secret"), "{}", plan.out);
}

#[test]
fn a_secret_that_stands_in_a_file_is_handed_on_as_the_file() {
    let site = Site::new();
    let (key, store) = (site.write("key", "known-secret"), site.write("store", "redis://:known-secret@h"));
    let with_files = |args: &[&str]| {
        let mut command = site.emp(args);
        command.args(["--workers", "my-service-api:2"]).env_remove("EMP_STORE");
        run_with(command.env("MY_SERVICE_API_KEY_FILE", &key).env("EMP_STORE_FILE", &store)).exits(0)
    };
    let env = with_files(&["export", "pm2"]).json()["apps"][0]["env"].clone();
    assert_eq!(env["MY_SERVICE_API_KEY_FILE"], json!(key));
    assert_eq!(env["EMP_STORE_FILE"], json!(store));
    // Beside the file that pm2 hands on it would be given twice.
    assert_eq!((&env["EMP_STORE"], &env["MY_SERVICE_API_KEY"]), (&Value::Null, &Value::Null));
    for target in TARGETS {
        let ran = with_files(&["export", target]);
        assert!(!ran.out.contains("known-secret"), "{target}: {}", ran.out);
    }
}

#[test]
fn the_credentials_of_an_output_store_go_where_its_name_goes_and_nowhere_else() {
    let site = Site::new();
    let export = |target: &str, mapping: &str| {
        let mut command = site.emp(&["export", target, "--workers", WORKERS, "--gpus", "0"]);
        command
            .env("EMP_MAPPING", mapping)
            .env("EMP_OUTPUTS", "s3://bucket/results")
            .env("AWS_REGION", "eu-1");
        let keys = [("AWS_ACCESS_KEY_ID", "known-id"), ("AWS_SECRET_ACCESS_KEY", "known-secret")];
        let ran = run_with(command.envs(keys)).exits(0);
        assert!(!ran.out.contains("known-secret") && !ran.out.contains("known-id"), "{target}: {}", ran.out);
        ran
    };
    let mapping = site.mapping();
    let mapping = mapping.to_str().expect("UTF-8");
    let apps = export("pm2", mapping).json()["apps"].clone();
    assert_eq!(apps[2]["env"]["AWS_REGION"], "eu-1", "a worker has it");
    let kept = |app: &Value| {
        app["filter_env"].as_array().is_some_and(|all| all.contains(&json!("AWS_SECRET_ACCESS_KEY")))
    };
    assert_eq!([kept(&apps[0]), kept(&apps[2])], [true, false], "a service has not: {apps:#}");
    let compose = export("compose", mapping).out;
    assert!(compose.contains("'/run/secrets/aws_secret_access_key'"), "{compose}");
    let units = export("systemd", mapping).out;
    assert!(
        units.contains("LoadCredential=aws_secret_access_key:/etc/emp/secrets/AWS_SECRET_ACCESS_KEY"),
        "{units}"
    );
    let manifests = export("k8s", mapping).out;
    assert!(manifests.contains("key: 'AWS_SECRET_ACCESS_KEY'"), "{manifests}");
}

#[test]
fn a_mapping_by_a_relative_path_is_found_from_everywhere() {
    let site = Site::new();
    let export = |target: &str| {
        let mut command =
            site.emp(&["export", target, "--workers", WORKERS, "--mapping", "service-mapping.json"]);
        run_with(command.env_remove("EMP_MAPPING")).exits(0)
    };
    let path = site.mapping();
    assert_eq!(export("pm2").json()["apps"][2]["args"][1], json!(path));
    for target in ["compose", "systemd"] {
        let out = export(target).out;
        assert!(out.contains(path.to_str().expect("UTF-8")), "{target}: {out}");
    }
}

#[test]
fn a_dockerfile_builds_the_binary_that_is_named_and_its_companion_is_written_beside_it() {
    let site = Site::new();
    let ran = site.export(&["dockerfile", "--bin", "my-jobs"]).exits(0);
    assert!(ran.out.contains("--bin my-jobs ") && ran.err.contains("Dockerfile.dockerignore"), "{ran:#?}");
    assert!(site.export(&["dockerfile"]).exits(0).out.contains("--bin emp "));
    let folder = site.home.path().join("image");
    site.export(&["dockerfile", "--out", folder.to_str().expect("UTF-8")]).exits(0);
    let ignored = std::fs::read_to_string(folder.join("Dockerfile.dockerignore")).expect("is there");
    assert!(ignored.lines().any(|line| line == ".git"), "{ignored}");
}

#[test]
fn health_asks_whether_somebody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let health = || crate::support::run(&["health", "--listens", &address, "--json"]);
    assert_eq!(health().exits(0).json()["healthy"], true);
    drop(listener);
    assert_eq!(health().exits(7).error()["code"], "E_HEALTH");
}

#[test]
fn check_compares_with_what_is_there() {
    let site = Site::new();
    let folder = site.home.path().join("deploy");
    let folder = folder.to_str().expect("UTF-8");
    site.export(&["systemd", "--out", folder]).exits(0);
    site.export(&["systemd", "--out", folder, "--check"]).exits(0);
    std::fs::write(Path::new(folder).join("emp.target"), "edited").expect("writes");
    let stale = site.export(&["systemd", "--out", folder, "--check"]).exits(6);
    assert!(stale.err.contains("E_STALE") && stale.err.contains("emp.target"), "{}", stale.err);
}

#[test]
fn a_worker_says_what_is_missing_and_a_file_may_hold_it() {
    let site = Site::new();
    let worker = || site.emp(&["worker", "--workers", "my-service-api"]);
    let ran = run_with(&mut worker()).exits(3);
    assert!(ran.err.contains("set MY_SERVICE_API_KEY for worker `my-service-api`"), "{}", ran.err);
    let ran = run_with(worker().env("MY_SERVICE_API_KEY_FILE", "/nowhere/key")).exits(3);
    assert!(ran.err.contains("MY_SERVICE_API_KEY_FILE names /nowhere/key"), "{}", ran.err);
    let key = site.write("key", "from-a-file\n");
    let listen = format!("127.0.0.1:{}", free_port());
    let mut command = worker();
    command.env("MY_SERVICE_API_KEY_FILE", key).env("EMP_METRICS_LISTEN", &listen);
    let mut running = Running::start(&mut command);
    let health =
        |args: &[&str]| run_with(site.emp(&["health"]).args(args).env("EMP_METRICS_LISTEN", &listen));
    until("the worker is healthy", || (health(&[]).code == Some(0)).then_some(()));
    health(&["--ready"]).exits(0);
    running.signal("TERM");
    assert_eq!(running.ends().code(), Some(0), "{}", running.printed());
    health(&[]).exits(7);
}

/// pm2 with a home of its own; its daemon ends with it.
struct Pm2<'a> {
    site: &'a Site,
    service: String,
}

impl Pm2<'_> {
    fn run(&self, args: &[&str], key: Option<&str>) -> Ran {
        let mut command = Command::new(tool("node_modules/.bin/pm2"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.site.home.path());
        command.env("PM2_HOME", self.site.home.path().join("pm2")).env("MY_SERVICE_BASE_URL", &self.service);
        command.env("OPENAI_API_KEY", "secret-of-somebody-else").current_dir(self.site.home.path());
        command.envs(key.map(|key| ("MY_SERVICE_API_KEY", key)));
        run_with(command.args(args))
    }

    /// What pm2 says of an app.
    fn app(&self, name: &str) -> Option<Value> {
        let apps: Value = serde_json::from_str(self.run(&["jlist", "--silent"], None).out.trim()).ok()?;
        apps.as_array()?.iter().find(|app| app["name"] == name).cloned()
    }

    /// The process of an app, when it runs.
    fn pid(&self, name: &str) -> Option<u64> {
        self.app(name)?["pid"].as_u64().filter(|pid| *pid != 0)
    }

    fn log(&self, name: &str) -> String {
        let logs = self.site.home.path().join("pm2/logs");
        let read =
            |kind: &str| std::fs::read_to_string(logs.join(format!("{name}-{kind}.log"))).unwrap_or_default();
        read("out") + &read("error")
    }
}

impl Drop for Pm2<'_> {
    fn drop(&mut self) {
        self.run(&["kill"], None);
    }
}

/// What a process was started with.
fn environ(pid: u64) -> BTreeSet<String> {
    let text = std::fs::read(format!("/proc/{pid}/environ")).expect("a process");
    text.split(|byte| *byte == 0).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect()
}

/// The main promise of the export: a real pm2 starts it, stops it without loss, and says what is missing.
#[test]
fn p11_a_real_pm2_starts_the_ecosystem_and_stops_it_without_a_second_submit() {
    let site = Site::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let spec = emp::REGISTRY.get("MyServiceConnector").expect("it is there").spec;
    let slow =
        FakeOptions { queued: Duration::ZERO, running: Duration::from_secs(6), ..FakeOptions::default() };
    let fake = runtime.block_on(FakeService::start(spec, slow)).expect("starts");
    let base = fake.base_url().to_string().trim_end_matches('/').to_owned();

    let mut export =
        site.emp(&["export", "pm2", "--workers", WORKERS, "--program", env!("CARGO_BIN_EXE_emp")]);
    let text = run_with(export.env("MY_SERVICE_BASE_URL", &base)).exits(0).out;
    let ecosystem = site.write("ecosystem.config.json", &text);
    let ecosystem = ecosystem.to_str().expect("UTF-8");
    let timeout: Value = serde_json::from_str(&text).expect("JSON");
    let timeout = Duration::from_millis(timeout["apps"][2]["kill_timeout"].as_u64().expect("a number"));
    let pm2 = Pm2 { site: &site, service: base };

    // Without the key the worker stops with our sentence, and pm2 does not start it again and again.
    pm2.run(&["start", ecosystem, "--only", "my-service-api"], None);
    let sentence = "set MY_SERVICE_API_KEY for worker `my-service-api`";
    until("the worker has said why", || pm2.log("my-service-api").contains(sentence).then_some(()));
    until("the worker has ended", || pm2.pid("my-service-api").is_none().then_some(()));
    // pm2's delay before a restart is shorter than five of its answers.
    for _ in 0..5 {
        assert_eq!(
            pm2.app("my-service-api").map(|app| app["pm2_env"]["restart_time"].clone()),
            Some(json!(0))
        );
    }
    assert_eq!(pm2.log("my-service-api").matches(sentence).count(), 1);
    pm2.run(&["delete", "my-service-api"], None).exits(0);

    pm2.run(&["start", ecosystem], Some("key-of-a-test")).exits(0);
    let worker = until("the worker runs", || pm2.pid("my-service-api"));
    let own = environ(worker);
    assert!(own.contains("MY_SERVICE_API_KEY=key-of-a-test"), "{own:?}");
    assert!(own.contains(&format!("EMP_STORE={}", site.store())), "{own:?}");
    assert!(!own.iter().any(|pair| pair.contains("somebody-else")), "{own:?}");
    let service = until("the service runs", || pm2.pid("simulation-websocket-0-service"));
    let own = environ(service);
    assert!(own.contains(&format!("EMP_PORT={}", site.port)), "{own:?}");
    assert!(
        !own.iter().any(|pair| pair.contains("key-of-a-test") || pair.contains("somebody-else")),
        "{own:?}"
    );

    let port = free_port();
    let _api = Running::start(&mut site.emp(&["serve", "--listen", &format!("127.0.0.1:{port}")]));
    let api = Api(port).ready();
    let internal = api.job(r#"{"service":"simulation-websocket","payload":{"input":"x"}}"#);
    assert_eq!(api.ended(&internal)["status"], "completed", "{}", pm2.log("simulation-websocket-0"));

    // Told to stop while a job is at the service, the worker hands it over in time; started again, it goes on with it.
    let id = api.job(GUIDE);
    let begun = api.until(&id, "at the service", |job| job["service_job_id"].is_string());
    let before = Instant::now();
    pm2.run(&["stop", "all"], None).exits(0);
    assert!(before.elapsed() < timeout, "it took {:?}", before.elapsed());
    assert!(!Path::new(&format!("/proc/{worker}")).exists(), "the worker has ended");
    assert!(pm2.log("my-service-api").contains("worker stopped"), "{}", pm2.log("my-service-api"));
    pm2.run(&["start", ecosystem], Some("key-of-a-test")).exits(0);
    let job = api.ended(&id);
    assert_eq!((&job["status"], &job["attempt"]), (&"completed".into(), &1.into()), "{job:#}");
    assert_eq!(job["service_job_id"], begun["service_job_id"]);
    assert_eq!(fake.ledger().accepted(), 1);
}

/// Runs a check in Python over a file; its validators are not ours.
fn validate(check: &str, file: &Path, site: &Site) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/export").join(check);
    let schema = tool("node_modules/dclint/schemas/compose.schema.json");
    let ran =
        run_with(Command::new(tool("bin/python3")).arg(script).arg(file).arg(schema).arg(site.mapping()));
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn compose_is_valid_by_the_compose_specification_and_an_independent_parser() {
    let site = Site::new();
    let file = site.write("compose.yaml", &site.export(&["compose"]).exits(0).out);
    validate("compose.py", &file, &site);
}

#[test]
fn kubernetes_manifests_are_valid_by_its_own_schemas() {
    let site = Site::new();
    let file = site.write("emp.yaml", &site.export(&["k8s"]).exits(0).out);
    validate("k8s.py", &file, &site);
}

#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    let site = Site::new();
    let folder = site.home.path().join("units");
    site.export(&["systemd", "--out", folder.to_str().expect("UTF-8")]).exits(0);
    let units = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut command = Command::new("systemd-analyze");
    command
        .args(["verify", "--man=no", "--recursive-errors=yes"])
        .args(units)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()));
    let ran = run_with(&mut command);
    let ours: Vec<&str> =
        ran.err.lines().filter(|line| line.contains("emp-") || line.contains("emp.target")).collect();
    assert!(ran.code == Some(0) && ours.is_empty(), "{ran:#?}");
}

#[test]
fn the_dockerfile_has_the_stages_of_the_mapping() {
    let site = Site::new();
    let file = site.write("Dockerfile", &site.export(&["dockerfile"]).exits(0).out);
    validate("dockerfile.py", &file, &site);
}
