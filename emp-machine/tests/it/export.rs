//! What is written for each target, as goldens.

use emp_core::machine::Machine;
use emp_machine::export::{Conduct, MappingFile, Target, export};
use emp_machine::{MachinePlan, Variable};
use serde_json::{Value, json};
use std::time::Duration;

use crate::stubs::{REGISTRY, env, plan};

pub(crate) const MAPPING: &str = r#"{
  "workers": {
    "comfyui": {
      "service": [{ "capability": "comfyui", "connector": "ComfyUIConnector", "type": "internal" }],
      "installer": "installComfyUI", "resource_binding": "gpu", "build_stage": "comfyui", "service_instances_per_gpu": 1,
      "ports": ["${COMFYUI_BASE_PORT:-8188}"], "cpus_per_instance": 4, "memory_per_instance": "16GiB",
      "installer_config": {
        "branch": "main", "install_command": "./install.sh --quiet",
        "start_command": "python main.py --port ${EMP_PORT}", "health_path": "/system_stats"
      }
    },
    "my-service-api": {
      "service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }],
      "build_stage": "base", "required_env": ["MY_SERVICE_API_KEY"], "description": "MyService API worker"
    }
  }
}"#;

pub(crate) fn conduct() -> Conduct<'static> {
    Conduct {
        program: "emp",
        binary: "emp",
        mapping: None,
        image: "emp",
        drain: Duration::from_secs(70),
        metrics_port: 9464,
        registry: &REGISTRY,
    }
}

pub(crate) fn both(set: &[(&str, &str)]) -> MachinePlan {
    plan(MAPPING, "comfyui:2,my-service-api:2", Machine { gpus: 2, ..Machine::default() }, &env(set))
        .expect("fits")
}

pub(crate) fn text(plan: &MachinePlan, target: Target) -> String {
    let files = export(plan, target, &conduct()).expect("is written");
    match files.as_slice() {
        [file] => file.text.clone(),
        [file, ..] if target == Target::Dockerfile => file.text.clone(),
        files => {
            files.iter().fold(String::new(), |text, file| text + "# " + &file.name + "\n" + &file.text + "\n")
        }
    }
}

fn golden(target: Target) -> String {
    text(&both(&[("MY_SERVICE_API_KEY", "known-secret"), ("MY_SERVICE_REGION", "eu")]), target)
}

#[test]
fn pm2() {
    insta::assert_snapshot!(golden(Target::Pm2));
}

#[test]
fn compose() {
    insta::assert_snapshot!(golden(Target::Compose));
}

#[test]
fn systemd() {
    insta::assert_snapshot!(golden(Target::Systemd));
}

#[test]
fn k8s() {
    insta::assert_snapshot!(golden(Target::K8s));
}

#[test]
fn shell() {
    insta::assert_snapshot!(golden(Target::Env));
}

#[test]
fn dockerfile() {
    insta::assert_snapshot!(golden(Target::Dockerfile));
}

#[test]
fn no_layer_of_an_image_has_the_sources() {
    let files = export(&both(&[]), Target::Dockerfile, &conduct()).unwrap();
    let [file, ignored] = files.as_slice() else { panic!("{files:?}") };
    let copied: Vec<_> = file.text.lines().filter(|line| line.starts_with("COPY")).collect();
    assert_eq!(copied, ["COPY --from=build /emp /usr/local/bin/emp"]);
    assert_eq!(ignored.name, "Dockerfile.dockerignore");
    for wanted in [".git", "**/.env*", "**/emp-data", "**/target"] {
        assert!(ignored.text.lines().any(|line| line == wanted), "{}", ignored.text);
    }
}

#[test]
fn the_dockerfile_builds_the_program_by_its_own_name() {
    let own = Conduct { binary: "my-jobs", ..conduct() };
    let text = &export(&both(&[]), Target::Dockerfile, &own).unwrap()[0].text;
    assert!(text.contains("--bin my-jobs && cp target/release/my-jobs /emp"), "{text}");
}

