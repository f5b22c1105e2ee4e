//! What several commands need: the async runtime, the mapping, the store.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use emp_core::Registry;
use emp_core::mapping::Mapping;
use emp_outputs::OutputStore;
use emp_store::{Retention, Store, StoreOptions};

use crate::args::{OnEmpty, STORE, StoreArgs};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};

/// Runs a command that waits for things.
pub(crate) fn block_on<F: Future<Output = Result<Exit, Failure>>>(command: F) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("cannot start the async runtime", &error))?;
    runtime.block_on(command)
}

/// The mapping: the file when one is named, else the one that the build checked.
pub(crate) fn mapping(file: Option<&Path>, registry: &Registry) -> Result<Mapping, Failure> {
    let (name, text) = if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::io(&format!("cannot read {}", file.display()), &error).help(
                "name an existing file with --mapping, or leave it out to use the one that the build checked",
            )
        })?;
        (file.display().to_string(), text)
    } else {
        let text = registry.mapping_text().ok_or_else(|| {
            Failure::new(Exit::Config, "E_NO_MAPPING", "this binary was built without a service-mapping.json")
                .help("name one with --mapping FILE")
        })?;
        ("service-mapping.json".to_owned(), text.to_owned())
    };
    Mapping::parse(&text).map_err(|error| {
        Failure::new(Exit::Config, "E_MAPPING", format!("{name} is not valid: {error}"))
            .help(format!("emp check --mapping {name}"))
    })
}

/// The store of a command; its URL may stand in a file, because a password may stand in it.
pub(crate) async fn store(args: &StoreArgs, env: &Environment) -> Result<Arc<dyn Store>, Failure> {
    let file = env.file("EMP_STORE").map(|url| url.expose().to_owned()).filter(|_| args.store == STORE);
    Ok(emp_store::open(&file.unwrap_or_else(|| args.store.clone()), store_options(args)).await?)
}

/// How the store of a command counts.
pub(crate) fn store_options(args: &StoreArgs) -> StoreOptions {
    StoreOptions {
        lease: args.lease,
        allow_unsafe: args.allow_unsafe_store,
        accept_empty: args.on_empty == OnEmpty::Accept,
        replicas: args.store_replicas,
        bounds: args.max_queued.clone(),
        retention: Retention {
            succeeded: args.keep_succeeded,
            failed: args.keep_failed,
            quarantined: args.keep_quarantined,
        },
        ..StoreOptions::default()
    }
}

/// Where the files of results go: what the operator names, or else a place beside the jobs.
pub(crate) fn outputs(args: &StoreArgs) -> Result<Arc<OutputStore>, Failure> {
    let location = match (&args.outputs, args.store.split_once(':')) {
        (Some(location), _) => location.clone(),
        (None, Some(("file", dir))) => format!("{}/outputs", dir.trim_end_matches('/')),
        (None, Some(("memory", _))) => "memory:".to_owned(),
        (None, _) => "emp-data/outputs".to_owned(),
    };
    let outputs = OutputStore::at(&location)
        .map_err(|error| Failure::new(Exit::Config, "E_OUTPUT", error.to_string()))?;
    Ok(Arc::new(outputs))
}
