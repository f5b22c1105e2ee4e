//! The job API as its client: requests through the engine's gateway, problems as failures.

use emp_core::Url;
use emp_core::env::EnvSource;
use emp_engine::gateway::{FetchRequest, Gateway, GatewayError, When};
use futures_util::StreamExt;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::Value;
use sse_stream::SseStream;

use crate::environment::Environment;
use crate::exit::{Exit, Failure};

/// Where the token of an API that asks for one stands.
const TOKEN: &str = "EMP_API_TOKEN";

/// An API at an address.
pub(crate) struct Api {
    base: Url,
    gateway: Gateway,
    token: Option<HeaderValue>,
}

impl Api {
    pub(crate) fn new(base: &Url) -> Result<Self, Failure> {
        let token = Environment::only(TOKEN)?.get(TOKEN).filter(|token| !token.is_empty());
        let token = token.map(|token| bearer(&token)).transpose()?;
        Ok(Self { base: base.clone(), gateway: Gateway::default(), token })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let mut request = self.request(Method::GET, path);
        if !query.is_empty() {
            request.url.query_pairs_mut().extend_pairs(query);
        }
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut request = self.request(Method::POST, path);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = Some(body.to_string().into());
        self.send(request).await
    }

    /// Calls back for every event of a stream until the stream ends.
    pub(crate) async fn events(&self, path: &str, mut each: impl FnMut(Value)) -> Result<(), Failure> {
        let mut request = self.request(Method::GET, path);
        request.headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let answer = self.gateway.stream(request).await.map_err(|error| self.unreachable(&error))?;
        if answer.status != 200 {
            let pieces: Vec<_> = answer.body.collect().await;
            let body: Vec<u8> = pieces.into_iter().flatten().flatten().collect();
            return Err(problem(answer.status, &body));
        }
        let mut events = std::pin::pin!(SseStream::from_bytes_stream(answer.body));
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| {
                Failure::new(Exit::Unreachable, "E_STREAM", format!("the event stream broke: {error}"))
                    .help("repeat the command")
            })?;
            if let Some(event) = event.data.and_then(|data| serde_json::from_str(&data).ok()) {
                each(event);
            }
        }
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> FetchRequest {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(None);
        let mut request = FetchRequest::new(method, url);
        if let Some(token) = &self.token {
            request.headers.insert(AUTHORIZATION, token.clone());
        }
        request
    }

    async fn send(&self, request: FetchRequest) -> Result<Value, Failure> {
        let answer = self.gateway.fetch(request).await.map_err(|error| self.unreachable(&error))?;
        if !(200..300).contains(&answer.status) {
            return Err(problem(answer.status, &answer.body));
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            Failure::new(Exit::Bug, "E_BAD_RESPONSE", format!("the API's answer is not JSON: {error}"))
                .help("is this address an EMP API?")
        })
    }

    fn unreachable(&self, error: &GatewayError) -> Failure {
        let failure = Failure::new(
            Exit::Unreachable,
            "E_API",
            format!("the API at {} does not answer: {}", self.base, error.message),
        );
        if error.when == When::BeforeBytes {
            failure.help("start it with `emp dev --fake` or `emp serve`, or name it with --api URL")
        } else {
            failure.help("repeat the command; with --idempotency-key a submit is safe to repeat")
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
        Failure::new(Exit::Auth, "E_AUTH", format!("{TOKEN} cannot stand in a header"))
            .help("use a token of letters and digits")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A problem document (RFC 9457) as a failure.
fn problem(status: u16, body: &[u8]) -> Failure {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let exit = match status {
        401 | 403 => Exit::Auth,
        404 => Exit::NotFound,
        409 => Exit::Conflict,
        400..=499 => Exit::Usage,
        _ => Exit::Unreachable,
    };
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let lines = errors.map(|error| {
        let part = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
        let expected = Some(part("expected")).filter(|expected| !expected.is_empty());
        let expected = expected.map(|expected| format!("; expected {expected}")).unwrap_or_default();
        format!("\n  {} {}{expected}", part("pointer"), part("detail"))
    });
    let lines: String = lines.collect();
    // With a list of errors the detail says the first of them again.
    let summary = if lines.is_empty() { text("detail") } else { None };
    let message = summary.or_else(|| text("title")).unwrap_or("the API refused").to_owned() + &lines;
    let code = text("code").unwrap_or("E_API");
    let help = text("help").map_or_else(|| format!("emp explain {code}"), str::to_owned);
    Failure::new(exit, code, message).help(help)
}
