//! `emp machine up | status | logs | restart | down`: real services, real workers, and none of them left behind.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Api, Ran, Running, emp, free_port, run_with, until};

const WORKERS: &str = "simulation:2";
const SERVICES: [&str; 2] = ["simulation-0-service", "simulation-1-service"];
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/machine/service.py");

/// A folder with a mapping of an internal simulation service, two instances of which fit.
struct Site {
    home: TempDir,
    port: u16,
}

impl Site {
    fn new() -> Self {
        Self::with(&json!({}))
    }

    /// A site whose `installer_config` has something else.
    fn with(other: &Value) -> Self {
        let site = Self { home: TempDir::new().expect("a folder"), port: two_ports() };
        let folder = site.home.path().display().to_string();
        let install = "sh -c 'echo installing $EMP_INSTALL_VERSION; echo $EMP_INSTALL_VERSION > version; echo once >> installs'";
        let mut config = json!({
            "version": "${SIMULATION_VERSION:-1.0.0}",
            "install_command": install.replace('$', "$$"),
            "start_command": format!("python3 {SCRIPT} {folder}"),
            "health_path": "/health",
        });
        for (key, value) in other.as_object().expect("an object") {
            config[key] = value.clone();
        }
        let mapping = json!({
            "connectors": { "SimulationWebsocketConnector": {}, "MyServiceConnector": {} },
            "machine": { "api_port": null },
            "workers": {
                "simulation": {
                    "service": [{ "capability": "simulation-websocket", "connector": "SimulationWebsocketConnector", "type": "internal" }],
                    "installer": "installSimulation", "resource_binding": "cpu", "build_stage": "simulation",
                    "service_instances_per_machine": 2, "ports": [site.port], "installer_config": config,
                },
                "my-service-api": {
                    "service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }],
                    "build_stage": "base", "required_env": ["MY_SERVICE_API_KEY"],
                },
            },
        });
        std::fs::write(site.home.path().join("service-mapping.json"), mapping.to_string()).expect("writes");
        site
    }

    fn emp(&self, args: &[&str]) -> Command {
        let mut command = emp(self.home.path());
        command.args(args).env("EMP_MAPPING", "service-mapping.json").env("EMP_LEASE", "2s");
        command
    }

    fn up(&self) -> Running {
        Running::start(&mut self.emp(&["machine", "up", "--workers", WORKERS]))
    }

    fn run(&self, args: &[&str]) -> Ran {
        run_with(&mut self.emp(&[&["machine"], args].concat()))
    }

    /// `emp machine logs -f | head -1`
    fn logs_end_with_their_reader(&self) {
        let mut follows = self.emp(&["machine", "logs", "-f"]);
        let mut follows = follows.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let mut reader = BufReader::new(follows.stdout.take().expect("a pipe"));
        reader.read_line(&mut String::new()).expect("a line");
        drop(reader);
        let log = self.home.path().join("emp-data/machine/logs").join(format!("{}.log", SERVICES[0]));
        until("it ends with its reader", || {
            let mut log = std::fs::File::options().append(true).open(&log).expect("the log");
            writeln!(log, "one more line").expect("writes");
            follows.try_wait().expect("a child")
        });
    }

    fn api(&self) -> (Running, Api) {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let running = Running::start(&mut self.emp(&["serve", "--listen", &listen]));
        (running, Api(port).ready())
    }

    /// What runs, once all of it is up.
    #[track_caller]
    fn all_up(&self) -> Value {
        until("everything is up", || {
            let ran = self.run(&["status", "--json"]);
            (ran.code == Some(0)).then(|| ran.json())
        })
    }

