//! From "it is done" to the result in our hands: a phase of its own. The job is paid for and stays `submitted`, so whatever goes wrong here,
//! it is polled again and never submitted again (C45).

use std::sync::Arc;
use std::time::Duration;

use emp_core::error::{Billed, FailureKind};
use emp_core::job::{Phase, Progress};
use emp_core::spec::{HttpProtocol, ResultRequest};
use emp_core::{ErrorCode, JobError};
use emp_syntax::rule::StateVerdict;
use serde_json::{Map, Value};

use super::poll::lost;
use super::store::Store;
use crate::decide;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::{GatewayError, When};
use crate::limits::Service;
use crate::outcome::{self, Taken};
use crate::pace;
use crate::predicate;
use crate::request::{self, Origins};
use crate::run::{End, Next, Run};

/// So often a service is asked for a result that it says is there.
const TRIES: u32 = 8;
/// So often a fresh link is asked for (F41).
const REFRESHES: u32 = 3;
/// So often an output store is tried when there is no job to poll, whose deadline would end it.
const KEPT_OUT: u32 = 60;

/// Why there is no result yet.
#[derive(Debug)]
pub(super) enum Miss {
    /// The service says that it is still at it.
    NotYet,
    /// It may come: try again, not before a while.
    Later(JobError, Option<Duration>),
    /// The link is refused or leads nowhere: another link may not be.
    Gone(JobError),
    /// The output store does not take it.
    KeptOut(JobError),
    /// It will not come.
    Never(JobError),
}

impl Miss {
    /// What a request for a result or a file meant that brought no answer.
    pub(super) fn of_gateway(error: GatewayError) -> Self {
        let final_word = error.when == When::Refused || error.code == ErrorCode::EResponseTooLarge;
        let mut error = error.into_job_error(Billed::Yes);
        error.retriable = false;
        if final_word { Self::Never(error) } else { Self::Later(error, None) }
    }
}

/// A result with its facts.
type Collected = (Value, Map<String, Value>);

impl Engine {
    /// Takes the result out of the answer that says that the job is done, or fetches it from where that answer leads.
    pub(super) async fn collect(
        &self,
        run: &mut Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        answer: &Exchange,
    ) -> Next {
        let port = Arc::clone(&run.port);
        let pollable = run.job.phase == Some(Phase::Submitted) && run.poll_of(http).is_some();
        let mut links = Vec::new();
        let collected = tokio::select! {
            biased;
            // What cannot be asked for again is not put down for a stop.
            stop = port.stopped(), if pollable => return Next::Stopped(stop),
            collected = self.gather(run, service, http, answer, &mut links) => collected,
        };
        match collected {
            Ok((result, meta)) => Next::End(End::Succeeded { result, meta }),
            Err(miss) => self.missed(run, http, answer, miss, pollable, &links),
        }
    }

    /// All of the result, or why not. What is stored already is written again the next time, under the same names.
    async fn gather(
        &self,
        run: &Run,
        service: &Arc<Service>,
        http: &'static HttpProtocol,
        answer: &Exchange,
        links: &mut Vec<String>,
    ) -> Result<Collected, Miss> {
        let declared = &http.outcome;
        let mut store = Store::new(self, run, service, http);
        let own = match &declared.request {
            Some(wanted) if declared.take.raw => {
                let (head, file) = store.raw(wanted).await?;
                let meta = facts(run, http, Some(&head), answer);
                return Ok((outcome::assemble(declared, None, None, vec![file]), meta));
            }
            Some(wanted) => Some(self.ask_for_result(run, service, http, wanted).await?),
            None => None,
        };
        let source = own.as_ref().unwrap_or(answer);
        let taken = run.view(source, run.port.now(), |view| {
            let allowed = |text: &str| {
                service
                    .base
                    .as_ref()
                    .is_ok_and(|base| request::server_url(text, base, Origins::of_downloads(http)).is_ok())
            };
            let taken = outcome::take(&declared.take, view, allowed);
            let count = taken.as_ref().map_or(0, |taken| outcome::count(&declared.take, view, taken));
            match declared.min {
                Some(min) if count < min.count as usize => Err(too_few(http, view, min.kind, count)),
                _ => taken.map_err(|error| error.detail(decide::excerpt(&source.text))),
            }
        });
        let Taken { json, text, files } = taken.map_err(Miss::Never)?;
        let mut stored = Vec::with_capacity(files.len());
        links.extend(files.iter().filter_map(|file| match file {
            outcome::Source::Url { url, .. } => Some(url.clone()),
            _ => None,
        }));
        for file in files {
            stored.push(store.put(file).await?);
        }
        Ok((outcome::assemble(declared, json, text, stored), facts(run, http, own.as_ref(), answer)))
    }

    /// Sends the request for the result and judges its answer.
    async fn ask_for_result(
        &self,
        run: &Run,
        service: &Service,
        http: &'static HttpProtocol,
        wanted: &ResultRequest,
    ) -> Result<Exchange, Miss> {
        let request = run.request(&wanted.request, None).map_err(Miss::Never)?;
        let exchange = self
            .exchange(&request, &run.connector.spec.limits, service, http.follow)
            .await
            .map_err(Miss::of_gateway)?;
        judge(run, http, wanted, &exchange)?;
        Ok(exchange)
    }

