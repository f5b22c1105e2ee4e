//! From `WORKERS`, the mapping and the environment to workers, and every fault of them at once.

#![allow(clippy::expect_used, reason = "clippy knows only test functions, not their helpers")]

use std::collections::BTreeMap;
use std::sync::Arc;

use emp_core::connector::{Connector, Entry, Registry};
use emp_core::env::{EnvError, Settings};
use emp_core::mapping::Mapping;
use emp_core::spec::{
    ConnectorSpec, DurationUnit, EnvField, EnvKind, Limits, Pace, PayloadSchema, Protocol, SourceLocation,
};
use emp_worker::{PlanError, PlannedWorker, plan, plan_with_bases};

const fn spec(name: &'static str, env: &'static [EnvField]) -> ConnectorSpec {
    ConnectorSpec {
        name,
        services: &["anything"],
        version: "1.0.0",
        description: "",
        source: SourceLocation { file: "plan.rs", line: 1, lines: 1 },
        fingerprint: 1,
        env,
        payload: PayloadSchema::Any,
        output: None,
        pace: Pace::DEFAULT,
        limits: Limits::DEFAULT,
        openapi: None,
        protocol: Protocol::Custom,
    }
}

const fn field(variable: &'static str, kind: EnvKind) -> EnvField {
    let unit = DurationUnit::Seconds;
    EnvField {
        field: variable,
        variable,
        kind,
        required: true,
        default: None,
        range: None,
        unit,
        description: "",
    }
}

struct Free;
struct Paid;

static FREE: ConnectorSpec = spec("FreeConnector", &[]);
static PAID: ConnectorSpec = spec(
    "PaidConnector",
    &[
        field("PAID_API_KEY", EnvKind::Secret),
        field("PAID_LIMIT", EnvKind::Integer { min: 1, max: 9 }),
        field("PAID_URL", EnvKind::Url),
    ],
);

impl Connector for Free {
    const SPEC: &'static ConnectorSpec = &FREE;
    fn from_settings(_: &Settings, _: &mut Vec<EnvError>) -> Option<Self> {
        Some(Self)
    }
}

impl Connector for Paid {
    const SPEC: &'static ConnectorSpec = &PAID;
    fn from_settings(_: &Settings, _: &mut Vec<EnvError>) -> Option<Self> {
        Some(Self)
    }
}

static REGISTRY: Registry = Registry::new(&[Entry::of::<Free>(), Entry::of::<Paid>()], None);

const MAPPING: &str = r#"{
    "connectors": { "FreeConnector": {}, "PaidConnector": {}, "FreeConector": {} },
    "workers": {
        "free": { "service": [
            { "capability": ["a", "b"], "type": "external", "connector": "FreeConnector" }
        ] },
        "paid": { "service": [ { "capability": "c", "type": "external", "connector": "PaidConnector" } ] },
        "both": { "service": [
            { "capability": "a", "type": "external", "connector": "FreeConnector" },
            { "capability": "c", "type": "external", "connector": "PaidConnector" }
        ] },
        "wrong": { "service": [ { "capability": "d", "type": "external", "connector": "FreeConector" } ] }
    }
}"#;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn planned(workers: &str, pairs: &[(&str, &str)]) -> Result<Vec<PlannedWorker>, PlanError> {
    let mapping = Mapping::parse(MAPPING).expect("the mapping is one");
    plan(&mapping, &REGISTRY, workers, &env(pairs))
}

fn faults(workers: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    planned(workers, pairs).expect_err("a fault").0.iter().map(ToString::to_string).collect()
}

const GOOD: &[(&str, &str)] =
    &[("PAID_API_KEY", "sk-live-1"), ("PAID_LIMIT", "3"), ("PAID_URL", "https://api.example.com")];

#[test]
fn workers_get_their_slots_and_services_and_share_connectors() {
    let planned = planned("free:2,both", GOOD).expect("a plan");
    let shape: Vec<_> = planned
        .iter()
        .map(|worker| {
            let services: Vec<_> = worker
                .services
                .iter()
                .map(|(service, loaded)| (service.as_str(), loaded.spec.name))
                .collect();
            (worker.name.as_str(), worker.slots, services)
        })
        .collect();
    let free = "FreeConnector";
    assert_eq!(
        shape,
        [("free", 2, vec![("a", free), ("b", free)]), ("both", 1, vec![("a", free), ("c", "PaidConnector")])]
    );
    assert!(Arc::ptr_eq(&planned[0].services[0].1, &planned[1].services[0].1));
}

