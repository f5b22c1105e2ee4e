//! A Dockerfile with a stage for each that the mapping names. Words of the mapping stand in JSON arrays only, in which Docker expands
//! nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Conduct, File};
use crate::plan::{Install, MachinePlan};

/// The stage that every other is made from.
const BASE: &str = "base";

/// What a builder is not sent, so that it can leak from no image, no layer and no cache.
const IGNORED: &str = "# What the builder is not sent, written by `emp export dockerfile`.
.git
**/.env*
**/*.key
**/*.p12
**/*.pem
**/emp-data
**/node_modules
**/target
secrets
";

/// The folder of the sources while something is built or installed. It is mounted, so that no layer has it.
const SOURCES: &str = "/opt/install";

pub(super) fn write(plan: &MachinePlan, conduct: &Conduct<'_>) -> Vec<File> {
    let mut stages: BTreeMap<&str, Vec<&Install>> = BTreeMap::new();
    for stage in plan.workers.iter().filter_map(|process| process.stage.as_deref()) {
        stages.entry(stage).or_default();
    }
    for install in &plan.installs {
        if let Some(stage) = &install.stage {
            stages.entry(stage).or_default().push(install);
        }
    }
    let own = stages.into_iter().filter(|(stage, _)| *stage != BASE && *stage != "build");
    let text = own.fold(head(conduct.binary), |text, (name, installs)| text + &stage(name, &installs));
    let file = |name: &str, text: String| File { name: name.to_owned(), text };
    vec![file("Dockerfile", text), file("Dockerfile.dockerignore", IGNORED.to_owned())]
}

/// The program and the image that every other is made from. Whether it is healthy is asked by who starts it and knows what it runs.
fn head(binary: &str) -> String {
    let command = shell_words::join(["cargo", "build", "--release", "--locked", "--bin", binary]);
    let name = shell_words::quote(binary);
    format!(
        "# syntax=docker/dockerfile:1
# Written by `emp export dockerfile`.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN --mount=type=bind,target=/src,rw --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \\
    {command} && cp target/release/{name} /emp

FROM debian:bookworm-slim AS base
COPY --from=build /emp /usr/local/bin/emp
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/emp emp
WORKDIR /var/lib/emp
USER 10001:10001
ENTRYPOINT [\"emp\"]
"
    )
}

fn stage(name: &str, installs: &[&Install]) -> String {
    let mut text = format!("\nFROM {BASE} AS {name}\n");
    if installs.is_empty() {
        return text;
    }
    let _ = writeln!(text, "USER root\nWORKDIR {SOURCES}");
    for install in installs {
        if install.command.is_empty() {
            let name = one_line(&install.installer);
            let _ = writeln!(text, "# `{name}` names no install_command: install its service here.");
            continue;
        }
        let settings = install.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let words: Vec<String> = std::iter::once("env".to_owned())
            .chain(settings)
            .chain(install.command.iter().cloned())
            .collect();
        let words = serde_json::to_string(&words).unwrap_or_default();
        let _ = writeln!(text, "# What it writes into {SOURCES} is gone afterwards.");
        let _ = writeln!(text, "RUN --mount=type=bind,target={SOURCES},rw {words}");
    }
    text + "WORKDIR /var/lib/emp\nUSER 10001:10001\n"
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
