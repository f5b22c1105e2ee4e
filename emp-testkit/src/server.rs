//! The fake service on the network: HTTP/1.1 on loopback, and its ways to misbehave below HTTP.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::draft::Draft;
use crate::fault::Fault;
use crate::form;
use crate::reply::{Reply, ReplyKind};
use crate::route::Seen;
use crate::socket;
use crate::state::Service;
use crate::streaming::{Close, Streaming};

/// Largest request body that the fake reads, bytes.
const MAX_REQUEST: usize = 64 << 20;
/// A huge answer ends after so many chunks, should nobody stop it.
const HUGE_CHUNKS: usize = 4096;
/// Bytes of one chunk of a huge answer.
const HUGE_CHUNK: usize = 64 << 10;
/// Between two bytes of a slow answer.
const SLOW_TICK: Duration = Duration::from_millis(100);
/// Blanks at the end of a slow answer, so that the shortest one takes longer than anybody waits.
const SLOW_BLANKS: usize = 256;

/// The service, shared by its connections.
pub(crate) type Shared = Arc<Mutex<Service>>;

/// Locks the service; a panic of another holder does not end the fake.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Service> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Breaks a connection off; hyper closes it without another byte.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the fake service cuts the connection")
    }
}

impl std::error::Error for Cut {}

/// A connection on which a job is worked at. Dropped with the job still in it, the client has closed it.
struct Connection {
    shared: Shared,
    open: Option<String>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(job) = &self.open {
            lock(&self.shared).closed(job);
        }
    }
}

type Body = BoxBody<Bytes, Cut>;

/// Serves connections until it is dropped.
pub(crate) async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
            // Out of descriptors, say: others may close in the meantime.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: TcpStream, shared: Shared) {
    let service = service_fn(move |request| handle(Arc::clone(&shared), request));
    // An error is a client that went away, or a cut of our own.
    let _closed = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn handle(shared: Shared, mut request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_REQUEST).collect().await else { return Err(Cut) };
    let body = body.to_bytes();
    let target = head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    if let Some(response) = admin(&shared, head.method.as_str(), head.uri.path(), &body) {
        return response;
    }
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    let form = form::read(content_type.unwrap_or_default(), &body).await;
    let seen = Seen {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
        form,
        json: serde_json::from_slice(&body).ok(),
        body: body.to_vec(),
    };
    let Reply { hold, kind, open } = lock(&shared).respond(&seen, target);
    if hold > Duration::ZERO {
        let mut connection = Connection { shared: Arc::clone(&shared), open };
        tokio::time::sleep(hold).await;
        connection.open = None;
    }
    match kind {
        ReplyKind::Answer(draft) => whole(&draft),
        ReplyKind::Cut => Err(Cut),
        ReplyKind::Silence => std::future::pending().await,
        ReplyKind::CutBody(draft) => {
            let whole = draft.bytes();
            let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
            let cut = stream::once(async {
                // The first half must have left: hyper drops what it has not sent yet.
                tokio::time::sleep(SLOW_TICK).await;
                Err(Cut)
            });
            respond(&draft, streamed(stream::iter([Ok(Frame::data(half))]).chain(cut)))
        }
        ReplyKind::HugeBody => {
            let chunk = Bytes::from(vec![b' '; HUGE_CHUNK]);
            let chunks = std::iter::repeat_n(chunk, HUGE_CHUNKS).map(|chunk| Ok(Frame::data(chunk)));
            respond(&Draft::new(200), streamed(stream::iter(chunks)))
        }
        ReplyKind::Stream(streaming) => stream_of(streaming),
        ReplyKind::Socket(telling) => {
            let key = seen.headers.get("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes()));
            let Some(accept) = key else { return respond(&Draft::new(426), empty()) };
            tokio::spawn(socket::tell(upgrade, Arc::downgrade(&shared), telling));
            Response::builder()
                .status(StatusCode::SWITCHING_PROTOCOLS)
                .header("connection", "Upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-accept", accept)
                .body(empty())
                .map_err(|_| Cut)
        }
        ReplyKind::SlowBody(draft) => {
            // However little it says, it takes long: blanks behind JSON change nothing.
            let bytes = [draft.bytes(), vec![b' '; SLOW_BLANKS]].concat();
            let ticks = stream::iter(bytes).then(|byte| async move {
                tokio::time::sleep(SLOW_TICK).await;
                Ok(Frame::data(Bytes::from(vec![byte])))
            });
            respond(&draft, streamed(ticks))
        }
    }
}

fn stream_of(streaming: Streaming) -> Result<Response<Body>, Cut> {
    let Streaming { content_type, frames, gap, close } = streaming;
    let frames = stream::iter(frames).then(move |frame| async move {
        tokio::time::sleep(gap).await;
        Ok(Frame::data(Bytes::from(frame)))
    });
    let end = stream::once(async move {
        match close {
            Close::End => None,
            Close::Cut => {
                // What was said must have left: hyper drops what it has not sent yet.
                tokio::time::sleep(SLOW_TICK).await;
                Some(Err(Cut))
            }
            Close::Never => std::future::pending().await,
        }
    });
    Response::builder()
        .header("content-type", content_type)
        .body(streamed(frames.chain(end.filter_map(std::future::ready))))
        .map_err(|_| Cut)
}

/// What other processes and the command line ask: the ledger, the requests, new faults.
fn admin(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Option<Result<Response<Body>, Cut>> {
    let page = path.strip_prefix("/__fake/").filter(|page| {
        !page.starts_with("url/") && !page.starts_with("file/") && !page.starts_with("part/")
    })?;
    let mut service = lock(shared);
    let answer = |code, body| whole(&Draft { body, ..Draft::new(code) });
    Some(match (method, page) {
        ("GET", "ledger") => answer(200, serde_json::to_value(&service.books.ledger).unwrap_or_default()),
        ("GET", "requests") => answer(200, serde_json::to_value(&service.requests).unwrap_or_default()),
        ("POST", "faults") => match String::from_utf8_lossy(body).trim().parse::<Fault>() {
            Ok(fault) => {
                service.arm(fault);
                answer(200, serde_json::json!({ "armed": true }))
            }
            Err(error) => answer(400, serde_json::json!({ "error": error.to_string() })),
        },
        ("DELETE", "faults") => {
            service.disarm();
            answer(200, serde_json::json!({ "armed": false }))
        }
        _ => answer(404, serde_json::json!({ "error": "ask for ledger, requests or faults" })),
    })
}

fn empty() -> Body {
    Full::new(Bytes::new()).map_err(|never: Infallible| match never {}).boxed()
}

fn whole(draft: &Draft) -> Result<Response<Body>, Cut> {
    let body = Full::new(Bytes::from(draft.bytes())).map_err(|never: Infallible| match never {}).boxed();
    respond(draft, body)
}

fn streamed(frames: impl Stream<Item = Result<Frame<Bytes>, Cut>> + Send + Sync + 'static) -> Body {
    BodyExt::boxed(StreamBody::new(frames))
}

fn respond(draft: &Draft, body: Body) -> Result<Response<Body>, Cut> {
    let content_type = match (&draft.raw, &draft.file) {
        (Some(_), _) => "text/html; charset=utf-8",
        (None, Some(file)) => &file.mime,
        (None, None) => "application/json",
    };
    let status = StatusCode::from_u16(draft.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let builder = Response::builder().status(status);
    let said = draft.headers.contains_key("content-type");
    let builder = if said { builder } else { builder.header("content-type", content_type) };
    let builder = draft.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder.body(body).map_err(|_| Cut)
}
