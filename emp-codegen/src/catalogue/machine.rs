//! `EMP023x` to `EMP027x`: workers that a machine cannot run, capabilities, and what the mapping allows.

use super::{Code, Entry};

/// An internal worker lacks what it takes to run.
pub const INTERNAL_LACKS: Code = Code::new("EMP0230");
/// An external worker has what only a service of this machine has.
pub const EXTERNAL_HAS: Code = Code::new("EMP0231");
/// A resource binding that does not exist.
pub const UNKNOWN_BINDING: Code = Code::new("EMP0232");
/// A resource binding that does not fit the worker.
pub const WRONG_BINDING: Code = Code::new("EMP0233");
/// A declared resource binding that no worker uses.
pub const UNUSED_BINDING: Code = Code::new("EMP0234");
/// A resource binding that depends on a variable.
pub const VARIABLE_BINDING: Code = Code::new("EMP0235");
/// A build stage that no Dockerfile has.
pub const UNKNOWN_STAGE: Code = Code::new("EMP0240");
/// Build stages without a Dockerfile to look them up.
pub const NO_DOCKERFILE: Code = Code::new("EMP0241");
/// A build stage that nobody needs.
pub const UNUSED_STAGE: Code = Code::new("EMP0242");
/// A Dockerfile whose stages cannot be read.
pub const BAD_DOCKERFILE: Code = Code::new("EMP0243");
/// A build stage that two Dockerfiles have.
pub const AMBIGUOUS_STAGE: Code = Code::new("EMP0244");
/// A port that needs privileges.
pub const PRIVILEGED: Code = Code::new("EMP0250");
/// A service on a port of ours.
pub const OWN_PORT: Code = Code::new("EMP0251");
/// Two services on one port.
pub const CLASH: Code = Code::new("EMP0252");
/// Several instances on one port.
pub const NO_INCREMENT: Code = Code::new("EMP0253");
/// Instances beyond the last port.
pub const PORT_RANGE: Code = Code::new("EMP0254");
/// A worker that does not fit on the machine.
pub const MISFIT: Code = Code::new("EMP0255");
/// One capability that several connectors do.
pub const SEVERAL_CONNECTORS: Code = Code::new("EMP0260");
/// A capability that the connector does not serve.
pub const OTHER_SERVICE: Code = Code::new("EMP0261");
/// A worker that accepts no jobs.
pub const NO_CAPABILITY: Code = Code::new("EMP0262");
/// A worker whose name WORKERS cannot spell.
pub const WORKER_NAME: Code = Code::new("EMP0263");
/// A finding that is allowed without a reason.
pub const NO_REASON: Code = Code::new("EMP0270");
/// A code that cannot be allowed.
pub const NOT_ALLOWED: Code = Code::new("EMP0271");
/// A finding that is allowed and does not occur.
pub const UNUSED_ALLOW: Code = Code::new("EMP0272");

