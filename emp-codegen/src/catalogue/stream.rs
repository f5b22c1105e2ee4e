//! `EMP0178` to `EMP0184`: streams and sockets.

use super::{Code, Entry};

/// A stream says how it ends.
pub const STREAM_END: Code = Code::new("EMP0178");
/// A stream stands where there is one.
pub const STREAM_MODE: Code = Code::new("EMP0179");
/// `deltas` is the text of a stream that is read in one piece.
pub const DELTAS: Code = Code::new("EMP0181");
/// The members of a stream's body belong to a body.
pub const STREAM_BODY: Code = Code::new("EMP0182");
/// A socket tells beside a poll.
pub const SOCKET: Code = Code::new("EMP0183");

/// The table.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: STREAM_END,
        title: "a stream says how it ends",
        why: "a stream that breaks off and one that is done look the same; taking the first for the second would hand out half a result as a whole one",
        help: "write `end = \"[DONE]\"` for a marker, or `done = \"$.done\" == true` for a last event",
        example: "#[stream(sse, delta = \"$.choices[0].delta.content\", end = \"[DONE]\")]",
    },
    Entry {
        code: STREAM_MODE,
        title: "a stream stands where there is one",
        why: "`sse` and `ndjson` read the answer to the submit, which is then the end of the job; `chunks(..)` asks a route beside the poll",
        help: "`mode = stream` for an answer that is always a stream, `mode = sync` and `when = ..` for one on demand, `chunks(..)` beside `#[poll]`",
        example: "#[stream(ndjson, delta = \"$.response\", done = \"$.done\" == true)]",
    },
    Entry {
        code: DELTAS,
        title: "`deltas` is the text of a stream that is read in one piece",
        why: "chunks beside a poll are gone once they are fetched: after a worker's death the text would have a hole",
        help: "use `deltas` with `sse` or `ndjson`, and take the result of a polled job from its last poll",
        example: "#[outcome(text = deltas)]",
    },
    Entry {
        code: STREAM_BODY,
        title: "the members of a stream's body belong to a body",
        why: "they are sent behind those of the submit's own `json {..}`, and there is none",
        help: "write `json {..}` in `#[submit]`; a request without a body asks for a stream by its path, its query or a header",
        example: "#[submit(post = \"/chat\", json { \"messages\": payload.messages }, at_most_once)]",
    },
    Entry {
        code: SOCKET,
        title: "a socket tells beside a poll",
        why: "messages on a socket are lost when it breaks, so that what they say can be shown but not relied on: the poll has the truth",
        help: "open the socket at a path below the base, take progress or states from its events, and declare `#[poll(..)]`",
        example: "#[websocket(get = \"/ws\", at = \"$.type\", succeeded = [\"done\"], progress = \"$.data.value\" | ratio(\"$.data.max\"))]",
    },
];
