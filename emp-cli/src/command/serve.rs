//! `emp serve` and `emp worker`: the processes of production.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use emp_core::env::EnvSource;
use emp_core::mapping::Mapping;
use emp_core::{Clock as _, Registry, SystemClock, Url};
use emp_engine::outputs::Outputs;
use emp_engine::webhook::{Receivers, Webhooks};
use emp_engine::{Engine, EngineOptions};
use emp_metrics::{Metered, Metrics, watch_stalls};
use emp_outputs::OutputStore;
use emp_store::Store;
use emp_worker::plan::{self, PlannedWorker};
use emp_worker::{Worker, WorkerOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::dev;
use crate::args;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::runtime::Place;
use crate::{logging, machine, runtime, signals, webhooks};

/// API and workers in one process.
pub(super) async fn serve(
    args: &args::Serve,
    registry: &'static Registry,
    mapping: Option<&Path>,
) -> Result<Exit, Failure> {
    logging::start(logging::ALL);
    let mapping = runtime::mapping(mapping, registry)?;
    let env = Environment::read(registry)?;
    let planned = match &args.workers {
        Some(workers) => plan(&mapping, registry, workers, &env, &BTreeMap::new())?,
        None => Vec::new(),
    };
    let auth = emp_api::Auth::from_env(&env);
    let listener = bind(args.listen, &auth).await?;
    let place = Place::of(&args.store, &env);
    let store = place.store().await?;
    let outputs = place.outputs()?;
    let webhooks = webhooks::of(&place, &env)?;
    let receivers = webhooks::receivers(registry, &env)?;
    let shutdown = signals::shutdown();
    tracing::info!(listen = %args.listen, store = emp_store::shown(place.url()), "API listening");
    let lease = args.store.lease;
    run(
        Parts {
            mapping: &mapping,
            registry,
            planned,
            store,
            outputs,
            keep: args.store.outputs_keep,
            auth,
            lease,
            webhooks,
            receivers,
        },
        Some(Front::Api(listener)),
        shutdown,
    )
    .await
}

async fn bind(address: std::net::SocketAddr, auth: &emp_api::Auth) -> Result<TcpListener, Failure> {
    emp_api::bind(address, auth)
        .await
        .map_err(|error| Failure::new(Exit::Config, error.code(), error.to_string()).help(error.help()))
}

/// Workers alone.
pub(super) async fn worker(
    args: &args::Worker,
    registry: &'static Registry,
    mapping: Option<&Path>,
) -> Result<Exit, Failure> {
    logging::start(logging::ALL);
    let mapping = runtime::mapping(mapping, registry)?;
    let env = Environment::read(registry)?;
    let planned = if args.fakes.is_empty() {
        plan(&mapping, registry, &args.workers, &env, &BTreeMap::new())?
    } else {
        let fakes = args.fakes.iter().cloned().collect();
        plan(&mapping, registry, &args.workers, &dev::fake_environment(registry), &fakes)?
    };
    let auth = emp_api::Auth::from_env(&env);
    let listener = match args.metrics_listen {
        Some(address) => Some(bind(address, &auth).await?),
        None => None,
    };
    let place = Place::of(&args.store, &env);
    let store = place.store().await?;
    let webhooks = webhooks::of(&place, &env)?;
    let outputs = place.outputs()?;
    let lease = args.store.lease;
    // Calls come to the API, wherever that is.
    let receivers = Receivers::default();
    let parts = Parts {
        mapping: &mapping,
        registry,
        planned,
        store,
        outputs,
        keep: args.store.outputs_keep,
        auth,
        lease,
        webhooks,
        receivers,
    };
    run(parts, listener.map(Front::Health), signals::shutdown()).await
}

/// What a process is made of.
pub(super) struct Parts<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) registry: &'static Registry,
    pub(super) planned: Vec<PlannedWorker>,
    pub(super) store: Arc<dyn Store>,
    pub(super) outputs: Arc<OutputStore>,
    pub(super) keep: args::Keep,
    pub(super) auth: emp_api::Auth,
    pub(super) lease: std::time::Duration,
    /// The key and the maker of the URLs that services may call.
    pub(super) webhooks: Option<(emp_core::Secret, Webhooks)>,
    /// What is believed of their calls.
    pub(super) receivers: Receivers,
}

/// What a process shows on its listener.
pub(super) enum Front {
    /// The whole API.
    Api(TcpListener),
    /// Whether it lives and is ready.
    Health(TcpListener),
}

/// Runs an API, if there is a listener, and the workers, until the token is cancelled.
pub(super) async fn run(
    parts: Parts<'_>,
    front: Option<Front>,
    shutdown: CancellationToken,
) -> Result<Exit, Failure> {
    let Parts { mapping, registry, planned, store, outputs, keep, auth, lease, webhooks, receivers } = parts;
    let (key, webhooks) = webhooks.unzip();
    logging::hide(key.iter());
    logging::hide(receivers.secrets());
    let services = mapping.capabilities().map(|capability| capability.capability);
    let metrics = Arc::new(Metrics::new(services, env!("CARGO_PKG_VERSION")));
    metrics.configured(SystemClock.now().0 as f64 / 1000.0);
    let store: Arc<dyn Store> = Arc::new(Metered::new(store, Arc::clone(&metrics)));
    let stalls = tokio::spawn(watch_stalls(Arc::clone(&metrics)));
    let sweeps = keep.0.map(|keep| tokio::spawn(emp_outputs::sweep_for_ever(Arc::clone(&outputs), keep)));
    let loaded = planned.iter().flat_map(|worker| &worker.services);
    logging::hide(loaded.flat_map(|(_, connector)| connector.settings.secrets()));
    let worker = (!planned.is_empty()).then(|| {
        let outputs: Arc<dyn Outputs> = Arc::<OutputStore>::clone(&outputs);
        let engine =
            Engine::new(EngineOptions { outputs: Some(outputs), webhooks, ..EngineOptions::default() });
        let defaults = WorkerOptions::default();
        let reap_every = defaults.reap_every.min(lease / 2);
        let options = WorkerOptions { lease, renew_every: lease / 3, reap_every, ..defaults };
        Worker::new(options, Arc::clone(&store), engine, planned, Arc::new(SystemClock))
    });
    let api = front.map(|front| {
        let state = emp_api::ApiState::new(Arc::clone(&store), mapping, registry, auth);
        let state = state.outputs(outputs).metrics(metrics);
        let state = match key {
            Some(key) => state.webhooks(key, receivers),
            None => state,
        };
        let stop = shutdown.clone();
        async move {
            match front {
                Front::Api(listener) => emp_api::serve(listener, state, stop).await,
                Front::Health(listener) => emp_api::serve_health(listener, state, stop).await,
            }
        }
    });
    let work = async {
        if let Some(worker) = worker {
            worker.run(shutdown.clone()).await;
        }
    };
    let answer = async {
        match api {
            Some(api) => api.await,
            None => Ok(()),
        }
    };
    let ((), answered) = tokio::join!(work, answer);
    stalls.abort();
    sweeps.inspect(tokio::task::JoinHandle::abort);
    answered.map_err(|error| Failure::io("the API stopped", &error))?;
    Ok(Exit::Ok)
}

/// Resolves `WORKERS` into what to run, or says everything that is missing.
pub(super) fn plan(
    mapping: &Mapping,
    registry: &'static Registry,
    workers: &str,
    env: &dyn EnvSource,
    fakes: &BTreeMap<String, Url>,
) -> Result<Vec<PlannedWorker>, Failure> {
    plan::plan_with_bases(mapping, registry, workers, env, fakes).map_err(|error| machine::failure(&error))
}
