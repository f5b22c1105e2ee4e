//! Kubernetes manifests: a Deployment for each worker, with its service beside it in the pod, and an autoscaler on the depth of its
//! queue. Kubernetes expands `$(X)` and reads `$$` as a dollar sign in values and arguments.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Conduct, MAPPING_FILE, MAPPING_PATH, MappingFile, Names, service_check, yaml};
use crate::plan::{MachinePlan, Service, WorkerProcess};
use crate::variable::{Source, Variable};

/// The Secret that has every key; one key for each variable.
const SECRET: &str = "emp-secrets";
/// The `ConfigMap` that has the mapping, when it is in a file of its own.
const MAPPING: &str = "emp-mapping";
/// The most pods that the autoscaler makes of a worker.
const MOST_PODS: u32 = 10;

pub(super) fn write(plan: &MachinePlan, conduct: &Conduct<'_>) -> String {
    let mut names = Names::default();
    let mut workers: BTreeMap<&str, Vec<&WorkerProcess>> = BTreeMap::new();
    for process in &plan.workers {
        workers.entry(&process.worker).or_default().push(process);
    }
    let mut documents: Vec<Value> = conduct.mapping.iter().map(|mapping| config_map(mapping)).collect();
    for (worker, processes) in workers {
        let Some(first) = processes.first() else { continue };
        let name = names.of(worker);
        documents.push(deployment(&name, plan, first, processes.len(), conduct));
        documents.push(autoscaler(&name, first, processes.len()));
    }
    let head = format!(
        "# Written by `emp export k8s`. The Secret `{SECRET}` has a key for each variable that is referred to.\n"
    );
    head + &yaml::documents(&documents)
}

/// The mapping, for pods that are on other machines than its file.
fn config_map(mapping: &MappingFile<'_>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": MAPPING, "labels": labels(MAPPING) },
        "data": { MAPPING_FILE: mapping.text },
    })
}

fn labels(name: &str) -> Value {
    json!({ "app.kubernetes.io/name": "emp", "app.kubernetes.io/component": name })
}

fn deployment(
    name: &str,
    plan: &MachinePlan,
    process: &WorkerProcess,
    pods: usize,
    conduct: &Conduct<'_>,
) -> Value {
    let mut volumes = vec![json!({ "name": "data", "emptyDir": {} })];
    volumes.extend(conduct.mapping.map(|_| json!({ "name": "mapping", "configMap": { "name": MAPPING } })));
    let mut containers = vec![worker(process, conduct)];
    containers.extend(plan.service_of(process).map(|service| beside(service, conduct)));
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": labels(name) },
        "spec": {
            "replicas": pods,
            "selector": { "matchLabels": labels(name) },
            "template": {
                "metadata": { "labels": labels(name) },
                "spec": {
                    "terminationGracePeriodSeconds": conduct.drain.as_secs(),
                    "automountServiceAccountToken": false,
                    "securityContext": { "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": { "type": "RuntimeDefault" } },
                    "containers": containers,
                    "volumes": volumes,
                },
            },
        },
    })
}

fn worker(process: &WorkerProcess, conduct: &Conduct<'_>) -> Value {
    let arguments: Vec<String> =
        conduct.worker(process, MAPPING_PATH).iter().map(|word| literal(word)).collect();
    let mut mounts = vec![json!({ "name": "data", "mountPath": "/var/lib/emp" })];
    mounts.extend(conduct.mapping.map(|_| {
        json!({ "name": "mapping", "mountPath": MAPPING_PATH, "subPath": MAPPING_FILE, "readOnly": true })
    }));
    let mut env: Vec<Value> = process.variables.iter().filter_map(variable).collect();
    let listen = format!("127.0.0.1:{}", conduct.metrics_port);
    env.push(json!({ "name": "EMP_METRICS_LISTEN", "value": listen }));
    let probe = |period: u32, failures: u32| json!({ "exec": { "command": ["emp", "health"] }, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures });
    let mut container = container("worker", process.stage.as_deref(), conduct);
    container.extend(entries(json!({
        "args": arguments,
        "env": env,
        "livenessProbe": probe(30, 3),
        "readinessProbe": { "exec": { "command": ["emp", "health", "--ready"] }, "periodSeconds": 10, "timeoutSeconds": 5 },
        "startupProbe": probe(2, 30),
        "volumeMounts": mounts,
    })));
    Value::Object(container)
}

