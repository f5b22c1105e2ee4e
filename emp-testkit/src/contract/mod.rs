//! The contract kit: what a connector must do, asked of it one scenario at a time.
//!
//! ```no_run
//! # async fn example(connector: emp_core::connector::Loaded) {
//! use emp_testkit::contract::Contract;
//!
//! let report = Contract::of(connector).run().await;
//! assert!(report.passed(), "{:?}", report.failures().collect::<Vec<_>>());
//! println!("grade {}", report.grade);
//! # }
//! ```
//!
//! From the declaration alone come the static checks, a whole job, every status word and rule, cancels at every stage, conduct under
//! every fault of a service that applies (F24 to F43), and a worker that dies at every phase, with the service's own ledger to say what
//! was paid. Each scenario is one job against a fake by a clock that is moved, so that nothing waits.
//!
//! # Two truths
//! A fake that is made from the declaration agrees with it, whatever it says. So the service can be described by somebody else: by another
//! declaration ([`Contract::against`]), or by a [`Record`] of the service that was written once, reviewed, and is kept in the repository
//! ([`Contract::recorded`]). A word that is missing, a settle rule that is gone, a cancel that goes to the wrong place are seen only so.

mod calls;
mod choose;
mod conduct;
mod judge;
mod lives;
mod oracle;
mod plan;
mod record;
mod report;
mod scenario;
mod script;
mod stage;
mod states;
mod statics;
mod text;
mod variants;

use std::time::Instant;

use emp_core::connector::{Entry, Loaded};
use emp_core::health::HealthStatus;
use emp_core::spec::ConnectorSpec;
use emp_engine::{Engine, EngineOptions};
use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use plan::{Plan, Work};
pub use record::{Record, RecordError};
pub use report::{Finding, Grade, Report, Reports};
use scenario::Judged;
pub use scenario::{Group, Outcome, Scenario};
use script::{Expect, Script};
use stage::{LONG, Stage};

use crate::fake_env::fake_env;
use crate::fault::Step;
use crate::sample;
use crate::service::FakeOptions;

/// Scenarios of one connector that are played at once.
const AT_ONCE: usize = 8;

/// A connector, and the service that it must do right by.
#[derive(Clone, Debug)]
pub struct Contract {
    connector: Loaded,
    payload: Value,
    truth: &'static ConnectorSpec,
    record: Option<Record>,
    only: Option<String>,
}

impl Contract {
    /// The contract of a connector with the service that it declares, for a job as its payload's schema gives it.
    ///
    /// Load the connector from [`fake_env`](crate::fake_env): what is looked for in the job are the secrets of that environment.
    pub fn of(connector: Loaded) -> Self {
        let payload = sample::example(&connector.spec.payload.to_json_schema());
        Self { truth: connector.spec, connector, payload, record: None, only: None }
    }

    /// The contract of a connector of a registry, in an environment that is made up; a report when it does not even start there.
    pub fn load(entry: &Entry) -> Result<Self, Report> {
        entry.load(&fake_env(entry.spec)).map(Self::of).map_err(|errors| {
            let scenario =
                Scenario::new(Group::Happy, "environment", "it starts in an environment that is whole");
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let reason =
                format!("it does not start with the values that the kit makes up: {}", errors.join("; "));
            let finding = Finding::new(scenario, Judged::fail(reason), 0);
            Report::new(entry.spec.name, entry.spec.version, vec![finding], 0)
        })
    }

    /// With a service as another declaration describes it.
    #[must_use]
    pub fn against(mut self, service: &'static ConnectorSpec) -> Self {
        self.truth = service;
        self
    }

    /// With a service as a record describes it. The description that comes of it lives as long as the process.
    ///
    /// # Errors
    /// When the record cannot be read: a verdict that is none, a path that is none.
    pub fn recorded(mut self, record: Record) -> Result<Self, RecordError> {
        self.truth = Box::leak(Box::new(record.describe(self.connector.spec)?));
        self.record = Some(record);
        Ok(self)
    }

