//! The one place that sends requests. Nothing else may build a `reqwest::Client` (clippy's `disallowed-types` says so).
//!
//! Redirects, Referer, cookies, proxies from the environment, automatic decompression and automatic retries are off. The
//! credential goes to its own origin only. Addresses are checked before they are connected to, and the connection goes to
//! what was checked. `reference/security.md` section 3.2 is the rule list.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use emp_core::ErrorCode;
use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::time::{Instant, timeout, timeout_at};
use url::{Host, Url};

use crate::request::{Base, Origins, OutboundRequest, Trust, server_url};

mod address;
mod asset;
mod client;
mod credential;
mod download;
mod error;
mod events;
mod proxy;
mod read;
mod socket;

pub use address::{Resolver, SystemResolver};
pub(crate) use credential::Credential;
pub(crate) use download::{Body, Download};
pub use error::{GatewayError, When};
pub(crate) use events::{Bounds, Events, Opened};
pub use events::{MAX_EVENT, MAX_STREAM};
pub use read::Patience;
pub(crate) use socket::Socket;

use address::Reach;
use client::{Clients, Wire};

/// Largest answer when the connector declares none, bytes.
pub const MAX_RESPONSE: u64 = 8 << 20;
/// Most redirects in a row.
const MAX_HOPS: usize = 3;

/// What a gateway is made of.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Deadlines.
    pub patience: Patience,
    /// How names become addresses.
    pub resolver: Arc<dyn Resolver>,
    /// Private places that the operator vouches for, beside each connector's own base: host and port.
    pub allow: Vec<(String, u16)>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self { patience: Patience::default(), resolver: Arc::new(SystemResolver), allow: Vec::new() }
    }
}

/// Sends requests and reads answers, within every limit.
#[derive(Clone, Debug)]
pub struct Gateway {
    clients: Result<Clients, String>,
    options: GatewayOptions,
}

/// A service as the gateway needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) base: &'a Base,
    /// Where redirects may lead.
    pub(crate) origins: Origins,
    pub(crate) credential: &'a Credential,
    pub(crate) max_response: u64,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A request to a URL that the caller vouches for: the queue's own API.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// The method.
    pub method: Method,
    /// Where; its host and port may be private, since a person named them.
    pub url: Url,
    /// Headers; mark credentials with `HeaderValue::set_sensitive`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Bytes>,
    /// For the whole exchange; for a stream, until its head.
    pub timeout: Option<Duration>,
    /// Largest answer, bytes; a stream has no such limit.
    pub max_response: u64,
}

impl FetchRequest {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, timeout: None, max_response: MAX_RESPONSE }
    }
}

/// An answer whose body comes piece by piece.
pub struct StreamAnswer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The pieces of the body as they come.
    pub body: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, GatewayError>> + Send>>,
}

impl std::fmt::Debug for StreamAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self::new(GatewayOptions::default())
    }
}

impl Gateway {
    /// A gateway with its own connections. A client that cannot be built is reported by the first exchange.
    pub fn new(options: GatewayOptions) -> Self {
        let clients = Clients::new(&options);
        Self { clients, options }
    }

    /// Sends a request of a connector and reads its answer.
    ///
    /// A GET that is no submit follows up to three redirects to declared origins; nothing else follows any.
    ///
    /// # Errors
    /// Sorted by [`When`]; without URLs.
    pub(crate) async fn exchange(
        &self,
        request: &OutboundRequest,
        target: &Target<'_>,
    ) -> Result<Answer, GatewayError> {
        let patience = self.options.patience.of(request.timeout, request.hold);
        let deadline = Instant::now() + patience.total;
        let (mut url, mut trust) = (request.url.clone(), request.trust);
        for _ in 0..=MAX_HOPS {
            let mut headers: HeaderMap = request.headers.iter().cloned().collect();
            let (place, mut body) = (url.clone(), request.body.clone());
            if trust.credential() {
                target.credential.apply(&mut url, &mut headers, &mut body);
            }
            let reach = self.reach(&place, Some(target.base.url()));
            let outgoing = self.outgoing(request.method.clone(), url, headers, body, reach)?;
            let answer =
                timeout_at(deadline, send(outgoing, reach, target.max_response, &patience))
                    .await
                    .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no whole answer in time"))??;
            match moved_to(answer.status, &answer.headers, request) {
                None => return Ok(answer),
                Some(location) => {
                    (url, trust) = next_hop(location, &place, target)?;
                }
            }
        }
        Err(GatewayError::refused("the service redirects more than three times"))
    }

