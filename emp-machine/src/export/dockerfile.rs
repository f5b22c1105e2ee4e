//! A Dockerfile with a stage for each that the mapping names. Words of the mapping stand in JSON arrays only, in which Docker expands
//! nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::{Install, MachinePlan};

/// The stage that every other is made from.
const BASE: &str = "base";

const HEAD: &str = "# syntax=docker/dockerfile:1
# Written by `emp export dockerfile`.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \\
    cargo build --release --locked --bin emp && cp target/release/emp /emp

FROM debian:bookworm-slim AS base
COPY --from=build /emp /usr/local/bin/emp
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/emp emp
WORKDIR /var/lib/emp
USER 10001:10001
ENTRYPOINT [\"emp\"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD [\"emp\", \"health\"]
";

pub(super) fn write(plan: &MachinePlan) -> String {
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
    own.fold(HEAD.to_owned(), |text, (name, installs)| text + &stage(name, &installs))
}

fn stage(name: &str, installs: &[&Install]) -> String {
    let mut text = format!("\nFROM {BASE} AS {name}\n");
    if installs.is_empty() {
        return text;
    }
    text += "USER root\nCOPY . /opt/install\nWORKDIR /opt/install\n";
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
        let _ = writeln!(text, "RUN {}", serde_json::to_string(&words).unwrap_or_default());
    }
    text + "WORKDIR /var/lib/emp\nUSER 10001:10001\n"
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
