//! The attributes and their keys: one table for the parser, its suggestions and the reference.

mod outcome;
mod polling;

pub use outcome::{EACH, OUTCOME, PART};
pub use polling::{BATCH_POLL, DEADLINE, ENVELOPE, SIDE_PROGRESS};

/// An attribute of a declaration.
#[derive(Debug)]
pub struct Attribute {
    /// Its name: `submit` for `#[submit(..)]`.
    pub name: &'static str,
    /// What it declares.
    pub doc: &'static str,
    /// Its keys, sorted.
    pub keys: &'static [Key],
}

/// A key of an attribute.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// It may be written more than once.
    pub repeat: bool,
    /// An example of it, ready to paste.
    pub example: &'static str,
    /// What it says.
    pub doc: &'static str,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `key`
    Flag,
    /// `key = value`
    Value,
    /// `key(..)`
    Group,
    /// `key {..}`
    Braces,
    /// In more than one of these forms.
    Free,
}

const fn key(name: &'static str, form: Form, example: &'static str, doc: &'static str) -> Key {
    Key { name, form, repeat: false, example, doc }
}

const fn repeated(name: &'static str, form: Form, example: &'static str, doc: &'static str) -> Key {
    Key { name, form, repeat: true, example, doc }
}

use Form::{Braces, Flag, Free, Group, Value};

const GET: Key =
    key("get", Value, "get = \"/jobs/{job.id}\"", "A GET of a path below the base, or of a captured URL.");
const POST: Key =
    key("post", Value, "post = \"/jobs\"", "A POST to a path below the base, or to a captured URL.");
const PUT: Key = key("put", Value, "put = \"/jobs/{job.id}\"", "A PUT.");
const PATCH: Key = key("patch", Value, "patch = \"/jobs/{job.id}\"", "A PATCH.");
const DELETE: Key = key("delete", Value, "delete = \"/jobs/{job.id}\"", "A DELETE.");
const QUERY: Key = repeated(
    "query",
    Group,
    "query(\"logs\" = \"1\")",
    "Query pairs; a pair with an optional hole that has no value is left out.",
);
const HEADER: Key = repeated(
    "header",
    Group,
    "header(\"Prefer\" = \"wait\")",
    "Headers; never the credential, which is `#[auth]`'s.",
);
const JSON: Key =
    key("json", Braces, "json { \"prompt\": payload.prompt }", "The body: JSON with typed holes.");
const WHEN: Key = key(
    "when",
    Value,
    "when = payload.image present",
    "Only for the jobs of which this holds; the attribute may stand again for others, the last time without it.",
);
const FORM: Key = key(
    "form",
    Braces,
    "form { prompt: payload.prompt }",
    "The body: `application/x-www-form-urlencoded`. Holes as in `json`; a list has a pair for each element.",
);
const MULTIPART: Key = key(
    "multipart",
    Braces,
    "multipart { image: file(payload.image), prompt: payload.prompt }",
    "The body: `multipart/form-data`, the same bytes whenever it is sent again.",
);
const RAW: Key = key(
    "raw",
    Group,
    "raw(file(payload.audio), content_type = \"audio/wav\")",
    "The body: the bytes of one asset, or the text of one value.",
);
const MAX_BODY: Key = key(
    "max_body",
    Value,
    "max_body = \"10MB\"",
    "Largest body of this request; a larger one is refused before anything is sent.",
);
const TIMEOUT: Key = key("timeout", Value, "timeout = \"60s\"", "For how long the request may take in all.");

/// Every attribute of a struct.
pub const ATTRIBUTES: &[&Attribute] = &[
    &CONNECTOR,
    &OPENAPI,
    &HTTP,
    &ORIGINS,
    &AUTH,
    &PREPARE,
    &SUBMIT,
    &POLL,
    &STATES,
    &OUTCOME,
    &ERRORS,
    &CANCEL,
    &CLEANUP,
    &PACE,
    &LIMITS,
    &HEALTH,
    &STREAM,
    &WEBSOCKET,
    &BATCH_POLL,
    &SIDE_PROGRESS,
];

