//! Everything that plays in a run: processes, proxies and servers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use emp_testkit::{FaultProxy, Ledger};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::cast::{self, Role};
use crate::plan::{LEASE, WORKERS};
use crate::process::Process;
use crate::servers::Servers;
use crate::{Failure, StoreKind, http};

/// How long something may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything that plays in a run.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Where the API is.
    pub(crate) api_address: SocketAddr,
    pub(crate) services: Vec<Service>,
    pub(crate) workers: Vec<Mutex<Process>>,
    pub(crate) api: Mutex<Process>,
    pub(crate) servers: Option<Mutex<Servers>>,
    /// Between each worker and the store; the last one is the API's. None for a file.
    pub(crate) store_nets: Vec<FaultProxy>,
    home: PathBuf,
}

/// A fake service, in a process of its own, and the network to it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) role: Role,
    pub(crate) net: FaultProxy,
    address: SocketAddr,
    _process: Child,
}

impl Service {
    async fn start(role: Role, program: &Path) -> Result<(Self, String), Failure> {
        let name = role.spec.name;
        let mut command = Command::new(program);
        command.args(["connector", "fake", name, "--json"]).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process =
            command.spawn().map_err(Failure::io(format!("cannot start {}", program.display())))?;
        let silent = || Failure::Setup(format!("the fake of {name} does not say where it is"));
        let mut lines = BufReader::new(process.stdout.take().ok_or_else(silent)?).lines();
        let mut said = String::new();
        // The object may be printed over several lines.
        let url = loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.map_err(|_| silent())?;
            said.push_str(&line.map_err(Failure::io(format!("the fake of {name}")))?.ok_or_else(silent)?);
            if let Ok(value) = serde_json::from_str::<Value>(&said) {
                break value["url"].as_str().ok_or_else(silent)?.to_owned();
            }
        };
        let (authority, path) = url
            .strip_prefix("http://")
            .map(|rest| rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path)))
            .ok_or_else(silent)?;
        let address: SocketAddr = authority.parse().map_err(|_| silent())?;
        let net = FaultProxy::start(address).await.map_err(Failure::io("cannot start a proxy"))?;
        let place = format!("{name}=http://{}/{path}", net.address());
        Ok((Self { role, net, address, _process: process }, place))
    }

    /// What it has accepted.
    pub(crate) async fn ledger(&self) -> Result<Ledger, Failure> {
        let answer = http::ask(self.address, "GET", "/__fake/ledger", None, None).await;
        let ledger = answer.and_then(|(_, ledger)| serde_json::from_value(ledger).ok());
        ledger.ok_or_else(|| Failure::Setup(format!("the fake of {} has no ledger", self.role.spec.name)))
    }
}

impl Stage {
    /// Starts everything.
    pub(crate) async fn set(program: &Path, store: StoreKind) -> Result<Self, Failure> {
        let program = std::path::absolute(program).map_err(Failure::io("cannot find the product"))?;
        if !program.is_file() {
            return Err(Failure::Setup(format!("{} is not there: cargo build", program.display())));
        }
        let home = tempfile::Builder::new().prefix("emp-chaos-").tempdir();
        // It is evidence until everything is known to hold.
        let home = home.map_err(Failure::io("cannot make a folder"))?.keep();
        let (mut services, mut places) = (Vec::new(), Vec::new());
        for role in cast::roles()? {
            let (service, place) = Service::start(role, &program).await?;
            services.push(service);
            places.push(place);
        }
        let (servers, store_nets) = match store {
            StoreKind::File => (None, Vec::new()),
            StoreKind::Redis => {
                let servers = blocking(Servers::start).await?;
                let mut nets = Vec::new();
                for _ in 0..=WORKERS {
                    let net = FaultProxy::start(servers.address()).await;
                    nets.push(net.map_err(Failure::io("cannot start a proxy"))?);
                }
                (Some(Mutex::new(servers)), nets)
            }
        };
        let url = |net: usize| match store_nets.get(net) {
            Some(net) => format!("redis://{}", net.address()),
            None => format!("file:{}", home.join("store").display()),
        };
        let api_address = free_address().map_err(Failure::io("no port for the API"))?;
        let args = ["serve", "--listen", &api_address.to_string()].map(str::to_owned).to_vec();
        let args = [args, common(&url(WORKERS), &home)].concat();
        let api = Process::start("api", &program, args, &home)?;
        let mut workers = Vec::new();
        for index in 0..WORKERS {
            let mut args = vec!["worker".to_owned(), "--workers".to_owned(), worker_list(&services)];
            args.extend(places.iter().flat_map(|place| ["--fake".to_owned(), place.clone()]));
            args.extend(common(&url(index), &home));
            let worker = Process::start(&format!("worker-{index}"), &program, args, &home)?;
            workers.push(Mutex::new(worker));
        }
        let stage = Self { api_address, services, workers, api: Mutex::new(api), servers, store_nets, home };
        stage.ready().await?;
        Ok(stage)
    }

    /// Waits until the API takes jobs in.
    async fn ready(&self) -> Result<(), Failure> {
        let up = async {
            loop {
                if let Some((status, _)) = http::ask(self.api_address, "GET", "/readyz", None, None).await
                    && status.is_success()
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, up)
            .await
            .map_err(|_| Failure::Setup(format!("the API did not come up; see {}", self.home().display())))
    }

    /// Takes every fault back and starts whatever does not run.
    pub(crate) async fn heal(&self) -> Result<(), Failure> {
        for net in self.services.iter().map(|service| &service.net).chain(&self.store_nets) {
            net.clear();
        }
        for process in self.workers.iter().chain([&self.api]) {
            process.lock().await.run()?;
        }
        Ok(())
    }

    /// The folder with the logs.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Throws the logs away: nothing is left to be found in them.
    pub(crate) fn forget(&self) {
        // What is left in a folder for such things is nobody's concern.
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// Runs something that waits for other processes.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Setup(error.to_string()))?;
    done.map_err(Failure::io("a server of the store"))
}

fn worker_list(services: &[Service]) -> String {
    let mut names: Vec<&str> = services.iter().map(|service| service.role.worker.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| format!("{name}:10")).collect::<Vec<_>>().join(",")
}

fn common(store: &str, home: &Path) -> Vec<String> {
    let outputs = home.join("outputs").display().to_string();
    let lease = format!("{}ms", LEASE.as_millis());
    ["--store", store, "--lease", &lease, "--outputs", &outputs].map(str::to_owned).to_vec()
}

fn free_address() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