#[test]
fn a_base_stands_in_for_the_declared_one() {
    let mapping = Mapping::parse(MAPPING).expect("the mapping is one");
    let fake: emp_core::Url = "http://127.0.0.1:9/".parse().expect("a URL");
    let bases = BTreeMap::from([("FreeConnector".to_owned(), fake.clone())]);
    let planned = plan_with_bases(&mapping, &REGISTRY, "both", &env(GOOD), &bases).expect("a plan");
    assert_eq!(planned[0].services[0].1.base, Some(fake));
    assert_eq!(planned[0].services[1].1.base, None);
}

#[test]
fn p08_a_worker_also_has_the_other_connectors_of_its_services_that_the_environment_allows() {
    let mapping = r#"{ "connectors": { "FreeConnector": {} }, "workers": {
        "free": { "service": [ { "capability": "anything", "type": "external", "connector": "FreeConnector" } ] } } }"#;
    let mapping = Mapping::parse(mapping).expect("the mapping is one");
    let finishers = |pairs: &[(&str, &str)], bases: &BTreeMap<String, emp_core::Url>| {
        let planned = plan_with_bases(&mapping, &REGISTRY, "free", &env(pairs), bases).expect("a plan");
        planned[0].finishers.iter().map(|connector| connector.spec.name.to_owned()).collect::<Vec<_>>()
    };
    let none: [String; 0] = [];
    assert_eq!(finishers(GOOD, &BTreeMap::new()), ["PaidConnector"]);
    assert_eq!(finishers(&[], &BTreeMap::new()), none, "nobody has asked for it, so nothing is missing");
    let fake: emp_core::Url = "http://127.0.0.1:9/".parse().expect("a URL");
    let bases = BTreeMap::from([("FreeConnector".to_owned(), fake)]);
    assert_eq!(finishers(GOOD, &bases), none, "beside fakes nothing speaks to a real service");
}

#[test]
fn every_fault_of_every_worker_is_reported_at_once() {
    let faults = faults("fre:2,paid,wrong", &[("PAID_LIMIT", "10"), ("PAID_URL", "ftp://x")]);
    assert_eq!(faults.len(), 5, "{faults:#?}");
    assert!(
        faults[0].contains("no worker `fre`") && faults[0].contains("did you mean `free`?"),
        "{}",
        faults[0]
    );
    assert!(
        faults[1].contains("PaidConnector initialization failed: PAID_API_KEY is not set"),
        "{}",
        faults[1]
    );
    assert!(faults[2].contains("PAID_LIMIT is 10; expected a whole number from 1 to 9"), "{}", faults[2]);
    assert!(faults[3].contains("PAID_URL is not an absolute http or https URL"), "{}", faults[3]);
    assert!(
        faults[4].contains("`FreeConector`") && faults[4].contains("did you mean `FreeConnector`?"),
        "{}",
        faults[4]
    );
}

#[test]
fn faults_of_a_shared_connector_are_reported_once() {
    assert_eq!(faults("paid,both", &[("PAID_LIMIT", "1"), ("PAID_URL", "https://x.example")]).len(), 1);
}

#[test]
fn a_fault_never_shows_the_value_of_a_secret() {
    let secret = [("PAID_API_KEY", "${PAID_KEY_FROM_ELSEWHERE}"), ("PAID_LIMIT", "0"), ("PAID_URL", "x")];
    let text = planned("paid", &secret).expect_err("a fault").to_string();
    assert!(text.contains("PAID_API_KEY is a template that nobody expanded"), "{text}");
    assert!(!text.contains("FROM_ELSEWHERE"), "{text}");
}

#[test]
fn a_name_that_is_near_to_none_gets_the_list() {
    let faults = faults("kubernetes", GOOD);
    assert!(faults[0].contains("`both`, `free`, `paid`, `wrong`"), "{}", faults[0]);
}
