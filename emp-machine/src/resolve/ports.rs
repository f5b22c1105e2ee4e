//! Ports of our own, and those that two want.

use emp_core::machine::{Clash, Listener, PortPlan};
use emp_core::mapping::{Port, Template};
use emp_core::workers::{MAPPING, PlanFault};

use super::{MACHINE, Request};
use crate::plan::MachinePlan;

/// Ports of our own: the API's, and one for each worker process from the metrics port on.
pub(super) struct OwnPorts {
    api: Option<u16>,
    metrics: Option<u16>,
    given: u16,
}

impl OwnPorts {
    pub(super) fn read(request: &Request<'_>, faults: &mut Vec<PlanFault>) -> Self {
        let machine = request.mapping.machine.clone().unwrap_or_default();
        let mut read = |field: &str, template: Option<&Template<Port>>| match template?
            .value(&|variable| request.env.get(variable))
        {
            Ok(port) => port,
            Err(error) => {
                faults.push(PlanFault::new(
                    MAPPING,
                    format!("the machine's `{field}`: {error}"),
                    "write a free port",
                ));
                None
            }
        };
        let api = read("api_port", machine.api_port.as_ref());
        let metrics = read("metrics_port", machine.metrics_port.as_ref());
        Self { api, metrics, given: 0 }
    }

    /// The next worker process's port.
    pub(super) fn next(&mut self) -> Option<u16> {
        let port = self.metrics?.checked_add(self.given)?;
        self.given += 1;
        Some(port)
    }
}

/// Ports that two want.
pub(super) fn clashes(plan: &MachinePlan, own: &OwnPorts) -> Vec<PlanFault> {
    let api = own.api.map(|port| ("the API", port));
    let listening: Vec<(&str, u16)> = api.into_iter().chain(plan.listeners()).collect();
    let listeners: Vec<Listener<usize>> = listening
        .iter()
        .enumerate()
        .map(|(owner, (_, port))| Listener {
            owner,
            plan: PortPlan { first: *port, increment: 0, instances: 1 },
        })
        .collect();
    let who = |index: usize| match listening.get(index) {
        Some((name, _)) if name.starts_with("the ") => (*name).to_owned(),
        Some((name, _)) => format!("`{name}`"),
        None => String::new(),
    };
    let fault = |Clash { first, second, port }: Clash<usize>| {
        PlanFault::new(
            MACHINE,
            format!("{} and {} would both listen on port {port}", who(first), who(second)),
            "write other ports, or a `port_increment` of at least 1, into the mapping",
        )
    };
    Listener::clashes(&listeners).into_iter().map(fault).collect()
}
