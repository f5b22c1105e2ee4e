//! What every handler has at hand.

use std::sync::Arc;
use std::time::Duration;

use emp_core::Registry;
use emp_core::Secret;
use emp_core::mapping::Mapping;
use emp_engine::webhook::Receivers;
use emp_metrics::Metrics;
use emp_outputs::OutputStore;
use emp_store::Store;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::auth::Auth;
use crate::catalog::Catalog;

/// What the API works on: a store, what may be asked for, and who may ask. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiState {
    pub(crate) store: Arc<dyn Store>,
    /// Where the files of results are, if this process can reach them.
    pub(crate) outputs: Option<Arc<OutputStore>>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) auth: Auth,
    /// What this process counts.
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    /// The key of the tokens in the URLs that services call; `None` when no call is taken.
    pub(crate) webhook_key: Option<Secret>,
    /// What is believed of a call.
    pub(crate) receivers: Arc<Receivers>,
    /// Whether only names of this machine are answered to.
    pub(crate) loopback_only: bool,
    /// Cancelled when the server stops: event streams end and `/readyz` says no.
    pub(crate) stop: CancellationToken,
    /// One permit for each event stream.
    pub(crate) streams: Arc<Semaphore>,
}

/// How much and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body of a request, bytes.
    pub body: usize,
    /// How long the head of a request may take, and how long a connection may be idle.
    pub head_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Event streams at once; half of the connections, so that streams never keep requests out.
    pub streams: usize,
    /// How long requests may go on when the server stops.
    pub drain: Duration,
    /// A comment is sent on an event stream that has been quiet for so long.
    pub keep_alive: Duration,
    /// An event stream looks for news at least so often: the store's hint that something changed may come late.
    pub look_again: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            connections: 1000,
            streams: 500,
            drain: Duration::from_millis(1500),
            keep_alive: Duration::from_secs(15),
            look_again: Duration::from_secs(1),
        }
    }
}

impl ApiState {
    /// The API of a store, for the services of a mapping and the connectors of a binary.
    pub fn new(store: Arc<dyn Store>, mapping: &Mapping, registry: &Registry, auth: Auth) -> Self {
        Self::with(store, Catalog::new(mapping, registry), auth, Limits::default())
    }

    /// Serves the files of results from an output store.
    #[must_use]
    pub fn outputs(mut self, outputs: Arc<OutputStore>) -> Self {
        self.outputs = Some(outputs);
        self
    }

    /// Shows what this process counts; the store should be [`emp_metrics::Metered`] by the same.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// The same with a catalog made otherwise, and other limits.
    pub fn with(store: Arc<dyn Store>, catalog: Catalog, auth: Auth, limits: Limits) -> Self {
        let services = catalog.services().map(|(name, _)| name);
        let metrics = Arc::new(Metrics::new(services, env!("CARGO_PKG_VERSION")));
        Self {
            store,
            outputs: None,
            metrics,
            catalog: Arc::new(catalog),
            auth,
            limits,
            webhook_key: None,
            receivers: Arc::default(),
            loopback_only: true,
            stop: CancellationToken::new(),
            streams: Arc::new(Semaphore::new(limits.streams)),
        }
    }

    /// Takes the calls of services, whose URLs have tokens made with this key. Of a connector without a receiver every call is a hint.
    #[must_use]
    pub fn webhooks(mut self, key: Secret, receivers: Receivers) -> Self {
        self.webhook_key = Some(key);
        self.receivers = Arc::new(receivers);
        self
    }
}
