//! Credentials that are made, from the service's side: it checks what is signed, and gives out and checks what is fetched.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use emp_core::Timestamp;
use emp_core::spec::{Auth, ClientAuth, ConnectorSpec, Jwt, OAuth2, TokenUrl};
use emp_core::syntax::template::Part;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use url::form_urlencoded;

use crate::draft::Draft;
use crate::route::Seen;
use crate::sample;

/// For how long a token that was given out is good, seconds.
const LIFETIME: i64 = 3600;

/// The tokens that the service gave out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    issued: Vec<(String, Timestamp)>,
}

impl Tokens {
    /// Whether a request for something else has a token that is good now; `None` for a credential that is not made.
    pub(crate) fn authorized(
        &self,
        spec: &ConnectorSpec,
        auth: &Auth,
        seen: &Seen,
        now: Timestamp,
    ) -> Option<bool> {
        let token = || seen.headers.get("authorization").and_then(|text| text.strip_prefix("Bearer "));
        match auth {
            Auth::Jwt(jwt) => Some(token().is_some_and(|token| is_good(spec, jwt, token, now).is_some())),
            Auth::OAuth2(_) => Some(token().is_some_and(|token| {
                self.issued.iter().any(|(known, until)| known == token && now < *until)
            })),
            _ => None,
        }
    }

    /// Gives out a token, to the client that shows its id and secret.
    pub(crate) fn grant(
        &mut self,
        spec: &ConnectorSpec,
        oauth2: &OAuth2,
        seen: &Seen,
        now: Timestamp,
    ) -> Draft {
        let form: Vec<(String, String)> = form_urlencoded::parse(&seen.body).into_owned().collect();
        let member =
            |name: &str| form.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()));
        let refused = |code, error: &str| Draft { body: json!({ "error": error }), ..Draft::new(code) };
        let (id, secret) = (set(spec, oauth2.client_id), set(spec, oauth2.client_secret));
        let known = if oauth2.client_auth == ClientAuth::Body {
            member("client_id") == Some(&id) && member("client_secret") == Some(&secret)
        } else {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let basic = STANDARD.encode(format!("{}:{}", encoded(&id), encoded(&secret)));
            seen.headers.get("authorization").and_then(|text| text.strip_prefix("Basic ")) == Some(&basic)
        };
        if !known {
            return refused(401, "invalid_client");
        }
        if member("scope") != oauth2.scope {
            return refused(400, "invalid_scope");
        }
        let token = format!("fake-token-{}-of-{}", self.issued.len() + 1, spec.name);
        self.issued.push((token.clone(), Timestamp(now.0 + LIFETIME * 1000)));
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME });
        Draft { body, ..Draft::new(200) }
    }
}

/// The declaration of the endpoint that a request goes to, when it asks for a token.
pub(crate) fn asked<'s>(auth: &'s Auth, base_path: &str, seen: &Seen) -> Option<&'s OAuth2> {
    let Auth::OAuth2(oauth2) = auth else { return None };
    let grant = form_urlencoded::parse(&seen.body)
        .any(|(name, value)| name == "grant_type" && value == "client_credentials");
    let here = match &oauth2.token_url {
        TokenUrl::Absolute(template) => ends_like(&template.parts, &seen.path),
        TokenUrl::Path(template) => {
            seen.path.strip_prefix(base_path).is_some_and(|path| ends_like(&template.parts, path))
        }
        // Nobody but the environment knows the path.
        TokenUrl::Env(_) => true,
    };
    (seen.method == "POST" && grant && here).then_some(oauth2)
}

/// Whether a path ends as a URL does, from its last hole on.
fn ends_like(parts: &[Part], path: &str) -> bool {
    match parts.last() {
        Some(Part::Literal(text)) => {
            let tail = text.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
            match tail {
                Some((_, tail)) if parts.len() == 1 => path.strip_prefix('/') == Some(tail),
                _ => path.ends_with(text.as_ref()),
            }
        }
        _ => true,
    }
}

/// What a field holds in the environment of fakes.
fn set(spec: &ConnectorSpec, field: &str) -> String {
    let Some(field) = spec.env_field(field) else { return String::new() };
    match field.default {
        Some(default) if !field.secret() => default.to_owned(),
        _ => sample::of_env(field),
    }
}

/// The claims of a token that the key has signed, that says all that was declared, and that is good now.
fn is_good(spec: &ConnectorSpec, jwt: &Jwt, token: &str, now: Timestamp) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let head: Value = serde_json::from_slice(&decode(head)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(set(spec, jwt.key).as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&decode(signature)?).ok()?;
    let claims: Value = serde_json::from_slice(&decode(claims)?).ok()?;
    let now = now.0 / 1000;
    let good = head["alg"] == "HS256"
        && claims["exp"].as_i64().is_some_and(|exp| now < exp)
        && claims["nbf"].as_i64().is_none_or(|nbf| nbf <= now)
        && jwt.claims.iter().all(|claim| claims.get(claim.name).is_some());
    good.then_some(claims)
}
