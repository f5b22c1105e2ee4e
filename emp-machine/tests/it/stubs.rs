//! Connectors that do nothing: what a plan needs of one is its declaration.

use std::collections::BTreeMap;

use emp_core::connector::{Entry, Registry};
use emp_core::machine::Machine;
use emp_core::mapping::Mapping;
use emp_core::workers::{self, PlanError};
use emp_core::{Connector, CustomConnector, JobContext, JobError, Secret, Url};
use emp_machine::{MachinePlan, Request, Variable};
use serde_json::Value;

macro_rules! stubs {
    ($($name:ident $service:tt { $($field:tt)* })*) => { $(
        /// Does nothing.
        #[derive(Connector)]
        #[connector(custom, service = $service, version = "1.0.0", unregistered)]
        #[allow(dead_code)]
        struct $name { $($field)* }

        impl CustomConnector for $name {
            async fn run(&self, _: JobContext<'_>) -> Result<Value, JobError> {
                Ok(Value::Null)
            }
        }
    )* };
}

stubs! {
    ComfyUIRemoteConnector "comfyui-remote" {}
    SimulationConnector "simulation" {}
    A1111RemoteConnector "a1111" {}
    PlaywrightConnector "playwright" {}
    OpenAIConnector "openai" { #[env("OPENAI_API_KEY")] api_key: Secret }
    ReplicateConnector "replicate" {}
    AnthropicConnector "anthropic" {}
    HuggingFaceConnector "huggingface" {}
    StabilityConnector "stability" {}
    ElevenLabsConnector "elevenlabs" {}
    MyServiceConnector "my-service" {
        /// A key from the console.
        #[env("MY_SERVICE_API_KEY")] api_key: Secret,
        /// Where it is.
        #[env("MY_SERVICE_BASE_URL", default = "https://api.myservice.com")] base_url: Url,
        /// A greeting
        /// of two lines.
        #[env("MY_SERVICE_GREETING", default = "it's {\"5$\"}")] greeting: String,
        /// A region.
        #[env("MY_SERVICE_REGION")] region: String,
        #[env("MY_SERVICE_NOTE", optional)] note: Option<String>
    }
}

/// A connector whose base is a variable.
#[derive(Connector)]
#[connector(service = "comfyui", version = "1.0.0", unregistered)]
#[http(base = env.url)]
#[auth(none)]
#[submit(post = "/prompt", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/history/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn))]
#[outcome(json = "$.result")]
#[allow(dead_code)]
struct ComfyUIConnector {
    /// Where it is.
    #[env("COMFYUI_URL", default = "http://127.0.0.1:8188/api")]
    url: Url,
}

const fn entry<C: Connector>() -> Entry {
    Entry::of::<C>()
}

static ENTRIES: &[Entry] = &[
    entry::<A1111RemoteConnector>(),
    entry::<AnthropicConnector>(),
    entry::<ComfyUIConnector>(),
    entry::<ComfyUIRemoteConnector>(),
    entry::<ElevenLabsConnector>(),
    entry::<HuggingFaceConnector>(),
    entry::<MyServiceConnector>(),
    entry::<OpenAIConnector>(),
    entry::<PlaywrightConnector>(),
    entry::<ReplicateConnector>(),
    entry::<SimulationConnector>(),
    entry::<StabilityConnector>(),
];

pub(crate) static REGISTRY: Registry = Registry::new(ENTRIES, None);

pub(crate) type Env = BTreeMap<String, String>;

pub(crate) fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn gpus(gpus: u32) -> Machine {
    Machine { gpus, ..Machine::default() }
}

pub(crate) fn plan(
    mapping: &str,
    workers: &str,
    machine: Machine,
    env: &Env,
) -> Result<MachinePlan, PlanError> {
    let mapping = Mapping::parse(mapping).expect("a mapping");
    let workers = workers::parse(workers).expect("WORKERS");
    let common = [Variable::read("EMP_STORE", "Where jobs live", false, Some("file:./emp-data"), env)];
    let request =
        Request { mapping: &mapping, registry: &REGISTRY, workers: &workers, machine, env, common: &common };
    emp_machine::plan(&request)
}
