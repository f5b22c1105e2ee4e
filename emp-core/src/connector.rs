//! The trait that the derive implements, and the registry that build.rs writes.

use std::sync::Arc;

use crate::custom::CustomRunner;
use crate::env::{EnvError, EnvSource, Settings};
use crate::spec::ConnectorSpec;

/// A type that knows how to do jobs of a service at an external system. Implemented by `#[derive(Connector)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connector",
    label = "this type has no `#[derive(Connector)]`",
    note = "a connector is a struct with `#[derive(Connector)]` and `#[connector(service = \"..\", version = \"..\")]`"
)]
pub trait Connector: Sized + Send + Sync + 'static {
    /// The declaration.
    const SPEC: &'static ConnectorSpec;

    /// Fills the fields from checked settings, adding what is wrong to `errors`; `None` when a field could not be filled.
    fn from_settings(settings: &Settings, errors: &mut Vec<EnvError>) -> Option<Self>;

    /// The custom protocol, for `#[connector(custom)]`.
    fn custom(self: Arc<Self>) -> Option<Arc<dyn CustomRunner>> {
        None
    }

    /// Reads the environment, all faults at once.
    fn from_env(source: &dyn EnvSource) -> Result<Self, Vec<EnvError>> {
        let (settings, mut errors) = Settings::load(Self::SPEC.env, source);
        let connector = Self::from_settings(&settings, &mut errors);
        match connector {
            Some(connector) if errors.is_empty() => Ok(connector),
            _ => Err(errors),
        }
    }
}

/// Says that build.rs has seen a connector. Implemented by the generated registry for every connector it found in
/// `connectors/`, and asserted by the derive: a connector that build.rs could not see is a compile error.
#[diagnostic::on_unimplemented(
    message = "connector `{Self}` is not registered",
    label = "build.rs did not find this connector",
    note = "a connector must stand by itself in a file of the folder that build.rs names (`connectors/`), not inside a macro and not behind a `cfg` that build.rs cannot evaluate",
    note = "a connector outside that folder says `#[connector(unregistered)]`"
)]
pub trait Registered {}

/// A connector of the registry: its declaration, and how to make it from the environment.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The declaration.
    pub spec: &'static ConnectorSpec,
    load: fn(&dyn EnvSource) -> Result<Loaded, Vec<EnvError>>,
}

impl Entry {
    /// The entry of a connector type.
    pub const fn of<C: Connector>() -> Self {
        Self { spec: C::SPEC, load: load::<C> }
    }

    /// Makes the connector ready to run, or reports every fault of its environment.
    pub fn load(&self, source: &dyn EnvSource) -> Result<Loaded, Vec<EnvError>> {
        (self.load)(source)
    }
}

fn load<C: Connector>(source: &dyn EnvSource) -> Result<Loaded, Vec<EnvError>> {
    let (settings, mut errors) = Settings::load(C::SPEC.env, source);
    let connector = C::from_settings(&settings, &mut errors);
    match connector {
        Some(connector) if errors.is_empty() => {
            Ok(Loaded { spec: C::SPEC, settings, custom: Arc::new(connector).custom(), base: None })
        }
        _ => Err(errors),
    }
}

/// A connector with its environment, ready to run.
#[derive(Clone)]
pub struct Loaded {
    /// The declaration.
    pub spec: &'static ConnectorSpec,
    /// The checked environment.
    pub settings: Settings,
    /// The custom protocol, if that is what it has.
    pub custom: Option<Arc<dyn CustomRunner>>,
    /// Stands in for the declared base: where the fake service of `emp dev --fake` and of tests listens.
    pub base: Option<url::Url>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("connector", &self.spec.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Every connector of a binary.
#[derive(Clone, Copy, Debug)]
pub struct Registry {
    entries: &'static [Entry],
    mapping: Option<&'static str>,
}

impl Registry {
    /// A registry of these entries, and the text of the `service-mapping.json` that build.rs checked against them.
    pub const fn new(entries: &'static [Entry], mapping: Option<&'static str>) -> Self {
        Self { entries, mapping }
    }

    /// The mapping that build.rs checked.
    pub fn mapping_text(&self) -> Option<&'static str> {
        self.mapping
    }

    /// All entries, sorted by name.
    pub fn entries(&self) -> &'static [Entry] {
        self.entries
    }

    /// The connector with a name.
    pub fn get(&self, name: &str) -> Option<&'static Entry> {
        self.entries.iter().find(|entry| entry.spec.name == name)
    }
}

/// Brings in what build.rs wrote: the modules of `connectors/`, `REGISTRY` and `ENVIRONMENT`.
///
/// `emp_core::include_registry!();` in `src/lib.rs` is the whole of it; without it, what build.rs has to report is not seen. It
/// may stand in another file that is directly in `src/`: the modules' paths start there.
#[macro_export]
macro_rules! include_registry {
    () => {
        ::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/emp/registry.rs"));
        __emp_connectors! {}
    };
}