    /// What comes after a miss.
    fn missed(
        &self,
        run: &mut Run,
        http: &HttpProtocol,
        answer: &Exchange,
        miss: Miss,
        pollable: bool,
        links: &[String],
    ) -> Next {
        let job = run.job.id.clone();
        let collecting = &mut run.memory.collecting;
        let (error, wait) = match miss {
            Miss::NotYet if pollable => return self.wait(run, None),
            Miss::NotYet => {
                let message = "the service says success and that the result is not there yet";
                collecting.tries += 1;
                (JobError::new(ErrorCode::ETransient, message), None)
            }
            Miss::Gone(error) if http.outcome.refresh && pollable && collecting.refreshed < REFRESHES => {
                collecting.refreshed += 1;
                (error, Some(run.connector.spec.pace.min))
            }
            Miss::Gone(error) | Miss::Never(error) => {
                return Next::End(End::Failed(with_links(error, links)));
            }
            Miss::Later(error, wait) => {
                collecting.tries += 1;
                (error, wait)
            }
            Miss::KeptOut(error) => {
                collecting.kept_out += 1;
                tracing::error!(%job, error = error.message, "the job is done, and its result cannot be stored; it is tried again");
                run.port.progress(Progress { message: Some(error.message.clone()), ..Progress::default() });
                (error, None)
            }
        };
        collecting.error = Some(with_links(error.clone(), links));
        if collecting.tries >= TRIES || (!pollable && collecting.kept_out >= KEPT_OUT) {
            return Next::End(End::Failed(with_links(error, links)));
        }
        tracing::warn!(%job, error = error.message, "the result is not here yet; it is fetched again");
        let faults = collecting.tries.max(collecting.kept_out).max(1);
        let backoff = pace::backoff(faults, pace::LONGEST_POLL_BACKOFF, self.random());
        if !pollable {
            run.held = Some(answer.clone());
        }
        Next::Wait(wait.unwrap_or(backoff))
    }
}

/// What the answer to the request for the result says, unless it is the result.
pub(super) fn judge(
    run: &Run,
    http: &HttpProtocol,
    wanted: &ResultRequest,
    exchange: &Exchange,
) -> Result<(), Miss> {
    run.view(exchange, run.port.now(), |view| {
        let failed = |kind: FailureKind, message: &str| {
            let error = JobError::new(kind.into(), message);
            Err(Miss::Never(decide::described(http, view, error)))
        };
        if let Some(rule) = wanted.rules.iter().find(|rule| predicate::holds(&rule.when, view)) {
            return match &rule.then {
                StateVerdict::Queued | StateVerdict::Running => Err(Miss::NotYet),
                StateVerdict::Succeeded => Ok(()),
                StateVerdict::Lost => Err(Miss::Never(lost())),
                StateVerdict::Canceled => {
                    failed(FailureKind::Service, "the service says that the job was cancelled there")
                }
                StateVerdict::Failed { kind, message } => {
                    failed(*kind, message.as_deref().unwrap_or("the service says that the job failed"))
                }
            };
        }
        if view.exchange.ok() {
            return Ok(());
        }
        let refusal = decide::refusal(http, view);
        let passes = matches!(
            refusal.kind,
            FailureKind::Transient | FailureKind::RateLimited | FailureKind::Capacity | FailureKind::Timeout
        );
        match wanted.on_http_error {
            // What passes says nothing of the job: it was done before we asked.
            Some(kind) if !passes => failed(kind, "the service refuses the result"),
            _ if passes => Err(Miss::Later(JobError { retriable: false, ..refusal.error }, refusal.wait)),
            _ if is_gone(refusal.code) => Err(Miss::Gone(JobError { retriable: false, ..refusal.error })),
            _ => Err(Miss::Never(JobError { retriable: false, ..refusal.error })),
        }
    })
}

/// The codes of a link that has expired (X10).
pub(super) fn is_gone(code: u16) -> bool {
    matches!(code, 401 | 403 | 404 | 410)
}

/// Facts about the result: from its own answer where they are there, else from the one that says that the job is done.
fn facts(run: &Run, http: &HttpProtocol, own: Option<&Exchange>, answer: &Exchange) -> Map<String, Value> {
    let now = run.port.now();
    let of = |exchange: &Exchange| run.view(exchange, now, |view| outcome::captured(http.outcome.meta, view));
    let mut facts = of(answer);
    facts.extend(own.map(of).unwrap_or_default());
    facts
}

fn too_few(http: &HttpProtocol, view: &crate::select::View<'_>, kind: FailureKind, count: usize) -> JobError {
    let least = http.outcome.min.map_or(0, |min| min.count);
    let message = format!("the service says success with {count} results; at least {least} are wanted");
    decide::described(http, view, JobError::new(kind.into(), message))
}

/// Adds the links to what is lost otherwise.
fn with_links(error: JobError, links: &[String]) -> JobError {
    if links.is_empty() {
        return error;
    }
    let detail = error.detail.clone().map(|detail| format!("{detail}; ")).unwrap_or_default();
    error.detail(format!("{detail}the result is at {}", links.join(" ")))
}
