//! A JWT, signed here (RFC 7519, HS256 of RFC 7518).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use emp_core::connector::Loaded;
use emp_core::spec::{ClaimValue, Jwt};
use emp_core::{ErrorCode, JobError, Secret, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::Minted;
use crate::context::Context;
use crate::gateway::{GatewayError, When};
use crate::request;

/// What a claim comes to.
#[derive(Clone, Debug)]
enum Claimed {
    Fixed(Value),
    Now(i64),
}

/// Makes a connector's tokens.
#[derive(Debug)]
pub(crate) struct Signer {
    key: Secret,
    claims: Vec<(&'static str, Claimed)>,
    lifetime: Duration,
    refresh_before: Duration,
}

impl Signer {
    /// The signer of a connector; `None` when its key is optional and not set.
    ///
    /// # Errors
    /// `E_ENVIRONMENT` when a claim needs a field that is not set.
    pub(super) fn of(jwt: &Jwt, connector: &Loaded) -> Result<Option<Self>, JobError> {
        let Some(key) = connector.settings.credential(jwt.key) else { return Ok(None) };
        let context = Context::bare(connector);
        let mut claims = Vec::with_capacity(jwt.claims.len());
        for claim in jwt.claims {
            let claimed = match &claim.value {
                ClaimValue::Now(offset) => Some(Claimed::Now(*offset)),
                ClaimValue::Json(json) => {
                    request::json(json, &context).map_err(|error| unset(&error))?.map(Claimed::Fixed)
                }
                _ => None,
            };
            claims.extend(claimed.map(|claimed| (claim.name, claimed)));
        }
        let ends = claims.iter().find_map(|(name, claimed)| match claimed {
            Claimed::Now(offset) if *name == "exp" => u64::try_from(*offset).ok(),
            _ => None,
        });
        let lifetime = Duration::from_secs(ends.unwrap_or_default());
        Ok(Some(Self { key, claims, lifetime, refresh_before: jwt.refresh_before }))
    }

    pub(super) fn identity(&self) -> String {
        format!("jwt {} {:?}", self.key.expose(), self.claims)
    }

    /// A token whose times are counted from a moment.
    pub(super) fn sign(&self, now: Timestamp) -> Result<Minted, GatewayError> {
        let now = now.0.div_euclid(1000);
        let claims: Map<String, Value> = self
            .claims
            .iter()
            .map(|(name, claimed)| {
                let value = match claimed {
                    Claimed::Fixed(value) => value.clone(),
                    Claimed::Now(offset) => now.saturating_add(*offset).into(),
                };
                ((*name).to_owned(), value)
            })
            .collect();
        let token = hs256(&self.key, &Value::Object(claims)).ok_or_else(|| {
            GatewayError::new(When::Refused, ErrorCode::EAuth, "the key cannot sign a token")
        })?;
        Ok(Minted { token, lifetime: self.lifetime, refresh_before: self.refresh_before })
    }
}

/// The compact form of a signed claim set.
fn hs256(key: &Secret, claims: &Value) -> Option<Secret> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed =
        format!("{}.{}", encode(br#"{"alg":"HS256","typ":"JWT"}"#), encode(claims.to_string().as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    Some(Secret::new(format!("{signed}.{}", encode(&mac.finalize().into_bytes()))))
}

/// A claim's field is the operator's to set.
fn unset(error: &JobError) -> JobError {
    JobError::new(ErrorCode::EEnvironment, format!("a claim of the token: {}", error.message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_the_one_that_everybody_makes_of_these_claims() {
        // The example of jwt.io, which every implementation is tried with; its members are in another order than ours.
        let key = Secret::new("your-256-bit-secret");
        let token = hs256(&key, &json!({ "iat": 1_516_239_022, "name": "John Doe", "sub": "1234567890" }));
        let token = token.map(|token| token.expose().to_owned()).unwrap_or_default();
        let [header, claims, signature]: [&str; 3] =
            token.split('.').collect::<Vec<_>>().try_into().expect("three parts");
        assert_eq!(header, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
        assert_eq!(claims, br#"{"iat":1516239022,"name":"John Doe","sub":"1234567890"}"#);
        assert_eq!(signature.len(), 43);
    }

    #[test]
    fn the_times_of_a_token_are_counted_from_the_moment_of_its_signing() {
        let signer = Signer {
            key: Secret::new("0123456789abcdef"),
            claims: vec![
                ("iss", Claimed::Fixed("me".into())),
                ("exp", Claimed::Now(1800)),
                ("nbf", Claimed::Now(-5)),
            ],
            lifetime: Duration::from_mins(30),
            refresh_before: Duration::from_mins(1),
        };
        let minted = signer.sign(Timestamp(1_700_000_000_999)).expect("signs");
        let claims = minted.token.expose().split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part));
        let claims: Value = serde_json::from_slice(&claims.expect("a part").expect("base64")).expect("JSON");
        assert_eq!(claims, json!({ "iss": "me", "exp": 1_700_001_800_i64, "nbf": 1_699_999_995_i64 }));
        assert!(!format!("{signer:?}").contains("0123456789abcdef"));
    }
}
