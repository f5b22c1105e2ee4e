//! `#[http(..)]`, `#[origins(..)]`, `#[auth(..)]`: where the service is, and who asks it.

use super::Form::{Braces, Flag, Free, Group, Value};
use super::{Attribute, key};

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
