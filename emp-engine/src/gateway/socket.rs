//! Sockets over the gateway's own client: the same origin, address and credential rules as for any request, then an upgrade.

use std::time::Duration;

use emp_core::ErrorCode;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Upgraded;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use super::{GatewayError, MAX_EVENT};

/// The headers that ask for an upgrade, and the key that the answer must prove to have read.
pub(super) fn ask(headers: &mut HeaderMap) -> Result<String, GatewayError> {
    let key = generate_key();
    let value = HeaderValue::from_str(&key).map_err(|_| GatewayError::refused("no key for a socket"))?;
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(header::SEC_WEBSOCKET_KEY, value);
    Ok(key)
}

/// An open socket. Only its texts are of interest.
pub(crate) struct Socket {
    inner: WebSocketStream<Upgraded>,
    idle: Duration,
    /// When anything was last heard.
    heard: Instant,
    /// A ping is out since then.
    pinged: bool,
}

impl Socket {
    /// Takes over the connection of an answer that agrees to it.
    pub(super) async fn upgrade(
        response: reqwest::Response,
        key: &str,
        idle: Duration,
    ) -> Result<Self, GatewayError> {
        let refused = |message: String| GatewayError::unknown(ErrorCode::EBadResponse, message);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refused(format!(
                "the service answered {} and opened no socket",
                response.status().as_u16()
            )));
        }
        let accepted = derive_accept_key(key.as_bytes());
        let proven = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        if proven.is_none_or(|proven| proven.as_bytes() != accepted.as_bytes()) {
            return Err(refused("the service's answer is not that of a socket".to_owned()));
        }
        let upgraded = response.upgrade().await.map_err(|error| GatewayError::from_reqwest(&error))?;
        let config =
            WebSocketConfig::default().max_message_size(Some(MAX_EVENT)).max_frame_size(Some(MAX_EVENT));
        let inner = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
        Ok(Self { inner, idle, heard: Instant::now(), pinged: false })
    }

    /// The next text. May be dropped at any moment without losing one.
    ///
    /// # Errors
    /// The socket is closed, broken, silent, or has said more than it may; it is of no use any more.
    pub(crate) async fn next(&mut self) -> Result<String, GatewayError> {
        loop {
            let left = if self.pinged { self.idle } else { self.idle / 2 };
            match timeout(left.saturating_sub(self.heard.elapsed()), self.inner.next()).await {
                Err(_) if self.pinged => {
                    return Err(GatewayError::unknown(ErrorCode::ETimeout, "the socket fell silent"));
                }
                Err(_) => {
                    self.pinged = true;
                    self.inner.send(Message::Ping(bytes::Bytes::new())).await.map_err(|_| broken())?;
                }
                Ok(Some(Ok(message))) => {
                    (self.heard, self.pinged) = (Instant::now(), false);
                    match message {
                        Message::Text(text) => return Ok(text.as_str().to_owned()),
                        Message::Close(_) => return Err(broken()),
                        // Pictures of a work in progress, and the protocol's own.
                        _ => {}
                    }
                }
                Ok(Some(Err(_)) | None) => return Err(broken()),
            }
        }
    }
}

fn broken() -> GatewayError {
    GatewayError::unknown(ErrorCode::ETransient, "the socket is closed")
}