    /// With jobs that have this payload.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    /// Only the scenarios whose id has this in it: `F26`, `crash`, `cancel,states.word`. A comma means or, `*` anything.
    #[must_use]
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.only = Some(pattern.into());
        self
    }

    /// Runs every scenario.
    pub async fn run(&self) -> Report {
        let began = Instant::now();
        let stage = Stage::new(self.connector.clone(), self.truth, self.payload.clone());
        let (happy, steps) = self.happy(&stage).await;
        let rest = stream::iter(self.plans(&steps))
            .map(|plan| self.answer(&stage, plan))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>();
        let mut findings: Vec<Finding> = happy.into_iter().chain(rest.await).collect();
        findings.retain(|finding| self.wanted(&finding.scenario));
        let spec = self.connector.spec;
        Report::new(spec.name, spec.version, findings, millis(began))
    }

    /// A whole job, which also tells which steps there are.
    async fn happy(&self, stage: &Stage) -> (Option<Finding>, Vec<Step>) {
        let began = Instant::now();
        let scenario =
            Scenario::new(Group::Happy, "F25.job", "a job goes from its submit to its result, paid once");
        let script = Script::new(Expect::Succeeds);
        let (judged, steps) = match stage.play(&script, LONG).await {
            Ok(evidence) => {
                let steps = evidence.requests.iter().filter_map(|request| request.step).collect();
                (judge::judge(self.connector.spec, &script, &evidence), steps)
            }
            Err(problem) => (Judged::fail(problem), Vec::new()),
        };
        let mut steps: Vec<Step> = steps;
        steps.sort_unstable();
        steps.dedup();
        (Some(Finding::new(scenario, judged, millis(began))), steps)
    }

    fn plans(&self, steps: &[Step]) -> Vec<Plan> {
        let health = Scenario::new(Group::Happy, "health", "a probe of a healthy service says so");
        let mut plans = vec![Plan { scenario: health, work: Work::Health }];
        plans.extend(variants::plans(&self.connector, &self.payload));
        plans.extend(statics::plans(&self.connector, &self.payload));
        plans.extend(record::plans(self.connector.spec, self.record.as_ref()));
        plans.extend(states::plans(&self.connector, self.truth, &self.payload));
        plans.extend(lives::cancels(&self.connector, self.truth.http()));
        plans.extend(conduct::plans(&self.connector, self.truth, &self.payload, steps));
        plans.extend(lives::crashes(&self.connector));
        plans.retain(|plan| self.wanted(&plan.scenario));
        plans
    }

    fn wanted(&self, scenario: &Scenario) -> bool {
        self.only.as_deref().is_none_or(|pattern| text::matches(pattern, &scenario.id))
    }

    async fn answer(&self, stage: &Stage, plan: Plan) -> Finding {
        let began = Instant::now();
        let judged = match &plan.work {
            Work::Done(judged) => judged.clone(),
            Work::Play(script) => stage.judged(script).await,
            Work::Health => health(stage).await,
        };
        Finding::new(plan.scenario, judged, millis(began))
    }
}

async fn health(stage: &Stage) -> Judged {
    if stage.connector.spec.http().is_some_and(|http| http.health.is_none()) {
        return Judged::not_applicable("it declares no `#[health]`");
    }
    let fake = match stage.fake(FakeOptions::instant()).await {
        Ok(fake) => fake,
        Err(problem) => return Judged::fail(problem),
    };
    let base = fake.as_ref().map(crate::FakeService::base_url);
    let connector = Loaded { base, ..stage.connector.clone() };
    let health = Engine::new(EngineOptions::default()).health(&connector).await;
    if health.status == HealthStatus::Healthy {
        return Judged::pass();
    }
    let why = health.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    Judged::fail(format!("a healthy service is taken for {:?}{why}", health.status))
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The JSON Schema of something that the kit reads or writes, draft 2020-12.
pub fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}
