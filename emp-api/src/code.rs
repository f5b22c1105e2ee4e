//! The stable codes of the API's refusals.

use serde::Serialize;

/// Why a request was refused. The word is stable; `GET /api/problems/{code}` explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each is documented, with its fix, by `Code::explain`
pub enum Code {
    BadHeader,
    BadJson,
    BadQuery,
    BadRange,
    Busy,
    ContentType,
    CrossSite,
    Internal,
    Invalid,
    InvalidKey,
    KeyConflict,
    MethodNotAllowed,
    NoAuth,
    NoSuchJob,
    NotDone,
    NotFound,
    NotProven,
    NotReplicated,
    NotSucceeded,
    QueueFull,
    RequestTimeout,
    StoreDown,
    StoreFull,
    TooLarge,
    TooLate,
    UnknownService,
    WrongHost,
}

/// What a code means.
struct Row {
    code: &'static str,
    status: u16,
    title: &'static str,
    explain: &'static str,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 27] = [
        Self::BadHeader,
        Self::BadJson,
        Self::BadQuery,
        Self::BadRange,
        Self::Busy,
        Self::ContentType,
        Self::CrossSite,
        Self::Internal,
        Self::Invalid,
        Self::InvalidKey,
        Self::KeyConflict,
        Self::MethodNotAllowed,
        Self::NoAuth,
        Self::NoSuchJob,
        Self::NotDone,
        Self::NotFound,
        Self::NotProven,
        Self::NotReplicated,
        Self::NotSucceeded,
        Self::QueueFull,
        Self::RequestTimeout,
        Self::StoreDown,
        Self::StoreFull,
        Self::TooLarge,
        Self::TooLate,
        Self::UnknownService,
        Self::WrongHost,
    ];

    /// The code with a word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// The word: `E_UNKNOWN_SERVICE`.
    pub fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The code in words.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// Why it happens and what to do.
    pub fn explain(self) -> &'static str {
        self.row().explain
    }

    #[rustfmt::skip] // one row is one line: it is a table
    fn row(self) -> Row {
        let (code, status, title, explain) = match self {
            Self::BadHeader => ("E_BAD_HEADER", 400, "A header is not valid", "A header that the API reads has a value that it cannot have. `detail` names the header and what would be right."),
            Self::BadJson => ("E_BAD_JSON", 400, "The body is not JSON", "The body must be one JSON value in UTF-8 without comments, without a member given twice, at most 64 levels deep and with at most 100,000 values. `detail` has line and column."),
            Self::BadQuery => ("E_BAD_QUERY", 400, "A query parameter is not valid", "A query parameter is unknown, given twice, or has a value that it cannot have. `detail` lists what would be right."),
            Self::BadRange => ("E_BAD_RANGE", 416, "The range is not in the file", "The `Range` header begins behind the end of the file. `bytes` of the file's entry in the result is its size."),
            Self::Busy => ("E_BUSY", 503, "Too many event streams", "As many event streams are open as this server allows. Come again after `Retry-After`, or poll the job."),
            Self::ContentType => ("E_CONTENT_TYPE", 415, "The body must be JSON", "Send `Content-Type: application/json`, in UTF-8 and not compressed."),
            Self::CrossSite => ("E_CROSS_SITE", 403, "Refused from another site", "A web page of another site tried to change something here. Call the API from your own program, or from a page that it serves itself."),
            Self::Internal => ("E_INTERNAL", 500, "A mistake in EMP itself", "Please report it with the request id; the server's log has the place."),
            Self::Invalid => ("E_INVALID", 422, "The job is not valid", "Every place that is wrong is in `errors`, with a JSON pointer and what would be right. Nothing was taken in."),
            Self::InvalidKey => ("E_INVALID_KEY", 400, "The idempotency key is not valid", "An idempotency key is 1 to 255 visible ASCII characters."),
            Self::KeyConflict => ("E_KEY_CONFLICT", 422, "The idempotency key was used for another job", "The same key came with another service, payload, priority or labels before. Use a new key for a new job, or send exactly the same job again."),
            Self::MethodNotAllowed => ("E_METHOD_NOT_ALLOWED", 405, "This path has no such method", "The `Allow` header lists the methods of this path; `/api/openapi.json` lists every path."),
            Self::NoAuth => ("E_NO_AUTH", 401, "A token is needed", "Send `Authorization: Bearer <token>` with the token that the server was started with (`EMP_API_TOKEN`)."),
            Self::NoSuchJob => ("E_NO_SUCH_JOB", 404, "There is no such job", "The id is not that of a job in this store. `GET /api/jobs` lists the jobs."),
            Self::NotDone => ("E_NOT_DONE", 409, "The job has not ended", "There is no result yet. Wait for the job with `GET /api/jobs/{id}/events`."),
            Self::NotFound => ("E_NOT_FOUND", 404, "There is nothing here", "No such path, or no such thing of that name; `/api/openapi.json` lists every path."),
            Self::NotProven => ("E_NOT_PROVEN", 401, "Nothing proves whose call this is", "The call of a service must bear the signature that its connector declares (`#[webhook(verify = ..)]`), made within the last minutes. `detail` says what is missing or wrong; nothing has changed. Compare the service's webhook secret with the connector's variable."),
            Self::NotReplicated => ("E_NOT_REPLICATED", 503, "Too few servers have it", "The operator asks for so many replicas (`--store-replicas`) before a job counts as taken in or cancelled, and too few have said so in time. It may be lost with one server: send the same request again after `Retry-After`, with the same idempotency key, until it is acknowledged."),
            Self::NotSucceeded => ("E_NOT_SUCCEEDED", 409, "The job ended without a result", "`GET /api/jobs/{id}` says why. `retriable` and `billed` tell whether a new job may do better and whether this one may have cost money."),
            Self::QueueFull => ("E_QUEUE_FULL", 429, "Too many jobs of this service wait", "The service has as many jobs in its line as it may have (`--max-queued`). Nothing was taken in: send the same request again after `Retry-After`."),
            Self::RequestTimeout => ("E_REQUEST_TIMEOUT", 408, "The request came too slowly", "The head of a request must come within 10 s and its body within 30 s."),
            Self::StoreDown => ("E_STORE_DOWN", 503, "The store does not answer", "Send the same request again after `Retry-After`, with the same idempotency key if it makes a job."),
            Self::StoreFull => ("E_STORE_FULL", 507, "The store is full", "Nothing new is taken in until there is room on the store's disk. Jobs that were taken in still finish."),
            Self::TooLarge => ("E_TOO_LARGE", 413, "The body is too large", "A body has at most 1 MiB. Put large inputs where the service can fetch them and send the URL."),
            Self::TooLate => ("E_TOO_LATE", 409, "The job has ended", "A job that has ended cannot be cancelled; `state` says how it ended."),
            Self::UnknownService => ("E_UNKNOWN_SERVICE", 422, "Nobody serves this service", "No worker of the service mapping accepts this service. `GET /api/services` lists those that are served."),
            Self::WrongHost => ("E_WRONG_HOST", 421, "Not a name of this server", "A server on the loopback address answers only to localhost, 127.0.0.1 and [::1], so that a web page cannot reach it under a name of its own."),
        };
        Row { code, status, title, explain }
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
