//! Files of a result, on their way from the service to the output store, piece by piece.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use emp_core::spec::{Each, HttpProtocol};
use emp_core::{ErrorCode, JobError};
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::collect::{Judging, Miss, is_gone, judge};
use crate::advice;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::gateway::{Body, Download, MAX_RESPONSE, Target};
use crate::key;
use crate::kill::{self, Point};
use crate::limits::Service;
use crate::outcome::Source;
use crate::outputs::{FileKey, FileName, MediaType, sniff};
use crate::request::{self, Origins, OutboundRequest};
use crate::run::Run;

/// Largest file when the connector declares none, bytes.
pub(super) const MAX_FILE: u64 = 1 << 30;
/// All files of a result together when the connector declares nothing, bytes.
pub(super) const MAX_TOTAL: u64 = 4 << 30;
/// So many first bytes tell what a file is.
const HEAD: usize = 512;
/// Largest page that is read of a refused download, bytes.
const MAX_REFUSAL: u64 = 64 << 10;

/// What a job is told whose worker was started without one.
pub(super) const NO_OUTPUTS: &str = "this worker has no output store; start it with `EMP_OUTPUTS=DIR`";

/// Stores the files of one result, in order.
pub(super) struct Store<'a> {
    engine: &'a Engine,
    run: &'a Run,
    service: &'a Arc<Service>,
    http: &'static HttpProtocol,
    /// The number of the next file.
    number: usize,
    /// What is left of the largest result.
    left: u64,
    /// What its files may be; any that is no page when empty.
    types: &'static [&'static str],
}

/// What is known of a file before its bytes.
struct Wanted {
    said: Option<String>,
    wish: Option<String>,
}

