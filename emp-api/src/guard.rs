//! What every request passes: the host it names, who sends it, and the way every answer leaves.

use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::code::Code;
use crate::problem::{MEDIA_TYPE, Refusal};
use crate::state::ApiState;
use crate::webhooks::PREFIX;

/// The header that names a request in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The paths that say only whether the process is well, to anybody.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// Lets a request in or refuses it, contains a panic, and finishes the answer.
pub(crate) async fn guard(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let path = request.uri().path().to_owned();
    let response = match admit(&state, &request) {
        Err(refusal) => refusal.into_response(),
        Ok(()) => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
            // What stands behind a call's prefix is its credential.
            let path = if path.starts_with(PREFIX) { PREFIX } else { &path };
            tracing::error!(request = id, path, "a handler panicked");
            Refusal::new(Code::Internal, "the request ended by a mistake in EMP itself").into_response()
        }),
    };
    finish(response, &path, &id)
}

fn admit(state: &ApiState, request: &Request) -> Result<(), Refusal> {
    // A tunnel or proxy in front of it keeps the outer name.
    let call = *request.method() == Method::POST && request.uri().path().starts_with(PREFIX);
    if state.loopback_only && !call && !names_this_machine(request) {
        return Err(Refusal::new(
            Code::WrongHost,
            "this server answers only to localhost, 127.0.0.1 and [::1]",
        ));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && cross_site(request) {
        return Err(Refusal::new(Code::CrossSite, "a page of another site may not change anything here"));
    }
    let authorization = request.headers().get_all(header::AUTHORIZATION);
    // A service has no token of ours but the one in its URL, which the handler looks at.
    if call
        || OPEN.contains(&request.uri().path())
        || state.auth.admits(authorization.iter().map(HeaderValue::as_bytes))
    {
        return Ok(());
    }
    let bearer = HeaderValue::from_static("Bearer");
    Err(Refusal::new(Code::NoAuth, "this server answers only to those who have its token")
        .help("send the header `Authorization: Bearer <token>`; the command line takes the token from EMP_API_TOKEN")
        .header(header::WWW_AUTHENTICATE, bearer))
}

/// The host by which the client knows this server: of the request's target if that has one, else of its only `Host`.
fn host(request: &Request) -> Option<&str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(only), None) => only.to_str().ok()?,
        (None, None) => request.uri().authority()?.as_str(),
        _ => return None,
    };
    match request.uri().authority() {
        Some(authority) if authority.as_str() != named => None,
        _ => Some(named),
    }
}

/// Stops DNS rebinding: a page that made its own name point here still sends that name.
fn names_this_machine(request: &Request) -> bool {
    let Some(host) = host(request) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Whether a browser says that a page of another origin sends this.
fn cross_site(request: &Request) -> bool {
    let headers = request.headers();
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(site) => !matches!(site, b"same-origin" | b"none"),
        None => headers.get(header::ORIGIN).is_some_and(|origin| {
            let own = host(request).map(str::as_bytes);
            let origin = origin.as_bytes();
            let rest = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
            rest.is_none() || rest != own
        }),
    }
}

/// The client's own id, when it can stand in a log; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let usable = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(usable).map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned)
}

fn finish(mut response: Response, path: &str, id: &str) -> Response {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let problem = refusal.of_request(path, id);
        *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // The empty body that the handler answered with had a length of its own.
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
