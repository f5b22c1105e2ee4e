//! `emp demo`: the main job in front of your eyes. API and fake services in this process, the worker in a process of its own that is
//! killed half-way, one store file under both; at the end the fake services' own count of what they accepted.

mod actors;
mod report;
mod watch;

use std::path::Path;
use std::time::Duration;

use emp_core::Registry;

use crate::args::Demo;
use crate::exit::{Exit, Failure};
use crate::logging;
use crate::output::Output;

/// Longer than any demo takes; a demo that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(55);

pub(super) async fn run(
    args: &Demo,
    registry: &'static Registry,
    mapping: Option<&Path>,
    out: &Output,
) -> Result<Exit, Failure> {
    logging::start(true);
    let story = async {
        let mut stage = actors::Stage::set(registry, mapping, out).await?;
        let jobs = stage.submit(usize::from(args.jobs), out).await?;
        let mut watch = watch::Watch::new(&jobs, out);
        // Half of the jobs that a service can lose track of are at the service: the worst moment.
        watch
            .until(&stage.api, |jobs| jobs.iter().filter(|job| job.polled()).count() * 2 >= jobs.len())
            .await?;
        stage.kill_worker(out).await?;
        stage.start_worker(out)?;
        let ended = watch.until(&stage.api, |jobs| jobs.iter().all(watch::Seen::ended)).await?;
        watch.finish();
        let exit = report::print(&ended, &stage, out);
        stage.clear().await;
        Ok(exit)
    };
    tokio::select! {
        told = story => told,
        () = tokio::time::sleep(PATIENCE) => {
            Err(Failure::new(Exit::No, "E_DEMO", format!("the demo did not end within {PATIENCE:?}"))
                .help("please report this with what it printed"))
        }
        _ = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
    }
}
