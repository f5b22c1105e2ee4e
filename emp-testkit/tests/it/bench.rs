//! A declared connector, its fake and one job.

use std::sync::Arc;
use std::time::Duration;

use emp_core::Timestamp;
use emp_core::connector::{Connector, Entry};
use emp_core::time::ManualClock;
use emp_testkit::{Ended, FakeOptions, FakeService, Fault, Rig, fake_env};
use serde_json::Value;

/// A job of a declared connector, its fake, and nothing else.
pub(crate) struct Bench {
    pub(crate) fake: FakeService,
    pub(crate) rig: Rig,
}

impl Bench {
    pub(crate) async fn new<C: Connector>(payload: Value, faults: &[&str]) -> Self {
        Self::vouching::<C>(payload, faults, Vec::new()).await
    }

    /// As `new`, with places from which assets may be fetched.
    pub(crate) async fn vouching<C: Connector>(
        payload: Value,
        faults: &[&str],
        allow: Vec<(String, u16)>,
    ) -> Self {
        Self::made::<C>(payload, faults, allow, false).await
    }

    /// As `new`, with a service that refuses connections until it is opened.
    pub(crate) async fn closed<C: Connector>(payload: Value) -> Self {
        Self::made::<C>(payload, &[], Vec::new(), true).await
    }

    async fn made<C: Connector>(
        payload: Value,
        faults: &[&str],
        allow: Vec<(String, u16)>,
        closed: bool,
    ) -> Self {
        let entry = Entry::of::<C>();
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let options = FakeOptions {
            closed,
            queued: Duration::from_secs(2),
            running: Duration::from_secs(20),
            clock: Arc::<ManualClock>::clone(&clock),
            faults: faults.iter().map(|fault| fault.parse::<Fault>().expect(fault)).collect(),
            ..FakeOptions::default()
        };
        let fake = FakeService::start(entry.spec, options).await.expect("starts");
        let mut loaded = entry.load(&fake_env(entry.spec)).expect("an environment");
        loaded.base = Some(fake.base_url());
        let rig = Rig::vouching(loaded, payload, clock, allow).await.expect("a job");
        Self { fake, rig }
    }

    pub(crate) async fn finish(&self) -> Ended {
        self.rig.finish().await.expect("the store works")
    }

    /// A worker that dies while it waits for an answer.
    pub(crate) async fn die(&self) {
        let died = tokio::time::timeout(Duration::from_millis(100), self.rig.attempt()).await;
        assert!(died.is_err(), "{died:?}");
    }

    /// The requests that the fake has answered, as verb and target.
    pub(crate) fn lines(&self) -> Vec<String> {
        let requests = self.fake.requests();
        requests.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}
