//! `emp serve` and `emp worker`: refused starts, tokens, and processes that end while their jobs are at a service.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use emp_testkit::{FakeOptions, FakeService};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Api, GUIDE, Ran, Running, emp, free_port, run, run_with};

/// MyService, which outlives the workers that ask it.
struct Service {
    fake: FakeService,
    home: TempDir,
    _runtime: Runtime,
}

impl Service {
    fn start(running: Duration) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let spec = emp::REGISTRY.get("MyServiceConnector").expect("it is there").spec;
        let options = FakeOptions { queued: Duration::ZERO, running, ..FakeOptions::default() };
        let fake = runtime.block_on(FakeService::start(spec, options)).expect("starts");
        Self { fake, home: TempDir::new().expect("a folder"), _runtime: runtime }
    }

    /// A command whose workers ask this service.
    fn emp(&self, args: &[&str]) -> Command {
        let base = self.fake.base_url().to_string();
        let mut command = emp(self.home.path());
        command.args(args).args(["--lease", "2s"]).env("MY_SERVICE_BASE_URL", base.trim_end_matches('/'));
        // The fake accepts any key; the rest of the environment is the connector's defaults.
        command.env("MY_SERVICE_API_KEY", "fake-key-of-a-test").env("WORKERS", "my-service-api:8");
        command
    }

    /// The jobs end well after so many deliveries or more, and each was paid once.
    #[track_caller]
    fn paid_once(&self, api: Api, ids: &[String], deliveries: u64) {
        for id in ids {
            let job = api.ended(id);
            assert_eq!((&job["status"], &job["attempt"]), (&"completed".into(), &1.into()), "{job:#}");
            assert!(job["deliveries"].as_u64() >= Some(deliveries), "{job:#}");
        }
        assert_eq!(self.fake.ledger().accepted(), ids.len());
    }
}

fn at_the_service(api: Api, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| api.job(GUIDE)).collect();
    for id in &ids {
        api.until(id, "at the service", |job| job["service_job_id"].is_string());
    }
    ids
}

#[test]
fn p11_a_worker_that_is_told_to_stop_hands_its_jobs_over() {
    let service = Service::start(Duration::from_secs(4));
    let port = free_port();
    let _api = Running::start(
        service.emp(&["serve", "--listen", &format!("127.0.0.1:{port}")]).env_remove("WORKERS"),
    );
    let api = Api(port).ready();
    let mut first = Running::start(&mut service.emp(&["worker"]));
    let ids = at_the_service(api, 3);
    first.signal("TERM");
    assert_eq!(first.ends().code(), Some(0), "{}", first.printed());
    for id in &ids {
        assert_eq!(api.get(&format!("/api/jobs/{id}"))["finished_at"], serde_json::Value::Null, "too late");
    }
    let _second = Running::start(&mut service.emp(&["worker"]));
    // What is handed over is not counted as a delivery: nobody failed.
    service.paid_once(api, &ids, 1);
}

#[test]
fn f03_a_killed_server_goes_on_with_its_jobs_when_it_is_started_again() {
    let service = Service::start(Duration::from_secs(3));
    let port = free_port();
    let listen = ["serve", "--listen", &format!("127.0.0.1:{port}")];
    let mut first = Running::start(&mut service.emp(&listen));
    let ids = at_the_service(Api(port).ready(), 3);
    first.signal("KILL");
    first.ends();
    let _second = Running::start(&mut service.emp(&listen));
    service.paid_once(Api(port).ready(), &ids, 2);
}

#[test]
fn an_api_without_workers_takes_jobs_in() {
    let home = TempDir::new().expect("a folder");
    let port = free_port();
    let mut running =
        Running::start(emp(home.path()).args(["serve", "--listen", &format!("127.0.0.1:{port}")]));
    let api = Api(port).ready();
    assert_eq!(api.get(&format!("/api/jobs/{}", api.job(GUIDE)))["status"], "pending");
    running.signal("TERM");
    assert_eq!(running.ends().code(), Some(0), "{}", running.printed());
}