/// `#[connector(..)]`
pub const CONNECTOR: Attribute = Attribute {
    name: "connector",
    doc: "What the connector is called and what it serves.",
    keys: &[
        key(
            "crate",
            Value,
            "crate = ::my_core",
            "Another path to `emp_core`, for a crate that renames or re-exports it.",
        ),
        key("custom", Flag, "custom", "The protocol is the type's own `CustomConnector::run`."),
        key(
            "mode",
            Value,
            "mode = sync",
            "`poll` (submit, then ask), `sync` (the submit's answer is the result) or `stream` (it always comes piece by piece).",
        ),
        key("output", Value, "output = ChatOutput", "The type of a result, for its JSON Schema."),
        key(
            "payload",
            Value,
            "payload = ChatPayload",
            "The type of a payload: holes are checked against its fields, jobs against its JSON Schema.",
        ),
        key("service", Value, "service = \"replicate\"", "The service that it serves, or a list of them."),
        key(
            "unregistered",
            Flag,
            "unregistered",
            "Not in the folder that build.rs reads; for tests and examples.",
        ),
        key("version", Value, "version = \"1.0.0\"", "The connector's own version, semver."),
    ],
};

/// `#[openapi(..)]`
pub const OPENAPI: Attribute = Attribute {
    name: "openapi",
    doc: "The service's own description, which build.rs checks the declaration against: paths, status words, required members.",
    keys: &[
        key(
            "allow",
            Value,
            "allow = [\"$.eta\", \"expired\"]",
            "What the declaration has and the description lacks: paths, status words, headers, members, codes.",
        ),
        key(
            "cancel",
            Value,
            "cancel = \"jobs.cancel\"",
            "The operation of `#[cancel]`; found by method and path when absent.",
        ),
        key(
            "file",
            Value,
            "file = \"example.json\"",
            "The slice in `schemas/openapi/`, which `emp openapi slice` cuts out of the vendor's file.",
        ),
        key(
            "open",
            Value,
            "open = [\"$.result\"]",
            "Paths of answers below which the description is not asked, because it is wrong or vague there.",
        ),
        key(
            "poll",
            Value,
            "poll = \"jobs.get\"",
            "The operation of `#[poll]`; needed where the URL comes from the service.",
        ),
        key("strict", Flag, "strict", "A path of which the description says nothing is a mistake too."),
        key(
            "submit",
            Value,
            "submit = \"POST /jobs\"",
            "The operation of `#[submit]`, by id or by method and path; found by method and path when absent.",
        ),
    ],
};

/// `#[http(..)]`
pub const HTTP: Attribute = Attribute {
    name: "http",
    doc: "Where the service is.",
    keys: &[
        key(
            "allow_hosts",
            Value,
            "allow_hosts = [\"api.example.com\"]",
            "Hosts that a base from the environment may name; `*.x.com` is any host below it.",
        ),
        key("allow_http", Flag, "allow_http", "The base may be plain http."),
        key(
            "base",
            Value,
            "base = \"https://api.example.com/v1\"",
            "What paths are appended to: a URL, or `env.field`.",
        ),
    ],
};

/// `#[origins(..)]`
pub const ORIGINS: Attribute = Attribute {
    name: "origins",
    doc: "Which URLs from the service's own answers are followed, and from where results are fetched.",
    keys: &[
        key(
            "download",
            Value,
            "download = [\"*.files.example.com\"]",
            "Hosts of result files, beside the base's own.",
        ),
        key(
            "download_auth",
            Value,
            "download_auth = same_as_api",
            "What those hosts get of the credential: `none` (when absent) or `same_as_api`.",
        ),
        key(
            "follow",
            Value,
            "follow = [\"*.example.com\"]",
            "`self` (the base's origin only), hosts (which never get the credential), or `rebase` (any URL, but at the base's origin).",
        ),
    ],
};

/// `#[auth(..)]`
pub const AUTH: Attribute = Attribute {
    name: "auth",
    doc: "The credential and its place: the only place for a `Secret`.",
    keys: &[
        key("basic", Group, "basic(user = user, password = password)", "HTTP Basic."),
        key("bearer", Value, "bearer = api_key", "`Authorization: Bearer ..` of a field."),
        key("header", Free, "header(\"x-key\") = \"{api_key}\"", "A header of text and fields."),
        key(
            "jwt",
            Group,
            "jwt(alg = HS256, key = secret_key, claims { \"iss\": env.access_key, \"exp\": now + 1800 })",
            "A bearer token that is signed here, and made again before it ends.",
        ),
        key("none", Flag, "none", "No credential."),
        key(
            "oauth2",
            Group,
            "oauth2(token_url = \"https://auth.example.com/token\", client_id = id, client_secret = secret)",
            "A bearer token from a token endpoint, by the client credentials grant.",
        ),
        key("query", Free, "query(\"key\") = \"{api_key}\"", "A query pair of text and fields."),
    ],
};

