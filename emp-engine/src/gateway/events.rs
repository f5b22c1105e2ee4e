//! An answer that is read piece by piece: server-sent events and lines, each dimension of them bounded.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use emp_core::ErrorCode;
use emp_core::spec::StreamFormat;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, header};
use sse_stream::SseByteStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

use super::{Answer, GatewayError, Patience, read};

/// Largest body of a stream when the connector declares no `max_response`, bytes.
pub const MAX_STREAM: u64 = 64 << 20;
/// Largest event or line of a stream, bytes.
pub const MAX_EVENT: usize = 1 << 20;

/// An answer of which only the head has been read.
pub(crate) struct Opened {
    response: reqwest::Response,
    patience: Patience,
}

/// How long a stream may take and how large it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Longest silence between two pieces.
    pub(crate) idle: Duration,
    /// For the whole of it.
    pub(crate) total: Duration,
    /// Bytes in all.
    pub(crate) size: u64,
}

/// The events of a stream, one text each.
pub(crate) type Events = Pin<Box<dyn Stream<Item = Result<String, GatewayError>> + Send>>;

impl Opened {
    pub(super) fn new(response: reqwest::Response, patience: Patience) -> Self {
        Self { response, patience }
    }

    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Whether the answer is what was asked for. A service that streams events says so; lines come under many names.
    pub(crate) fn is_stream(&self, format: &StreamFormat) -> bool {
        let kind = self.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let events = kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/event-stream"));
        (200..300).contains(&self.status()) && (events || !matches!(format, StreamFormat::Sse))
    }

    /// Reads the rest as any answer.
    pub(crate) async fn whole(mut self, cap: u64) -> Result<Answer, GatewayError> {
        let patience = self.patience;
        let body = timeout(patience.total, read::body(&mut self.response, cap, &patience))
            .await
            .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no whole answer in time"))??;
        Ok(Answer { status: self.status(), headers: self.headers().clone(), body })
    }

    /// The events of the body.
    pub(crate) fn events(self, format: &StreamFormat, bounds: Bounds) -> Events {
        match format {
            StreamFormat::Sse => server_sent(pieces(self.response, bounds)),
            _ => lines(pieces(self.response, bounds)),
        }
    }
}

/// The pieces of a body, within the bounds.
fn pieces(
    response: reqwest::Response,
    bounds: Bounds,
) -> impl Stream<Item = Result<Bytes, GatewayError>> + Send {
    let end = Instant::now() + bounds.total;
    stream::unfold(Some((response, 0_u64)), move |state| async move {
        let (mut response, taken) = state?;
        let found = match timeout_at(end, timeout(bounds.idle, response.chunk())).await {
            Err(_) => Err(GatewayError::unknown(ErrorCode::ETimeout, "the stream did not end in time")),
            Ok(Err(_)) => {
                Err(GatewayError::unknown(ErrorCode::ETimeout, "the stream fell silent (`idle_timeout`)"))
            }
            Ok(Ok(Err(error))) => Err(GatewayError::from_reqwest(&error)),
            Ok(Ok(Ok(None))) => return None,
            Ok(Ok(Ok(Some(piece)))) => Ok(piece),
        };
        let taken = taken + found.as_ref().map_or(0, |piece| piece.len() as u64);
        if taken > bounds.size {
            let message =
                format!("the stream is larger than {} bytes (`#[limits(max_response = ..)]`)", bounds.size);
            return Some((Err(GatewayError::unknown(ErrorCode::EResponseTooLarge, message)), None));
        }
        let next = found.is_ok().then_some((response, taken));
        Some((found, next))
    })
}

fn too_large() -> GatewayError {
    let message = format!("an event of the stream is larger than {MAX_EVENT} bytes");
    GatewayError::unknown(ErrorCode::EResponseTooLarge, message)
}

fn unreadable() -> GatewayError {
    GatewayError::unknown(ErrorCode::EBadResponse, "the stream cannot be read: it is not UTF-8")
}

/// The data of server-sent events. The parser buffers an event without a bound, so what it gets between two events is counted.
fn server_sent(pieces: impl Stream<Item = Result<Bytes, GatewayError>> + Send + 'static) -> Events {
    let held = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&held);
    let within = pieces.map(move |piece| {
        let piece = piece?;
        if counter.fetch_add(piece.len(), Ordering::Relaxed) + piece.len() > MAX_EVENT {
            return Err(too_large());
        }
        Ok(piece)
    });
    // An event that the end of the body cuts off before its empty line is still one; half a JSON text is told by its reader.
    let closed = within.chain(stream::iter([Ok(Bytes::from_static(b"\n\n"))]));
    let events = SseByteStream::new(Box::pin(closed)).filter_map(move |event| {
        held.store(0, Ordering::Relaxed);
        let text = match event {
            Ok(event) => event.data.map(Ok),
            Err(sse_stream::Error::Body(error)) => {
                Some(Err(error.downcast::<GatewayError>().map_or_else(|_| unreadable(), |error| *error)))
            }
            Err(_) => Some(Err(unreadable())),
        };
        std::future::ready(text)
    });
    Box::pin(events)
}

/// The lines that are not empty.
fn lines(pieces: impl Stream<Item = Result<Bytes, GatewayError>> + Send + 'static) -> Events {
    let reader = StreamReader::new(Box::pin(pieces.map_err(std::io::Error::other)));
    let lines = FramedRead::new(reader, LinesCodec::new_with_max_length(MAX_EVENT)).filter_map(|line| {
        let text = match line {
            Ok(line) => (!line.trim().is_empty()).then_some(Ok(line)),
            Err(LinesCodecError::MaxLineLengthExceeded) => Some(Err(too_large())),
            Err(LinesCodecError::Io(error)) => Some(Err(error.downcast().unwrap_or_else(|_| unreadable()))),
        };
        std::future::ready(text)
    });
    Box::pin(lines)
}
