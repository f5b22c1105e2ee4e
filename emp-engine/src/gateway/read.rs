//! Reading an answer: every dimension of it is bounded.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use emp_core::ErrorCode;
use http::HeaderMap;
use tokio::time::{Instant, timeout};

use super::error::GatewayError;

/// Largest head, bytes.
const MAX_HEAD: usize = 64 << 10;

/// How much longer than the time for which it may hold its answer back a service is waited for.
const HOLD_MARGIN: Duration = Duration::from_secs(10);

/// How long an answer may take, and how slow it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To a connection.
    pub connect: Duration,
    /// For the whole exchange, unless the request says otherwise.
    pub total: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// From when on the rate counts.
    pub rate_after: Duration,
    /// Slowest average rate after that, bytes a second.
    pub min_rate: u64,
    /// No exchange takes longer, whatever a connector declares.
    pub longest: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_mins(1),
            idle: Duration::from_secs(30),
            rate_after: Duration::from_secs(10),
            min_rate: 1024,
            longest: None,
        }
    }
}

impl Patience {
    /// A declared wait, or the longest that there may be.
    pub(crate) fn at_most(&self, wait: Duration) -> Duration {
        wait.min(self.longest.unwrap_or(Duration::MAX))
    }

    /// The patience for one request: its own timeout, and in any case longer than the service was asked to hold its answer back,
    /// or the answer to a submit that is paid for would be cut off (M17).
    #[must_use]
    pub fn of(self, timeout: Option<Duration>, hold: Option<Duration>) -> Self {
        let least = hold.map_or(Duration::ZERO, |hold| hold.saturating_add(HOLD_MARGIN));
        Self {
            total: self.at_most(timeout.unwrap_or(self.total).max(least)),
            idle: self.idle.max(least),
            rate_after: self.rate_after.max(least),
            ..self
        }
    }
}

/// Refuses heads that are too large and bodies in an encoding that nobody asked for (I28, I32).
pub(super) fn check_head(headers: &HeaderMap) -> Result<(), GatewayError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEAD {
        let message = format!("the answer's head is larger than {MAX_HEAD} bytes");
        return Err(GatewayError::unknown(ErrorCode::EResponseTooLarge, message));
    }
    let encoded = headers.get(http::header::CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if encoded {
        return Err(GatewayError::unknown(
            ErrorCode::EBadResponse,
            "the answer is encoded (Content-Encoding), though no encoding was asked for",
        ));
    }
    Ok(())
}

/// Reads a body to its end, within the cap and the deadlines.
pub(super) async fn body(
    response: &mut reqwest::Response,
    cap: u64,
    patience: &Patience,
) -> Result<Bytes, GatewayError> {
    let too_large = || {
        let message = format!("the answer is larger than {cap} bytes (`#[limits(max_response = ..)]`)");
        GatewayError::unknown(ErrorCode::EResponseTooLarge, message)
    };
    if response.content_length().is_some_and(|length| length > cap) {
        return Err(too_large());
    }
    let started = Instant::now();
    let mut body = BytesMut::new();
    loop {
        let piece = timeout(patience.idle, response.chunk()).await.map_err(|_| {
            GatewayError::unknown(ErrorCode::ETimeout, "the answer's body stopped before its end")
        })?;
        let Some(piece) = piece.map_err(|error| GatewayError::from_reqwest(&error))? else { break };
        if body.len() as u64 + piece.len() as u64 > cap {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
        if too_slow(body.len() as u64, started.elapsed(), patience) {
            return Err(GatewayError::unknown(ErrorCode::ETimeout, "the answer's body comes too slowly"));
        }
    }
    Ok(body.freeze())
}

/// Whether so many bytes in so long are fewer than the least rate.
pub(super) fn too_slow(bytes: u64, taken: Duration, patience: &Patience) -> bool {
    taken > patience.rate_after && (bytes as f64) < taken.as_secs_f64() * patience.min_rate as f64
}
