//! The parts of a result as they come together: values in hand, files in the output store.

use std::sync::Arc;

use emp_core::error::FailureKind;
use emp_core::spec::{Extra, HttpProtocol, ResultAt, Take};
use emp_core::{ErrorCode, JobError};
use serde_json::Value;

use super::collect::{Judging, Miss, judge};
use super::store::Store;
use crate::decide;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::MAX_RESPONSE;
use crate::jsonl;
use crate::limits::Service;
use crate::outcome::{self, Source, Taken};
use crate::request::{self, Origins, OutboundRequest};
use crate::run::Run;
use crate::select::View;

/// A result on its way.
pub(super) struct Parts<'a> {
    engine: &'a Engine,
    run: &'a Run,
    service: &'a Arc<Service>,
    http: &'static HttpProtocol,
    store: Store<'a>,
    /// Where its files are at the service, for the error if they cannot be fetched.
    links: &'a mut Vec<String>,
    pub(super) json: Option<Value>,
    pub(super) text: Option<String>,
    pub(super) files: Vec<Value>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        run: &'a Run,
        service: &'a Arc<Service>,
        http: &'static HttpProtocol,
        links: &'a mut Vec<String>,
    ) -> Self {
        let store = Store::new(engine, run, service, http);
        Self { engine, run, service, http, store, links, json: None, text: None, files: Vec::new() }
    }

    /// Sends a request for a part and judges its answer. The bytes of an answer that is a file go to the output store at once.
    pub(super) async fn ask(
        &mut self,
        request: &OutboundRequest,
        take: &Take,
        judging: Judging,
        wish: Option<&str>,
    ) -> Result<Exchange, Miss> {
        if take.raw {
            let (head, file) = self.store.raw(request, judging, wish).await?;
            self.files.push(file);
            return Ok(head);
        }
        let limits = &self.run.connector.spec.limits;
        let origins = Origins::of_downloads(self.http);
        let mut exchange =
            self.engine.exchange(request, limits, self.service, origins).await.map_err(Miss::of_gateway)?;
        judge(self.run, self.http, judging, &exchange)?;
        self.by_lines(take, &mut exchange);
        Ok(exchange)
    }

    /// Reads an answer by lines, where that is declared.
    pub(super) fn by_lines(&self, take: &Take, exchange: &mut Exchange) {
        if take.jsonl {
            let cap = self.run.connector.spec.limits.max_response.unwrap_or(MAX_RESPONSE);
            exchange.json = jsonl::parse(&exchange.bytes, cap).map(Value::Array);
        }
    }

    /// What an answer gives of the result, if it is enough.
    pub(super) fn taken(&self, take: &Take, source: &Exchange) -> Result<Taken, JobError> {
        self.run.view(source, self.run.port.now(), |view| {
            let taken = outcome::take(take, view, |text| self.allows(text));
            let count = taken.as_ref().map_or(0, |taken| outcome::count(take, view, taken));
            match self.http.outcome.min {
                Some(min) if count < min.count as usize => Err(too_few(self.http, view, min.kind, count)),
                _ => taken.map_err(|error| error.detail(decide::excerpt(&source.text))),
            }
        })
    }

    /// Stores the files and keeps the values of what was taken.
    pub(super) async fn add(&mut self, taken: Taken) -> Result<(), Miss> {
        self.links.extend(taken.files.iter().filter_map(|file| match file {
            Source::Url { url, .. } => Some(url.clone()),
            _ => None,
        }));
        for file in taken.files {
            self.files.push(self.store.put(file).await?);
        }
        self.json = taken.json.or(self.json.take());
        self.text = taken.text.or(self.text.take());
        Ok(())
    }

    /// The first place of `first_of` that has something.
    pub(super) async fn first_of(&mut self, source: &Exchange) -> Result<(), Miss> {
        let mut last = None;
        for part in self.http.outcome.first_of {
            let own = match &part.at {
                None => None,
                Some(at) => match self.located(at, source)? {
                    Some(request) => Some(self.ask(&request, &part.take, Judging::default(), None).await?),
                    None => continue,
                },
            };
            if own.is_some() && part.take.raw {
                return Ok(());
            }
            match self.taken(&part.take, own.as_ref().unwrap_or(source)) {
                Ok(taken) => return self.add(taken).await,
                Err(error) => last = Some(error),
            }
        }
        let nowhere = || {
            let message = "the service says success, and none of the declared places has a result";
            JobError::new(ErrorCode::EBadResponse, message).detail(decide::excerpt(&source.text))
        };
        Err(Miss::Never(last.unwrap_or_else(nowhere)))
    }

    /// A part that goes with the result: its value, if it has one.
    pub(super) async fn extra(
        &mut self,
        extra: &'static Extra,
        source: &Exchange,
    ) -> Result<Option<Value>, Miss> {
        let Some(request) = self.located(&extra.at, source)? else { return Ok(None) };
        self.store.beside();
        let answer = self.ask(&request, &extra.take, Judging::default(), Some(extra.name)).await?;
        if extra.take.raw {
            return Ok(None);
        }
        let taken = self.run.view(&answer, self.run.port.now(), |view| {
            outcome::take(&extra.take, view, |text| self.allows(text))
        });
        let Taken { json, text, files } = taken.map_err(Miss::Never)?;
        for file in files {
            self.files.push(self.store.put(file).await?);
        }
        Ok(json.or_else(|| text.map(Value::String)))
    }

    /// The request for another answer; `None` when the answer before names no URL.
    fn located(&self, at: &'static ResultAt, source: &Exchange) -> Result<Option<OutboundRequest>, Miss> {
        match at {
            ResultAt::Request(spec) => self.run.request(spec, None).map(Some).map_err(Miss::Never),
            ResultAt::Found(selectors) => {
                let url = self.run.view(source, self.run.port.now(), |view| view.first_text(selectors));
                let Some(url) = url else { return Ok(None) };
                let base = self.service.base.as_ref().map_err(|error| Miss::Never(error.clone()))?;
                request::download(self.http, base, &url).map(Some).map_err(Miss::Never)
            }
        }
    }

    /// Whether files may be fetched from a URL.
    fn allows(&self, text: &str) -> bool {
        let origins = Origins::of_downloads(self.http);
        self.service.base.as_ref().is_ok_and(|base| request::server_url(text, base, origins).is_ok())
    }
}

fn too_few(http: &HttpProtocol, view: &View<'_>, kind: FailureKind, count: usize) -> JobError {
    let least = http.outcome.min.map_or(0, |min| min.count);
    let message = format!("the service says success with {count} results; at least {least} are wanted");
    decide::described(http, view, JobError::new(kind.into(), message))
}
