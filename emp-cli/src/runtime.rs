//! What several commands need: the async runtime, the mapping, the store.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use emp_core::mapping::Mapping;
use emp_core::{Registry, Url};
use emp_outputs::OutputStore;
use emp_store::{Retention, Store, StoreOptions};

use crate::args::{OnEmpty, StoreArgs};
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

/// The place of a command's jobs, and what stands beside them. Its URL is looked for once, so that all of it is of one store.
pub(crate) struct Place<'a> {
    args: &'a StoreArgs,
    env: &'a Environment,
    url: String,
}

impl<'a> Place<'a> {
    pub(crate) fn of(args: &'a StoreArgs, env: &'a Environment) -> Self {
        Self { args, env, url: args.store.url(env) }
    }

    /// Which store it is. A password may stand in it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where services reach the API, if anywhere.
    pub(crate) fn public_url(&self) -> Option<&Url> {
        self.args.public_url.as_ref()
    }

    /// Opens the store.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        let args = self.args;
        let options = StoreOptions {
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
        };
        Ok(emp_store::open(&self.url, options).await?)
    }

    /// Where the files of results go: what the operator names, or else a place beside the jobs.
    pub(crate) fn outputs(&self) -> Result<Arc<OutputStore>, Failure> {
        let location = match (&self.args.outputs, self.url.split_once(':')) {
            (Some(location), _) => location.clone(),
            (None, Some(("file", dir))) => format!("{}/outputs", dir.trim_end_matches('/')),
            (None, Some(("memory", _))) => "memory:".to_owned(),
            (None, _) => "emp-data/outputs".to_owned(),
        };
        let outputs = OutputStore::with(&location, self.env.all())
            .map_err(|error| Failure::new(Exit::Config, "E_OUTPUT", error.to_string()))?;
        Ok(Arc::new(outputs))
    }
}