#[test]
fn a_service_is_asked_from_inside_where_its_loopback_is() {
    let mut plan = both(&[]);
    plan.services[1].health_path = None;
    plan.services[1].ports = vec![8189];
    let expected = [
        json!(["emp", "health", "--url", "http://127.0.0.1:8188/system_stats"]),
        json!(["emp", "health", "--listens", "127.0.0.1:8189"]),
    ];
    let file: Value = serde_saphyr::from_str(&text(&plan, Target::Compose)).unwrap();
    for (index, asked) in expected.iter().enumerate() {
        let service = &file["services"][format!("comfyui-{index}-service")];
        let test = service["healthcheck"]["test"].as_array().unwrap();
        assert_eq!((&test[0], json!(test[1..])), (&json!("CMD"), asked.clone()));
        let condition = &file["services"][format!("comfyui-{index}")]["depends_on"];
        assert_eq!(condition[format!("comfyui-{index}-service")]["condition"], "service_healthy");
    }
    plan.services.swap(0, 1);
    plan.workers.swap(0, 1);
    for (plan, asked) in [(both(&[]), &expected[0]), (plan, &expected[1])] {
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text(&plan, Target::K8s)).unwrap();
        let pod = &documents[0]["spec"]["template"]["spec"]["containers"];
        assert_eq!(&pod[1]["readinessProbe"]["exec"]["command"], asked);
    }
    // An image does not know what it will run.
    assert!(!text(&both(&[]), Target::Dockerfile).contains("HEALTHCHECK"));
}

#[test]
fn a_mapping_of_its_own_is_found_wherever_the_processes_are() {
    let mapping = MappingFile { path: "/srv/$a/100%.json", text: "{ \"workers\": { } }\n" };
    let own = Conduct { mapping: Some(mapping), ..conduct() };
    let written = |target| export(&both(&[]), target, &own).unwrap();
    let ecosystem: Value = serde_json::from_str(&written(Target::Pm2)[0].text).unwrap();
    assert_eq!(ecosystem["apps"][4]["args"][1], mapping.path);

    let file: Value = serde_saphyr::from_str(&written(Target::Compose)[0].text).unwrap();
    let worker = &file["services"]["my-service-api"];
    assert_eq!(file["configs"]["emp-mapping"]["file"], "/srv/$$a/100%.json");
    let target = &worker["configs"][0]["target"];
    assert_eq!((&worker["command"][0], &worker["command"][1]), (&json!("--mapping"), target));

    let units = written(Target::Systemd);
    let unit = units.iter().find(|unit| unit.name == "emp-my-service-api.service").unwrap();
    assert!(unit.text.contains("LoadCredential=service-mapping.json:/srv/$a/100%%.json\n"), "{}", unit.text);
    assert!(unit.text.contains("Environment=\"EMP_MAPPING=%d/service-mapping.json\"\n"), "{}", unit.text);

    let documents: Vec<Value> = serde_saphyr::from_multiple(&written(Target::K8s)[0].text).unwrap();
    let map = &documents[0];
    assert_eq!(
        (&map["kind"], &map["data"]["service-mapping.json"]),
        (&json!("ConfigMap"), &json!(mapping.text))
    );
    let pod = &documents.iter().find(|one| one["metadata"]["name"] == "my-service-api").unwrap()["spec"]["template"]
        ["spec"];
    let (mount, volume) = (&pod["containers"][0]["volumeMounts"][1], &pod["volumes"][1]);
    assert_eq!(pod["containers"][0]["args"][1], mount["mountPath"]);
    assert_eq!((&mount["name"], &volume["configMap"]["name"]), (&volume["name"], &map["metadata"]["name"]));
}

const ALL: [Target; 6] =
    [Target::Pm2, Target::Compose, Target::Systemd, Target::K8s, Target::Env, Target::Dockerfile];

#[test]
fn no_target_has_the_value_of_a_secret() {
    for target in ALL {
        assert!(!golden(target).contains("known-secret"), "{target:?}");
    }
}

