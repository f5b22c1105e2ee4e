//! `#[webhook(..)]` and `hmac(..)`: the calls of a service.

use super::Form::Value;
use super::{Attribute, key};

/// `#[webhook(..)]`
pub const WEBHOOK: Attribute = Attribute {
    name: "webhook",
    doc: "What is believed of the calls that come to `webhook.url`. Without it a call says that there is news, and the job is asked after.",
    keys: &[
        key(
            "body",
            Value,
            "body = same_as_poll",
            "What a proven call carries: `same_as_poll`, or the same at a place (`\"$.data\"`). It is judged as a poll's answer is, and no poll is needed.",
        ),
        key(
            "event",
            Value,
            "event = \"$.type\"",
            "Where a call names its event, `header(\"x-event\")` too: others than `events` are passed over.",
        ),
        key(
            "events",
            Value,
            "events = [\"completed\"]",
            "The events that the service is asked for: `webhook.events?` in a submit.",
        ),
        key(
            "verify",
            Value,
            "verify = standard_webhooks(webhook_secret)",
            "How a call shows that it is the service's: `standard_webhooks(field)`, `hmac(key = field, ..)` or `header(\"x-token\", field)`.",
        ),
    ],
};

/// `hmac(..)`
pub const HMAC: Attribute = Attribute {
    name: "hmac",
    doc: "An HMAC over the body, and over what else is signed with it.",
    keys: &[
        key("alg", Value, "alg = SHA256", "The hash: `SHA256` (when absent) or `SHA512`."),
        key("encoding", Value, "encoding = hex", "How it is written: `hex` (when absent) or `base64`."),
        key(
            "header",
            Value,
            "header = \"X-Signature\"",
            "Where it stands; several may, with commas between them.",
        ),
        key("key", Value, "key = webhook_secret", "The field that holds the key."),
        key("prefix", Value, "prefix = \"sha256=\"", "What stands before it."),
        key(
            "signed",
            Value,
            "signed = \"{timestamp}.{body}\"",
            "What is signed: text, `{body}`, `{timestamp}`, and `{x-id}` for a header; `{body}` when absent.",
        ),
        key(
            "timestamp",
            Value,
            "timestamp = header(\"X-Timestamp\")",
            "Where the moment of signing stands, in seconds: a header, or the text before it beside the signature (`\"t=\"`).",
        ),
        key("tolerance", Value, "tolerance = \"5m\"", "How long ago it may have been signed."),
    ],
};
