//! Several worker processes on one Redis, as on several machines. They die, freeze and lose answers; nothing is paid twice.

mod deaths;
mod frozen;
mod lost;
mod points;
mod recovery;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use emp::REGISTRY;
use emp_core::time::ManualClock;
use emp_core::{Timestamp, Url};
use emp_testkit::redis::RedisBox;
use emp_testkit::{FakeOptions, FakeService, FaultProxy, NetFaults, example};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Api, Running, emp, free_port, until};

/// A worker that is silent for so long has lost its jobs.
const LEASE: Duration = Duration::from_secs(2);

/// A Redis, an API on it, and what workers of it need.
struct Fleet {
    api: Api,
    _api: Running,
    redis: RedisBox,
    home: TempDir,
    runtime: Runtime,
}

impl Fleet {
    fn start() -> Self {
        let (redis, home) = (RedisBox::start().expect("a Redis"), TempDir::new().expect("a folder"));
        let port = free_port();
        let mut command = emp(home.path());
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--store", &redis.url()]);
        let api = Running::start(&mut command);
        let runtime = Runtime::new().expect("a runtime");
        Self { api: Api(port).ready(), _api: api, redis, home, runtime }
    }

    /// A service whose jobs end when the test says so.
    fn service(&self, connector: &str) -> Service {
        let spec = REGISTRY.get(connector).expect("it is there").spec;
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let options = FakeOptions {
            queued: Duration::ZERO,
            running: Duration::from_hours(1),
            clock: Arc::<ManualClock>::clone(&clock),
            ..FakeOptions::default()
        };
        self.made(spec, clock, options)
    }

    /// A service that answers at once.
    fn quick_service(&self, connector: &str) -> Service {
        let spec = REGISTRY.get(connector).expect("it is there").spec;
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        self.made(spec, clock, FakeOptions::instant())
    }

    fn made(
        &self,
        spec: &'static emp_core::ConnectorSpec,
        clock: Arc<ManualClock>,
        options: FakeOptions,
    ) -> Service {
        let fake = self.runtime.block_on(FakeService::start(spec, options)).expect("a fake");
        let address = SocketAddr::from(([127, 0, 0, 1], fake.base_url().port().expect("a port")));
        let net = self.runtime.block_on(FaultProxy::start(address)).expect("a proxy");
        Service { fake, net, clock }
    }

    /// A worker process; it asks each service through its proxy.
    fn worker(&self, workers: &str, services: &[&Service]) -> Running {
        Running::start(&mut self.worker_command(workers, services))
    }

    fn worker_command(&self, workers: &str, services: &[&Service]) -> Command {
        let mut command = emp(self.home.path());
        let lease = format!("{}s", LEASE.as_secs());
        command.args(["worker", "--workers", workers, "--store", &self.redis.url(), "--lease", &lease]);
        for service in services {
            command.args(["--fake", &format!("{}={}", service.fake.spec().name, service.url())]);
        }
        command.env("MY_SERVICE_MAX_CONCURRENT", "1000");
        command
    }

    fn job(&self, id: &str) -> Value {
        self.api.get(&format!("/api/jobs/{id}"))
    }

    fn events(&self, id: &str) -> Vec<Value> {
        let events = self.api.get(&format!("/api/jobs/{id}/events"));
        events.as_array().expect("a list").clone()
    }

    /// So many jobs, once each is at the service.
    fn at_the_service(&self, service: &Service, count: usize) -> Vec<String> {
        let ids: Vec<String> = (0..count).map(|_| self.api.job(&service.body())).collect();
        for id in &ids {
            self.api.until(id, "at the service", |job| job["service_job_id"].is_string());
        }
        ids
    }
}

/// A fake service in this process, which outlives every worker, and the network to it.
struct Service {
    fake: FakeService,
    net: FaultProxy,
    clock: Arc<ManualClock>,
}

impl Service {
    /// Where workers believe it to be.
    fn url(&self) -> Url {
        let mut url = self.fake.base_url();
        url.set_port(Some(self.net.address().port())).expect("it has ports");
        url
    }

    /// A job for it.
    fn body(&self) -> String {
        self.body_with(&json!({}))
    }

    /// A job for it whose payload has these members too.
    fn body_with(&self, members: &Value) -> String {
        let spec = self.fake.spec();
        let mut payload = example(&spec.payload.to_json_schema());
        if let (Some(payload), Some(members)) = (payload.as_object_mut(), members.as_object()) {
            payload.extend(members.clone());
        }
        json!({ "service": spec.services[0], "payload": payload }).to_string()
    }

    /// Every job that it has ends.
    fn finish_all(&self) {
        self.clock.advance(Duration::from_hours(2));
    }

    /// Nothing of what it answers arrives.
    fn cut_replies(&self) {
        self.net.set(NetFaults { cut_replies: true, ..NetFaults::default() });
    }

    /// Waits until it has accepted so many submits.
    fn accepts(&self, count: usize) {
        until(&format!("{count} accepted submits"), || {
            (self.fake.ledger().accepted() >= count).then_some(())
        });
    }
}
