//! From the text of `WORKERS`, the mapping, the registry and the environment to workers that can run.
//!
//! Pure but for reading the environment through its [`EnvSource`]. Every fault of every worker is reported at once, so that an
//! operator mends them in one go.

use std::collections::BTreeMap;
use std::sync::Arc;

use emp_core::connector::{Loaded, Registry};
use emp_core::mapping::{Capability, Mapping};
use emp_core::{EnvSource, Url};

pub use emp_core::workers::{
    ENVIRONMENT, MAPPING, MAX_SLOTS, PlanError, PlanFault, WORKERS, WorkerEntry, parse,
};

/// A worker that can run: its connectors are loaded.
#[derive(Clone, Debug)]
pub struct PlannedWorker {
    /// Its entry in the mapping.
    pub name: String,
    /// How many jobs it has at once.
    pub slots: usize,
    /// The services that it offers, each with the connector that does them. A connector is loaded once per process and shared.
    pub services: Vec<(String, Arc<Loaded>)>,
    /// The other connectors of its services that this binary has and the environment allows. They begin nothing, but a job that one
    /// of them has begun is finished with it: so jobs survive a change of the mapping.
    pub finishers: Vec<Arc<Loaded>>,
}

impl PlannedWorker {
    /// The connector with a name, whatever it is there for.
    pub fn connector(&self, name: &str) -> Option<&Arc<Loaded>> {
        let own = self.services.iter().map(|(_, connector)| connector);
        own.chain(&self.finishers).find(|connector| connector.spec.name == name)
    }
}

/// Plans the workers that `WORKERS` names.
pub fn plan(
    mapping: &Mapping,
    registry: &Registry,
    workers: &str,
    env: &dyn EnvSource,
) -> Result<Vec<PlannedWorker>, PlanError> {
    plan_with_bases(mapping, registry, workers, env, &BTreeMap::new())
}

/// Plans the workers that `WORKERS` names, where some connectors speak to something else than their declared base.
///
/// `bases` has these by the connector's name: where the fakes of `emp dev --fake` and of tests listen.
pub fn plan_with_bases(
    mapping: &Mapping,
    registry: &Registry,
    workers: &str,
    env: &dyn EnvSource,
    bases: &BTreeMap<String, Url>,
) -> Result<Vec<PlannedWorker>, PlanError> {
    let entries = parse(workers).map_err(PlanError)?;
    let offers: Vec<_> = mapping.capabilities().collect();
    let mut faults = Vec::new();
    let mut loaded = Connectors { registry, env, bases, loaded: BTreeMap::new() };
    let mut planned = Vec::new();
    for entry in entries {
        let mut services: Vec<(String, Arc<Loaded>)> = Vec::new();
        if mapping.worker(&entry.name).is_none() {
            faults.push(PlanFault::unknown_worker(&entry, mapping));
        }
        for offer in offers.iter().filter(|offer| offer.worker == entry.name) {
            // The mapping may name a second connector for a capability; the one that it prefers comes first.
            if services.iter().any(|(service, _)| service == offer.capability) {
                continue;
            }
            if let Some(connector) = loaded.get(offer, &mut faults) {
                services.push((offer.capability.to_owned(), connector));
            }
        }
        if mapping.worker(&entry.name).is_some_and(|worker| worker.service.is_empty()) {
            faults.push(PlanFault::no_service(&entry.name));
        }
        let finishers = loaded.finishers(&services);
        planned.push(PlannedWorker { name: entry.name, slots: entry.slots, services, finishers });
    }
    if faults.is_empty() { Ok(planned) } else { Err(PlanError(faults)) }
}

/// The connectors of one process, each loaded once.
struct Connectors<'a> {
    registry: &'a Registry,
    env: &'a dyn EnvSource,
    bases: &'a BTreeMap<String, Url>,
    /// `None` once its faults are reported.
    loaded: BTreeMap<String, Option<Arc<Loaded>>>,
}

impl Connectors<'_> {
    fn get(&mut self, offer: &Capability<'_>, faults: &mut Vec<PlanFault>) -> Option<Arc<Loaded>> {
        if let Some(known) = self.loaded.get(offer.connector) {
            return known.clone();
        }
        let made = self.load(offer, faults);
        self.loaded.insert(offer.connector.to_owned(), made.clone());
        made
    }

    /// The connectors that can do one of these services too. One whose environment is not there is left out: nobody asked for it.
    fn finishers(&mut self, services: &[(String, Arc<Loaded>)]) -> Vec<Arc<Loaded>> {
        let mut found = Vec::new();
        for entry in self.registry.entries() {
            let name = entry.spec.name;
            let shares = services.iter().any(|(service, _)| entry.spec.services.contains(&service.as_str()));
            let own = services.iter().any(|(_, connector)| connector.spec.name == name);
            // Beside fakes nothing speaks to a real service.
            let away = !self.bases.is_empty() && !self.bases.contains_key(name);
            if !shares || own || away {
                continue;
            }
            let known = self.loaded.get(name).cloned().flatten();
            let Some(connector) = known.or_else(|| entry.load(self.env).ok().map(|it| self.at_base(it)))
            else {
                continue;
            };
            self.loaded.insert(name.to_owned(), Some(Arc::clone(&connector)));
            found.push(connector);
        }
        found
    }

    fn at_base(&self, mut loaded: Loaded) -> Arc<Loaded> {
        loaded.base = self.bases.get(loaded.spec.name).cloned();
        Arc::new(loaded)
    }

    fn load(&self, offer: &Capability<'_>, faults: &mut Vec<PlanFault>) -> Option<Arc<Loaded>> {
        let name = offer.connector;
        let Some(entry) = self.registry.get(name) else {
            faults.push(PlanFault::unknown_connector(offer.worker, name, self.registry));
            return None;
        };
        match entry.load(self.env) {
            Ok(loaded) => Some(self.at_base(loaded)),
            Err(errors) => {
                faults.extend(errors.iter().map(|error| {
                    PlanFault::new(
                        ENVIRONMENT,
                        format!(
                            "connector {name} initialization failed: {} {}; expected {}",
                            error.variable, error.problem, error.expected
                        ),
                        format!("set {} for worker `{}`", error.variable, offer.worker),
                    )
                }));
                None
            }
        }
    }
}
