//! A ComfyUI written by hand, for what a fake made from a declaration cannot show: its queue, its socket and their order.
//!
//! Every message is one of a real server's (0.12.1, recorded in November 2026), and so are its two unfriendly habits: `/history` answers
//! `200 {}` for what is queued, running and unknown alike, and a second submit with a known `prompt_id` is run a second time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

/// The first bytes of every picture of the fake: those of a PNG, and nothing behind them.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nfake";

/// A running ComfyUI that does what it is told. Nothing moves by itself: a test says when a job runs, comes on and ends.
#[derive(Debug)]
pub struct FakeComfyUi {
    url: Url,
    shared: Arc<Mutex<Comfy>>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Comfy {
    /// Every submit that was accepted, in order: the id and the client.
    accepted: Vec<(String, String)>,
    pending: Vec<String>,
    running: Option<String>,
    history: Map<String, Value>,
    /// The newest socket of each client, as a real server keeps it.
    sockets: HashMap<String, mpsc::UnboundedSender<Value>>,
    opened: usize,
    requests: Vec<String>,
    /// The answers to submits never leave.
    mute: bool,
}

impl FakeComfyUi {
    /// Starts one on loopback. It ends when it is dropped.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?)).map_err(std::io::Error::other)?;
        let shared = Arc::<Mutex<Comfy>>::default();
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { url, shared, server })
    }

    /// Where it is.
    pub fn base_url(&self) -> Url {
        self.url.clone()
    }

    /// How many submits were accepted: each is run, and each costs.
    pub fn accepted(&self) -> usize {
        self.comfy().accepted.len()
    }

    /// How often a socket was opened.
    pub fn opened(&self) -> usize {
        self.comfy().opened
    }

    /// How many sockets are open.
    pub fn listening(&self) -> usize {
        self.comfy().sockets.len()
    }

    /// The requests so far, as `POST /prompt`.
    pub fn requests(&self) -> Vec<String> {
        self.comfy().requests.clone()
    }

    /// How many jobs wait.
    pub fn pending(&self) -> usize {
        self.comfy().pending.len()
    }

    /// Whether a job runs.
    pub fn running(&self) -> bool {
        self.comfy().running.is_some()
    }

    /// The oldest waiting job begins to run.
    pub fn run(&self) {
        let mut comfy = self.comfy();
        if !comfy.pending.is_empty() {
            let id = comfy.pending.remove(0);
            comfy.running = Some(id.clone());
            comfy.tell(&id, "execution_start", json!({}));
            comfy.tell(&id, "executing", json!({ "node": "1", "display_node": "1" }));
        }
    }

    /// The running job comes on.
    pub fn progress(&self, value: u32, max: u32) {
        let comfy = self.comfy();
        if let Some(id) = &comfy.running {
            comfy.tell(id, "progress", json!({ "value": value, "max": max, "node": "1" }));
        }
    }

    /// The running job is done, with a picture.
    pub fn finish(&self) {
        let output = json!({ "filename": "emp_00001_.png", "subfolder": "", "type": "output" });
        let preview = json!({ "filename": "tmp_00001_.png", "subfolder": "", "type": "temp" });
        self.end("success", "execution_success", json!({}), &json!({ "2": { "images": [output, preview] } }));
    }

    /// The running job fails with an exception.
    pub fn fail(&self, message: &str) {
        let data = json!({ "node_id": "1", "exception_type": "RuntimeError", "exception_message": message });
        self.end("error", "execution_error", data, &json!({}));
    }

    fn end(&self, status: &str, word: &str, data: Value, outputs: &Value) {
        let mut comfy = self.comfy();
        if let Some(id) = comfy.running.take() {
            comfy.remember(&id, status, word, &data, outputs);
            comfy.tell(&id, word, data);
            comfy.tell(&id, "executing", json!({ "node": null }));
        }
    }

    /// Somebody else interrupts the running job.
    pub fn interrupt(&self) {
        self.end("error", "execution_interrupted", json!({ "node_id": "1", "executed": [] }), &json!({}));
    }

    /// Every open socket breaks.
    pub fn cut_sockets(&self) {
        self.comfy().sockets.clear();
    }

    /// The server starts anew and has forgotten everything.
    pub fn restart(&self) {
        let mut comfy = self.comfy();
        comfy.sockets.clear();
        comfy.pending.clear();
        comfy.running = None;
        comfy.history.clear();
    }

    /// From now on the answers to submits get lost: they are accepted, and nobody hears of it.
    pub fn lose_answers(&self) {
        self.comfy().mute = true;
    }

    fn comfy(&self) -> MutexGuard<'_, Comfy> {
        lock(&self.shared)
    }
}