impl<'a> Store<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        run: &'a Run,
        service: &'a Arc<Service>,
        http: &'static HttpProtocol,
    ) -> Self {
        let left = run.connector.spec.limits.max_total.unwrap_or(MAX_TOTAL);
        Self { engine, run, service, http, number: 0, left, types: http.outcome.types }
    }

    /// From now on files come that go with the result: `types` is about the result itself.
    pub(super) fn beside(&mut self) {
        self.types = &[];
    }

    /// Stores one file and gives its entry in the result.
    pub(super) async fn put(&mut self, source: Source) -> Result<Value, Miss> {
        match source {
            Source::Here { bytes, mime } => {
                let body: Body = Box::pin(stream::once(std::future::ready(Ok(bytes))));
                self.pour(Wanted { said: mime, wish: None }, body).await
            }
            Source::Url { url, wish } => {
                let base = self.service.base.as_ref().map_err(|error| Miss::Never(error.clone()))?;
                let request = request::download(self.http, base, &url).map_err(|error| {
                    let message = format!(
                        "{}; name its host in `#[origins(download = [..])]` if it is right",
                        error.message
                    );
                    Miss::Never(JobError { message, ..error })
                })?;
                let found = self.fetch(&request).await?;
                self.pour(Wanted { said: said(&found.headers), wish: Some(wish) }, found.body).await
            }
            Source::Item(each, item) => self.item(each, &item).await,
        }
    }

    /// The file of an item.
    async fn item(&mut self, each: &Each, item: &Value) -> Result<Value, Miss> {
        let built = self.run.with_item(item, |context| {
            let request = request::request(self.http, &each.request, context)?;
            let name = each.name.as_ref().map(|name| request::value_text(name, context)).transpose()?;
            Ok((request, name.flatten()))
        });
        let (request, wish) = built.map_err(Miss::Never)?;
        let found = self.fetch(&request).await?;
        self.pour(Wanted { said: said(&found.headers), wish }, found.body).await
    }

    /// The answer to a request, as a file. Gives the answer's head too.
    pub(super) async fn raw(
        &mut self,
        request: &OutboundRequest,
        judging: Judging,
        wish: Option<&str>,
    ) -> Result<(Exchange, Value), Miss> {
        let Download { status, headers, body } = self.open(request).await?;
        // Of a refusal the body is read too; of a file its rules see the head alone.
        let head = |bytes: Bytes| {
            let mut exchange = Exchange::of(status, headers.clone(), bytes);
            self.service.scrubber.exchange(&mut exchange);
            exchange
        };
        if !success(status) {
            let refusal = head(refusal(body).await);
            judge(self.run, self.http, judging, &refusal)?;
            // A rule may say that a refusal is a success, and then there is nothing to store.
            let message = format!("the service answered {status} to the request for the result");
            return Err(Miss::Never(JobError::new(ErrorCode::EBadResponse, message)));
        }
        let head = head(Bytes::new());
        judge(self.run, self.http, judging, &head)?;
        let mime = self.http.outcome.take.mime;
        let said = self.run.view(&head, self.run.port.now(), |view| view.first_text(mime));
        let said = said.or_else(|| self::said(&headers));
        let file = self.pour(Wanted { said, wish: wish.map(str::to_owned) }, body).await?;
        Ok((head, file))
    }

    /// Sends a request for a file; an answer that is no success is a miss.
    async fn fetch(&self, request: &OutboundRequest) -> Result<Download, Miss> {
        kill::come_to(Point::Fetching);
        let found = self.open(request).await?;
        if success(found.status) {
            return Ok(found);
        }
        let Download { status, headers, body } = found;
        let mut exchange = Exchange::of(status, headers, refusal(body).await);
        self.service.scrubber.exchange(&mut exchange);
        let detail = crate::decide::excerpt(&exchange.text);
        let error = |code, message: String| JobError::new(code, message).detail(detail.clone());
        if is_gone(status) {
            let kept = self.http.outcome.keep_for.map_or_else(String::new, |kept| {
                format!(" (the service keeps results for {} s)", kept.as_secs())
            });
            let message = format!(
                "a link to the result answers {status}: it has expired, or needs the credential{kept}"
            );
            return Err(Miss::Gone(error(ErrorCode::EExpired, message)));
        }
        let wait = self.run.view(&exchange, self.run.port.now(), advice::retry_after);
        let message = format!("a link to the result answers {status}");
        Err(Miss::Later(error(ErrorCode::EBadResponse, message), wait))
    }

    /// Sends a request and gives the head of its answer.
    async fn open(&self, request: &OutboundRequest) -> Result<Download, Miss> {
        let base = self.service.base.as_ref().map_err(|error| Miss::Never(error.clone()))?;
        let gateway = &self.engine.gateway;
        let authorization = self.service.authorize(gateway).await.map_err(Miss::of_gateway)?;
        let mut target = Target {
            base,
            origins: Origins::of_downloads(self.http),
            credential: authorization.credential(),
            max_response: MAX_RESPONSE,
        };
        let cap = self.run.connector.spec.limits.max_file.unwrap_or(MAX_FILE).min(self.left);
        let found = gateway.download(request, &target, cap).await.map_err(Miss::of_gateway)?;
        if found.status == 401
            && let Some(renewed) = self.service.renew(&authorization, false, gateway).await
        {
            let renewed = renewed.map_err(Miss::of_gateway)?;
            target.credential = renewed.credential();
            return gateway.download(request, &target, cap).await.map_err(Miss::of_gateway);
        }
        Ok(found)
    }

    /// Writes a body to the output store.
    async fn pour(&mut self, wanted: Wanted, body: Body) -> Result<Value, Miss> {
        let Some(outputs) = &self.engine.options.outputs else {
            return Err(Miss::KeptOut(JobError::new(ErrorCode::EOutput, NO_OUTPUTS)));
        };
        let mut body = body.fuse();
        let mut first = BytesMut::new();
        while first.len() < HEAD
            && let Some(piece) = body.next().await
        {
            first.extend_from_slice(&piece.map_err(Miss::of_gateway)?);
        }
        let media = sniff(wanted.said.as_deref(), &first, wanted.wish.as_deref());
        self.expect(&media)?;
        let name = FileName::new(self.number, wanted.wish.as_deref(), &media);
        let key = FileKey { job: self.run.job.id.clone(), attempt: self.run.job.attempt, name };
        let kept_out = |error: crate::outputs::OutputError| {
            Miss::KeptOut(JobError::new(ErrorCode::EOutput, error.message))
        };
        let cap = self.run.connector.spec.limits.max_file.unwrap_or(MAX_FILE).min(self.left);
        let (mut bytes, mut digest) = (0_u64, Sha256::new());
        let mut writer = outputs.create(&key, &media).await.map_err(kept_out)?;
        let mut next = Some(first.freeze());
        while let Some(piece) = next {
            bytes = bytes.saturating_add(piece.len() as u64);
            if bytes > cap {
                return Err(Miss::Never(too_large(cap)));
            }
            digest.update(&piece);
            writer.write(piece).await.map_err(kept_out)?;
            next = body.next().await.transpose().map_err(Miss::of_gateway)?;
        }
        let url = writer.finish().await.map_err(kept_out)?;
        kill::come_to(Point::Fetched);
        self.number += 1;
        self.left -= bytes.min(self.left);
        let sha256 = key::hex(&digest.finalize());
        let (name, mime) = (key.name.as_str(), media.as_str());
        Ok(json!({ "name": name, "url": url, "mime": mime, "bytes": bytes, "sha256": sha256 }))
    }

    /// Refuses a page of HTML in place of a file, and what is not of a declared type. It may be a page of a proxy, which passes.
    fn expect(&self, media: &MediaType) -> Result<(), Miss> {
        let types = self.types;
        let fits = if types.is_empty() { !media.is_page() } else { types.iter().any(|kind| media.is(kind)) };
        if fits {
            return Ok(());
        }
        let wanted = if types.is_empty() { "a file".to_owned() } else { types.join(" or ") };
        let message = format!("the service gives {media} where the result should be {wanted}");
        Err(Miss::Later(JobError::new(ErrorCode::EBadResponse, message), None))
    }
}

fn success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn said(headers: &HeaderMap) -> Option<String> {
    headers.get(http::header::CONTENT_TYPE)?.to_str().ok().map(str::to_owned)
}

/// The beginning of a refusal's body; what breaks on the way does not matter.
async fn refusal(mut body: Body) -> Bytes {
    let mut read = BytesMut::new();
    while (read.len() as u64) < MAX_REFUSAL
        && let Some(Ok(piece)) = body.next().await
    {
        read.extend_from_slice(&piece);
    }
    read.freeze()
}

/// A file, or all files together, beyond what `#[limits(..)]` allows.
pub(super) fn too_large(cap: u64) -> JobError {
    let message = format!("a file is larger than {cap} bytes (`#[limits(max_file = ..)]`, `max_total`)");
    JobError::new(ErrorCode::EResponseTooLarge, message)
}
