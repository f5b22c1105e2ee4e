//! The demo's processes and listeners: API and fake services here, the worker as a child that can be killed.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use emp_core::Registry;
use emp_core::mapping::Mapping;
use emp_store::{Store, StoreOptions};
use emp_testkit::{FakeOptions, FakeService};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::client::Api;
use crate::command::dev;
use crate::docs;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime;

/// Short, so that the worker's successor takes over while somebody is still watching.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// The worker does nothing until it is thawed.
pub(super) const FREEZE: Signal = Signal::STOP;
/// The worker goes on.
pub(super) const THAW: Signal = Signal::CONT;

/// Everything that plays in the demo.
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) fakes: Vec<FakeService>,
    store_url: String,
    workers: String,
    services: Vec<Service>,
    worker: Option<Child>,
    _stop_api: DropGuard,
    /// The last to be dropped: nobody writes into it any more.
    home: TempDir,
}

/// A service that the demo asks for.
struct Service {
    name: String,
    connector: &'static str,
    payload: Value,
}

impl Stage {
    /// Starts the fake services and the API.
    pub(super) async fn set(
        store: Option<&str>,
        registry: &'static Registry,
        mapping: Option<&Path>,
        out: &Output,
    ) -> Result<Self, Failure> {
        let mapping = runtime::mapping(mapping, registry)?;
        let services = services(&mapping, registry);
        if services.is_empty() {
            return Err(Failure::new(
                Exit::Config,
                "E_DEMO",
                "the mapping names no service that survives its worker",
            )
            .help("declare a connector with #[poll] and name it in service-mapping.json"));
        }
        let fake_options = FakeOptions {
            queued: Duration::from_secs(1),
            running: Duration::from_secs(6),
            ..FakeOptions::default()
        };
        let fakes = dev::start_fakes(&mapping, registry, &fake_options).await?;
        let home = tempfile::Builder::new()
            .prefix("emp-demo-")
            .tempdir()
            .map_err(|error| Failure::io("cannot make a folder for the store", &error))?;
        let store_url = store.map_or_else(|| format!("file:{}", home.path().display()), str::to_owned);
        let options = StoreOptions { lease: LEASE, ..StoreOptions::default() };
        let store: Arc<dyn Store> = emp_store::open(&store_url, options).await?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| Failure::io("cannot listen on 127.0.0.1", &error))?;
        let address = listener.local_addr().map_err(|error| Failure::io("the API has no address", &error))?;
        let stop = CancellationToken::new();
        let state = emp_api::ApiState::new(store, &mapping, registry, emp_api::Auth::None);
        tokio::spawn(emp_api::serve(listener, state, stop.clone()));
        let url = format!("http://{address}");
        out.note(format!("  API           {url}"));
        for fake in fakes.iter().filter(|fake| services.iter().any(|s| s.connector == fake.spec().name)) {
            out.note(format!("  fake service  {} for {}", fake.base_url(), fake.spec().name));
        }
        out.note(format!("  store         {}", emp_store::shown(&store_url)));
        let base =
            url.parse().map_err(|error| Failure::new(Exit::Bug, "E_DEMO", format!("{url}: {error}")))?;
        let workers = workers(&mapping, &services);
        Ok(Self {
            api: Api::new(&base)?,
            fakes,
            home,
            store_url,
            workers,
            services,
            worker: None,
            _stop_api: stop.drop_guard(),
        })
    }

    /// Submits jobs over HTTP, the services in turn; gives their ids.
    pub(super) async fn submit(&self, count: usize) -> Result<Vec<String>, Failure> {
        let mut ids = Vec::new();
        for (index, service) in (0..count).zip(self.services.iter().cycle()) {
            let body = json!({
                "service": service.name,
                "payload": service.payload,
                "idempotency_key": format!("demo-{index}"),
            });
            let job = self.api.post("/api/jobs", &body).await?;
            ids.push(job.get("job_id").and_then(Value::as_str).unwrap_or_default().to_owned());
        }
        Ok(ids)
    }

    /// Starts a worker process on the store; gives its process id.
    pub(super) fn start_worker(&mut self) -> Result<u32, Failure> {
        let program =
            std::env::current_exe().map_err(|error| Failure::io("cannot find this program", &error))?;
        let mut command = Command::new(program);
        command.args(["worker", "--workers", &self.workers]);
        // Not among the words of the command, which everybody on the machine can read: it may hold a password.
        command.env("EMP_STORE", &self.store_url);
        command.args(["--lease", &format!("{}s", LEASE.as_secs())]);
        for (connector, url) in dev::urls(&self.fakes) {
            command.args(["--fake", &format!("{connector}={url}")]);
        }
        let log =
            std::fs::File::options().create(true).append(true).open(self.home.path().join("worker.log"));
        let log = log.map_err(|error| Failure::io("cannot write the worker's log", &error))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().map_err(|error| Failure::io("cannot start a worker", &error))?;
        let id = child.id().unwrap_or_default();
        self.worker = Some(child);
        Ok(id)
    }

    /// Sends the worker a signal.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let id = self.worker.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok());
        match id.and_then(Pid::from_raw) {
            Some(id) => kill_process(id, signal)
                .map_err(|error| Failure::io("cannot signal the worker", &error.into())),
            None => Err(Failure::new(Exit::No, "E_DEMO", "the worker has ended by itself")
                .help("please report this with what it printed")),
        }
    }

    /// SIGKILL: the worker has no chance to say goodbye.
    pub(super) async fn kill_worker(&mut self) -> Result<(), Failure> {
        match self.worker.take() {
            Some(mut worker) => {
                worker.kill().await.map_err(|error| Failure::io("cannot kill the worker", &error))
            }
            None => Ok(()),
        }
    }
}

/// One service of each connector whose jobs outlive their worker: those that are polled, and the simulation. Other custom connectors may
/// need what this machine has not.
fn services(mapping: &Mapping, registry: &'static Registry) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for capability in mapping.capabilities() {
        let Some(entry) = registry.get(capability.connector) else { continue };
        let simulated = entry.spec.services.contains(&"simulation");
        let outlives = entry.spec.http().map_or(simulated, |http| http.poll.is_some());
        let new =
            |service: &Service| service.connector != entry.spec.name && service.name != capability.capability;
        if outlives && services.iter().all(new) {
            services.push(Service {
                name: capability.capability.to_owned(),
                connector: entry.spec.name,
                payload: docs::example(capability.capability, entry.spec),
            });
        }
    }
    services
}

/// The workers that offer the services.
fn workers(mapping: &Mapping, services: &[Service]) -> String {
    let mut names: Vec<&str> = mapping
        .capabilities()
        .filter(|capability| services.iter().any(|service| service.name == capability.capability))
        .map(|capability| capability.worker)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| format!("{name}:50")).collect::<Vec<_>>().join(",")
}
