//! `emp health`: one request and an exit code, so that a container needs no curl.

use std::net::SocketAddr;
use std::time::Duration;

use emp_core::Url;
use emp_core::env::{EnvSource, ProcessEnv};
use emp_engine::gateway::{FetchRequest, Gateway};
use http::Method;
use serde_json::json;
use tokio::net::TcpStream;

use crate::args::Health;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// An answer that takes longer comes from a process that does not do its work.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn run(args: &Health, out: &Output) -> Result<Exit, Failure> {
    if let Some(address) = args.listens {
        return listens(address, out).await;
    }
    let url = match &args.url {
        Some(url) => url.clone(),
        None => own(args)?,
    };
    let request = FetchRequest { timeout: Some(PATIENCE), ..FetchRequest::new(Method::GET, url.clone()) };
    let answer = Gateway::default().fetch(request).await.map_err(|error| {
        Failure::new(Exit::Unreachable, "E_HEALTH", format!("{url} does not answer: {}", error.message))
    })?;
    let healthy = (200..300).contains(&answer.status);
    if out.is_json() {
        out.json(&json!({ "url": url, "status": answer.status, "healthy": healthy }));
    } else {
        out.line(format!("{}\t{url}\t{}", if healthy { "healthy" } else { "unhealthy" }, answer.status));
    }
    Ok(if healthy { Exit::Ok } else { Exit::No })
}

/// Whether somebody listens, without a word to them.
async fn listens(address: SocketAddr, out: &Output) -> Result<Exit, Failure> {
    let unreachable = |why: String| {
        Failure::new(Exit::Unreachable, "E_HEALTH", format!("nobody listens at {address}: {why}"))
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(unreachable(error.to_string())),
        Err(_) => return Err(unreachable(format!("no answer in {} s", PATIENCE.as_secs()))),
    }
    if out.is_json() {
        out.json(&json!({ "address": address, "healthy": true }));
    } else {
        out.line(format!("healthy\t{address}"));
    }
    Ok(Exit::Ok)
}

/// The worker of this machine when it says where it listens, else the API.
fn own(args: &Health) -> Result<Url, Failure> {
    let mut url = match ProcessEnv.get("EMP_METRICS_LISTEN").filter(|address| !address.is_empty()) {
        Some(address) => format!("http://{address}").parse().map_err(|error| {
            Failure::new(Exit::Config, "E_ENVIRONMENT", format!("EMP_METRICS_LISTEN is `{address}`: {error}"))
                .help("EMP_METRICS_LISTEN=127.0.0.1:9464")
        })?,
        None => args.api.api.clone(),
    };
    url.set_path(if args.ready { "/readyz" } else { "/livez" });
    Ok(url)
}
