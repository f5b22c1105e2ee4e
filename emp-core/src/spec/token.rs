//! Credentials that are made: a signed JWT, or a token that an `OAuth2` token endpoint gives out.
//!
//! One token serves all jobs of a service and credential. It is made again before it ends, and once more when the service answers 401.

use std::time::Duration;

use emp_syntax::json::Json;
use emp_syntax::template::Template;

use super::Pair;

/// `jwt(..)`: a token that we sign, sent as `Authorization: Bearer`.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// How it is signed.
    pub alg: JwtAlg,
    /// The field that holds the key.
    pub key: &'static str,
    /// What it says; one of the claims is `exp`.
    pub claims: &'static [Claim],
    /// A new one is made when less than this is left of it.
    pub refresh_before: Duration,
}

/// How a JWT is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtAlg {
    /// HMAC with SHA-256.
    Hs256,
}

/// A claim of a JWT.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: ClaimValue,
}

/// The value of a claim.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClaimValue {
    /// JSON with holes for the environment; a claim whose optional hole has no value is left out.
    Json(Json),
    /// `now + N`, `now - N`: seconds since 1970 at the moment of signing, and so many more.
    Now(i64),
}

/// `oauth2(..)`: a token from a token endpoint, by the grant `client_credentials` (RFC 6749 section 4.4), sent as
/// `Authorization: Bearer`.
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// Where tokens are had.
    pub token_url: TokenUrl,
    /// The field that holds the client's id.
    pub client_id: &'static str,
    /// The field that holds the client's secret.
    pub client_secret: &'static str,
    /// How the client shows them.
    pub client_auth: ClientAuth,
    /// What is asked for.
    pub scope: Option<&'static str>,
    /// Further members of the form: `audience`, `resource`.
    pub params: &'static [Pair],
    /// A new one is fetched when less than this is left of it.
    pub refresh_before: Duration,
}

/// Where tokens are had. The client's secret goes there and nowhere else.
#[derive(Clone, Debug)]
pub enum TokenUrl {
    /// An https URL; holes stand in its path.
    Absolute(Template),
    /// A path below the base.
    Path(Template),
    /// The URL in a field of the environment.
    Env(&'static str),
}

/// How a client shows its id and secret to a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// HTTP Basic, which every such endpoint must take (RFC 6749 section 2.3.1).
    Basic,
    /// As members of the form.
    Body,
}
