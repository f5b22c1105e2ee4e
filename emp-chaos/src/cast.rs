//! The services of a run: one connector for each way in which an answer can be lost or a job be followed.

use emp_core::mapping::Mapping;
use emp_core::spec::ConnectorSpec;
use emp_testkit::example;
use emp_testkit::history::Resends;
use serde_json::{Value, json};

use crate::Failure;

/// A connector, what it is here for, and where its payload has a place for the mark by which its submits are known.
const CAST: [(&str, &str); 6] = [
    // A key that merges.
    ("MyServiceConnector", "/input"),
    // At most once; URLs of the service; asked after and cancelled by them.
    ("ReplicateConnector", "/input/prompt"),
    // An id of our own, looked up; a socket; files.
    ("ComfyUIRemoteConnector", "/workflow/2/inputs/filename_prefix"),
    // One answer, streamed.
    ("OpenAIConnector", "/messages/0/content"),
    // At most once; a file to download.
    ("BflConnector", "/prompt"),
    // Costs nothing, so it is sent again; a socket.
    ("SimulationWebsocketConnector", "/echo"),
];

/// A service of a run.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// The connector's declaration.
    pub(crate) spec: &'static ConnectorSpec,
    /// The service that jobs ask for.
    pub(crate) service: String,
    /// The worker that offers it.
    pub(crate) worker: String,
    /// What its settle rule allows.
    pub(crate) resends: Resends,
    payload: Value,
    mark: &'static str,
}

impl Role {
    /// A job's payload, with its mark.
    pub(crate) fn payload(&self, mark: &str) -> Value {
        let mut payload = self.payload.clone();
        if let Some(place) = payload.pointer_mut(self.mark) {
            *place = mark.into();
        }
        payload
    }
}

/// Every service of a run.
pub(crate) fn roles() -> Result<Vec<Role>, Failure> {
    let text = emp::REGISTRY
        .mapping_text()
        .ok_or_else(|| Failure::Setup("the product was built without a mapping".to_owned()))?;
    let mapping = Mapping::parse(text).map_err(|error| Failure::Setup(format!("the mapping: {error}")))?;
    CAST.iter().map(|(connector, mark)| role(&mapping, connector, mark)).collect()
}

fn role(mapping: &Mapping, connector: &str, mark: &'static str) -> Result<Role, Failure> {
    let missing = |what: &str| Failure::Setup(format!("{connector}: {what}"));
    let spec = emp::REGISTRY.get(connector).ok_or_else(|| missing("no such connector"))?.spec;
    let offer = mapping
        .capabilities()
        .find(|offer| offer.connector == connector)
        .ok_or_else(|| missing("no worker offers it"))?;
    let mut payload = example(&spec.payload.to_json_schema());
    if connector == "OpenAIConnector" {
        payload["stream"] = json!(true);
    }
    if payload.pointer(mark).is_none() {
        return Err(missing(&format!("its payload has nothing at {mark}: {payload}")));
    }
    Ok(Role {
        spec,
        service: offer.capability.to_owned(),
        worker: offer.worker.to_owned(),
        resends: Resends::of(spec),
        payload,
        mark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_played_and_its_jobs_bear_marks() {
        for role in roles().unwrap() {
            assert!(role.payload("emp-mark-7").to_string().contains("emp-mark-7"), "{}", role.spec.name);
        }
    }

    #[test]
    fn both_ways_with_a_lost_answer_are_there() {
        let roles = roles().unwrap();
        for wanted in [Resends::Never, Resends::WhenLost] {
            assert!(roles.iter().any(|role| role.resends == wanted), "{wanted:?}");
        }
    }
}
