//! Carries the plan out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emp_testkit::FaultProxy;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::Failure;
use crate::plan::{Act, Step, Target, Track, WORKERS};
use crate::process::Process;
use crate::servers::Servers;
use crate::stage::Stage;

/// How often each thing was done, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    pub(crate) done: BTreeMap<String, usize>,
    pub(crate) failed: Vec<String>,
}

/// Does everything that is planned, each target's acts in their order and all targets at once.
pub(crate) async fn carry_out(stage: &Arc<Stage>, plan: Vec<Track>) -> Acts {
    let mut tracks = JoinSet::new();
    for (target, steps) in plan {
        let stage = Arc::clone(stage);
        tracks.spawn(async move { follow(&stage, target, steps).await });
    }
    let mut all = Acts::default();
    while let Some(track) = tracks.join_next().await {
        match track {
            Ok(acts) => {
                for (word, count) in acts.done {
                    *all.done.entry(word).or_default() += count;
                }
                all.failed.extend(acts.failed);
            }
            Err(error) => all.failed.push(error.to_string()),
        }
    }
    all
}

async fn follow(stage: &Stage, target: Target, steps: Vec<Step>) -> Acts {
    let mut acts = Acts::default();
    for Step { after, act } in steps {
        tokio::time::sleep(after).await;
        let word = format!("{} {}", act.word(), target.word());
        match carry(stage, target, act).await {
            Ok(true) => *acts.done.entry(word).or_default() += 1,
            Ok(false) => {}
            Err(failure) => acts.failed.push(format!("{word}: {failure}")),
        }
    }
    acts
}

/// Does one thing; `false` when there was no use in it.
async fn carry(stage: &Stage, target: Target, act: Act) -> Result<bool, Failure> {
    match target {
        Target::Worker(index) => process(&stage.workers[index], act).await,
        Target::Api => process(&stage.api, act).await,
        Target::Store => match &stage.servers {
            Some(servers) => store(stage, servers, act).await,
            None => Ok(false),
        },
        Target::ServiceNet(index) => Ok(net(&stage.services[index].net, act).await),
        Target::WorkerStoreNet(index) => Ok(net(&stage.store_nets[index], act).await),
        Target::ApiStoreNet => Ok(net(&stage.store_nets[WORKERS], act).await),
    }
}

async fn process(process: &Mutex<Process>, act: Act) -> Result<bool, Failure> {
    let mut process = process.lock().await;
    match act {
        Act::Kill(pause) => {
            process.kill().await?;
            tokio::time::sleep(pause).await;
            process.run()?;
        }
        Act::Freeze(time) => {
            process.freeze()?;
            tokio::time::sleep(time).await;
            process.thaw()?;
        }
        Act::Stop => {
            process.stop().await?;
            process.run()?;
        }
        Act::Restart | Act::FailOver | Act::Net(..) => return Ok(false),
    }
    Ok(true)
}

async fn net(proxy: &FaultProxy, act: Act) -> bool {
    let Act::Net(faults, time) = act else { return false };
    proxy.set(faults);
    tokio::time::sleep(time).await;
    proxy.clear();
    true
}

async fn store(stage: &Stage, servers: &Mutex<Servers>, act: Act) -> Result<bool, Failure> {
    let mut servers = servers.lock().await;
    match act {
        Act::Restart => with(&mut servers, Servers::restart).map(|()| true),
        Act::Freeze(time) => {
            servers.freeze().map_err(Failure::io("cannot freeze the primary"))?;
            tokio::time::sleep(time).await;
            servers.thaw().map_err(Failure::io("cannot thaw the primary"))?;
            Ok(true)
        }
        Act::FailOver => {
            let failed_over = with(&mut servers, Servers::fail_over)?;
            if failed_over {
                for net in &stage.store_nets {
                    net.lead_to(servers.address());
                }
                // A moment without a replica, as there is one while somebody brings a new machine.
                tokio::time::sleep(Duration::from_millis(500)).await;
                with(&mut servers, Servers::rejoin)?;
            }
            Ok(failed_over)
        }
        Act::Kill(_) | Act::Stop | Act::Net(..) => Ok(false),
    }
}

/// Does something with the servers that waits for them.
fn with<T>(
    servers: &mut Servers,
    work: impl FnOnce(&mut Servers) -> std::io::Result<T>,
) -> Result<T, Failure> {
    tokio::task::block_in_place(|| work(servers)).map_err(Failure::io("a server of the store"))
}