    /// How many jobs an instance has taken.
    fn taken(&self, instance: u16) -> usize {
        let folder = self.home.path().join(format!("jobs-{}", self.port + instance));
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    fn installs(&self) -> usize {
        std::fs::read_to_string(self.home.path().join("installs")).unwrap_or_default().lines().count()
    }

    /// Every supervised process that runs in this folder, whoever its parent is.
    fn processes(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/proc").expect("it is there").filter_map(Result::ok);
        let marked = entries.filter_map(|entry| {
            let folder = std::fs::read_link(entry.path().join("cwd")).ok()?;
            let environ = std::fs::read(entry.path().join("environ")).ok()?;
            let marked = String::from_utf8_lossy(&environ).contains("EMP_MACHINE_MARK=");
            let command = std::fs::read_to_string(entry.path().join("cmdline")).ok()?.replace('\0', " ");
            (marked && folder == self.home.path())
                .then(|| format!("{} {command}", entry.file_name().display()))
        });
        marked.collect()
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        assert_eq!(self.processes(), Vec::<String>::new());
        for port in [self.port, self.port + 1] {
            std::net::TcpListener::bind(("0.0.0.0", port)).expect("nobody listens any more");
        }
    }
}

/// Two free ports in a row, below those that the kernel hands out, and not given to another test of this process.
fn two_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    until("two free ports", || {
        let place = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) + std::process::id() * 7;
        let port = 20_000 + (place % 6_000) as u16 * 2;
        let free = |port| std::net::TcpListener::bind(("0.0.0.0", port)).is_ok();
        (free(port) && free(port + 1)).then_some(port)
    })
}

fn job(millis: u32) -> String {
    format!(r#"{{"service":"simulation-websocket","payload":{{"duration_ms":{millis},"echo":"hello"}}}}"#)
}

fn process<'a>(status: &'a Value, name: &str) -> &'a Value {
    let processes = status["processes"].as_array().expect("a list");
    processes.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {status:#}"))
}

fn kill(pid: &Value) {
    let pid = pid.as_u64().expect("a pid").to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill is there").success());
}

#[test]
fn both_instances_do_jobs_and_one_that_is_killed_comes_back_and_goes_on() {
    let site = Site::new();
    let mut machine = site.up();
    let status = site.all_up();
    for (index, name) in SERVICES.iter().enumerate() {
        let service = process(&status, name);
        assert_eq!(service["ports"], json!([usize::from(site.port) + index]), "{service:#}");
        assert_eq!((&service["health"], &service["restarts"]), (&json!("healthy"), &json!(0)), "{service:#}");
    }
    assert_eq!(
        status["processes"].as_array().map(Vec::len),
        Some(4),
        "two services and two workers: {status:#}"
    );

    let (_serve, api) = site.api();
    let ids: Vec<String> = (0..4).map(|_| api.job(&job(1_500))).collect();
    for id in &ids {
        assert_eq!(api.ended(id)["status"], "completed");
    }
    assert!(site.taken(0) >= 1 && site.taken(1) >= 1, "{} and {}", site.taken(0), site.taken(1));

    // Jobs are at both instances when both are killed.
    let ids: Vec<String> = (0..2).map(|_| api.job(&job(4_000))).collect();
    for id in &ids {
        api.until(id, "at the service", |job| job["service_job_id"].is_string());
    }
    for name in SERVICES {
        kill(&process(&status, name)["pid"]);
    }
    let again = until("both services run again", || {
        let status = site.run(&["status", "--json"]).json();
        let again =
            |name: &&str| process(&status, name)["restarts"] == 1 && process(&status, name)["state"] == "up";
        SERVICES.iter().all(again).then_some(status)
    });
    for name in SERVICES {
        assert_ne!(process(&again, name)["pid"], process(&status, name)["pid"]);
    }
    for id in &ids {
        let job = api.ended(id);
        assert_eq!((&job["status"], &job["attempt"]), (&json!("completed"), &json!(1)), "{job:#}");
        assert_eq!(job["result"]["output"], "hello", "{job:#}");
    }
    assert_eq!(site.taken(0) + site.taken(1), 6, "each job was submitted once");

    let table = site.run(&["status"]).exits(0).out;
    assert!(table.lines().any(|line| line.starts_with("simulation-0-service\tservice\tup\t")), "{table}");
    let logs = site.run(&["logs", SERVICES[0], "-n", "500"]).exits(0).out;
    assert_eq!(logs.matches("simulation 1.0.0 on port").count(), 2, "{logs}");
    site.logs_end_with_their_reader();
    site.run(&["down"]).exits(0);
    assert_eq!(machine.ends().code(), Some(0), "{}", machine.printed());
    let printed = machine.printed();
    assert!(printed.contains("it was ended by signal 9"), "{printed}");
    site.nothing_is_left();
    let rests = site.run(&["status", "--json"]).exits(5).error();
    assert_eq!(rests["code"], "E_MACHINE_RESTS");
    site.run(&["down"]).exits(0);
}

