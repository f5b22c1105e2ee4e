//! `emp dev`: everything in one process; with `--fake`, the services too.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use emp_core::env::ProcessEnv;
use emp_core::mapping::Mapping;
use emp_core::{Registry, Url};
use emp_testkit::{FakeEnv, FakeOptions, FakeService};
use serde_json::json;
use std::collections::BTreeMap;
use tokio::net::TcpListener;

use super::serve::{self, Parts};
use crate::args::Dev;
use crate::docs;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime::Place;
use crate::{logging, runtime, signals, webhooks};

pub(super) async fn run(
    args: &Dev,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    logging::start(logging::JOBS);
    let mapping = runtime::mapping(mapping, registry)?;
    let env = Environment::read(registry)?;
    let workers = args.workers.clone().unwrap_or_else(|| everybody(&mapping));
    let fakes =
        if args.fake { start_fakes(&mapping, registry, &FakeOptions::default()).await? } else { Vec::new() };
    let urls = urls(&fakes);
    let planned = if args.fake {
        serve::plan(&mapping, registry, &workers, &fake_environment(registry), &urls)?
    } else {
        serve::plan(&mapping, registry, &workers, &env, &BTreeMap::new())
            .map_err(|failure| failure.help("set what is missing, or try without any key: emp dev --fake"))?
    };
    let place = Place::of(&args.store, &env);
    let store = place.store().await?;
    let listener = listen(args.port).await?;
    let address = listener.local_addr().map_err(|error| Failure::io("the API has no address", &error))?;
    let webhooks = match webhooks::of(&place, &env)? {
        None if args.fake => webhooks::local(address),
        given => given,
    };
    let receivers = if args.fake {
        webhooks::receivers(registry, &fake_environment(registry))?
    } else {
        webhooks::receivers(registry, &env)?
    };
    announce(address, &mapping, registry, &fakes, out);
    let parts = Parts {
        mapping: &mapping,
        registry,
        planned,
        store,
        outputs: place.outputs()?,
        keep: args.store.outputs_keep,
        auth: emp_api::Auth::None,
        lease: args.store.lease,
        webhooks,
        receivers,
    };
    serve::run(parts, Some(serve::Front::Api(listener)), signals::shutdown()).await
}

/// All workers of the mapping, with four slots each.
fn everybody(mapping: &Mapping) -> String {
    let names: Vec<String> = mapping.workers.keys().map(|name| format!("{name}:4")).collect();
    names.join(",")
}

/// A fake of every service that a worker of the mapping asks over HTTP.
pub(super) async fn start_fakes(
    mapping: &Mapping,
    registry: &'static Registry,
    options: &FakeOptions,
) -> Result<Vec<FakeService>, Failure> {
    let mut names: Vec<&str> = mapping.capabilities().map(|capability| capability.connector).collect();
    names.sort_unstable();
    names.dedup();
    let mut fakes = Vec::new();
    for entry in names.into_iter().filter_map(|name| registry.get(name)) {
        if entry.spec.http().is_some() {
            let fake = FakeService::start(entry.spec, options.clone()).await;
            fakes.push(fake.map_err(|error| Failure::io("cannot start a fake service", &error))?);
        }
    }
    Ok(fakes)
}

/// Where each connector's fake is.
pub(super) fn urls(fakes: &[FakeService]) -> BTreeMap<String, Url> {
    fakes.iter().map(|fake| (fake.spec().name.to_owned(), fake.base_url())).collect()
}

/// This process's environment, with made-up values for every connector's required variables and secrets: a real key is never
/// sent to a fake.
pub(super) fn fake_environment(registry: &'static Registry) -> FakeEnv {
    FakeEnv::new(registry, ProcessEnv)
}

/// The wanted port, or the next free one.
async fn listen(port: u16) -> Result<TcpListener, Failure> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .map_err(|error| Failure::io("cannot listen on 127.0.0.1", &error))
        }
        Err(error) => Err(Failure::io(&format!("cannot listen on 127.0.0.1:{port}"), &error)),
    }
}

fn announce(
    address: SocketAddr,
    mapping: &Mapping,
    registry: &'static Registry,
    fakes: &[FakeService],
    out: &Output,
) {
    // The guide's own service where there is one, else the first.
    let shown = mapping.capabilities().min_by_key(|capability| capability.capability != docs::GUIDE);
    let example = shown.and_then(|capability| {
        let payload = docs::example(capability.capability, registry.get(capability.connector)?.spec);
        Some(json!({ "service": capability.capability, "payload": payload }))
    });
    if out.is_json() {
        out.json(&json!({ "api": format!("http://{address}"), "example": example }));
        return;
    }
    out.line(format!("API        http://{address}/api/jobs"));
    for fake in fakes {
        out.line(format!("fake       {:<24} {}", fake.spec().name, fake.base_url()));
    }
    if let Some(body) = example {
        out.line(format!(
            "\nSubmit a job:\n\n  curl -X POST http://{address}/api/jobs -H 'Content-Type: application/json' -d '{body}'\n"
        ));
    }
    out.line("Ctrl-C stops.");
}
