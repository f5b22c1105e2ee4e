//! Declarations as an author writes them, under the engine and against their own fakes.

use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::{Connector, Loaded};
use emp_core::env::Settings;
use emp_core::spec::ConnectorSpec;
use emp_core::time::ManualClock;
use emp_core::{Clock as _, Timestamp};
use emp_testkit::{Ended, FakeOptions, FakeService, Fault, Rig, example, fake_env};

/// One job of a derived connector, its fake, and their clock.
pub(crate) struct Derived {
    pub(crate) fake: FakeService,
    pub(crate) rig: Rig,
    pub(crate) clock: Arc<ManualClock>,
}

impl Derived {
    /// The job waits 2 s and runs 20 s at the fake.
    pub(crate) async fn new<C: Connector>(faults: &[&str]) -> Self {
        Self::with::<C>(faults, |_, _| {}).await
    }

    pub(crate) async fn with<C: Connector>(
        faults: &[&str],
        edit: impl FnOnce(&mut FakeOptions, &Arc<ManualClock>),
    ) -> Self {
        let spec: &'static ConnectorSpec = C::SPEC;
        let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
        let mut options = FakeOptions {
            queued: Duration::from_secs(2),
            running: Duration::from_secs(20),
            clock: Arc::<ManualClock>::clone(&clock),
            faults: faults.iter().map(|fault| fault.parse::<Fault>().expect(fault)).collect(),
            ..FakeOptions::default()
        };
        edit(&mut options, &clock);
        let fake = FakeService::start(spec, options).await.expect("starts");
        let (settings, errors) = Settings::load(spec.env, &fake_env(spec));
        assert_eq!(errors, []);
        let loaded = Loaded { spec, settings, custom: None, base: Some(fake.base_url()) };
        let payload = example(&spec.payload.to_json_schema());
        let rig = Rig::new(loaded, payload, Arc::clone(&clock)).await.expect("a job");
        Self { fake, rig, clock }
    }

    pub(crate) async fn finish(&self) -> Ended {
        self.rig.finish().await.expect("the store works")
    }

    /// The requests so far, as `GET /path`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: &emp_testkit::Recorded| format!("{} {}", request.method, request.target);
        self.fake.requests().iter().map(line).collect()
    }

    /// How many requests began with a text.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(start)).count()
    }

    /// Seconds that have passed by the job's clock.
    pub(crate) fn elapsed(&self) -> u64 {
        self.clock.elapsed().as_secs()
    }
}