/// `jwt(..)`
pub const JWT: Attribute = Attribute {
    name: "jwt",
    doc: "A bearer token that is signed here. One serves all jobs; a 401 makes a new one, once.",
    keys: &[
        key("alg", Value, "alg = HS256", "How it is signed."),
        key(
            "claims",
            Braces,
            "claims { \"iss\": env.access_key, \"exp\": now + 1800, \"nbf\": now - 5 }",
            "What it says: JSON, `env.field`, and `now` plus or minus seconds; `exp` is one of them.",
        ),
        key("key", Value, "key = secret_key", "The field that holds the key."),
        key(
            "refresh_before",
            Value,
            "refresh_before = \"60s\"",
            "A new one is made when less than this is left of it.",
        ),
    ],
};

/// `oauth2(..)`
pub const OAUTH2: Attribute = Attribute {
    name: "oauth2",
    doc: "A bearer token from a token endpoint (grant `client_credentials`). One serves all jobs; a 401 fetches a new one, once.",
    keys: &[
        key(
            "client_auth",
            Value,
            "client_auth = body",
            "How the client shows its secret: `basic` (when absent), or `body` (members of the form).",
        ),
        key("client_id", Value, "client_id = client_id", "The field that holds the client's id."),
        key("client_secret", Value, "client_secret = client_secret", "The field that holds its secret."),
        key(
            "params",
            Group,
            "params(\"audience\" = \"https://api.example.com\")",
            "Further members of the form.",
        ),
        key("refresh_before", Value, "refresh_before = \"60s\"", "As of `jwt`."),
        key("scope", Value, "scope = \"jobs.write\"", "What is asked for."),
        key(
            "token_url",
            Value,
            "token_url = \"https://auth.example.com/oauth/token\"",
            "Where tokens are had: an https URL, a path below the base, or `env.field`.",
        ),
    ],
};

/// `#[prepare(..)]`
pub const PREPARE: Attribute = Attribute {
    name: "prepare",
    doc: "A request before the submit, such as an upload. It costs nothing and may be repeated; there may be several, in order.",
    keys: &[
        key("accept", Value, "accept = [200, 201]", "The codes that mean accepted; any 2xx when absent."),
        key(
            "capture",
            Group,
            "capture(audio_url = \"$.upload_url\")",
            "What the answer gives, later `prepared.<name>`; with `each` a list in the order of the elements.",
        ),
        key(
            "each",
            Value,
            "each = payload.uploads",
            "Once for each element of a list, which is `item` then.",
        ),
        FORM,
        GET,
        HEADER,
        JSON,
        MAX_BODY,
        MULTIPART,
        POST,
        PUT,
        QUERY,
        RAW,
        TIMEOUT,
        key(
            "unless",
            Value,
            "unless = payload.audio is url",
            "Not for the jobs, or elements, of which this holds.",
        ),
        key(
            "when",
            Value,
            "when = payload.audio present",
            "Only for the jobs, or elements, of which this holds.",
        ),
    ],
};