#[test]
fn what_a_killed_supervisor_leaves_is_ended_by_the_next_down_or_up() {
    let site = Site::new();
    for next in ["down", "up"] {
        let mut machine = site.up();
        site.all_up();
        machine.signal("KILL");
        machine.ends();
        // The services' helpers, at the least, have no parent that the kernel could tell them about.
        until("the kernel has told all others", || {
            let left = site.processes();
            left.iter().all(|one| one.contains("sleep 1000")).then_some(left)
        });
        assert_ne!(site.processes(), Vec::<String>::new());
        if next == "down" {
            let said = site.run(&["down"]).exits(0).err;
            assert!(said.contains("left behind"), "{said}");
        } else {
            let mut machine = site.up();
            site.all_up();
            site.run(&["down", "--now"]).exits(0);
            assert_eq!(machine.ends().code(), Some(130), "{}", machine.printed());
        }
        site.nothing_is_left();
    }
    assert_eq!(site.installs(), 1, "what is installed is not installed again");
}

#[test]
fn ctrl_c_ends_everything_in_order_and_a_second_machine_is_refused() {
    let site = Site::new();
    let mut machine = site.up();
    let status = site.all_up();
    let second = site.run(&["up", "--workers", WORKERS, "--json"]).exits(6);
    assert!(second.err.contains("E_MACHINE_RUNS"), "{second:#?}");
    let unknown = site.run(&["restart", "simulatio", "--json"]).exits(5).error();
    assert!(unknown["message"].as_str().is_some_and(|text| text.contains(SERVICES[0])), "{unknown}");
    site.run(&["restart", "simulation-0"]).exits(0);
    until("the worker runs again", || {
        let now = site.all_up();
        let (now, before) = (process(&now, "simulation-0"), process(&status, "simulation-0"));
        (now["restarts"] == 1 && now["pid"] != before["pid"]).then_some(())
    });
    assert_eq!(process(&site.all_up(), "simulation-1")["restarts"], 0);
    machine.signal("INT");
    assert_eq!(machine.ends().code(), Some(0), "{}", machine.printed());
    let printed = machine.printed();
    let stopped = |name: &str| {
        let line = printed
            .lines()
            .position(|line| line.contains("\"stopped\"") && line.contains(&format!("\"{name}\"")));
        line.unwrap_or_else(|| panic!("{name} was not stopped: {printed}"))
    };
    assert!(stopped("simulation-0").max(stopped("simulation-1")) < stopped(SERVICES[0]), "{printed}");
    site.nothing_is_left();
}

