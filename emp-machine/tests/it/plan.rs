//! The real mapping of the system replaced on machines with 0, 1, 2 and 8 GPUs, and what does not fit.

use emp_core::machine::Machine;
use emp_machine::{MachinePlan, Source};

use crate::stubs::{env, gpus, plan};

const REAL: &str = include_str!("data/service-mapping.2025-07-28.json");

/// A line for each process: what it is, on which GPU, on which ports, with how many slots.
fn lines(plan: &MachinePlan) -> Vec<String> {
    let services = plan.services.iter().map(|one| {
        let gpu = one.gpu.map_or("no gpu".to_owned(), |gpu| format!("gpu {gpu}"));
        format!("{} {} {gpu} {:?}", one.name, one.binding, one.ports)
    });
    let workers = plan.workers.iter().map(|one| {
        let url = one.link.as_ref().map_or(String::new(), |link| format!(" -> {}", link.url));
        format!("{} x{}{url}", one.name, one.slots)
    });
    services.chain(workers).collect()
}

fn faults(workers: &str, machine: Machine, set: &[(&str, &str)]) -> Vec<String> {
    let error = plan(REAL, workers, machine, &env(set)).expect_err("it does not fit");
    error.0.iter().map(|fault| format!("{}: {}", fault.code, fault.message)).collect()
}

#[test]
fn no_gpu() {
    assert_eq!(
        faults("comfyui,openai:10", gpus(0), &[]),
        ["E_MACHINE: worker `comfyui` does not fit: it needs a GPU, and the machine has none"]
    );
    let mocked =
        plan(REAL, "comfyui,openai:10", gpus(0), &env(&[("COMFYUI_RESOURCE_BINDING", "mock_gpu")])).unwrap();
    assert_eq!(
        lines(&mocked),
        [
            "comfyui-0-service mock_gpu no gpu [8188]",
            "comfyui-0 x1 -> http://127.0.0.1:8188/api",
            "openai x10",
        ]
    );
    assert_eq!(mocked.services[0].environment["CUDA_VISIBLE_DEVICES"], "");
}

#[test]
fn one_gpu() {
    let one = plan(REAL, "comfyui,playwright,simulation,openai:10", gpus(1), &env(&[])).unwrap();
    assert_eq!(
        lines(&one),
        [
            "comfyui-0-service gpu gpu 0 [8188]",
            "playwright-0-service cpu no gpu [9090]",
            "simulation-0-service cpu no gpu [9091]",
            "comfyui-0 x1 -> http://127.0.0.1:8188/api",
            "playwright-0 x1 -> http://127.0.0.1:9090/",
            "simulation-0 x1 -> http://127.0.0.1:9091/",
            "openai x10",
        ]
    );
    assert_eq!(
        faults("comfyui:2", gpus(1), &[]),
        ["E_MACHINE: worker `comfyui` does not fit: 2 instances are asked for, and there is room for 1"]
    );
}

#[test]
fn two_gpus() {
    let two = plan(REAL, "comfyui:2,openai:10", gpus(2), &env(&[])).unwrap();
    assert_eq!(
        lines(&two),
        [
            "comfyui-0-service gpu gpu 0 [8188]",
            "comfyui-1-service gpu gpu 1 [8189]",
            "comfyui-0 x1 -> http://127.0.0.1:8188/api",
            "comfyui-1 x1 -> http://127.0.0.1:8189/api",
            "openai x10",
        ]
    );
    assert_eq!(two.services[1].environment["CUDA_VISIBLE_DEVICES"], "1");
    assert_eq!(two.services[1].environment["EMP_PORT"], "8189");
    // One port for both: the increment is 0 in that mapping, and the count is raised.
    assert_eq!(
        faults("simulation:2", gpus(2), &[("SIMULATION_INSTANCES_PER_MACHINE", "2")]),
        ["E_MACHINE: `simulation-0-service` and `simulation-1-service` would both listen on port 9091"]
    );
}

