//! A token from a token endpoint: the client credentials grant (RFC 6749 section 4.4).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emp_core::connector::Loaded;
use emp_core::spec::{ClientAuth, Follow, HttpProtocol, OAuth2};
use emp_core::{ErrorCode, JobError, Secret};
use http::{HeaderValue, Method, header};
use serde_json::Value;
use url::form_urlencoded;

use super::Minted;
use crate::context::Context;
use crate::exchange::Exchange;
use crate::gateway::{Credential, Gateway, GatewayError, Target, When};
use crate::reduce;
use crate::request::{self, Base, OutboundRequest, Trust};

/// Largest answer of a token endpoint, bytes.
const MAX_ANSWER: u64 = 64 << 10;
/// For how long a token endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The lifetime of a token whose answer does not say it.
const UNSAID: Duration = Duration::from_mins(5);
/// The longest lifetime that is believed.
const LONGEST: Duration = Duration::from_hours(24);

/// Fetches a connector's tokens.
#[derive(Debug)]
pub(crate) struct Client {
    endpoint: Base,
    credential: Credential,
    form: Vec<(&'static str, String)>,
    refresh_before: Duration,
}

impl Client {
    /// The client of a connector; `None` when its id or secret is optional and not set.
    ///
    /// # Errors
    /// `E_ENVIRONMENT` when the environment gives no usable endpoint.
    pub(super) fn of(
        oauth2: &OAuth2,
        http: &HttpProtocol,
        connector: &Loaded,
    ) -> Result<Option<Self>, JobError> {
        let field = |name| connector.settings.credential(name);
        let (Some(id), Some(secret)) = (field(oauth2.client_id), field(oauth2.client_secret)) else {
            return Ok(None);
        };
        let endpoint = request::token_endpoint(&oauth2.token_url, http, connector)?;
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        form.extend(oauth2.scope.map(|scope| ("scope", scope.to_owned())));
        let context = Context::bare(connector);
        for pair in oauth2.params {
            let text = request::value_text(&pair.value, &context)
                .map_err(|error| JobError::new(ErrorCode::EEnvironment, error.message))?;
            form.extend(text.map(|text| (pair.name, text)));
        }
        let credential = match oauth2.client_auth {
            ClientAuth::Body => Credential::Form(vec![("client_id", id), ("client_secret", secret)]),
            _ => basic(&id, &secret)?,
        };
        Ok(Some(Self { endpoint, credential, form, refresh_before: oauth2.refresh_before }))
    }

    pub(super) fn identity(&self) -> String {
        let credential = String::from_utf8_lossy(&self.credential.identity()).into_owned();
        format!("oauth2 {} {credential} {:?}", self.endpoint.url(), self.form)
    }

    /// Asks for a token.
    pub(super) async fn fetch(&self, gateway: &Gateway) -> Result<Minted, GatewayError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
        let request = OutboundRequest {
            method: Method::POST,
            url: self.endpoint.url().clone(),
            trust: Trust::Base,
            headers: vec![
                (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
                (header::ACCEPT, HeaderValue::from_static("application/json")),
            ],
            body: Some(body.into()),
            timeout: Some(TIMEOUT),
            hold: None,
            submit: false,
        };
        let target = Target {
            base: &self.endpoint,
            origins: Follow::SelfOnly.into(),
            credential: &self.credential,
            max_response: MAX_ANSWER,
        };
        // Whatever happened here, of the request that needs the token no byte has left.
        let answer = gateway.exchange(&request, &target).await.map_err(|error| {
            let when = if error.when == When::Refused { When::Refused } else { When::BeforeBytes };
            GatewayError::new(when, error.code, format!("no token: {}", error.message))
        })?;
        let exchange = Exchange::new(answer.status, answer.headers, &answer.body);
        let (token, lifetime) = read(&exchange)?;
        Ok(Minted { token, lifetime, refresh_before: self.refresh_before })
    }
}

/// The token in an answer and its lifetime, or what its absence means.
fn read(exchange: &Exchange) -> Result<(Secret, Duration), GatewayError> {
    let member = |name: &str| exchange.json.as_ref().ok().and_then(|json| json.get(name));
    let later = |code, message| Err(GatewayError::new(When::BeforeBytes, code, message));
    match exchange.code {
        200..=299 => {}
        408 | 429 | 500..=599 => {
            return later(
                ErrorCode::ETransient,
                format!("no token: the token endpoint answered {}", exchange.code),
            );
        }
        code => {
            // RFC 6749 section 5.2: a word of a closed alphabet, never prose that may quote what was sent.
            let why = member("error").and_then(Value::as_str).filter(|word| is_word(word));
            let why = why.map(|word| format!(" ({word})")).unwrap_or_default();
            let message = format!("the token endpoint refused the client with {code}{why}");
            return Err(GatewayError::new(When::Refused, ErrorCode::EAuth, message));
        }
    }
    let bearer =
        member("token_type").and_then(Value::as_str).is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    let Some(token) =
        member("access_token").and_then(Value::as_str).filter(|token| !token.is_empty() && bearer)
    else {
        return later(
            ErrorCode::EBadResponse,
            "the token endpoint answered without a bearer token in `access_token`".to_owned(),
        );
    };
    let seconds = member("expires_in").and_then(reduce::number).filter(|seconds| *seconds > 0.0);
    let lifetime = seconds
        .map_or(UNSAID, |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST));
    Ok((Secret::new(token), lifetime))
}

fn is_word(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Id and secret are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn basic(id: &Secret, secret: &Secret) -> Result<Credential, JobError> {
    let encoded =
        |secret: &Secret| form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect::<String>();
    let text = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))));
    Credential::header("authorization", &text)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn answer(code: u16, body: &Value) -> Result<(Secret, Duration), GatewayError> {
        read(&Exchange::new(code, HeaderMap::new(), body.to_string().as_bytes()))
    }

    #[test]
    fn an_answer_is_a_token_or_says_whether_another_try_makes_sense() {
        let (token, lifetime) =
            answer(200, &json!({ "access_token": "t", "token_type": "bearer", "expires_in": "60" }))
                .expect("a token");
        assert_eq!((token.expose(), lifetime), ("t", Duration::from_mins(1)));
        let (_, lifetime) = answer(200, &json!({ "access_token": "t" })).expect("a token");
        assert_eq!(lifetime, UNSAID);
        for (code, body, when, error) in [
            (401, json!({ "error": "invalid_client" }), When::Refused, ErrorCode::EAuth),
            (400, json!({}), When::Refused, ErrorCode::EAuth),
            (503, json!({}), When::BeforeBytes, ErrorCode::ETransient),
            (429, json!({}), When::BeforeBytes, ErrorCode::ETransient),
            (200, json!({ "token": "t" }), When::BeforeBytes, ErrorCode::EBadResponse),
            (
                200,
                json!({ "access_token": "t", "token_type": "mac" }),
                When::BeforeBytes,
                ErrorCode::EBadResponse,
            ),
        ] {
            let found = answer(code, &body).map(|_| ()).expect_err("no token");
            assert_eq!((found.when, found.code), (when, error), "{code} {body}");
        }
    }

    #[test]
    fn i97_what_the_endpoint_says_of_a_refusal_is_a_word_and_not_prose() {
        let told =
            |error: &str| answer(400, &json!({ "error": error })).map(|_| ()).expect_err("refused").message;
        assert!(told("invalid_scope").ends_with("(invalid_scope)"));
        assert!(!told("your secret sk-123 is wrong").contains("sk-123"));
    }
}