/// `#[submit(..)]`
pub const SUBMIT: Attribute = Attribute {
    name: "submit",
    doc: "How a job is submitted, and what a lost answer means.",
    keys: &[
        key("accept", Value, "accept = [200, 201]", "The codes that mean accepted; any 2xx when absent."),
        key(
            "assign_id",
            Free,
            "assign_id = uuid",
            "Settle rule: the id is ours (`job.assigned_id`); after a lost answer the job is looked up by it.",
        ),
        key(
            "at_least_once",
            Flag,
            "at_least_once",
            "Settle rule: a lost answer is sent again, and may be paid for twice.",
        ),
        key(
            "at_most_once",
            Flag,
            "at_most_once",
            "Settle rule: a lost answer is never sent again; the job becomes `uncertain`.",
        ),
        key("billable", Value, "billable = false", "Whether a submit costs money; `true` when absent."),
        key(
            "capture",
            Group,
            "capture(id = \"$.id\", poll_url = \"$.urls.get\")",
            "What the answer gives, later `job.<name>`.",
        ),
        DELETE,
        key(
            "envelope",
            Group,
            "envelope(ok = \"$.code\" == 0, message = \"$.message\")",
            "What makes an answer with a 2xx code a refusal all the same.",
        ),
        key(
            "feeds_poll",
            Flag,
            "feeds_poll",
            "The answer is judged as a poll answer is; it may already be final.",
        ),
        FORM,
        GET,
        HEADER,
        key("hold", Value, "hold = \"10s\"", "For how long the service is asked to hold the request open."),
        key(
            "idempotent",
            Group,
            "idempotent(header(\"Idempotency-Key\"), ttl = \"24h\")",
            "Settle rule: the service merges submits that carry the same key.",
        ),
        JSON,
        key(
            "lookup",
            Group,
            "lookup(get = \"/jobs\", items = \"$.jobs[*]\", tag = \"$.tag\", id = \"$.id\", wait = \"10s\")",
            "Settle rule: jobs can be searched for a tag that holds `queue.job_id`.",
        ),
        MAX_BODY,
        MULTIPART,
        PATCH,
        POST,
        PUT,
        QUERY,
        RAW,
        key("rejects", Value, "rejects = [503]", "5xx codes that say for certain that nothing was accepted."),
        TIMEOUT,
        WHEN,
    ],
};

/// `idempotent(..)`
pub const IDEMPOTENT: Attribute = Attribute {
    name: "idempotent",
    doc: "The service merges submits that carry the same key.",
    keys: &[
        key("field", Group, "field(\"request_id\")", "The key is a top-level member of the body."),
        key("header", Group, "header(\"Idempotency-Key\")", "The key is a header."),
        key("ttl", Value, "ttl = \"24h\"", "For how long the service remembers a key."),
    ],
};

/// `assign_id(..)`
pub const ASSIGN_ID: Attribute = Attribute {
    name: "assign_id",
    doc: "The id is ours.",
    keys: &[
        key(
            "absent_for",
            Value,
            "absent_for = \"30s\"",
            "Absent for so long means that it was never accepted.",
        ),
        key("resend", Flag, "resend", "The service refuses or merges a second submit with the same id."),
        key("uuid", Flag, "uuid", "The id is a UUID."),
    ],
};

/// `lookup(..)`
pub const LOOKUP: Attribute = Attribute {
    name: "lookup",
    doc: "How to search for a job whose submit's answer was lost.",
    keys: &[
        FORM,
        GET,
        HEADER,
        key("id", Value, "id = \"$.id\"", "In a candidate: the service job id."),
        key("items", Value, "items = \"$.jobs[*]\"", "The candidates."),
        JSON,
        MULTIPART,
        POST,
        QUERY,
        RAW,
        key("tag", Value, "tag = \"$.tag\"", "In a candidate: what must equal `queue.job_id`."),
        TIMEOUT,
        key(
            "wait",
            Value,
            "wait = \"10s\"",
            "For how long the service may take to show a job that it accepted.",
        ),
    ],
};

/// `#[poll(..)]`
pub const POLL: Attribute = Attribute {
    name: "poll",
    doc: "How a job is asked after.",
    keys: &[
        key(
            "also",
            Group,
            "also(queue = get(\"/queue\"))",
            "Further questions, asked while the answer alone does not decide. Rules and progress read them: `queue.\"$.running[*]\" present`.",
        ),
        key(
            "envelope",
            Group,
            "envelope(ok = \"$.code\" == 0, message = \"$.message\")",
            "What makes an answer with a 2xx code a refusal all the same.",
        ),
        key("eta", Value, "eta = \"$.eta\"", "Seconds left."),
        FORM,
        GET,
        HEADER,
        key(
            "hold",
            Value,
            "hold = \"25s\"",
            "For how long the service is asked to hold its answer back; a request says it by `queue.hold_secs`.",
        ),
        key("id", Value, "id = \"$.id\"", "In an element of `items`: the service job id."),
        key(
            "items",
            Value,
            "items = \"$.jobs[*]\"",
            "The answer is a list, and the job is the element with its `id`. A list without it is a 404.",
        ),
        JSON,
        key("logs", Value, "logs = \"$.logs\"", "Log text; the last lines are kept."),
        MULTIPART,
        POST,
        key(
            "preview",
            Value,
            "preview = \"$.preview\"",
            "A picture of what there is so far: an https URL or base64, at most 64 KiB.",
        ),
        key("progress", Value, "progress = \"$.progress\" | percent", "A fraction, 0 to 1."),
        key("progress_text", Value, "progress_text = \"$.step\"", "A text for people."),
        QUERY,
        key("queue_position", Value, "queue_position = \"$.position\"", "How many are ahead."),
        RAW,
        TIMEOUT,
        WHEN,
    ],
};