#[test]
fn eight_gpus() {
    let set = env(&[
        ("COMFYUI_INSTANCES_PER_GPU", "2"),
        ("COMFYUI_BASE_PORT", "9000"),
        ("COMFYUI_PORT_INCREMENT", "10"),
    ]);
    let eight = plan(REAL, "comfyui:16,replicate:3", gpus(8), &set).unwrap();
    let placed: Vec<(Option<u32>, u16)> = eight.services.iter().map(|one| (one.gpu, one.ports[0])).collect();
    let expected: Vec<(Option<u32>, u16)> =
        (0..16).map(|index: u16| (Some(u32::from(index) % 8), 9000 + 10 * index)).collect();
    assert_eq!(placed, expected);
    assert_eq!(eight.workers.len(), 17);
    assert_eq!(lines(&eight).last().map(String::as_str), Some("replicate x3"));
    assert_eq!(
        faults("comfyui:17", gpus(8), &[("COMFYUI_INSTANCES_PER_GPU", "2")]),
        ["E_MACHINE: worker `comfyui` does not fit: 17 instances are asked for, and there is room for 16"]
    );
}

#[test]
fn what_is_installed_is_told_its_settings() {
    let plan = plan(REAL, "comfyui", gpus(1), &env(&[("COMFYUI_BRANCH", "it's $HOME")])).unwrap();
    let install = &plan.installs[0];
    assert_eq!((install.installer.as_str(), install.timeout_seconds), ("installComfyUI", 300));
    assert_eq!(install.environment["EMP_INSTALL_BRANCH"], "it's $HOME");
    assert_eq!(install.environment["EMP_INSTALL_MODELS_PATH"], "/workspace/ComfyUI/models");
    assert!(!install.environment.contains_key("EMP_INSTALL_INSTALL_TIMEOUT"));
}

#[test]
fn every_fault_of_every_worker_is_told_at_once() {
    let set =
        [("COMFYUI_BASE_PORT", "eighty"), ("PLAYWRIGHT_BASE_PORT", "3000"), ("SIMULATION_BASE_PORT", "9090")];
    let found = faults("comfyui,playwright,simulation:3,comfyui-remoet", gpus(1), &set);
    assert_eq!(
        found,
        [
            "E_ENVIRONMENT: worker `comfyui`: `ports`: `eighty` is not a port from 1 to 65535",
            "E_WORKERS: WORKERS column 33: the mapping has no worker `comfyui-remoet`",
            "E_MACHINE: worker `simulation` does not fit: 3 instances are asked for, and there is room for 1",
            "E_MACHINE: the API and `playwright-0-service` would both listen on port 3000",
        ]
    );
}

#[test]
fn a_required_variable_that_nothing_sets_is_missing_and_a_secret_is_never_in_the_plan() {
    let bare = plan(REAL, "openai:2", gpus(0), &env(&[])).unwrap();
    let missing: Vec<String> =
        bare.missing().iter().map(|fault| format!("{}; {}", fault.message, fault.help)).collect();
    assert_eq!(
        missing,
        [
            "worker `openai` needs OPENAI_API_KEY, which is not set; set OPENAI_API_KEY: OpenAIConnector needs it"
        ]
    );
    let set = plan(REAL, "openai:2", gpus(0), &env(&[("OPENAI_API_KEY", "sk-known-secret")])).unwrap();
    assert_eq!(set.missing(), []);
    assert!(!format!("{set:?}{}", serde_json::to_string(&set).unwrap()).contains("known-secret"));
    // Whoever reads the files has the content under the name itself, as the command line has.
    for read in [&[][..], &[("OPENAI_API_KEY", "sk-known-secret")]] {
        let set = env(&[&[("OPENAI_API_KEY_FILE", "/run/key")], read].concat());
        let file = plan(REAL, "openai:2", gpus(0), &set).unwrap();
        let key = file.workers[0].variables.iter().find(|one| one.name == "OPENAI_API_KEY").unwrap();
        assert_eq!((key.source, key.value.as_deref()), (Source::File, Some("/run/key")));
    }
}

