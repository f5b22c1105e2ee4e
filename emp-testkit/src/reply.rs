//! What goes back over the connection, and what a trouble leaves of it.

use std::time::Duration;

use emp_core::spec::HttpProtocol;

use crate::answer;
use crate::draft::Draft;
use crate::fault::Trouble;
use crate::route::{self, Seen};
use crate::socket::Telling;
use crate::streaming::Streaming;

/// What goes back over the connection.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Wait so long before.
    pub(crate) hold: Duration,
    /// What then.
    pub(crate) kind: ReplyKind,
    /// The job that is worked at while this is held back, and only as long as the connection is open.
    pub(crate) open: Option<String>,
}

/// How an answer goes back.
#[derive(Debug)]
pub(crate) enum ReplyKind {
    /// Whole.
    Answer(Draft),
    /// The connection closes.
    Cut,
    /// Nothing, until the client gives up.
    Silence,
    /// Half of it, then the connection closes.
    CutBody(Draft),
    /// Without end.
    HugeBody,
    /// A byte at a time.
    SlowBody(Draft),
    /// Event by event.
    Stream(Streaming),
    /// The connection becomes a socket.
    Socket(Telling),
}

impl ReplyKind {
    /// The status code; `None` when there is no answer.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Answer(draft) | Self::CutBody(draft) | Self::SlowBody(draft) => Some(draft.code),
            Self::HugeBody | Self::Stream(_) => Some(200),
            Self::Socket(_) => Some(101),
            Self::Cut | Self::Silence => None,
        }
    }
}

impl From<ReplyKind> for Reply {
    fn from(kind: ReplyKind) -> Self {
        Self { hold: Duration::ZERO, kind, open: None }
    }
}

const TOLD: &str = "fault of the fake service";

/// The reply of a trouble that keeps a request from having any effect.
pub(crate) fn prevent(http: &HttpProtocol, trouble: &Trouble, seen: &Seen) -> Option<ReplyKind> {
    Some(match trouble {
        Trouble::Status(code) => ReplyKind::Answer(answer::refusal(http, *code, TOLD)),
        Trouble::RetryAfter(code, wait) => {
            let mut draft = answer::refusal(http, *code, TOLD);
            draft.headers.insert("retry-after".to_owned(), wait.as_secs_f64().ceil().to_string());
            ReplyKind::Answer(draft)
        }
        Trouble::QuotesCredential => {
            let credential = route::credential(&http.auth, seen).unwrap_or("none");
            ReplyKind::Answer(answer::refusal(
                http,
                400,
                &format!("the credential `{credential}` is not good"),
            ))
        }
        Trouble::Refused(kind) => ReplyKind::Answer(answer::refusal_of_kind(http, *kind)),
        Trouble::SaysAgain => hinted(http, 409, "true"),
        Trouble::SaysFinal => hinted(http, 429, "false"),
        Trouble::Cut => ReplyKind::Cut,
        Trouble::Timeout => ReplyKind::Silence,
        Trouble::Redirect(url) => {
            let mut draft = Draft::new(307);
            draft.headers.insert("location".to_owned(), url.clone());
            ReplyKind::Answer(draft)
        }
        _ => return None,
    })
}

/// A refusal with the service's own word on another try.
fn hinted(http: &HttpProtocol, code: u16, again: &str) -> ReplyKind {
    let mut draft = answer::refusal(http, code, TOLD);
    draft.put_first(http.errors.retry, &again.into());
    ReplyKind::Answer(draft)
}

/// What a trouble leaves of the answer to a request that had its effect.
pub(crate) fn spoil(http: &HttpProtocol, trouble: Option<&Trouble>, draft: Draft) -> ReplyKind {
    match trouble {
        Some(Trouble::StatusAfter(code)) => ReplyKind::Answer(answer::refusal(http, *code, TOLD)),
        Some(Trouble::CutAfter) => ReplyKind::Cut,
        Some(Trouble::TimeoutAfter) => ReplyKind::Silence,
        Some(Trouble::Html) => {
            let raw = Some("<!doctype html><title>Please stand by</title>".to_owned());
            ReplyKind::Answer(Draft { raw, ..Draft::new(draft.code) })
        }
        Some(Trouble::Encoded) => {
            let headers =
                [("content-encoding".to_owned(), "gzip".to_owned())].into_iter().chain(draft.headers);
            ReplyKind::Answer(Draft { headers: headers.collect(), ..draft })
        }
        Some(Trouble::CutBody) => ReplyKind::CutBody(draft),
        Some(Trouble::HugeBody) => ReplyKind::HugeBody,
        Some(Trouble::SlowBody) => ReplyKind::SlowBody(draft),
        _ => ReplyKind::Answer(draft),
    }
}
