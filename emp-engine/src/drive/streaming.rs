//! A submit whose answer is a stream: read to its end while its text is told. A stream that breaks off is a lost answer.

use std::sync::Arc;

use emp_core::error::Billed;
use emp_core::job::{Delta, UpstreamCancel};
use emp_core::spec::{Cancel, HttpProtocol, Stream, StreamFormat};
use emp_core::{ErrorCode, JobError};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::submit::{Sending, uncertain};
use crate::context;
use crate::decide::Verdict;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::{Bounds, Events, GatewayError, MAX_RESPONSE, MAX_STREAM, Opened};
use crate::kill::{self, Point};
use crate::limits::Service;
use crate::outcome;
use crate::port::Stop;
use crate::request::OutboundRequest;
use crate::run::{End, Next, Run};
use crate::stream::{self, Heard, MAX_TEXT};

impl Engine {
    /// Sends a submit, and reads its answer as a stream when it is one.
    pub(super) async fn send_streamed(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        stream: &'static Stream,
        request: &OutboundRequest,
        sending: Sending,
    ) -> Next {
        let limits = &run.connector.spec.limits;
        // A model that is being loaded sends its head only with its first word.
        let patience = &self.options.gateway.patience;
        let head_within =
            patience.at_most(request.timeout.unwrap_or(patience.total).max(stream.idle_timeout));
        let opened = self.open(request, limits, service, http.follow, head_within).await;
        let opened = match opened {
            Ok(opened) if opened.is_stream(&stream.format) => opened,
            Ok(opened) => {
                let whole = opened.whole(limits.max_response.unwrap_or(MAX_RESPONSE)).await;
                let exchange = whole.map(|answer| {
                    let mut exchange = Exchange::new(answer.status, answer.headers, &answer.body);
                    service.scrubber.exchange(&mut exchange);
                    exchange
                });
                return self.judge_submit(run, service, http, exchange, sending).await;
            }
            Err(error) => return self.judge_submit(run, service, http, Err(error), sending).await,
        };
        service.breaker.success();
        service.took();
        let deadline = context::duration(&run.connector.spec.pace.deadline, &run.connector);
        let bounds = Bounds {
            idle: patience.at_most(stream.idle_timeout),
            total: patience.at_most(request.timeout.unwrap_or(deadline)),
            size: limits.max_response.unwrap_or(MAX_STREAM),
        };
        self.read_stream(run, service, http, stream, opened, bounds).await
    }

    async fn read_stream(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        stream: &'static Stream,
        opened: Opened,
        bounds: Bounds,
    ) -> Next {
        let head = Exchange::new(opened.status(), opened.headers().clone(), b"");
        let mut events = opened.events(&stream.format, bounds);
        let mut teller = Teller::default();
        let mut found = Found { last: None, meta: Map::new() };
        run.memory.deltas = Some(String::new());
        loop {
            let text = match next(run, &mut events).await {
                Ok(Some(text)) => {
                    kill::come_to(Point::Streaming);
                    text
                }
                Ok(None) => {
                    let why = "the stream ended before it said that it was done";
                    return self.broken(run, service, http, &mut teller, why);
                }
                Err(Broken::Cancelled) => {
                    drop(events);
                    let upstream = if http.cancel.as_ref().is_some_and(Cancel::drops_connection) {
                        UpstreamCancel::Confirmed
                    } else {
                        UpstreamCancel::Unknown
                    };
                    return Next::End(End::Cancelled(upstream));
                }
                Err(Broken::Gateway(error)) => {
                    return self.broken(run, service, http, &mut teller, &error.message);
                }
            };
            if stream.end == Some(text.as_str()) {
                teller.tell(run, service, "", true);
                return self.streamed(run, service, http, found, &head).await;
            }
            let mut event =
                Exchange { json: crate::strict_json::parse(text.as_bytes()), text, ..head.clone() };
            service.scrubber.exchange(&mut event);
            let now = run.port.now();
            let verdict = run.view(&event, now, |view| {
                found.meta.extend(outcome::captured(http.outcome.meta, view));
                stream::hear(http, stream, view)
            });
            let (delta, last) = match verdict {
                Heard::More { delta } => (delta, false),
                Heard::Done { delta } => (delta, true),
                Heard::Ended(verdict) => {
                    teller.tell(run, service, "", true);
                    return self.follow(run, service, http, verdict, &event).await.paid();
                }
            };
            let delta = delta.unwrap_or_default();
            let text = run.memory.deltas.get_or_insert_default();
            text.push_str(&delta);
            if text.len() > MAX_TEXT {
                let message = format!("the text of the stream is larger than {MAX_TEXT} bytes");
                let error = JobError::new(ErrorCode::EResponseTooLarge, message).billed(Billed::Yes);
                return Next::End(End::Failed(error));
            }
            teller.tell(run, service, &delta, last);
            found.last = Some(event);
            if last {
                return self.streamed(run, service, http, found, &head).await;
            }
        }
    }

