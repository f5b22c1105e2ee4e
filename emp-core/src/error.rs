//! Why a job did not succeed: a stable code, a text for people, and what may be done about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use emp_syntax::rule::FailureKind;

/// The stable code of a run-time error; `emp explain E_AUTH` tells more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // each is documented, with its fix, by `ErrorCode::explain`
pub enum ErrorCode {
    EAuth,
    EBadRequest,
    EBadResponse,
    EBadServiceId,
    EBilling,
    ECancelled,
    ECapacity,
    EConnect,
    EConnectorPanic,
    EDeadline,
    EEnvironment,
    EExpired,
    EIdMismatch,
    EInternal,
    EInvalidInput,
    EModerated,
    EOriginRefused,
    EOutput,
    EPoison,
    ERateLimited,
    EResponseTooLarge,
    EServiceFailed,
    EServiceJobLost,
    EServiceRejected,
    ESubmitNoId,
    ESubmitUncertain,
    ETimeout,
    ETls,
    ETransient,
    EUnknownStatus,
}

impl ErrorCode {
    /// The code as it is printed everywhere: `E_AUTH`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// What it means and what to do.
    pub fn explain(self) -> &'static str {
        self.row().1
    }

    /// Every code.
    pub const ALL: [Self; 30] = [
        Self::EAuth,
        Self::EBadRequest,
        Self::EBadResponse,
        Self::EBadServiceId,
        Self::EBilling,
        Self::ECancelled,
        Self::ECapacity,
        Self::EConnect,
        Self::EConnectorPanic,
        Self::EDeadline,
        Self::EEnvironment,
        Self::EExpired,
        Self::EIdMismatch,
        Self::EInternal,
        Self::EInvalidInput,
        Self::EModerated,
        Self::EOriginRefused,
        Self::EOutput,
        Self::EPoison,
        Self::ERateLimited,
        Self::EResponseTooLarge,
        Self::EServiceFailed,
        Self::EServiceJobLost,
        Self::EServiceRejected,
        Self::ESubmitNoId,
        Self::ESubmitUncertain,
        Self::ETimeout,
        Self::ETls,
        Self::ETransient,
        Self::EUnknownStatus,
    ];

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::EAuth => (
                "E_AUTH",
                "The service refused the credential. Check the variable that `emp env check` names; the connector stops submitting until a probe succeeds.",
            ),
            Self::EBadRequest => (
                "E_BAD_REQUEST",
                "The request could not be built from the job: a required hole has no value or a value does not fit its place.",
            ),
            Self::EBadResponse => (
                "E_BAD_RESPONSE",
                "The service's answer is not what the connector declares: not JSON, too deep, or the wrong type.",
            ),
            Self::EBadServiceId => (
                "E_BAD_SERVICE_ID",
                "The id that the service gave cannot stand in a URL safely. Nothing was sent with it.",
            ),
            Self::EBilling => (
                "E_BILLING",
                "The service wants payment: no credit or a quota is used up. Add credit, then retry the job.",
            ),
            Self::ECancelled => ("E_CANCELLED", "The job was cancelled."),
            Self::ECapacity => {
                ("E_CAPACITY", "The service has no room at the moment. The job is tried again later.")
            }
            Self::EConnect => (
                "E_CONNECT",
                "No connection to the service: name, network or port. Nothing was sent, so the job is tried again.",
            ),
            Self::EConnectorPanic => (
                "E_CONNECTOR_PANIC",
                "The connector's own code panicked. The worker goes on; the place is in the log.",
            ),
            Self::EDeadline => (
                "E_DEADLINE",
                "The job did not end before its deadline. The service job id is kept, so that you can look at the service.",
            ),
            Self::EEnvironment => (
                "E_ENVIRONMENT",
                "A variable that the connector needs is missing or not valid. `emp env check` shows all of them.",
            ),
            Self::EExpired => ("E_EXPIRED", "The result is too old: the service has deleted it."),
            Self::EIdMismatch => (
                "E_ID_MISMATCH",
                "The service answered about another job than it was asked after, again and again. Nothing of those answers is kept; look there before you retry.",
            ),
            Self::EInternal => {
                ("E_INTERNAL", "A mistake in EMP itself. Please report it with the job's events.")
            }
            Self::EInvalidInput => (
                "E_INVALID_INPUT",
                "The service refused the payload. Change the payload and submit a new job.",
            ),
            Self::EModerated => ("E_MODERATED", "The service refused the content."),
            Self::EOriginRefused => (
                "E_ORIGIN_REFUSED",
                "The service named a URL outside the connector's declared origins. Nothing was sent there. Declare the host in `#[origins(follow = [..])]` if it is right.",
            ),
            Self::EOutput => (
                "E_OUTPUT",
                "The output store cannot take the result's files: no room, no access, or no answer. The result is still at the service; the job waits and tries again. Look at the place that `EMP_OUTPUTS` names.",
            ),
            Self::EPoison => {
                ("E_POISON", "The job ended its worker several times and was taken out of the queue.")
            }
            Self::ERateLimited => {
                ("E_RATE_LIMITED", "Too many requests. The job is tried again when the service says.")
            }
            Self::EResponseTooLarge => (
                "E_RESPONSE_TOO_LARGE",
                "The answer is larger than the connector's limit (`#[limits(max_response = ..)]`).",
            ),
            Self::EServiceFailed => {
                ("E_SERVICE_FAILED", "The service tried the job and failed; its own message is in `detail`.")
            }
            Self::EServiceJobLost => (
                "E_SERVICE_JOB_LOST",
                "The service does not know the job any more. It is not submitted again by itself, since it may have been billed.",
            ),
            Self::EServiceRejected => (
                "E_SERVICE_REJECTED",
                "The service refused the request for certain; nothing was accepted or billed.",
            ),
            Self::ESubmitNoId => (
                "E_SUBMIT_NO_ID",
                "The service accepted the submit but gave no id where the connector looks for it.",
            ),
            Self::ESubmitUncertain => (
                "E_SUBMIT_UNCERTAIN",
                "A submit was sent and its answer was lost: it may have been accepted and billed. It is not sent again by itself. Look at the service's console, then settle the job.",
            ),
            Self::ETimeout => ("E_TIMEOUT", "The service did not answer in time."),
            Self::ETls => ("E_TLS", "The service's certificate was refused. The credential was not sent."),
            Self::ETransient => ("E_TRANSIENT", "A fault that passes. The job is tried again."),
            Self::EUnknownStatus => (
                "E_UNKNOWN_STATUS",
                "The service kept answering with a status that the connector does not declare.",
            ),
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<FailureKind> for ErrorCode {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::InvalidInput => Self::EInvalidInput,
            FailureKind::Auth => Self::EAuth,
            FailureKind::Billing => Self::EBilling,
            FailureKind::RateLimited => Self::ERateLimited,
            FailureKind::Moderated => Self::EModerated,
            FailureKind::Capacity => Self::ECapacity,
            FailureKind::Transient => Self::ETransient,
            FailureKind::Service => Self::EServiceFailed,
            FailureKind::Expired => Self::EExpired,
            FailureKind::Timeout => Self::ETimeout,
            FailureKind::Bug => Self::EBadResponse,
        }
    }
}

