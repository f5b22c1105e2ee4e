//! The calls of a fake service: each job that asked for one is told of once, when it ends.

use std::time::Duration;

use bytes::Bytes;
use emp_engine::gateway::{FetchRequest, Gateway};
use hyper::Method;
use serde_json::Value;
use url::Url;

use crate::job::VirtualJob;
use crate::server::{Shared, lock};
use crate::state::Service;

/// Between two looks at the jobs: they end by a clock that nobody can wait for.
const LOOK: Duration = Duration::from_millis(20);
/// A client that does not answer a call in this time is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls until it is dropped. A call that fails is not repeated: a connector must not need it.
pub(crate) async fn call(shared: Shared) {
    let gateway = Gateway::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let due = lock(&shared).calls();
        for (url, body) in due {
            let Ok(url) = Url::parse(&url) else { continue };
            let mut request = FetchRequest::new(Method::POST, url);
            request.body = Some(Bytes::from(body.to_string()));
            request.timeout = Some(PATIENCE);
            if let Err(error) = gateway.fetch(request).await {
                tracing::debug!(%error, "a call of the fake service failed");
            }
        }
    }
}

impl Service {
    /// The calls that are due: where to, and what is said of the job.
    pub(crate) fn calls(&mut self) -> Vec<(String, Value)> {
        let (now, durations) = (self.clock.now(), self.durations);
        let ended = self.books.jobs.iter_mut().filter(|job| job.at(now, durations).ended());
        let due: Vec<(String, VirtualJob)> =
            ended.filter_map(|job| Some((job.webhook.take()?, job.clone()))).collect();
        due.into_iter().map(|(url, job)| (url, self.show(&job, &job.at(now, durations), 200).body)).collect()
    }
}