/// `#[states(..)]`
pub const STATES: Attribute = Attribute {
    name: "states",
    doc: "What an answer says of the job: rules first, then the word at `at`.",
    keys: &[
        key("at", Value, "at = \"$.status\"", "Where the status word is."),
        key("canceled", Value, "canceled = [\"canceled\"]", "Words for a job that a cancel ended."),
        repeated(
            "failed",
            Free,
            "failed(moderated) = [\"blocked\"]",
            "Words for failed, with the kind of failure; `service` when not said.",
        ),
        key("fold_case", Flag, "fold_case", "Words are compared without regard to case."),
        key("lost", Value, "lost = [\"not_found\"]", "Words for a job that the service does not know."),
        key("queued", Value, "queued = [\"queued\"]", "Words for accepted and not started."),
        key(
            "rules",
            Group,
            "rules(code == 404 => lost)",
            "Tried in order before the words; first of all `with(Self::judge)`, a function of the type.",
        ),
        key("running", Value, "running = [\"processing\"]", "Words for being worked on."),
        key("succeeded", Value, "succeeded = [\"done\"]", "Words for done."),
        key("timed_out", Value, "timed_out = [\"timeout\"]", "Words for `failed(timeout)`."),
        key(
            "unknown",
            Value,
            "unknown = running(warn)",
            "What any other word means: `running(warn)` or `failed`.",
        ),
    ],
};

/// `#[errors(..)]`
pub const ERRORS: Attribute = Attribute {
    name: "errors",
    doc: "What a refusal means: `401 | 403 => auth`, `429 => rate_limited(wait = header(\"retry-after\"))`.",
    keys: &[
        key("code", Value, "code = \"$.error.code\"", "The service's own code."),
        key(
            "message",
            Value,
            "message = [\"$.error.message\", \"$.detail\"]",
            "The text for people, in fallback order.",
        ),
        key(
            "retry",
            Value,
            "retry = header(\"x-should-retry\")",
            "Where the service says whether a refused submit is worth another try: `true` or `false`.",
        ),
        key(
            "with",
            Group,
            "with(Self::classify)",
            "A function of the type that classifies before the rules do.",
        ),
    ],
};

/// `#[cancel(..)]`
pub const CANCEL: Attribute = Attribute {
    name: "cancel",
    doc: "How a job is cancelled at the service.",
    keys: &[
        DELETE,
        key(
            "drop_connection",
            Flag,
            "drop_connection",
            "The service ends a job whose connection closes; for `mode = sync`.",
        ),
        FORM,
        GET,
        key("gone", Value, "gone = [404]", "Codes that say that the job does not exist."),
        HEADER,
        JSON,
        MULTIPART,
        key("ok", Value, "ok = [200, 202]", "Codes that confirm it; any 2xx when absent."),
        key(
            "only_if",
            Value,
            "only_if = running",
            "Ask first, and send nothing to a job that has ended: the request would destroy its result.",
        ),
        PATCH,
        POST,
        PUT,
        QUERY,
        key(
            "scope",
            Value,
            "scope = service",
            "`job` (when absent), or `service`: it ends whatever runs there, which needs `#[limits(in_flight = 1)]`.",
        ),
        TIMEOUT,
        key("too_late", Value, "too_late = [409]", "Codes that say that the job has ended already."),
        repeated(
            "when",
            Free,
            "when(queued) = post(\"/queue\", json { \"delete\": [job.id] })",
            "The request for a job that is `queued`, or `running`.",
        ),
    ],
};

/// A request as a value: `post("/queue", json { .. })`.
pub const CALL: Attribute = Attribute {
    name: "request",
    doc: "A verb with its path, and what a request has.",
    keys: &[HEADER, JSON, QUERY, TIMEOUT],
};