/// Whether money may have been spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Billed {
    /// Nothing was accepted.
    No,
    /// Nobody can tell from here.
    Maybe,
    /// The service accepted the job.
    Yes,
}

/// Why a job failed, waits for a retry, or is uncertain. Scrubbed of secrets before it is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code}: {message}")]
pub struct JobError {
    /// The stable code.
    pub code: ErrorCode,
    /// One sentence for people.
    pub message: String,
    /// The service's own code and text, at most 2 KiB, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether the same job can end better later.
    pub retriable: bool,
    /// Whether money may have been spent.
    pub billed: Billed,
}

impl JobError {
    /// An error that a retry cannot mend and for which nothing was billed.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None, retriable: false, billed: Billed::No }
    }

    /// Says that a later attempt can end better.
    #[must_use]
    pub fn retriable(mut self) -> Self {
        self.retriable = true;
        self
    }

    /// Says whether money may have been spent.
    #[must_use]
    pub fn billed(mut self, billed: Billed) -> Self {
        self.billed = billed;
        self
    }

    /// Adds the service's own words, cut to one line of 2 KiB without control characters.
    #[must_use]
    pub fn detail(mut self, detail: impl AsRef<str>) -> Self {
        let line: String =
            detail.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).take(2048).collect();
        self.detail = Some(line).filter(|line| !line.trim().is_empty());
        self
    }
}
