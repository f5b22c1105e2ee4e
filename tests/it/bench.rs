//! A stock connector, a fake of its service and one job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use emp::REGISTRY;
use emp_core::connector::{Entry, Loaded};
use emp_core::env::EnvSource;
use emp_core::spec::Settle;
use emp_core::time::ManualClock;
use emp_core::{ConnectorSpec, Timestamp};
use emp_testkit::{Ended, FakeOptions, FakeService, Rig, Step, example, fake_env};
use serde_json::Value;
use tokio::task::JoinSet;

/// The connectors of the registry that speak HTTP.
pub(crate) fn over_http() -> impl Iterator<Item = &'static Entry> {
    REGISTRY.entries().iter().filter(|entry| entry.spec.http().is_some())
}

/// Those that are polled.
pub(crate) fn polled() -> impl Iterator<Item = &'static Entry> {
    over_http().filter(|entry| entry.spec.http().is_some_and(|http| http.poll.is_some()))
}

/// Tests connectors a few at a time: most of the time a test waits for a service that does not answer.
pub(crate) async fn each<F>(entries: impl Iterator<Item = &'static Entry>, test: impl Fn(&'static Entry) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for entry in entries {
        running.spawn(test(entry));
        if running.len() == 5 {
            running.join_next().await.expect("one runs").expect("passes");
        }
    }
    while let Some(passed) = running.join_next().await {
        passed.expect("passes");
    }
}

/// What a lost answer means to a connector: whether the submit is sent again, and whether the service then does the job twice.
pub(crate) fn resent(spec: &ConnectorSpec) -> Option<Resent> {
    match spec.http()?.submit.settle {
        Settle::Idempotent { .. } => Some(Resent::Merged),
        Settle::AtLeastOnce => Some(Resent::Twice),
        _ => None,
    }
}

/// What a service does with a submit that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resent {
    /// It merges the two.
    Merged,
    /// It does the job twice, which costs nothing.
    Twice,
}

/// One job of a connector against its fake, both by one clock.
pub(crate) struct Bench {
    pub(crate) fake: FakeService,
    pub(crate) rig: Rig,
}

impl Bench {
    /// With the values that the fake's environment makes up.
    pub(crate) async fn new(entry: &'static Entry, faults: &[&str]) -> Self {
        Self::with_env(entry, faults, &fake_env(entry.spec)).await
    }

    /// With an environment of the test's own.
    pub(crate) async fn with_env(entry: &'static Entry, faults: &[&str], env: &dyn EnvSource) -> Self {
        Self::made(entry, faults, env, example(&entry.spec.payload.to_json_schema())).await
    }

    /// With a payload that has these members, or has them otherwise.
    pub(crate) async fn with_payload(entry: &'static Entry, faults: &[&str], members: Value) -> Self {
        let mut payload = example(&entry.spec.payload.to_json_schema());
        if let (Value::Object(payload), Value::Object(members)) = (&mut payload, members) {
            payload.extend(members);
        }
        Self::made(entry, faults, &fake_env(entry.spec), payload).await
    }

    async fn made(entry: &'static Entry, faults: &[&str], env: &dyn EnvSource, payload: Value) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        // A sync service holds its answer in real time, so it must not take any.
        let sync = entry.spec.http().is_some_and(|http| http.poll.is_none());
        let running = Duration::from_secs(if sync { 0 } else { 20 });
        let options = FakeOptions {
            queued: running / 10,
            running,
            clock: Arc::<ManualClock>::clone(&clock),
            skip: Some(Arc::clone(&clock)),
            faults: faults.iter().map(|fault| fault.parse().expect("a fault")).collect(),
            ..FakeOptions::default()
        };
        let fake = FakeService::start(entry.spec, options).await.expect("starts");
        let loaded = Loaded { base: Some(fake.base_url()), ..entry.load(env).expect("a whole environment") };
        Self { fake, rig: Rig::new(loaded, payload, clock).await.expect("a job") }
    }

    /// To the end, and never more accepted submits than attempts where a submit costs money.
    pub(crate) async fn finish(&self) -> Ended {
        let ended = self.rig.finish().await.expect("the store works");
        let accepted = self.fake.ledger().accepted();
        let free = resent(self.fake.spec()) == Some(Resent::Twice);
        assert!(
            free || accepted <= ended.job.attempt as usize,
            "{accepted} accepted submits, {} attempts",
            ended.job.attempt
        );
        ended
    }

    /// The targets of the requests of a step, in order.
    pub(crate) fn targets(&self, step: Step) -> Vec<String> {
        let requests = self.fake.requests().into_iter().filter(|request| request.step == Some(step));
        requests.map(|request| request.target).collect()
    }

    /// A worker that dies while it waits for an answer.
    pub(crate) async fn die(&self) {
        tokio::select! {
            ended = self.rig.attempt() => panic!("{ended:?}"),
            () = self.unanswered() => {}
            () = self.quiet(Duration::from_millis(400)) => {}
        }
    }

    /// Until one more request has got no answer.
    async fn unanswered(&self) {
        let count = || self.fake.requests().iter().filter(|request| request.answer.is_none()).count();
        let before = count();
        while count() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Until a request has come and then none for a while. A machine that is slow is no service that is silent, so the time begins
    /// with a request.
    pub(crate) async fn quiet(&self, time: Duration) {
        let begun = self.fake.requests().len();
        let (mut seen, mut since) = (begun, Instant::now());
        while seen == begun || since.elapsed() < time {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = self.fake.requests().len();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }
}