impl Drop for FakeComfyUi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(shared: &Mutex<Comfy>) -> MutexGuard<'_, Comfy> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Comfy {
    /// A message to the client that submitted the job.
    fn tell(&self, id: &str, word: &str, mut data: Value) {
        data["prompt_id"] = id.into();
        let client = self.accepted.iter().rev().find(|(known, _)| known == id).map(|(_, client)| client);
        if let Some(socket) = client.and_then(|client| self.sockets.get(client)) {
            let _gone = socket.send(json!({ "type": word, "data": data }));
        }
    }

    fn remember(&mut self, id: &str, status: &str, word: &str, data: &Value, outputs: &Value) {
        let messages = json!([["execution_start", { "prompt_id": id }], [word, data]]);
        let status = json!({ "status_str": status, "completed": status == "success", "messages": messages });
        self.history.insert(id.to_owned(), json!({ "outputs": outputs, "status": status, "meta": {} }));
    }

    fn respond(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.requests.push(format!("{method} {path}"));
        match (method, path) {
            ("POST", "/prompt") => self.prompt(body),
            ("POST", "/queue") => {
                let deleted = body["delete"].as_array().cloned().unwrap_or_default();
                self.pending.retain(|id| !deleted.contains(&Value::from(id.as_str())));
                (200, Value::Null)
            }
            ("POST", "/interrupt") => {
                if let Some(id) = self.running.take_if(|id| body["prompt_id"] == id.as_str()) {
                    let data = json!({ "node_id": "1", "executed": [] });
                    self.remember(&id, "error", "execution_interrupted", &data, &json!({}));
                    self.tell(&id, "execution_interrupted", data);
                }
                (200, Value::Null)
            }
            ("GET", "/queue") => {
                let item = |(number, id): (usize, &String)| json!([number, id, {}, {}, ["2"]]);
                let running: Vec<Value> = self.running.iter().enumerate().map(item).collect();
                let pending: Vec<Value> = self.pending.iter().enumerate().map(item).collect();
                (200, json!({ "queue_running": running, "queue_pending": pending }))
            }
            ("GET", "/system_stats") => {
                (200, json!({ "system": { "comfyui_version": "0.12.1" }, "devices": [{ "vram_free": 8 }] }))
            }
            ("GET", path) => match (path.strip_prefix("/history/"), path.strip_prefix("/api/jobs/")) {
                (Some(id), _) => {
                    let known = self.history.get(id).map(|entry| (id.to_owned(), entry.clone()));
                    (200, Value::Object(known.into_iter().collect()))
                }
                (_, Some(id)) => self.job(id),
                _ => (404, Value::Null),
            },
            _ => (404, Value::Null),
        }
    }

    /// The history first, then what runs, then what waits, as a real server looks.
    fn job(&self, id: &str) -> (u16, Value) {
        let plain = |status: &str| (200, json!({ "id": id, "status": status, "outputs_count": 0 }));
        if let Some(entry) = self.history.get(id) {
            let (status, outputs) = (&entry["status"], &entry["outputs"]);
            let word = if status["status_str"] == "success" { "completed" } else { "failed" };
            let mut job = json!({ "id": id, "status": word, "outputs": outputs, "execution_status": status });
            let error = &status["messages"][1];
            if error[0] == "execution_error" {
                job["execution_error"] = error[1].clone();
            }
            return (200, job);
        }
        if self.running.as_deref() == Some(id) {
            return plain("in_progress");
        }
        if self.pending.iter().any(|known| known == id) {
            return plain("pending");
        }
        (404, json!({ "error": "Job not found" }))
    }

    fn prompt(&mut self, body: &Value) -> (u16, Value) {
        let nodes = body["prompt"].as_object();
        let unknown = nodes.is_none_or(|nodes| nodes.values().any(|node| node["class_type"] == "NoSuchNode"));
        if unknown {
            let message = "Node 'NoSuchNode' not found. The custom node may not be installed.";
            let error = json!({ "type": "missing_node_type", "message": message, "details": "Node ID '#1'" });
            return (400, json!({ "error": error, "node_errors": {} }));
        }
        let own = format!("comfy-{}", self.accepted.len() + 1);
        let id = body["prompt_id"].as_str().unwrap_or(&own).to_owned();
        let client = body["client_id"].as_str().unwrap_or_default().to_owned();
        self.accepted.push((id.clone(), client));
        self.pending.push(id.clone());
        (200, json!({ "prompt_id": id, "number": self.accepted.len() - 1, "node_errors": {} }))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Comfy>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Mutex<Comfy>>) {
    let service = service_fn(move |request| handle(Arc::clone(&shared), request));
    // An error is a client that went away.
    let _closed = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn handle(
    shared: Arc<Mutex<Comfy>>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if path == "/ws" {
        return Ok(listen(&shared, &mut request));
    }
    if path == "/view" {
        lock(&shared).requests.push("GET /view".to_owned());
        return Ok(answer(200, "image/png", Bytes::from_static(PICTURE)));
    }
    let method = request.method().as_str().to_owned();
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (code, body) = lock(&shared).respond(&method, &path, &body);
    if path == "/prompt" && lock(&shared).mute {
        std::future::pending::<()>().await;
    }
    let text = if body.is_null() { String::new() } else { body.to_string() };
    Ok(answer(code, "application/json", text.into()))
}

/// A socket of a client; an older one of the same client is replaced.
fn listen(shared: &Arc<Mutex<Comfy>>, request: &mut Request<Incoming>) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let client = url::form_urlencoded::parse(query).find(|(name, _)| name == "clientId");
    let client = client.map(|(_, client)| client.into_owned()).unwrap_or_default();
    let key = request.headers().get("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes()));
    let (sender, mut messages) = mpsc::unbounded_channel();
    let status = json!({ "status": { "exec_info": { "queue_remaining": 0 } }, "sid": client });
    let _open = sender.send(json!({ "type": "status", "data": status }));
    {
        let mut comfy = lock(shared);
        comfy.opened += 1;
        comfy.sockets.insert(client, sender);
    }
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        loop {
            tokio::select! {
                message = messages.recv() => {
                    let Some(message) = message else { return };
                    if socket.send(Message::text(message.to_string())).await.is_err() { return }
                }
                read = socket.next() => if !matches!(read, Some(Ok(_))) { return },
            }
        }
    });
    let mut response = answer(101, "text/plain", Bytes::new());
    let headers = response.headers_mut();
    headers.insert("connection", hyper::header::HeaderValue::from_static("Upgrade"));
    headers.insert("upgrade", hyper::header::HeaderValue::from_static("websocket"));
    if let Some(accept) = key.and_then(|key| key.parse().ok()) {
        headers.insert("sec-websocket-accept", accept);
    }
    response
}

fn answer(code: u16, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
    response
}