#[test]
fn i54_an_address_for_others_needs_a_token_and_so_does_its_client() {
    let open = run(&["serve", "--listen", "0.0.0.0:0", "--json"]).exits(3).error();
    assert_eq!(open["code"], "E_NO_AUTH");
    assert!(open["help"].as_str().is_some_and(|help| help.contains("EMP_API_TOKEN")), "{open}");

    let home = TempDir::new().expect("a folder");
    let port = free_port();
    let token = "token-of-a-test-4711";
    let _running = Running::start(
        emp(home.path()).args(["serve", "--listen", &format!("0.0.0.0:{port}")]).env("EMP_API_TOKEN", token),
    );
    let api = Api(port).ready().url();
    let list = |token: &str| -> Ran {
        run_with(emp(home.path()).args(["job", "list", "--json", "--api", &api]).env("EMP_API_TOKEN", token))
    };
    assert!(list(token).exits(0).json()["jobs"].is_array());
    for wrong in ["", "another-token"] {
        assert_eq!(list(wrong).exits(4).error()["code"], "E_NO_AUTH");
    }
    let file = home.path().join("token");
    std::fs::write(&file, format!("{token}\n")).expect("writes");
    let mut from_a_file = emp(home.path());
    from_a_file.args(["job", "list", "--json", "--api", &api]).env("EMP_API_TOKEN_FILE", &file);
    assert!(run_with(&mut from_a_file).exits(0).json()["jobs"].is_array());
}

/// The store, what stands beside it and what is said of it are one, wherever its URL stands.
#[test]
fn a_store_that_a_file_names_has_the_key_the_files_and_the_name_of_that_store() {
    let home = TempDir::new().expect("a folder");
    let store = home.path().join("elsewhere");
    let url = home.path().join("store-url");
    std::fs::write(&url, format!("file:{}", store.display())).expect("writes");
    let port = free_port();
    let mut running = Running::start(
        emp(home.path())
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("EMP_STORE_FILE", &url)
            .env("EMP_PUBLIC_URL", "https://queue.example.com"),
    );
    running.line("API listening");
    running.signal("TERM");
    assert_eq!(running.ends().code(), Some(0), "{}", running.printed());
    assert!(running.printed().contains(&format!("file:{}", store.display())), "{}", running.printed());
    assert!(store.join("webhook.key").exists());
    let beside: Vec<_> =
        std::fs::read_dir(home.path()).expect("a folder").flatten().map(|one| one.file_name()).collect();
    assert!(!beside.iter().any(|name| name == "emp-data"), "{beside:?}");

    let mut doctor = emp(home.path());
    let ran = run_with(doctor.args(["store", "doctor"]).env("EMP_STORE_FILE", &url)).exits(0);
    assert!(ran.err.contains("elsewhere: it can be opened"), "{ran:#?}");
}

#[test]
fn a_misspelt_worker_is_told_its_nearest_name() {
    let wrong = worker(&[("WORKERS", "my-servce-api:2")]).exits(3).error();
    assert!(wrong["message"].as_str().is_some_and(|text| text.contains("my-service-api")), "{wrong}");
}

#[test]
fn all_variables_that_workers_miss_are_named_at_once() {
    let wrong = worker(&[("WORKERS", "my-service-api:2,openai:1,replicate:1")]).exits(3).error();
    let message = wrong["message"].as_str().expect("a message");
    for variable in ["MY_SERVICE_API_KEY", "OPENAI_API_KEY", "REPLICATE_API_TOKEN"] {
        assert!(message.contains(variable), "{message}");
    }
}

#[test]
fn a_value_that_is_not_valid_is_named_and_a_secret_is_not_shown() {
    let secret = "canary-secret-5f2e\u{1}";
    let environment =
        [("WORKERS", "my-service-api:2"), ("MY_SERVICE_API_KEY", secret), ("MY_SERVICE_TIMEOUT", "soon")];
    let ran = worker(&environment).exits(3);
    assert!(!format!("{ran:?}").contains("canary-secret"), "{ran:#?}");
    assert!(ran.err.contains("MY_SERVICE_TIMEOUT"), "{ran:#?}");
}

#[test]
fn a_store_that_is_none_is_refused_by_the_name_of_its_flag() {
    let wrong = run(&["serve", "--listen", "127.0.0.1:0", "--store", "mysql://localhost", "--json"]);
    let wrong = wrong.exits(3).error();
    assert_eq!(wrong["code"], "E_STORE_URL");
    assert!(wrong["message"].as_str().is_some_and(|text| text.contains("--store")), "{wrong}");
}

fn worker(environment: &[(&str, &str)]) -> Ran {
    let home = TempDir::new().expect("a folder");
    let ran = run_with(emp(home.path()).args(["worker", "--json"]).envs(environment.iter().copied()));
    assert!(!Path::new(&home.path().join("emp-data")).exists(), "a refused start makes no store");
    ran
}
