//! Why an exchange failed, sorted by when: that decides whether a submit may be repeated (P4). Never holds a URL.

use std::error::Error;

use emp_core::error::Billed;
use emp_core::{ErrorCode, JobError};

use super::address::AddressRefused;

/// How far the request had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// No byte of the request left: safe to send again.
    BeforeBytes,
    /// We refused to send it: sending it again will end the same.
    Refused,
    /// Bytes may have left and no full answer came back.
    Unknown,
}

/// An exchange that gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct GatewayError {
    /// When it happened.
    pub when: When,
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, for people; without URL, headers or body.
    pub message: String,
}

impl GatewayError {
    pub(crate) fn new(when: When, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { when, code, message: message.into() }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(When::Refused, ErrorCode::EOriginRefused, message)
    }

    pub(super) fn unknown(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(When::Unknown, code, message)
    }

    /// The only conversion of a reqwest error: its text names the URL, so only its kind is taken over.
    pub(super) fn from_reqwest(error: &reqwest::Error) -> Self {
        if has::<AddressRefused>(error) {
            return Self::refused("the name leads to an address that may not be reached");
        }
        if error.is_builder() {
            return Self::refused("the request cannot be sent as it is");
        }
        if error.is_connect() {
            if has::<rustls::Error>(error) {
                return Self::new(When::BeforeBytes, ErrorCode::ETls, "the secure connection was refused");
            }
            let why = if error.is_timeout() { "no connection in time" } else { io_kind(error) };
            return Self::new(When::BeforeBytes, ErrorCode::EConnect, why);
        }
        if error.is_timeout() {
            return Self::unknown(ErrorCode::ETimeout, "no answer in time");
        }
        Self::unknown(ErrorCode::ETransient, "the connection broke before the whole answer was there")
    }

    /// The error of a job that cannot go on because of this.
    pub fn into_job_error(self, billed: Billed) -> JobError {
        let retriable = self.when != When::Refused;
        let mut error = JobError::new(self.code, self.message).billed(billed);
        error.retriable = retriable;
        error
    }
}

fn sources<'e>(error: &'e reqwest::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |error: &&'e (dyn Error + 'static)| (*error).source())
}

fn has<E: Error + 'static>(error: &reqwest::Error) -> bool {
    sources(error).any(|source| {
        // An io::Error is a box: what it was made of is inside it, and not its source.
        let inside = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        source.is::<E>() || inside.is_some_and(<dyn Error + Send + Sync>::is::<E>)
    })
}

fn io_kind(error: &reqwest::Error) -> &'static str {
    let kind =
        sources(error).find_map(|source| source.downcast_ref::<std::io::Error>().map(std::io::Error::kind));
    match kind {
        Some(std::io::ErrorKind::ConnectionRefused) => "the connection was refused: nothing listens there",
        Some(std::io::ErrorKind::TimedOut) => "no connection in time",
        _ => "no connection: the name is not known or the network is not reachable",
    }
}
