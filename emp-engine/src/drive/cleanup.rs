//! Tidying up after a result: once, when the result is durable, and never at the job's expense.

use std::time::Duration;

use emp_core::spec::Cleanup;
use tokio::time::timeout;

use crate::engine::Engine;
use crate::operation;
use crate::run::Run;

/// Longer than this nobody's slot is held for it.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Sends the declared cleanup of a job whose result is stored; says whether there was one to send. What becomes of it is logged.
    pub(crate) async fn clean_up_declared(&self, run: &Run) -> bool {
        let Some(http) = run.connector.spec.http() else { return false };
        let Some(Cleanup { request, when }) = &http.cleanup else { return false };
        let wanted = when.as_ref();
        if !wanted.is_none_or(|when| run.with_context(None, |context| operation::holds(when, context))) {
            return false;
        }
        let (job, connector) = (&run.job.id, run.connector.spec.name);
        let request = match run.request(request, None) {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%job, connector, %error, "not cleaned up at the service: the request cannot be made");
                return false;
            }
        };
        let Some(service) = &run.service else { return false };
        let answer = self.exchange(&request, &run.connector.spec.limits, service, http.follow);
        match timeout(PATIENCE, answer).await {
            Ok(Ok(exchange)) if exchange.ok() => tracing::info!(%job, connector, "cleaned up at the service"),
            Ok(Ok(exchange)) => {
                tracing::warn!(%job, connector, code = exchange.code, "not cleaned up: the service refused");
            }
            Ok(Err(error)) => tracing::warn!(%job, connector, %error, "not cleaned up at the service"),
            Err(_) => tracing::warn!(%job, connector, "not cleaned up: no answer in time"),
        }
        true
    }
}