/// The service of the worker's machine, in the same pod: the two share a loopback.
fn beside(service: &Service, conduct: &Conduct<'_>) -> Value {
    let env = service
        .environment
        .iter()
        .filter(|(name, _)| *name != "CUDA_VISIBLE_DEVICES" || service.gpu.is_none());
    let env: Vec<Value> = env.map(|(name, value)| json!({ "name": name, "value": literal(value) })).collect();
    let mut limits = Map::new();
    limits.extend(service.gpu.map(|_| ("nvidia.com/gpu".to_owned(), json!("1"))));
    limits.extend(service.cpus.map(|cpus| ("cpu".to_owned(), json!(cpus.to_string()))));
    limits.extend(service.memory.map(|bytes| ("memory".to_owned(), json!(bytes.to_string()))));
    let mut container = container("service", service.stage.as_deref(), conduct);
    let words: Vec<String> = service.command.iter().map(|word| literal(word)).collect();
    container.extend(entries(json!({ "command": words, "env": env, "resources": { "limits": limits } })));
    let check: Vec<String> = service_check(service).iter().map(|word| literal(word)).collect();
    if !check.is_empty() {
        let probe = json!({ "exec": { "command": check }, "periodSeconds": 10, "timeoutSeconds": 5 });
        container.insert("readinessProbe".to_owned(), probe);
    }
    Value::Object(container)
}

fn container(name: &str, stage: Option<&str>, conduct: &Conduct<'_>) -> Map<String, Value> {
    entries(json!({
        "name": name,
        "image": format!("{}:{}", conduct.image, stage.unwrap_or("base")),
        "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
    }))
}

fn variable(variable: &Variable) -> Option<Value> {
    let name = &variable.name;
    if variable.secret {
        let optional = !variable.required;
        let reference = json!({ "name": SECRET, "key": name, "optional": optional });
        return Some(json!({ "name": name, "valueFrom": { "secretKeyRef": reference } }));
    }
    if name == "EMP_METRICS_LISTEN" {
        return None;
    }
    // Pods share no disk, so a store in a file would be each pod's own.
    let is_file = |url: &String| url.starts_with("file:") || url.starts_with("memory:");
    if name == "EMP_STORE" && variable.value.as_ref().is_none_or(is_file) {
        let reference = json!({ "name": SECRET, "key": name, "optional": false });
        return Some(json!({ "name": name, "valueFrom": { "secretKeyRef": reference } }));
    }
    match &variable.value {
        Some(value) if variable.source != Source::Default => {
            Some(json!({ "name": name, "value": literal(value) }))
        }
        None if variable.required => {
            let reference = json!({ "name": "emp-settings", "key": name });
            Some(json!({ "name": name, "valueFrom": { "configMapKeyRef": reference } }))
        }
        // The process has its own default.
        Some(_) | None => None,
    }
}

/// More pods while more jobs wait than the pods have slots.
fn autoscaler(name: &str, process: &WorkerProcess, pods: usize) -> Value {
    let metric = |service: &String| {
        json!({
            "type": "External",
            "external": {
                "metric": { "name": "emp_jobs", "selector": { "matchLabels": { "service": service, "state": "queued" } } },
                "target": { "type": "AverageValue", "averageValue": process.slots.to_string() },
            },
        })
    };
    let metrics: Vec<Value> = process.capabilities.iter().map(metric).collect();
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": name, "labels": labels(name) },
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
            "minReplicas": pods,
            "maxReplicas": MOST_PODS.max(u32::try_from(pods).unwrap_or(MOST_PODS)),
            "metrics": metrics,
        },
    })
}

fn entries(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A text that Kubernetes takes as it is.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
