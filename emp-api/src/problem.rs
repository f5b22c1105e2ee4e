//! Refusals, as RFC 9457 problem details: what, where, why, and what would be right.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use emp_core::JobError;
use emp_core::error::Billed;
use emp_core::job::JobState;
use emp_store::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::code::Code;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// Where the code is explained, on this server.
    #[serde(rename = "type")]
    #[schemars(extend("format" = "uri-reference"))]
    pub kind: String,
    /// The code in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// One thing that mends it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The stable code.
    pub code: &'static str,
    /// Every place that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Violation>,
    /// The job's state, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// Whether the same job can end better later, where the job's own error is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retriable: Option<bool>,
    /// Whether money may have been spent, where the job's own error is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed: Option<Billed>,
    /// The request, as `X-Request-Id` and the server's log name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One place of a request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Violation {
    /// The place, as a JSON pointer into the body; a member that is missing is named itself.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// A request refused: the problem, and the headers that go with it. What a handler returns as its error.
#[derive(Clone, Debug)]
pub struct Refusal(Box<(Problem, HeaderMap)>);

impl Refusal {
    /// A refusal of a code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: format!("/api/problems/{}", code.as_str()),
            title: code.title(),
            status: code.status(),
            detail: detail.into(),
            help: None,
            instance: None,
            code: code.as_str(),
            errors: Vec::new(),
            state: None,
            retriable: None,
            billed: None,
            request_id: None,
        };
        Self(Box::new((problem, HeaderMap::new())))
    }

    /// Says what mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.0.help = Some(help.into());
        self
    }

    /// Names every place that is wrong.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Violation>) -> Self {
        self.0.0.errors = errors;
        self
    }

    /// Says in which state the job is.
    #[must_use]
    pub fn state(mut self, state: JobState) -> Self {
        self.0.0.state = Some(state);
        self
    }

    /// Says what the job's own error means for the client.
    #[must_use]
    pub fn because_of(mut self, error: &JobError) -> Self {
        self.0.0.retriable = Some(error.retriable);
        self.0.0.billed = Some(error.billed);
        self
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after(self, secs: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(secs))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.1.insert(name, value);
        self
    }

    /// The problem.
    pub fn problem(&self) -> &Problem {
        &self.0.0
    }

    /// The problem as the client reads it, for a request of this path and id.
    pub(crate) fn of_request(self, path: &str, request_id: &str) -> Problem {
        let (mut problem, _) = *self.0;
        problem.instance = Some(path.chars().take(256).collect());
        problem.request_id = Some(request_id.to_owned());
        problem
    }
}

impl From<StoreError> for Refusal {
    /// The store's own words go to the log, not to the client: they name paths and hosts.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Down(_) | StoreError::Reset(_) => {
                tracing::warn!(%error, "the store does not answer");
                Self::new(
                    Code::StoreDown,
                    "the store does not answer at the moment; send the same request again",
                )
                .retry_after(1)
            }
            StoreError::Full(_) => {
                tracing::error!(%error, "the store is full");
                Self::new(
                    Code::StoreFull,
                    "there is no room for another job; jobs that were taken in still finish",
                )
                .retry_after(30)
            }
            StoreError::Unreplicated(_) => {
                tracing::warn!(%error, "too few replicas");
                Self::new(
                    Code::NotReplicated,
                    "too few servers have it so far; send the same request again, with the same idempotency key",
                )
                .retry_after(1)
            }
            StoreError::Crowded(_) => {
                tracing::warn!(%error, "a job was not taken in");
                Self::new(
                    Code::QueueFull,
                    "as many jobs of this service wait as may; nothing was taken in, so send the same request again later",
                )
                .retry_after(5)
            }
            StoreError::Corrupt(_) | StoreError::Version(_) | StoreError::Url(_) | StoreError::Unsafe(_) => {
                tracing::error!(%error, "the store cannot be used");
                Self::new(Code::Internal, "the store cannot be used; the server's log says why")
            }
        }
    }
}

impl IntoResponse for Refusal {
    /// The status, the headers and the refusal itself as an extension: the guard writes the body, since it knows the
    /// request.
    fn into_response(self) -> Response {
        let (problem, headers) = &*self.0;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, headers.clone()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
