//! `emp demo`: the main job in front of your eyes. API and fake services in this process, the worker in a process of its own that is
//! killed half-way, one store under both; at the end the fake services' own count of what they accepted.

mod actors;
mod report;
mod watch;

use std::path::Path;
use std::time::Duration;

use emp_core::Registry;

use crate::args::Demo;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{logging, signals};

/// Longer than any demo takes; a demo that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(55);

pub(super) async fn run(
    args: &Demo,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    logging::start(logging::WARNINGS);
    let stop = signals::shutdown();
    let story = tell(args, registry, mapping, out);
    tokio::select! {
        told = story => told,
        () = tokio::time::sleep(PATIENCE) => {
            Err(Failure::new(Exit::No, "E_DEMO", format!("the demo did not end within {PATIENCE:?}"))
                .help("please report this with what it printed"))
        }
        () = stop.cancelled() => Ok(Exit::Interrupted),
    }
}

/// Kills the worker while at least half of the jobs are at work; gives how many are.
///
/// The worker is frozen first, and killed only when no submit is under way: the answer of such a one would be lost, and a job of a
/// service that cannot merge a second submit would end `uncertain`. That is another story than this one.
async fn kill_at_work(stage: &mut actors::Stage, watch: &mut watch::Watch<'_>) -> Result<usize, Failure> {
    let at_work = |jobs: &[watch::Seen]| jobs.iter().filter(|job| job.polled()).count();
    loop {
        watch.until(&stage.api, |jobs| at_work(jobs) * 2 >= jobs.len()).await?;
        stage.signal(actors::FREEZE)?;
        let jobs = watch.look(&stage.api).await?;
        if !jobs.iter().any(watch::Seen::submitting) {
            stage.kill_worker().await?;
            return Ok(at_work(&jobs));
        }
        stage.signal(actors::THAW)?;
    }
}

/// The story: submit, kill, take over, count.
async fn tell(
    args: &Demo,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    out.note(
        "Each submit that a service accepts costs money. The services here are fakes that count them.\n",
    );
    let count = usize::from(args.jobs);
    let mut stage = actors::Stage::set(args.store.as_deref(), registry, mapping, out).await?;
    let first = stage.start_worker()?;
    let jobs = stage.submit(count).await?;
    let mut watch = watch::Watch::new(&jobs, out);
    watch.note(&format!("\n1. {count} jobs come by POST /api/jobs; worker {first} takes them up."));
    let at_work = kill_at_work(&mut stage, &mut watch).await?;
    watch.note(&format!("2. Worker {first} is killed with SIGKILL while {at_work} jobs are at work."));
    let second = stage.start_worker()?;
    let lease = actors::LEASE.as_secs();
    watch.note(&format!(
        "3. Worker {second} starts on the same store. After {lease} s of silence the dead worker's\n   \
         jobs are its own: it asks after them, and submits none of them again."
    ));
    let ended = watch.until(&stage.api, |jobs| jobs.iter().all(watch::Seen::ended)).await?;
    watch.finish();
    let exit = report::print(&ended, &stage, out);
    stage.kill_worker().await?;
    Ok(exit)
}
