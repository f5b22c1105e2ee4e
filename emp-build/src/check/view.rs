//! The workers of a mapping as the checks see them: whatever is of the right shape, with its place.

use emp_core::mapping::{Kind, Template};

use super::Subject;
use crate::connector::Connector;
use crate::declaration::{Declaration, Variable};
use crate::json::{At, Json};

/// A worker.
pub(super) struct WorkerView<'a> {
    /// Its entry.
    pub(super) at: At<'a>,
    /// Its services.
    pub(super) services: Vec<ServiceView<'a>>,
    /// The variables of its connectors that are known, sorted by connector and each connector once.
    pub(super) variables: Vec<(&'a Connector, &'a Variable)>,
    /// Whether all its connectors are known. If not, what seems to be missing may be theirs.
    pub(super) complete: bool,
}

/// One entry of `service`.
pub(super) struct ServiceView<'a> {
    /// The entry.
    pub(super) at: At<'a>,
    /// The capabilities that are texts.
    pub(super) capabilities: Vec<At<'a>>,
    /// The connector's name, when it is a text.
    pub(super) connector: Option<At<'a>>,
    /// The connector that the name stands for.
    pub(super) source: Option<&'a Connector>,
    /// `internal`, `external`, or what somebody wrote instead.
    pub(super) kind: Option<&'a str>,
    /// Whether it says that it is preferred.
    pub(super) preferred: bool,
}

/// Where a worker's services run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locality {
    /// At least one on this machine.
    Internal,
    /// All of them somewhere else.
    External,
}

impl<'a> WorkerView<'a> {
    /// Reads a worker.
    pub(super) fn new(subject: &Subject<'a>, at: At<'a>) -> Self {
        let services: Vec<_> = at
            .get("service")
            .into_iter()
            .flat_map(|list| list.entries())
            .map(|entry| ServiceView::new(subject, entry))
            .collect();
        let declared = |service: &ServiceView<'_>| service.declaration().is_some();
        let complete = !services.is_empty() && services.iter().all(declared);
        let mut connectors: Vec<&Connector> = services.iter().filter_map(|service| service.source).collect();
        connectors.sort_by_key(|connector| &connector.name);
        connectors.dedup_by_key(|connector| &connector.name);
        let declared = connectors.into_iter().filter_map(|one| Some((one, one.declaration.as_ref()?)));
        let variables = declared.flat_map(|(connector, declaration)| {
            declaration.env.iter().map(move |variable| (connector, variable))
        });
        Self { at, variables: variables.collect(), complete, services }
    }

    /// The worker's name.
    pub(super) fn name(&self) -> &'a str {
        self.at.key()
    }

    /// The names of the variables that its connectors read.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.variables.iter().map(|(_, variable)| variable.name.as_str())
    }

    /// Where its services run; `None` when that cannot be said because the type of one is wrong or missing, or there are none.
    pub(super) fn locality(&self) -> Option<Locality> {
        let internal = |service: &ServiceView<'_>| match service.kind {
            Some("internal") => Some(true),
            Some("external") => Some(false),
            _ => None,
        };
        let kinds: Option<Vec<bool>> = self.services.iter().map(internal).collect();
        let kinds = kinds.filter(|kinds| !kinds.is_empty())?;
        Some(if kinds.contains(&true) { Locality::Internal } else { Locality::External })
    }
}

impl<'a> ServiceView<'a> {
    fn new(subject: &Subject<'a>, at: At<'a>) -> Self {
        let capability = at.get("capability");
        let one = capability.iter().filter(|one| one.node.text().is_some()).cloned();
        let many = capability.iter().flat_map(At::entries).filter(|one| one.node.text().is_some());
        let connector = at.get("connector").filter(|connector| connector.node.text().is_some());
        let source = connector.as_ref().and_then(|at| subject.meant(at.node.text()?));
        let kind = at.get("type").and_then(|kind| kind.node.text());
        let preferred = at.get("preferred").is_some_and(|said| subject.raw(&said) == "true");
        Self { capabilities: one.chain(many).collect(), connector, source, kind, preferred, at }
    }

    /// What its connector declares.
    pub(super) fn declaration(&self) -> Option<&'a Declaration> {
        self.source?.declaration.as_ref()
    }
}

impl Subject<'_> {
    /// Whether there is anything but `null`.
    pub(super) fn is_given(&self, at: &At<'_>) -> bool {
        !matches!(at.node.value, Json::Scalar) || self.raw(at) != "null"
    }

    /// The value where no variable is set; `None` when there is none, or it is not of the kind.
    pub(super) fn default<K: Kind>(&self, at: &At<'_>) -> Option<K::Value> {
        let text = match &at.node.value {
            Json::Text(text) => text.as_str(),
            Json::Scalar => self.raw(at),
            Json::Object(_) | Json::Array(_) => return None,
        };
        Template::<K>::new(text).default().ok().flatten()
    }
}
