//! Which variables each process gets, and which are kept from it.

use std::collections::BTreeSet;

use emp_machine::{Environment, MachinePlan, installer_environment, launches};

use crate::stubs::{REGISTRY, env, gpus, plan};

const MAPPING: &str = r#"{ "workers": {
    "simulation": {
        "service": [{ "capability": "simulation", "connector": "SimulationConnector", "type": "internal" }],
        "installer": "a", "service_instances_per_machine": 1, "ports": [8100],
        "installer_config": { "install_command": "make", "start_command": "serve", "OPENAI_BASE": "${BASE:-local}" }
    },
    "openai": { "service": [{ "capability": "openai", "connector": "OpenAIConnector", "type": "external" }] },
    "my-service": { "service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }] }
} }"#;

fn planned() -> MachinePlan {
    let set = env(&[
        ("OPENAI_API_KEY", "known-secret"),
        ("MY_SERVICE_API_KEY_FILE", "/run/key"),
        ("MY_SERVICE_REGION", "north"),
        ("EMP_STORE", "file:./here"),
    ]);
    plan(MAPPING, "simulation,openai:2,my-service:2", gpus(0), &set).unwrap()
}

fn with_files(names: &[&str]) -> BTreeSet<String> {
    names.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_FILE")]).collect()
}

#[test]
fn a_program_that_is_not_ours_is_given_no_secret_of_ours() {
    let plan = planned();
    let all = with_files(&[
        "EMP_API_TOKEN",
        "EMP_STORE",
        "EMP_WEBHOOK_KEY",
        "MY_SERVICE_API_KEY",
        "OPENAI_API_KEY",
    ]);
    let service = &launches(&plan, &REGISTRY, "emp", &[])[0];
    assert_eq!((service.name.as_str(), &service.environment.unset), ("simulation-0-service", &all));
    let installer = installer_environment(&plan, &plan.installs[0], &REGISTRY);
    assert_eq!(installer.unset, all);
}

#[test]
fn a_worker_is_given_its_own_secrets_by_inheritance_and_no_other() {
    let plan = planned();
    let all = launches(&plan, &REGISTRY, "emp", &["--config".to_owned()]);
    let of = |worker: &str| -> &Environment {
        let launch = all.iter().find(|launch| launch.worker == worker && launch.slots.is_some()).unwrap();
        assert_eq!(launch.command[..3], ["emp", "--config", "worker"]);
        &launch.environment
    };
    assert_eq!(of("openai").unset, with_files(&["MY_SERVICE_API_KEY"]));
    assert_eq!(of("my-service").unset, with_files(&["OPENAI_API_KEY"]));
    assert_eq!(of("my-service").set["MY_SERVICE_API_KEY_FILE"], "/run/key");
    assert_eq!(of("my-service").set["MY_SERVICE_REGION"], "north");
    assert_eq!(of("simulation").unset, with_files(&["MY_SERVICE_API_KEY", "OPENAI_API_KEY"]));
    let set = all.iter().flat_map(|launch| launch.environment.set.values());
    assert!(set.into_iter().all(|value| !value.contains("known-secret")));
}
