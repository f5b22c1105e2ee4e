//! From "it is done" to the result in our hands: a phase of its own. The job is paid for and stays `submitted`, so whatever goes wrong here,
//! it is polled again and never submitted again (C45).

use std::sync::Arc;
use std::time::Duration;

use emp_core::error::{Billed, FailureKind};
use emp_core::job::{Phase, Progress};
use emp_core::spec::HttpProtocol;
use emp_core::{ErrorCode, JobError};
use emp_syntax::rule::{StateRule, StateVerdict};
use serde_json::{Map, Value};

use super::parts::Parts;
use super::poll::lost;
use crate::decide;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::{GatewayError, When};
use crate::limits::Service;
use crate::outcome;
use crate::pace;
use crate::predicate;
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
        let mut parts = Parts::new(self, run, service, http, links);
        let own = match &declared.request {
            Some(wanted) => {
                let request = run.request(&wanted.request, None).map_err(Miss::Never)?;
                let judging = Judging { rules: wanted.rules, on_http_error: wanted.on_http_error };
                Some(parts.ask(&request, &declared.take, judging, None).await?)
            }
            None if declared.take.jsonl => {
                let mut read = answer.clone();
                parts.by_lines(&declared.take, &mut read);
                Some(read)
            }
            None => None,
        };
        let source = own.as_ref().unwrap_or(answer);
        if declared.first_of.is_empty() {
            // The bytes of an answer of its own are stored already.
            if declared.request.is_none() || !declared.take.raw {
                let taken = parts.taken(&declared.take, source).map_err(Miss::Never)?;
                parts.add(taken).await?;
            }
        } else {
            parts.first_of(source).await?;
        }
        let mut also = Map::new();
        for extra in declared.also {
            let wanted = extra
                .when
                .as_ref()
                .is_none_or(|when| run.view(answer, run.port.now(), |view| predicate::holds(when, view)));
            if !wanted {
                continue;
            }
            match parts.extra(extra, source).await {
                Ok(value) => also.extend(value.map(|value| (extra.name.to_owned(), value))),
                // The result itself is here and paid for: it is not given up for what goes with it.
                Err(Miss::Later(error, _)) if run.memory.collecting.tries + 1 < TRIES => {
                    return Err(Miss::Later(error, None));
                }
                Err(Miss::Never(error) | Miss::Gone(error) | Miss::Later(error, _)) => {
                    tracing::warn!(job = %run.job.id, part = extra.name, error = error.message, "a part of the result is left out");
                }
                Err(miss) => return Err(miss),
            }
        }
        let Parts { json, text, files, .. } = parts;
        Ok((outcome::assemble(declared, json, text, files, also), facts(run, http, own.as_ref(), answer)))
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

/// How an answer to a request for the result is judged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judging {
    /// Its own rules.
    pub(super) rules: &'static [StateRule],
    /// What a refusal means.
    pub(super) on_http_error: Option<FailureKind>,
}

/// What the answer to a request for the result says, unless it is the result.
pub(super) fn judge(
    run: &Run,
    http: &HttpProtocol,
    judging: Judging,
    exchange: &Exchange,
) -> Result<(), Miss> {
    run.view(exchange, run.port.now(), |view| {
        let failed = |kind: FailureKind, message: &str| {
            let error = JobError::new(kind.into(), message);
            Err(Miss::Never(decide::described(http, view, error)))
        };
        if let Some(rule) = judging.rules.iter().find(|rule| predicate::holds(&rule.when, view)) {
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
        match judging.on_http_error {
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
    if run.view(answer, now, |view| outcome::is_partial(&http.outcome, view)) {
        facts.insert(outcome::PARTIAL.to_owned(), true.into());
    }
    facts
}

/// Adds the links to what is lost otherwise.
fn with_links(error: JobError, links: &[String]) -> JobError {
    if links.is_empty() {
        return error;
    }
    let detail = error.detail.clone().map(|detail| format!("{detail}; ")).unwrap_or_default();
    error.detail(format!("{detail}the result is at {}", links.join(" ")))
}
