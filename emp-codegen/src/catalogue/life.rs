//! `EMP0156` to `EMP0163`: credentials, origins, cancel, cleanup and webhooks.

use super::{Code, Entry};

/// The credential of downloads is about declared hosts.
pub const DOWNLOAD_AUTH: Code = Code::new("EMP0156");
/// A token that is signed has an end.
pub const TOKEN_END: Code = Code::new("EMP0157");
/// Tokens are had from an https URL.
pub const TOKEN_URL: Code = Code::new("EMP0158");
/// A cancel that ends whatever runs needs that to be our job.
pub const CANCEL_SCOPE: Code = Code::new("EMP0159");
/// A cancel is one thing, and it can be done.
pub const CANCEL_FORM: Code = Code::new("EMP0160");
/// The URL of a webhook stands in a submit, and may be absent.
pub const WEBHOOK_URL: Code = Code::new("EMP0161");
/// What is believed of a call is proven, and is about our job.
pub const WEBHOOK_BODY: Code = Code::new("EMP0162");

/// The entries, in the order of their codes.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: DOWNLOAD_AUTH,
        title: "the credential of downloads is about declared hosts",
        why: "a download from the base's own origin has the credential anyway, and no other host is fetched from unless it is declared",
        help: "name the hosts in `download`, or remove `download_auth`",
        example: "#[origins(download = [\"files.example.com\"], download_auth = same_as_api)]",
    },
    Entry {
        code: TOKEN_END,
        title: "a token that is signed has an end",
        why: "a token without one is a key that anybody who sees it can use for ever, and its renewal is planned by it",
        help: "write the claim `\"exp\": now + ..` with more seconds than `refresh_before`",
        example: "#[auth(jwt(alg = HS256, key = secret_key, claims { \"exp\": now + 1800 }))]",
    },
    Entry {
        code: TOKEN_URL,
        title: "tokens are had from an https URL",
        why: "the client's secret is sent there, so the host is written in the declaration and the way is encrypted",
        help: "write an https URL with its host, a path below the base, or `env.field`",
        example: "#[auth(oauth2(token_url = \"https://auth.example.com/token\", client_id = id, client_secret = secret))]",
    },
    Entry {
        code: CANCEL_SCOPE,
        title: "a cancel of whatever runs needs one job in flight",
        why: "a global interrupt ends the job that the service works at, whoever sent it: with two in flight it ends the wrong one",
        help: "allow one job in flight, or use a cancel that names its job",
        example: "#[cancel(post = \"/interrupt\", scope = service)]\n#[limits(in_flight = 1)]",
    },
    Entry {
        code: CANCEL_FORM,
        title: "a cancel is one thing that can be done",
        why: "a connection can only be closed while it is open, and the state of a job is known by asking",
        help: "write one request, requests by state for a polled job, or `drop_connection` for a sync one",
        example: "#[cancel(when(queued) = delete(\"/queue/{job.id}\"), when(running) = post(\"/jobs/{job.id}/stop\"))]",
    },
    Entry {
        code: WEBHOOK_URL,
        title: "the URL of a webhook stands in a submit, and may be absent",
        why: "a service learns where to call when it is given a job, and an installation that has no public URL has none to give",
        help: "write `webhook.url?` into the submit's body, query or headers",
        example: "#[submit(post = \"/jobs\", json { \"webhook\": webhook.url? }, capture(id = \"$.id\"), at_most_once)]",
    },
    Entry {
        code: WEBHOOK_BODY,
        title: "what is believed of a call is proven, and is about our job",
        why: "who knows or guesses a job's URL could end it, or end it with the result of another; a call that only says that there is news needs no proof, for the job is asked after",
        help: "say how a call is signed (`verify`), and where an answer repeats the job's id (`echo` in `#[poll]`)",
        example: "#[poll(get = \"/jobs/{job.id}\", echo = \"$.id\")]\n#[webhook(verify = standard_webhooks(webhook_secret), body = same_as_poll)]",
    },
];
