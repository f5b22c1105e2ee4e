//! Progress beside a submit whose answer is held back. Whatever happens here, the submit does not notice.

use std::time::Duration;

use emp_core::job::Progress;
use emp_core::spec::{HttpProtocol, SideProgress};
use tokio::time::sleep;

use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::GatewayError;
use crate::limits::Service;
use crate::progress::Places;
use crate::request::OutboundRequest;
use crate::run::Run;

/// A question that takes longer is of no use: the next one is due.
const PATIENCE: Duration = Duration::from_secs(5);

impl Engine {
    /// Sends a submit. While its answer is open, the declared side channel is asked how far the job is.
    pub(super) async fn exchange_submit(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        request: &OutboundRequest,
    ) -> Result<Exchange, GatewayError> {
        let limits = &run.connector.spec.limits;
        let submit = self.exchange(request, limits, service, http.follow);
        let Some(side) = &http.side_progress else { return submit.await };
        let mut fraction = run.memory.fraction;
        tokio::pin!(submit);
        loop {
            tokio::select! {
                biased;
                answer = &mut submit => return answer,
                () = sleep(side.every) => {}
            }
            tokio::select! {
                biased;
                answer = &mut submit => return answer,
                told = self.ask_beside(run, service, http, side) => {
                    if let Some(mut progress) = told {
                        // As everywhere, it never falls.
                        fraction = match (progress.fraction, fraction) {
                            (Some(new), Some(known)) => Some(new.max(known)),
                            (new, known) => new.or(known),
                        };
                        progress.fraction = fraction;
                        run.port.progress(progress);
                    }
                }
            }
        }
    }

    async fn ask_beside(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        side: &'static SideProgress,
    ) -> Option<Progress> {
        let mut request = run.request(&side.request, None).ok()?;
        request.timeout = Some(request.timeout.unwrap_or(PATIENCE).min(PATIENCE));
        if service.poll_wait().is_some() {
            return None;
        }
        let exchange =
            self.exchange(&request, &run.connector.spec.limits, service, http.follow).await.ok()?;
        let told = exchange
            .ok()
            .then(|| run.view(&exchange, run.port.now(), |view| Places::beside(side).read(view)));
        told.flatten()
    }
}