/// `#[cleanup(..)]`
pub const CLEANUP: Attribute = Attribute {
    name: "cleanup",
    doc: "What is tidied up at the service when a job's result is stored: one request, whose failure changes nothing.",
    keys: &[
        DELETE,
        GET,
        HEADER,
        JSON,
        PATCH,
        POST,
        PUT,
        QUERY,
        RAW,
        TIMEOUT,
        key("when", Value, "when = payload.ephemeral == true", "After which jobs; all of them when absent."),
    ],
};

/// `#[pace(..)]`
pub const PACE: Attribute = Attribute {
    name: "pace",
    doc: "How often and how long to poll.",
    keys: &[
        key(
            "advice",
            Value,
            "advice = [header(\"retry-after\")]",
            "Where the service says when to come again.",
        ),
        key(
            "deadline",
            Free,
            "deadline = \"30m\"",
            "From the submit to the end, whatever happens; or `env.field`. Or a clock for each phase: `deadline(queued = \"10m\", running = \"30m\")`.",
        ),
        key(
            "eta",
            Value,
            "eta = job.expected_secs",
            "Seconds that a job is expected to take from its submit: it is polled rarely before their end, and often near it.",
        ),
        key("factor", Value, "factor = 1.5", "Each wait is the one before times this."),
        key("first", Value, "first = \"2s\"", "From the submit's answer to the first poll."),
        key("jitter", Value, "jitter = 0.2", "A wait is spread by plus or minus this fraction."),
        key(
            "learn",
            Free,
            "learn = payload.model",
            "How long jobs take is learnt from those before, apart for each value, and polls are put where it will end.",
        ),
        key("max", Value, "max = \"30s\"", "The longest wait."),
        key(
            "max_unknown",
            Value,
            "max_unknown = 5",
            "So many answers in a row without a known status end the job.",
        ),
        key("min", Value, "min = \"1s\"", "The shortest wait."),
        key("slow_while", Group, "slow_while(queued, \"2s\")", "While queued, wait at least this long."),
    ],
};

/// `#[limits(..)]`
pub const LIMITS: Attribute = Attribute {
    name: "limits",
    doc: "What the service allows, for one credential.",
    keys: &[
        key(
            "attempts",
            Value,
            "attempts = 3",
            "Submits of one job that may fail definitely; or `env.field`.",
        ),
        key("in_flight", Value, "in_flight = 4", "Service jobs at once; or `env.field`."),
        key("max_body", Value, "max_body = \"10MB\"", "Largest request body."),
        key("max_file", Value, "max_file = \"500MB\"", "Largest file of a result."),
        key("max_response", Value, "max_response = \"8MiB\"", "Largest answer."),
        key("max_total", Value, "max_total = \"2GB\"", "All files of a result together."),
        key("rate", Value, "rate = \"150/10s\"", "Requests in a time, submits and polls together."),
    ],
};

/// `#[stream(..)]`
pub const STREAM: Attribute = Attribute {
    name: "stream",
    doc: "How the output comes piece by piece: the submit's answer is a stream, or a route beside the poll gives what is new.",
    keys: &[
        key(
            "chunks",
            Group,
            "chunks(get = \"/stream/{job.id}\", items = \"$.stream[*].output\")",
            "A route beside the poll gives what is new since the last time.",
        ),
        key(
            "delta",
            Value,
            "delta = \"$.choices[0].delta.content\"",
            "In an event: the text that it adds. `deltas` is all of it, for `#[outcome(text = deltas)]`.",
        ),
        key("done", Value, "done = \"$.done\" == true", "An event for which this holds is the last one."),
        key("end", Value, "end = \"[DONE]\"", "An event with exactly this text is the end, and no data."),
        key(
            "error",
            Value,
            "error = \"$.error\"",
            "In an event: an error, though the code said success. A rule of `#[states]` may give it its kind.",
        ),
        key("idle_timeout", Value, "idle_timeout = \"60s\"", "Longest silence; then the answer is lost."),
        key(
            "json",
            Braces,
            "json { \"stream\": true }",
            "Members that the body of a streamed submit has more.",
        ),
        key("ndjson", Flag, "ndjson", "The submit's answer is lines of JSON."),
        key("sse", Flag, "sse", "The submit's answer is server-sent events."),
        key(
            "stops_on_disconnect",
            Flag,
            "stops_on_disconnect",
            "The service stops working when the connection closes: so a job is cancelled.",
        ),
        key(
            "when",
            Value,
            "when = payload.stream == true",
            "Which jobs are streamed, by their payload; all when absent.",
        ),
    ],
};