    /// Sends a request of a connector and reads the head of its answer only; the rest is for the caller. No redirect is followed.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub(crate) async fn open(
        &self,
        request: &OutboundRequest,
        target: &Target<'_>,
        head_within: Duration,
    ) -> Result<Opened, GatewayError> {
        let mut headers: HeaderMap = request.headers.iter().cloned().collect();
        let (mut url, mut body) = (request.url.clone(), request.body.clone());
        let reach = self.reach(&url, Some(target.base.url()));
        if request.trust.credential() {
            target.credential.apply(&mut url, &mut headers, &mut body);
        }
        let outgoing = self.outgoing(request.method.clone(), url, headers, body, reach)?;
        let response = timeout(head_within, head(outgoing, reach))
            .await
            .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no answer in time"))??;
        Ok(Opened::new(response, self.options.patience.of(request.timeout, request.hold)))
    }

    /// Sends a request to a URL that the caller vouches for and reads the answer whole.
    pub async fn fetch(&self, request: FetchRequest) -> Result<Answer, GatewayError> {
        let total = request.timeout.unwrap_or(self.options.patience.total);
        let outgoing =
            self.outgoing(request.method, request.url, request.headers, request.body, Reach::Configured)?;
        timeout(total, send(outgoing, Reach::Configured, request.max_response, &self.options.patience))
            .await
            .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no whole answer in time"))?
    }

    /// Sends a request to a URL that the caller vouches for and gives the answer's body as it comes (server-sent events).
    pub async fn stream(&self, request: FetchRequest) -> Result<StreamAnswer, GatewayError> {
        let total = request.timeout.unwrap_or(self.options.patience.total);
        let outgoing =
            self.outgoing(request.method, request.url, request.headers, request.body, Reach::Configured)?;
        let response = timeout(total, outgoing.send())
            .await
            .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no answer in time"))?
            .map_err(|error| GatewayError::from_reqwest(&error))?;
        read::check_head(response.headers())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = stream::unfold(Some(response), |response| async {
            let mut response = response?;
            match response.chunk().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(response))),
                Ok(None) => None,
                Err(error) => Some((Err(GatewayError::from_reqwest(&error)), None)),
            }
        });
        Ok(StreamAnswer { status, headers, body: Box::pin(body) })
    }

    /// Opens a socket at the service. No redirect is followed.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange), and when the service agrees to none.
    pub(crate) async fn socket(
        &self,
        request: &OutboundRequest,
        target: &Target<'_>,
        idle: Duration,
    ) -> Result<Socket, GatewayError> {
        let mut headers: HeaderMap = request.headers.iter().cloned().collect();
        let key = socket::ask(&mut headers)?;
        let (mut url, mut body) = (request.url.clone(), None);
        let reach = self.reach(&url, Some(target.base.url()));
        if request.trust.credential() {
            target.credential.apply(&mut url, &mut headers, &mut body);
        }
        let outgoing =
            self.outgoing_on(Wire::Upgrading, request.method.clone(), url, headers, body, reach)?;
        let within = self.options.patience.of(request.timeout, None).total;
        timeout(within, async { Socket::upgrade(head(outgoing, reach).await?, &key, idle).await })
            .await
            .map_err(|_| GatewayError::unknown(ErrorCode::ETimeout, "no socket in time"))?
    }

    /// Private addresses are for the configured base's own host and port, and for what the operator vouches for.
    fn reach(&self, url: &Url, base: Option<&Url>) -> Reach {
        let same = |host: &str, port: Option<u16>| {
            url.host_str() == Some(host) && url.port_or_known_default() == port && port.is_some()
        };
        let is_base = base
            .is_some_and(|base| base.host_str().is_some_and(|host| same(host, base.port_or_known_default())));
        if is_base || self.vouched(url) { Reach::Configured } else { Reach::Public }
    }

    /// Whether the operator vouches for a place.
    fn vouched(&self, url: &Url) -> bool {
        let place = (url.host_str(), url.port_or_known_default());
        self.options.allow.iter().any(|(host, port)| place == (Some(host), Some(*port)))
    }

    fn outgoing(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Bytes>,
        reach: Reach,
    ) -> Result<reqwest::RequestBuilder, GatewayError> {
        self.outgoing_on(Wire::Any, method, url, headers, body, reach)
    }

    fn outgoing_on(
        &self,
        wire: Wire,
        method: Method,
        url: Url,
        mut headers: HeaderMap,
        body: Option<Bytes>,
        reach: Reach,
    ) -> Result<reqwest::RequestBuilder, GatewayError> {
        // A literal address never reaches the resolver, so it is checked here (M2).
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(GatewayError::refused("the URL has no host")),
        };
        if literal.is_some_and(|address| !reach.allows(address)) {
            return Err(GatewayError::refused("the URL leads to an address that may not be reached"));
        }
        let clients = self.clients.as_ref().map_err(|problem| {
            GatewayError::new(When::BeforeBytes, ErrorCode::EInternal, format!("no HTTP client: {problem}"))
        })?;
        let client = clients.get(wire, reach);
        headers.entry(header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("emp/", env!("CARGO_PKG_VERSION"))));
        let mut outgoing = client.request(method, url).headers(headers);
        if let Some(body) = body {
            outgoing = outgoing.body(body);
        }
        Ok(outgoing)
    }
}