#[test]
fn a_process_has_its_own_variables_and_pm2_keeps_the_secrets_of_others_from_it() {
    let ecosystem: Value = serde_json::from_str(&golden(Target::Pm2)).unwrap();
    let app = |name: &str| {
        let apps = ecosystem["apps"].as_array().unwrap();
        apps.iter().find(|app| app["name"] == name).cloned().unwrap()
    };
    let names = |app: &Value| app["env"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let own = ["EMP_STORE", "MY_SERVICE_BASE_URL", "MY_SERVICE_GREETING", "MY_SERVICE_REGION"];
    assert_eq!(names(&app("my-service-api")), own);
    assert_eq!(names(&app("comfyui-1")), ["COMFYUI_URL", "EMP_STORE"]);
    assert_eq!(app("comfyui-1")["env"]["COMFYUI_URL"], "http://127.0.0.1:8189/api");
    assert_eq!(app("my-service-api")["filter_env"], serde_json::json!(["OPENAI_API_KEY"]));
    assert_eq!(app("comfyui-1")["filter_env"], serde_json::json!(["MY_SERVICE_API_KEY", "OPENAI_API_KEY"]));
    assert_eq!(app("my-service-api")["kill_timeout"], 70_000);
}

#[test]
fn a_secret_in_a_file_is_handed_on_as_the_file() {
    let plan = both(&[("MY_SERVICE_API_KEY_FILE", "/run/key")]);
    let ecosystem: Value = serde_json::from_str(&text(&plan, Target::Pm2)).unwrap();
    assert_eq!(ecosystem["apps"][4]["env"]["MY_SERVICE_API_KEY_FILE"], "/run/key");
}

#[test]
fn a_target_that_starts_services_needs_to_know_how() {
    let mut plan = both(&[]);
    plan.services.iter_mut().for_each(|service| service.command.clear());
    for target in ALL {
        let starts = !matches!(target, Target::Env | Target::Dockerfile);
        assert_eq!(export(&plan, target, &conduct()).is_err(), starts, "{target:?}");
    }
    let error = export(&plan, Target::Pm2, &conduct()).unwrap_err();
    assert_eq!(error.0.len(), 1, "once for both instances");
    assert!(
        error.to_string().contains("nothing says how the service of worker `comfyui` is started"),
        "{error}"
    );
}

#[test]
fn names_that_a_target_does_not_take_are_made_plain_and_stay_apart() {
    let mut plan = both(&[]);
    plan.services.clear();
    plan.installs.clear();
    plan.workers.retain(|process| process.link.is_none());
    let mut twin = plan.workers[0].clone();
    (twin.name, twin.worker) = ("My_Service.API".to_owned(), "My_Service.API".to_owned());
    plan.workers.push(twin);
    let compose = text(&plan, Target::Compose);
    assert!(compose.contains("my-service-api-2") && compose.contains("My_Service.API"), "{compose}");
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    for target in ALL {
        assert_eq!(golden(target), golden(target), "{target:?}");
    }
}

#[test]
fn a_variable_of_the_operator_that_is_set_nowhere_is_asked_for_where_the_target_can_ask() {
    let plan = both(&[]);
    let sentence = Variable::sentence;
    let region =
        plan.workers[2].variables.iter().find(|one| one.name == "MY_SERVICE_REGION").map(sentence).unwrap();
    assert_eq!(region, "set MY_SERVICE_REGION: A region (MyServiceConnector)");
    let compose = text(&plan, Target::Compose);
    assert!(compose.contains(&format!("${{MY_SERVICE_REGION:?{region}}}")), "{compose}");
    assert!(
        compose.contains("${MY_SERVICE_API_KEY_FILE:?set MY_SERVICE_API_KEY_FILE to a file"),
        "{compose}"
    );
    assert!(text(&plan, Target::Systemd).contains("EnvironmentFile=/etc/emp/emp.env"));
}