/// `#[websocket(..)]`
pub const WEBSOCKET: Attribute = Attribute {
    name: "websocket",
    doc: "A socket beside the poll. Its events show the progress at once; a final word among them makes the poll ask for the truth.",
    keys: &[
        key("at", Value, "at = \"$.type\"", "Where an event's word is."),
        key("canceled", Value, "canceled = [\"interrupted\"]", "Words for a job that a cancel ended."),
        key("delta", Value, "delta = \"$.data.text\"", "Text that an event adds to the output."),
        key("eta", Value, "eta = \"$.data.eta\"", "Seconds left."),
        repeated("failed", Free, "failed = [\"execution_error\"]", "Words for failed."),
        GET,
        HEADER,
        key("idle_timeout", Value, "idle_timeout = \"60s\"", "Longest silence; then it is connected anew."),
        key(
            "job",
            Value,
            "job = \"$.data.prompt_id\"",
            "Whose an event is: the service job's id. Events of others are passed over.",
        ),
        key("lost", Value, "lost = [\"unknown\"]", "Words for a job that the service does not know."),
        key("progress", Value, "progress = \"$.data.value\" | ratio(\"$.data.max\")", "A fraction, 0 to 1."),
        key("progress_text", Value, "progress_text = \"$.data.node\"", "A text for people."),
        QUERY,
        key("queue_position", Value, "queue_position = \"$.data.position\"", "How many are ahead."),
        key("queued", Value, "queued = [\"waiting\"]", "Words for accepted and not started."),
        key("rules", Group, "rules(\"$.data.node\" present => running)", "Tried in order before the words."),
        key("running", Value, "running = [\"execution_start\"]", "Words for being worked on."),
        key("succeeded", Value, "succeeded = [\"execution_success\"]", "Words for done."),
        TIMEOUT,
    ],
};

/// `chunks(..)`
pub const CHUNKS: Attribute = Attribute {
    name: "chunks",
    doc: "A route beside the poll that gives what is new since the last time.",
    keys: &[
        GET,
        HEADER,
        key("items", Value, "items = \"$.stream[*].output\"", "The new pieces."),
        JSON,
        POST,
        QUERY,
        TIMEOUT,
    ],
};

/// `#[health(..)]`
pub const HEALTH: Attribute = Attribute {
    name: "health",
    doc: "How the service's health is asked.",
    keys: &[
        key("every", Value, "every = \"30s\"", "How often."),
        FORM,
        GET,
        HEADER,
        JSON,
        key("metric", Group, "metric(queued = \"$.queue.length\")", "Numbers to publish beside the health."),
        MULTIPART,
        POST,
        QUERY,
        RAW,
        key("ready", Value, "ready = \"$.ready\" == true", "A 2xx answer is healthy only when this holds."),
        TIMEOUT,
    ],
};

/// `file(payload.image, ..)` and the other adapters.
pub const ASSET: Attribute = Attribute {
    name: "file",
    doc: "An asset of the payload as the service takes it: `file(..)` its bytes, `base64(..)` and `data_uri(..)` those as text, `url(..)` \
          an URL. What an URL gives is fetched before the submit; size and type are checked then.",
    keys: &[
        key(
            "inline",
            Flag,
            "inline",
            "Only of `url(..)`: the service takes a data URI in place of an URL too.",
        ),
        key("max", Value, "max = \"10MB\"", "Largest size, decoded."),
        key(
            "types",
            Value,
            "types = [\"image/png\", \"image/*\"]",
            "What it may be, by its type and by its first bytes.",
        ),
    ],
};

/// `#[env("NAME", ..)]` on a field.
pub const ENV: Attribute = Attribute {
    name: "env",
    doc: "The variable that fills a field.",
    keys: &[
        key("default", Value, "default = \"30s\"", "Used when the variable is not set or empty."),
        key("optional", Flag, "optional", "Says what the type `Option<..>` says already."),
        key("range", Value, "range = 1..=60", "Smallest and largest number; for durations in seconds."),
        key("unit", Value, "unit = ms", "What a bare number means in a duration: `s` or `ms`."),
    ],
};
