//! The connection of a submit. Most services answer soon; a sync one works at the job as long as it is open.

use emp_core::spec::HttpProtocol;

use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::GatewayError;
use crate::limits::Service;
use crate::port::Stop;
use crate::request::OutboundRequest;
use crate::run::Run;

impl Engine {
    /// Sends a submit and waits for its answer, whatever stops meanwhile: bytes that left cannot be taken back. Only where the connector
    /// says how a job is cancelled while its connection is open does a cancel end the wait.
    pub(super) async fn await_answer(
        &self,
        run: &mut Run,
        service: &Service,
        http: &'static HttpProtocol,
        request: &OutboundRequest,
    ) -> Result<Result<Exchange, GatewayError>, Stop> {
        let (stop, told) = {
            let run = &*run;
            let exchange = self.exchange_submit(run, service, http, request);
            if http.cancel.is_none() || run.poll_of(http).is_some() {
                return Ok(exchange.await);
            }
            tokio::pin!(exchange);
            let stop = tokio::select! {
                biased;
                answer = &mut exchange => return Ok(answer),
                stop = run.port.stopped() => stop,
            };
            if stop != Stop::Cancel {
                return Ok(exchange.await);
            }
            let told = tokio::select! {
                biased;
                // It was done first: the store keeps what came too late.
                answer = &mut exchange => return Ok(answer),
                told = self.cancel_open(run, service, http) => told,
            };
            (stop, told)
        };
        run.cancelled = Some(told);
        service.breaker.withdraw();
        Err(stop)
    }
}