#[test]
fn an_installer_that_fails_or_hangs_is_told_with_its_log_and_nothing_is_started() {
    let failing = json!({ "install_command": "sh -c 'echo the disk is full >&2; exit 28'" });
    let hanging =
        json!({ "install_command": "sh -c 'echo downloading; sleep 1000 & wait'", "install_timeout": "1s" });
    let missing = json!({ "install_command": "./no-such-installer.sh" });
    for (config, said) in [
        (failing, ["exit code 28", "the disk is full"]),
        (hanging, ["had not ended after 1 s", "downloading"]),
        (missing, ["exit code 3", "cannot run ./no-such-installer.sh"]),
    ] {
        let site = Site::with(&config);
        let ran = site.run(&["up", "--workers", WORKERS]).exits(1);
        let log = "emp-data/machine/logs/simulation-install.log";
        for text in said.into_iter().chain(["E_INSTALL", "`installSimulation`", log]) {
            assert!(ran.err.contains(text), "{text}: {}", ran.err);
        }
        assert!(site.run(&["logs", "simulation-install"]).exits(0).out.contains(said[1]));
        site.nothing_is_left();
    }
}

#[test]
fn another_version_is_installed_and_the_same_one_only_when_asked() {
    let site = Site::new();
    let up = |version: &str, more: &[&str]| {
        let mut command = site.emp(&[&["machine", "up", "--workers", WORKERS], more].concat());
        let mut machine = Running::start(command.env("SIMULATION_VERSION", version));
        site.all_up();
        site.run(&["down"]).exits(0);
        assert_eq!(machine.ends().code(), Some(0), "{}", machine.printed());
        site.installs()
    };
    assert_eq!(up("1.0.0", &[]), 1);
    assert_eq!(up("1.0.0", &[]), 1);
    assert_eq!(up("1.1.0", &[]), 2);
    assert_eq!(up("1.1.0", &["--reinstall"]), 3);
    assert!(site.run(&["logs", SERVICES[1], "-n", "50"]).exits(0).out.contains("simulation 1.1.0"));
}

#[test]
fn a_port_that_is_taken_and_a_variable_that_is_missing_are_told_before_anything_starts() {
    let site = Site::new();
    let taken = std::net::TcpListener::bind(("0.0.0.0", site.port + 1)).expect("it is free");
    let ran = site.run(&["up", "--workers", WORKERS]).exits(3);
    let sentence = format!("`{}` would listen on port {}, which is taken", SERVICES[1], site.port + 1);
    assert!(ran.err.contains(&sentence), "{}", ran.err);
    drop(taken);
    let ran = site.run(&["up", "--workers", "simulation:2,my-service-api:1"]).exits(3);
    assert!(ran.err.contains("`my-service-api` needs MY_SERVICE_API_KEY, which is not set"), "{}", ran.err);
    assert_eq!(site.installs(), 0);
    site.nothing_is_left();
}

#[test]
fn a_service_that_cannot_start_is_told_with_what_it_printed_and_no_secret_reaches_it() {
    let print = "sh -c 'env; echo no model; exit 4'";
    let site = Site::with(&json!({ "start_command": print }));
    let mut command = site.emp(&["machine", "up", "--workers", "simulation:1,my-service-api:1"]);
    command.env("MY_SERVICE_API_KEY", "canary-2f91").env("MY_SERVICE_BASE_URL", "http://127.0.0.1:9");
    let mut machine = Running::start(&mut command);
    machine.line("it ended with exit code 4");
    until("it is tried again", || {
        let status = site.run(&["status", "--json"]);
        let status = (status.code == Some(1)).then(|| status.json())?;
        let service = process(&status, SERVICES[0]);
        let waits = process(&status, "simulation-0")["state"] == "waiting";
        let external = process(&status, "my-service-api")["state"] == "up";
        (service["restarts"].as_u64() >= Some(2) && waits && external).then_some(())
    });
    let log = site.run(&["logs", SERVICES[0], "-n", "500"]).exits(0).out;
    assert!(log.contains("no model") && log.contains(&format!("EMP_PORT={}", site.port)), "{log}");
    assert!(log.contains("CUDA_VISIBLE_DEVICES=\n") && !log.contains("canary-2f91"), "{log}");
    machine.signal("TERM");
    assert_eq!(machine.ends().code(), Some(0));
    assert!(machine.printed().contains("no model"), "{}", machine.printed());
    site.nothing_is_left();
}
