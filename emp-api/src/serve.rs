//! The server: connections with limits on their number and their patience, and a stop that is quick.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bind::permitted;
use crate::routes::{health_router, router};
use crate::state::{ApiState, Limits};

/// Largest head of a request, bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 100;
/// After the last answer, so many bytes of an unread body are thrown away before the connection is closed; closing at once
/// would reset it, and the client would lose the answer that says why.
const LINGER_BYTES: usize = 16 << 20;
/// And for so long.
const LINGER: Duration = Duration::from_secs(1);
/// Once the server stops it owes the clients of idle connections nothing, and those that still send not much.
const LINGER_STOPPING: Duration = Duration::from_millis(100);

const SLOW_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Serves the API until the token is cancelled: then nothing new is accepted, event streams end, and requests under way have
/// [`Limits::drain`] to finish. Fails when the listener's address needs a token and there is none.
pub async fn serve(listener: TcpListener, state: ApiState, stop: CancellationToken) -> io::Result<()> {
    serve_routes(listener, state, stop, router).await
}

/// Serves `/livez`, `/readyz`, `/metrics` and `/api/version` alone, for a process that takes no jobs in. Otherwise as [`serve`].
pub async fn serve_health(listener: TcpListener, state: ApiState, stop: CancellationToken) -> io::Result<()> {
    serve_routes(listener, state, stop, health_router).await
}

async fn serve_routes(
    listener: TcpListener,
    mut state: ApiState,
    stop: CancellationToken,
    router: fn(ApiState) -> Router,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    permitted(address, &state.auth)
        .map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))?;
    state.loopback_only = address.ip().is_loopback();
    state.stop = stop.clone();
    let limits = state.limits;
    let server = Server { router: router(state), limits, stop, kill: CancellationToken::new() };
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    while let Some((stream, slot)) = server.accept(&listener, &slots).await {
        let server = server.clone();
        connections.spawn(async move {
            server.connection(stream).await;
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    if timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections are cut: they did not finish in time");
        server.kill.cancel();
        connections.wait().await;
    }
    Ok(())
}

#[derive(Clone)]
struct Server {
    router: Router,
    limits: Limits,
    stop: CancellationToken,
    /// Cuts what does not finish by itself.
    kill: CancellationToken,
}

impl Server {
    /// The next connection, once there is room for it; `None` when the server stops.
    async fn accept(
        &self,
        listener: &TcpListener,
        slots: &Arc<Semaphore>,
    ) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let next = async {
            let slot = slots.clone().acquire_owned().await.ok()?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => return Some((stream, slot)),
                    Err(error) => {
                        // Out of file handles, mostly: others must be closed first.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            accepted = next => accepted,
        }
    }

    async fn connection(&self, stream: TcpStream) {
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(self.router.clone()));
        let mut stopping = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|context| connection.poll_without_shutdown(context)) => break ended,
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    std::pin::Pin::new(&mut connection).graceful_shutdown();
                }
                () = self.kill.cancelled() => return,
            }
        };
        let parts = connection.into_parts();
        let mut stream = parts.io.into_inner();
        if ended.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty() {
            let _ = stream.write_all(SLOW_HEAD).await;
        }
        tokio::select! {
            () = linger(stream) => {}
            () = self.stop.cancelled().then(|()| tokio::time::sleep(LINGER_STOPPING)) => {}
        }
    }
}

/// Says that nothing more is sent, and reads what the client still sends, within bounds.
async fn linger(mut stream: TcpStream) {
    let drain = async {
        stream.shutdown().await?;
        let mut rest = stream.take(LINGER_BYTES as u64);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    let _ = timeout(LINGER, drain).await;
}