    /// Asks the route beside the poll for what is new. The text is an extra: without it the job goes on as well.
    pub(super) async fn fetch_chunks(
        &self,
        run: &mut Run,
        service: &Service,
        http: &HttpProtocol,
        last: bool,
    ) {
        let Some(Stream { format: StreamFormat::Chunks { request, items }, delta, when, .. }) = &http.stream
        else {
            return;
        };
        if !run.with_context(None, |context| stream::asked(when.as_ref(), context)) {
            return;
        }
        let Ok(request) = run.request(request, None) else { return };
        let limits = &run.connector.spec.limits;
        let exchange = tokio::select! {
            exchange = self.exchange(&request, limits, service, http.follow) => exchange,
            _ = run.port.stopped() => return,
        };
        let exchange = match exchange {
            Ok(exchange) if exchange.ok() => exchange,
            _ => {
                tracing::debug!(job = %run.job.id, connector = run.connector.spec.name, "no new text: the route did not answer");
                return;
            }
        };
        let text = run.view(&exchange, run.port.now(), |view| stream::pieces(items, delta, view));
        let mut teller = std::mem::take(&mut run.teller);
        teller.tell(run, service, &text, last);
        run.teller = teller;
    }

    /// The stream has come to its declared end.
    async fn streamed(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        found: Found,
        head: &Exchange,
    ) -> Next {
        let Found { last, meta } = found;
        run.memory.facts = meta;
        let next = self.follow(run, service, http, Verdict::Succeeded, last.as_ref().unwrap_or(head)).await;
        with_facts(run, next).paid()
    }

    /// Nobody can tell what the service did, and what it charges: the settle rule says what comes next.
    fn broken(
        &self,
        run: &mut Run,
        service: &Service,
        http: &HttpProtocol,
        teller: &mut Teller,
        why: &str,
    ) -> Next {
        teller.tell(run, service, "", true);
        let error = uncertain(&service.scrubber.text(why));
        self.lost(run, http, error, None)
    }
}

/// A result with the facts that the stream told before; they outlast the tries to store it.
pub(super) fn with_facts(run: &mut Run, next: Next) -> Next {
    match next {
        Next::End(End::Succeeded { result, meta }) => {
            let mut facts = std::mem::take(&mut run.memory.facts);
            facts.extend(meta);
            Next::End(End::Succeeded { result, meta: facts })
        }
        next => next,
    }
}

/// What a stream has brought, beside its text.
struct Found {
    last: Option<Exchange>,
    /// The declared facts, each from the last event that had it.
    meta: Map<String, Value>,
}

enum Broken {
    Gateway(GatewayError),
    Cancelled,
}

/// The next event. A cancel ends the reading; a hand-over waits for the end, as it does for every submit.
async fn next(run: &Run, events: &mut Events) -> Result<Option<String>, Broken> {
    let cancelled = async {
        if run.port.stopped().await != Stop::Cancel {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = cancelled => Err(Broken::Cancelled),
        event = events.next() => event.transpose().map_err(Broken::Gateway),
    }
}

/// Tells the text as it comes, but never the first half of a secret that the service echoes.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    told: bool,
    held: String,
}

impl Teller {
    pub(super) fn tell(&mut self, run: &Run, service: &Service, text: &str, last: bool) {
        self.held.push_str(text);
        let held = service.scrubber.text(&self.held);
        let settled = if last { held.len() } else { service.scrubber.settled(&held) };
        let (now, later) = held.split_at(settled);
        if !now.is_empty() {
            run.port.delta(Delta { start: !self.told, text: now.to_owned() });
            self.told = true;
        }
        later.clone_into(&mut self.held);
    }
}