#[test]
fn a_setting_of_an_installer_that_a_secret_would_go_into_is_refused() {
    let mapping = |config: &str| {
        format!(
            r#"{{ "workers": {{ "a": {{ "service": [{{ "capability": "a", "connector": "SimulationConnector", "type": "internal" }}],
                "installer": "a", "service_instances_per_machine": 1, "ports": [8100], "installer_config": {config} }} }} }}"#
        )
    };
    let set = env(&[
        ("HF_TOKEN", "known-secret"),
        ("OPENAI_API_KEY", "known-secret"),
        ("HF_TOKEN_FILE", "/run/token"),
        ("MAX_TOKENS", "64"),
        ("EMP_STORE", "redis://:known-secret@host"),
    ]);
    let refused = plan(
        &mapping(
            r#"{ "hf_token": "${HF_TOKEN}", "start_command": "serve --token ${OTHER:-${OPENAI_API_KEY:-}}", "version": "${MAX_TOKENS}", "queue": "${EMP_STORE}" }"#,
        ),
        "a",
        gpus(0),
        &set,
    )
    .unwrap_err();
    let faults: Vec<_> = refused.0.iter().map(|fault| (fault.code, fault.message.as_str())).collect();
    assert_eq!(
        faults,
        [
            (
                "E_MAPPING",
                "worker `a`: `installer_config.start_command` would put the secret OPENAI_API_KEY into plain files and command lines"
            ),
            (
                "E_MAPPING",
                "worker `a`: `installer_config.hf_token` would put the secret HF_TOKEN into plain files and command lines"
            ),
            (
                "E_MAPPING",
                "worker `a`: `installer_config.queue` would put the secret EMP_STORE into plain files and command lines"
            ),
        ]
    );
    assert!(refused.0[1].help.contains("${HF_TOKEN_FILE}"), "{}", refused.0[1].help);
    let path = mapping(r#"{ "start_command": "serve --token-file ${HF_TOKEN_FILE} --max ${MAX_TOKENS}" }"#);
    let plan = plan(&path, "a", gpus(0), &set).unwrap();
    assert_eq!(plan.services[0].command, ["serve", "--token-file", "/run/token", "--max", "64"]);
}

#[test]
fn workers_bound_exclusively_never_meet_on_a_gpu_and_the_whole_machine_is_counted() {
    let mapping = r#"{ "resource_bindings": { "big": { "scaling": "per_gpu", "exclusive": true } }, "workers": {
        "a": { "service": [{ "capability": "a", "connector": "SimulationConnector", "type": "internal" }], "installer": "a",
               "resource_binding": "gpu", "service_instances_per_gpu": 2, "ports": [8100], "memory_per_instance": "16GiB" },
        "b": { "service": [{ "capability": "b", "connector": "PlaywrightConnector", "type": "internal" }], "installer": "b",
               "resource_binding": "big", "service_instances_per_gpu": 1, "ports": [8200], "memory_per_instance": "16GiB" } } }"#;
    let two = plan(mapping, "a:2,b", gpus(2), &env(&[])).unwrap();
    assert_eq!(
        lines(&two)[..3],
        ["a-0-service gpu gpu 0 [8100]", "a-1-service gpu gpu 0 [8101]", "b-0-service big gpu 1 [8200]"]
    );
    let refused = plan(mapping, "a:2,b", gpus(1), &env(&[])).unwrap_err();
    assert!(refused.0[0].message.contains("need 2 GPUs together"), "{refused}");
    let small = Machine { memory: Some(40 << 30), ..gpus(2) };
    let refused = plan(mapping, "a:2,b", small, &env(&[])).unwrap_err();
    assert!(
        refused.0[0].message.contains("49152 MiB of memory together, and the machine has 40960"),
        "{refused}"
    );
}

#[test]
fn each_process_shows_its_metrics_on_a_port_of_its_own() {
    let mapping = REAL.replacen('{', "{ \"machine\": { \"metrics_port\": 9464 },", 1);
    let plan = plan(&mapping, "comfyui:2,openai:10", gpus(2), &env(&[])).unwrap();
    let ports: Vec<_> = plan.workers.iter().map(|one| one.metrics_port).collect();
    assert_eq!(ports, [Some(9464), Some(9465), Some(9466)]);
    let listen = plan.workers[2].variables.iter().find(|one| one.name == "EMP_METRICS_LISTEN").unwrap();
    assert_eq!(listen.value.as_deref(), Some("127.0.0.1:9466"));
}

#[test]
fn two_processes_with_one_name_are_refused() {
    let mapping = r#"{ "workers": {
        "a": { "service": [{ "capability": "a", "connector": "SimulationConnector", "type": "internal" }], "installer": "a",
               "service_instances_per_machine": 1, "ports": [8100] },
        "a-0": { "service": [{ "capability": "b", "connector": "PlaywrightConnector", "type": "external" }] } } }"#;
    let refused = plan(mapping, "a,a-0", gpus(0), &env(&[])).unwrap_err();
    assert!(refused.0[0].message.contains("would be called `a-0`"), "{refused}");
}
