//! A pm2 ecosystem. JSON has nothing to expand, so what is written is the value; the escaper is JSON's own.
//!
//! A secret is not in the file: pm2 gives a process the environment of whoever starts it. `filter_env` takes from it what belongs to
//! other workers. A process without a required variable says so and ends with a code that pm2 does not restart it for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::Conduct;
use crate::plan::MachinePlan;
use crate::secrets;

/// How long a service may take to stop.
const SERVICE_STOP: Duration = Duration::from_secs(10);
/// Before the first restart; pm2 makes it longer each time, up to 15 s. It shows an app that it will not start again, because of its exit
/// code, as waiting for a restart too.
const BACKOFF_MILLIS: u64 = 200;
/// pm2 gives up on an app that ends quickly this often; a store that is away for a while must not end a worker for good.
const MAX_RESTARTS: u32 = 1_000_000;
/// Exit codes that a restart does not mend: wrong usage and wrong configuration.
const FINAL_EXITS: [u8; 2] = [2, 3];

#[derive(Serialize)]
struct Ecosystem {
    apps: Vec<App>,
}

#[derive(Serialize)]
struct App {
    name: String,
    script: String,
    args: Vec<String>,
    /// The script is a program, not something for node.
    interpreter: &'static str,
    exec_mode: &'static str,
    kill_timeout: u128,
    stop_exit_codes: [u8; 2],
    exp_backoff_restart_delay: u64,
    max_restarts: u32,
    merge_logs: bool,
    filter_env: Vec<String>,
    env: BTreeMap<String, String>,
}

pub(super) fn write(plan: &MachinePlan, conduct: &Conduct<'_>) -> String {
    let (secrets, every) =
        (secrets::of_workers(plan, conduct.registry), secrets::all(plan, conduct.registry));
    let services = plan.services.iter().map(|service| {
        let (script, args) = service
            .command
            .split_first()
            .map_or((String::new(), Vec::new()), |(script, args)| (script.clone(), args.to_vec()));
        let env = service.environment.clone();
        app(service.name.clone(), script, args, SERVICE_STOP, others(&every, &env.keys()), env)
    });
    let workers = plan.workers.iter().map(|process| {
        let own = process.variables.iter().map(|variable| &variable.name);
        let args = conduct.worker(process, conduct.mapping.map_or("", |mapping| mapping.path));
        let env = process.variables.iter().filter_map(secrets::said).collect();
        app(
            process.name.clone(),
            conduct.program.to_owned(),
            args,
            conduct.drain,
            others(&secrets, &own),
            env,
        )
    });
    let ecosystem = Ecosystem { apps: services.chain(workers).collect() };
    let mut text = serde_json::to_string_pretty(&ecosystem).unwrap_or_default();
    text.push('\n');
    text
}

fn app(
    name: String,
    script: String,
    args: Vec<String>,
    stop: Duration,
    filter_env: Vec<String>,
    env: BTreeMap<String, String>,
) -> App {
    App {
        name,
        script,
        args,
        interpreter: "none",
        exec_mode: "fork",
        kill_timeout: stop.as_millis(),
        stop_exit_codes: FINAL_EXITS,
        exp_backoff_restart_delay: BACKOFF_MILLIS,
        max_restarts: MAX_RESTARTS,
        merge_logs: true,
        filter_env,
        env,
    }
}

/// The secrets of others. pm2 keeps every variable from a process whose name *contains* an entry, so one that is a part of a name that
/// the process reads is not listed.
fn others<'a>(secrets: &BTreeSet<String>, own: &(impl Iterator<Item = &'a String> + Clone)) -> Vec<String> {
    let others = secrets.iter().filter(|secret| !own.clone().any(|name| name.contains(secret.as_str())));
    others.cloned().collect()
}
