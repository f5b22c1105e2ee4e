//! Answers that are too large to hold: their body comes piece by piece, within the same limits as any other (I28 to I33).

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use emp_core::ErrorCode;
use futures_util::{Stream, stream};
use http::HeaderMap;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Gateway, GatewayError, MAX_HOPS, Patience, Target, moved_to, next_hop, read};
use crate::request::OutboundRequest;

/// For a whole file, unless the request says otherwise.
const WHOLE: Duration = Duration::from_hours(1);

/// The pieces of a body.
pub(crate) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, GatewayError>> + Send>>;

/// An answer whose body is still to come.
pub(crate) struct Download {
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body; it ends with an error when it breaks one of the limits.
    pub(crate) body: Body,
}

impl Gateway {
    /// Sends a GET for a file, follows up to three redirects to allowed places, and gives the head of the answer. Its body may be as large as
    /// `cap`. The request's own timeout counts for all of it; without one, the usual time counts for the head, and an hour for the body, which
    /// must keep coming at the least rate.
    ///
    /// # Errors
    /// As [`Gateway::exchange`].
    pub(crate) async fn download(
        &self,
        request: &OutboundRequest,
        target: &Target<'_>,
        cap: u64,
    ) -> Result<Download, GatewayError> {
        let patience = self.options.patience.of(request.timeout, request.hold);
        let deadline = Instant::now() + patience.total;
        let (mut url, mut trust) = (request.url.clone(), request.trust);
        for _ in 0..=MAX_HOPS {
            let mut headers: HeaderMap = request.headers.iter().cloned().collect();
            let place = url.clone();
            if trust.credential() {
                target.credential.apply(&mut url, &mut headers, &mut None);
            }
            let reach = self.reach(&place, Some(target.base.url()));
            let outgoing = self.outgoing(request.method.clone(), url, headers, None, reach)?;
            let response = timeout_at(deadline, super::head(outgoing, reach))
                .await
                .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no answer in time"))??;
            let status = response.status().as_u16();
            if let Some(location) = moved_to(status, response.headers(), request) {
                (url, trust) = next_hop(location, &place, target)?;
                continue;
            }
            let too_large = response.content_length().is_some_and(|length| length > cap);
            if too_large && response.status().is_success() {
                return Err(over(cap));
            }
            let headers = response.headers().clone();
            let until = request.timeout.map_or_else(|| Instant::now() + WHOLE, |_| deadline);
            return Ok(Download { status, headers, body: pieces(response, cap, patience, until) });
        }
        Err(GatewayError::refused("the service redirects more than three times"))
    }
}

/// Where a body stands.
struct Reading {
    response: reqwest::Response,
    taken: u64,
    started: Instant,
}

fn pieces(response: reqwest::Response, cap: u64, patience: Patience, until: Instant) -> Body {
    let reading = Reading { response, taken: 0, started: Instant::now() };
    Box::pin(stream::unfold(Some(reading), move |reading| async move {
        let mut reading = reading?;
        match reading.next(cap, &patience, until).await {
            Ok(Some(piece)) => Some((Ok(piece), Some(reading))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    }))
}

impl Reading {
    async fn next(
        &mut self,
        cap: u64,
        patience: &Patience,
        until: Instant,
    ) -> Result<Option<Bytes>, GatewayError> {
        let stopped =
            || GatewayError::unknown(ErrorCode::ETimeout, "the answer's body stopped before its end");
        let next = timeout_at(until, timeout(patience.idle, self.response.chunk()));
        let piece = next.await.ok().and_then(Result::ok).ok_or_else(stopped)?;
        let piece = piece.map_err(|error| GatewayError::from_reqwest(&error))?;
        let Some(piece) = piece else { return Ok(None) };
        self.taken = self.taken.saturating_add(piece.len() as u64);
        if self.taken > cap {
            return Err(over(cap));
        }
        if read::too_slow(self.taken, self.started.elapsed(), patience) {
            return Err(GatewayError::unknown(ErrorCode::ETimeout, "the answer's body comes too slowly"));
        }
        Ok(Some(piece))
    }
}

fn over(cap: u64) -> GatewayError {
    let message = format!("a file is larger than {cap} bytes (`#[limits(max_file = ..)]`, `max_total`)");
    GatewayError::unknown(ErrorCode::EResponseTooLarge, message)
}
