//! `emp connector fake`: the service of a connector, made from its declaration, as a process of its own.

use emp_core::Registry;
use emp_core::syntax::nearest;
use emp_testkit::{FakeOptions, FakeService};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::signals;

pub(super) async fn run(
    name: &str,
    port: u16,
    registry: &'static Registry,
    out: &Output,
) -> Result<Exit, Failure> {
    let Some(entry) = registry.get(name) else {
        let near = nearest(name, registry.entries().iter().map(|entry| entry.spec.name));
        let failure = Failure::new(Exit::NotFound, "E_NOT_FOUND", format!("no connector is called `{name}`"));
        return Err(match near {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("emp connector list"),
        });
    };
    let stop = signals::shutdown();
    let fake = FakeService::start(entry.spec, FakeOptions { port, ..FakeOptions::default() })
        .await
        .map_err(|error| Failure::io(&format!("cannot start a fake of {name}"), &error))?;
    if out.is_json() {
        out.json(&json!({ "connector": name, "url": fake.base_url() }));
    } else {
        out.line(format!("{name}\t{}", fake.base_url()));
    }
    stop.cancelled().await;
    Ok(Exit::Ok)
}
