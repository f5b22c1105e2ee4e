//! Phase `submitted` with a socket beside the poll: the socket shows what happens at once, the poll has the truth.
//!
//! Whoever watches a job holds one connection and one task for it; a job that is only polled holds neither.

use std::sync::Arc;
use std::time::Duration;

use emp_core::spec::{HttpProtocol, Websocket};
use http::HeaderMap;
use tokio::time::{Instant, sleep_until};

use super::poll::is_final;
use super::waiting::{left, submitted};
use crate::decide::{self, Verdict};
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::{GatewayError, Socket};
use crate::kill::{self, Point};
use crate::limits::Service;
use crate::pace;
use crate::progress::Places;
use crate::reduce;
use crate::run::{Next, Run};
use crate::select::View;

/// Between two polls that events ask for.
const SHORTEST: Duration = Duration::from_millis(200);

/// The socket of one job, and when to do what next.
struct Line {
    socket: Option<Socket>,
    /// Connections in a row that did not come about, or broke before they said anything.
    failures: u32,
    connect_at: Instant,
    ask_at: Instant,
    asked: Instant,
    /// The job is about to end, so that the poll keeps its own pace although the socket is open.
    ending: bool,
}

impl Line {
    fn new() -> Self {
        let now = Instant::now();
        Self { socket: None, failures: 0, connect_at: now, ask_at: now, asked: now - SHORTEST, ending: false }
    }

    /// Lets the poll ask as soon as it may.
    fn ask_now(&mut self) {
        self.ask_at = self.ask_at.min((self.asked + SHORTEST).max(Instant::now()));
    }

    fn broke(&mut self, random: f64) {
        self.socket = None;
        self.failures = self.failures.saturating_add(1);
        self.connect_at = Instant::now() + pace::backoff(self.failures, pace::LONGEST_POLL_BACKOFF, random);
    }

    fn opened(&mut self, socket: Socket) {
        self.socket = Some(socket);
        // What happened while nobody listened is asked for.
        self.ask_now();
    }
}

impl Engine {
    /// Watches a submitted job until it ends or must be left.
    pub(super) async fn watch(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        socket: &'static Websocket,
    ) -> Next {
        let mut line = Line::new();
        loop {
            if line.socket.is_none() && Instant::now() >= line.connect_at {
                let opened = tokio::select! {
                    opened = self.listen(run, service, http, socket) => opened,
                    stop = run.port.stopped() => return Next::Stopped(stop),
                };
                match opened {
                    Ok(opened) => {
                        kill::come_to(Point::SocketOpen);
                        line.opened(opened);
                    }
                    Err(error) => {
                        tracing::debug!(job = %run.job.id, connector = run.connector.spec.name, error = error.message, "no socket: the job is polled");
                        line.broke(self.random());
                    }
                }
            }
            if Instant::now() >= line.ask_at {
                let wait = match self.poll(run, service, http).await {
                    Next::Wait(wait) => wait,
                    next => {
                        if matches!(next, Next::End(_)) {
                            Self::hear_text(run, service, "", true);
                        }
                        return next;
                    }
                };
                line.asked = Instant::now();
                let calm = line.socket.is_some() && !line.ending;
                let wait = if calm {
                    wait.max(run.connector.spec.pace.max).min(left(run).unwrap_or_default())
                } else {
                    wait
                };
                line.ask_at = line.asked + wait;
            }
            let next_at = if line.socket.is_some() { line.ask_at } else { line.ask_at.min(line.connect_at) };
            let heard = tokio::select! {
                stop = run.port.stopped() => return Next::Stopped(stop),
                () = sleep_until(next_at) => continue,
                // The poll goes by what the call says where that is proven, and asks for the truth where it is not.
                () = run.port.nudged() => {
                    line.ask_now();
                    continue;
                }
                heard = next(line.socket.as_mut()) => heard,
            };
            if let Ok(text) = heard {
                kill::come_to(Point::SocketHeard);
                line.failures = 0;
                if Self::hear(run, service, http, socket, text) {
                    line.ending = true;
                    line.ask_now();
                }
            } else {
                line.broke(self.random());
                line.ask_now();
            }
        }
    }

    async fn listen(
        &self,
        run: &Run,
        service: &Service,
        http: &HttpProtocol,
        socket: &Websocket,
    ) -> Result<Socket, GatewayError> {
        let request = run
            .request(&socket.channel.request, None)
            .map_err(|error| GatewayError::refused(error.message))?;
        self.open_socket(&request, service, http.follow, socket.idle_timeout).await
    }

    /// Shows what an event says; whether it says that the job has ended.
    fn hear(run: &mut Run, service: &Service, http: &HttpProtocol, socket: &Websocket, text: String) -> bool {
        let json = crate::strict_json::parse(text.as_bytes());
        let mut event = Exchange { text, json, ..Exchange::new(200, HeaderMap::new(), b"") };
        service.scrubber.exchange(&mut event);
        let now = run.port.now();
        let heard = run.view(&event, now, |view| {
            ours(socket, view).then(|| {
                let verdict = decide::judge(http, &socket.states, view);
                (verdict, Places::of(&socket.channel).read(view), view.first_text(socket.delta))
            })
        });
        let Some((verdict, progress, delta)) = heard else { return false };
        if let Verdict::Pending(stage) = verdict {
            run.memory.note_stage(stage, submitted(run), now);
        }
        if let Some(progress) = progress {
            run.tell(progress);
        }
        if let Some(delta) = delta {
            Self::hear_text(run, service, &delta, false);
        }
        is_final(&verdict)
    }

    fn hear_text(run: &mut Run, service: &Service, text: &str, last: bool) {
        let mut teller = std::mem::take(&mut run.teller);
        teller.tell(run, service, text, last);
        run.teller = teller;
    }
}

/// Whether an event is about this job, or about none in particular.
fn ours(socket: &Websocket, view: &View<'_>) -> bool {
    let named = view.first(socket.job).and_then(|value| reduce::text(&value));
    named.is_none_or(|named| view.context.service_job.is_some_and(|job| job.id == named))
}

async fn next(socket: Option<&mut Socket>) -> Result<String, GatewayError> {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}
