//! `jwt(..)` and `oauth2(..)`: credentials that are made.

use std::time::Duration;

use emp_syntax::json::Json;
use emp_syntax::template::Template;

use super::{Pair, Spanned};

/// A token that is signed here, by HS256.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The field of the key.
    pub key: String,
    /// What it says.
    pub claims: Spanned<Vec<Claim>>,
    /// A new one is made when less than this is left.
    pub refresh_before: Duration,
}

/// A claim of a token.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name, at its place.
    pub name: Spanned<String>,
    /// Its value.
    pub value: ClaimValue,
}

/// The value of a claim.
#[derive(Clone, Debug)]
pub enum ClaimValue {
    /// JSON with holes.
    Json(Json),
    /// Seconds from now.
    Now(i64),
}

/// A token from a token endpoint.
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// Where, at its place.
    pub token_url: Spanned<TokenUrl>,
    /// The field of the client's id.
    pub client_id: String,
    /// The field of its secret.
    pub client_secret: String,
    /// How they are shown.
    pub client_auth: ClientAuth,
    /// What is asked for.
    pub scope: Option<String>,
    /// Further members of the form.
    pub params: Vec<Pair>,
    /// A new one is fetched when less than this is left.
    pub refresh_before: Duration,
}

/// Where tokens are had.
#[derive(Clone, Debug)]
pub enum TokenUrl {
    /// An https URL.
    Absolute(Template),
    /// Below the base.
    Path(Template),
    /// `env.field`
    Env(String),
}

/// How a client shows its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// HTTP Basic.
    Basic,
    /// In the form.
    Body,
}