/// The table.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: INTERNAL_LACKS,
        title: "an internal worker lacks what it takes to run its service",
        why: "a service of this machine is installed, started so many times, and reached at a port: without one of these nobody can run it",
        help: "add what the message names, or make the service external",
        example: r#""installer": "installComfyUI", "ports": [8188], "service_instances_per_gpu": 1"#,
    },
    Entry {
        code: EXTERNAL_HAS,
        title: "an external worker has what only internal ones use",
        why: "nothing is installed or started for a service that runs elsewhere, so what is written for it never happens",
        help: "take it out, or make the service internal",
        example: r#"{ "capability": "openai", "connector": "OpenAIConnector", "type": "external" }"#,
    },
    Entry {
        code: UNKNOWN_BINDING,
        title: "a worker is bound to something that does not exist",
        why: "the binding says how many instances fit on a machine; without it nobody can say",
        help: "write `shared`, `gpu`, `cpu` or `mock_gpu`, or declare the binding under `resource_bindings`",
        example: r#""resource_bindings": { "big_gpu": { "scaling": "per_gpu", "exclusive": true } }"#,
    },
    Entry {
        code: WRONG_BINDING,
        title: "a resource binding does not fit the worker",
        why: "an external service takes nothing of this machine, an internal one takes something, and it is counted as its binding scales",
        help: "bind external workers to `shared`, internal ones to `gpu` or `cpu`, and count per GPU or per machine accordingly",
        example: r#""resource_binding": "gpu", "service_instances_per_gpu": 1"#,
    },
    Entry {
        code: UNUSED_BINDING,
        title: "no worker uses a resource binding",
        why: "a binding that nobody uses is dead weight, and often the sign of a worker that was bound to another one by mistake",
        help: "bind a worker to it, or take it out",
        example: r#""resource_binding": "big_gpu""#,
    },
    Entry {
        code: VARIABLE_BINDING,
        title: "what a worker is bound to depends on a variable",
        why: "instances, ports and GPUs can be checked for the default only; with another value of the variable the machine may not hold them",
        help: "write the binding itself; to try without GPUs, bind to `mock_gpu` in a mapping for that machine",
        example: r#""resource_binding": "gpu""#,
    },
    Entry {
        code: UNKNOWN_STAGE,
        title: "a worker needs a build stage that the Dockerfile does not have",
        why: "the image of the worker cannot be built: `docker build --target` knows no such stage",
        help: "write the name of a stage, or add one to the Dockerfile",
        example: "FROM base AS comfyui",
    },
    Entry {
        code: NO_DOCKERFILE,
        title: "build stages are named, and no Dockerfile",
        why: "whether a stage exists can only be seen in the file that has it",
        help: "name the file in the mapping's `machine`, or write `null` there when there is none",
        example: r#""machine": { "dockerfile": "./Dockerfile" }"#,
    },
    Entry {
        code: UNUSED_STAGE,
        title: "no worker needs a build stage",
        why: "a stage that nobody builds rots unseen, and is often the sign of a worker with another stage's name",
        help: "name it in a worker, or take it out",
        example: r#""build_stage": "comfyui""#,
    },
    Entry {
        code: BAD_DOCKERFILE,
        title: "a Dockerfile has a line that Docker refuses",
        why: "Docker builds nothing of a file that it cannot read to its end",
        help: "mend the line that is shown",
        example: "FROM debian:stable-slim AS base",
    },
    Entry {
        code: AMBIGUOUS_STAGE,
        title: "two Dockerfiles have the build stage of a worker",
        why: "the worker's image could be built from either, and they are not the same",
        help: "give the stage another name in one of them",
        example: "FROM debian:stable-slim AS comfyui-cpu",
    },
    Entry {
        code: PRIVILEGED,
        title: "a port is privileged",
        why: "ports below 1024 need root or a capability that a service should not have",
        help: "write a port from 1024 on",
        example: r#""ports": [8188]"#,
    },
    Entry {
        code: OWN_PORT,
        title: "a service listens where the API or the metrics do",
        why: "whoever starts second fails, and which of the two that is changes from start to start",
        help: "write another port, or say in `machine` where the API listens",
        example: r#""machine": { "api_port": 3000 }"#,
    },
    Entry {
        code: CLASH,
        title: "two services want one port",
        why: "only one process can listen on a port: the other one fails to start",
        help: "write another port, or a larger distance to the next",
        example: r#""ports": ["${COMFYUI_BASE_PORT:-8188}"]"#,
    },
    Entry {
        code: NO_INCREMENT,
        title: "the instances of a service do not move on from the first one's port",
        why: "with `port_increment` 0 every further instance wants the port of the first and fails to start",
        help: "write 1, or as much as the service needs",
        example: r#""port_increment": "${COMFYUI_PORT_INCREMENT:-1}""#,
    },
    Entry {
        code: PORT_RANGE,
        title: "the last instances of a service have no port",
        why: "ports end at 65535",
        help: "start lower, or have fewer instances",
        example: r#""ports": [8188], "port_increment": 1"#,
    },
    Entry {
        code: MISFIT,
        title: "a worker does not fit on the machine",
        why: "the machine that the mapping describes has fewer GPUs, CPUs or memory than the worker's instances take",
        help: "have fewer instances, or describe the machine that there is",
        example: r#""machine": { "gpus": 2, "cpus": 16, "memory": "64GiB" }"#,
    },
    Entry {
        code: SEVERAL_CONNECTORS,
        title: "several connectors do one capability",
        why: "which of them does a job would be decided by who asks first; they read different payloads and cost different money",
        help: "mark the one that is meant as preferred, or accept different capabilities",
        example: r#"{ "capability": "comfyui", "connector": "ComfyUIConnector", "type": "internal", "preferred": true }"#,
    },
    Entry {
        code: OTHER_SERVICE,
        title: "a worker accepts jobs for something that the connector does not serve",
        why: "a connector declares what it can do: jobs for anything else would reach a service that does not know them",
        help: "write a service that the connector declares, or let it declare one more",
        example: r#"#[connector(service = ["a1111", "automatic"], version = "1.0.0")]"#,
    },
    Entry {
        code: NO_CAPABILITY,
        title: "a worker accepts no jobs",
        why: "it would start, hold its machine, and wait for ever",
        help: "name a capability and the connector that does it",
        example: r#""service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }]"#,
    },
    Entry {
        code: WORKER_NAME,
        title: "WORKERS cannot name a worker",
        why: "workers are started by name, separated by commas, with a colon before the count",
        help: "use letters, digits and hyphens",
        example: r#"WORKERS="my-service-api:2,openai:4""#,
    },
    Entry {
        code: NO_REASON,
        title: "a finding is allowed without a reason",
        why: "who reads the mapping in a year has to decide whether it is still right, and nobody else can tell them",
        help: "write why it is right here",
        example: r#""checks": { "allow": { "EMP0213": "the spare connectors are for the next release" } }"#,
    },
    Entry {
        code: NOT_ALLOWED,
        title: "a code is allowed that does not exist or stops a worker",
        why: "what stops a worker from starting stops it whether it is allowed or not",
        help: "mend what the code stands for; warnings can be allowed",
        example: r#""checks": { "allow": { "EMP0250": "the container has CAP_NET_BIND_SERVICE" } }"#,
    },
    Entry {
        code: UNUSED_ALLOW,
        title: "a finding is allowed and does not occur",
        why: "it would hide the next one of its kind, which is another one",
        help: "take it out",
        example: r#""checks": { "allow": {} }"#,
    },
];