async fn send(
    outgoing: reqwest::RequestBuilder,
    reach: Reach,
    cap: u64,
    patience: &Patience,
) -> Result<Answer, GatewayError> {
    let mut response = head(outgoing, reach).await?;
    let body = read::body(&mut response, cap, patience).await?;
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

/// Sends, and reads the head of the answer.
async fn head(outgoing: reqwest::RequestBuilder, reach: Reach) -> Result<reqwest::Response, GatewayError> {
    let response = outgoing.send().await.map_err(|error| GatewayError::from_reqwest(&error))?;
    if response.remote_addr().is_some_and(|peer| !reach.allows(peer.ip())) {
        return Err(GatewayError::unknown(
            ErrorCode::EOriginRefused,
            "the answer came from an address that may not be reached",
        ));
    }
    read::check_head(response.headers())?;
    Ok(response)
}

/// Where a redirect leads, when it is one that may be followed. A submit that was answered has been received: what goes wrong at
/// the next place would not say that it was not.
fn moved_to<'a>(status: u16, headers: &'a HeaderMap, request: &OutboundRequest) -> Option<&'a HeaderValue> {
    let moved = matches!(
        StatusCode::from_u16(status).ok()?,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    (moved && request.method == Method::GET && !request.submit)
        .then(|| headers.get(header::LOCATION))
        .flatten()
}

/// A redirect's target passes the same checks as any URL of the service's. A path stays at the origin that sent it.
fn next_hop(location: &HeaderValue, from: &Url, target: &Target<'_>) -> Result<(Url, Trust), GatewayError> {
    let refused = |error: emp_core::JobError| {
        GatewayError::refused(format!("a redirect was refused: {}", error.message))
    };
    let text = location.to_str().map_err(|_| GatewayError::refused("a redirect cannot be read"))?;
    let absolute = if text.starts_with('/') && !text.starts_with("//") {
        let mut origin = from.clone();
        origin.set_path("");
        origin.set_query(None);
        format!("{}{text}", origin.as_str().trim_end_matches('/'))
    } else {
        text.to_owned()
    };
    server_url(&absolute, target.base, target.origins).map_err(refused)
}
