//! Where a service is, which of its URLs are followed, and the credential.

use emp_syntax::template::Template;

use super::{Jwt, OAuth2};

/// Where the service is.
#[derive(Clone, Debug)]
pub enum Base {
    /// `base = "https://api.x.com/v2/{env.endpoint_id}"`
    Template(Template),
    /// `base = env.base_url`
    Env(&'static str),
}

/// Which URLs from the service's own answers are followed, beside those of the base's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Follow {
    /// Only the base's own origin.
    SelfOnly,
    /// These hosts too, without the credential; `*.x.com` matches one or more labels.
    Hosts(&'static [&'static str]),
    /// Any of them, at the base's own origin: path and query are the answer's, scheme, host and port the base's. For a service behind a
    /// gateway that does not know its own outer name.
    Rebase,
}

/// The credential and where it is put. The only place in a declaration where a `Secret` may stand.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Auth {
    /// No credential.
    None,
    /// A header: `Authorization: Bearer {api_key}`, `x-key: {api_key}`.
    Header {
        /// Lower-case name.
        name: &'static str,
        /// Text and fields.
        value: &'static [AuthPart],
    },
    /// A query pair.
    Query {
        /// The key.
        name: &'static str,
        /// Text and fields.
        value: &'static [AuthPart],
    },
    /// HTTP Basic.
    Basic {
        /// The user's field or literal.
        user: AuthPart,
        /// The password's field or literal.
        password: AuthPart,
    },
    /// A token that we sign.
    Jwt(Jwt),
    /// A token that an endpoint gives out.
    OAuth2(OAuth2),
}

/// A piece of a credential. When a field that it names is absent (an `Option`), the whole credential is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthPart {
    /// Text as it stands.
    Literal(&'static str),
    /// The value of a field of the struct.
    Field(&'static str),
}
