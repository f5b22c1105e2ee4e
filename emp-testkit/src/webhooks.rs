//! The calls of a fake service: each job that asked for one is told of once, when it ends.

use std::time::Duration;

use bytes::Bytes;
use emp_core::spec::{CallBody, ConnectorSpec, EventAt, HttpProtocol};
use emp_core::syntax::jsonpath::JsonPath;
use emp_core::syntax::selector::{Selector, Source};
use emp_core::{Secret, Timestamp};
use emp_engine::gateway::{FetchRequest, Gateway};
use emp_engine::webhook::Prover;
use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::Method;
use serde_json::Value;
use url::Url;

use crate::draft::Draft;
use crate::fake_env;
use crate::job::VirtualJob;
use crate::server::{Shared, lock};
use crate::state::Service;

/// Between two looks at the jobs: they end by a clock that nobody can wait for.
const LOOK: Duration = Duration::from_millis(20);
/// A client that does not answer a call in this time is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call of a fake service.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeCall {
    /// Where the job's submit said.
    pub url: String,
    /// By what it is proven, where the declaration says how.
    pub headers: HeaderMap,
    /// What it says.
    pub body: Bytes,
}

/// Calls until it is dropped. A call that fails is not repeated: a connector must not need it.
pub(crate) async fn call(shared: Shared) {
    let gateway = Gateway::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let due = lock(&shared).calls();
        for call in due {
            let Ok(url) = Url::parse(&call.url) else { continue };
            let mut request = FetchRequest::new(Method::POST, url);
            request.headers = call.headers;
            request.body = Some(call.body);
            request.timeout = Some(PATIENCE);
            if let Err(error) = gateway.fetch(request).await {
                tracing::debug!(%error, "a call of the fake service failed");
            }
        }
    }
}

impl Service {
    /// The calls that are due.
    pub(crate) fn calls(&mut self) -> Vec<FakeCall> {
        let (now, durations) = (self.clock.now(), self.durations);
        let ended = self.books.jobs.iter_mut().filter(|job| job.at(now, durations).ended());
        let due: Vec<(String, VirtualJob)> =
            ended.filter_map(|job| Some((job.webhook.take()?, job.clone()))).collect();
        let said = |(url, job): (String, VirtualJob)| {
            let body = self.show(&job, &job.at(now, durations), 200).body;
            made(self.spec, self.http, url, &format!("msg_{}", job.id), body, now)
        };
        due.into_iter().map(said).collect()
    }
}

/// A call that says what a poll would, as the declaration has it.
fn made(
    spec: &'static ConnectorSpec,
    http: &'static HttpProtocol,
    url: String,
    id: &str,
    told: Value,
    now: Timestamp,
) -> FakeCall {
    let mut draft = Draft { body: told, ..Draft::default() };
    let mut event = None;
    if let Some(webhook) = &http.webhook {
        if let CallBody::At(path) = &webhook.body {
            let inside = std::mem::take(&mut draft.body);
            draft.put(&at(path), inside);
        }
        match (&webhook.event, webhook.events.first()) {
            (Some(EventAt::Path(path)), Some(name)) => {
                draft.put(&at(path), (*name).into());
            }
            (Some(EventAt::Header(header)), Some(name)) => event = Some((*header, *name)),
            _ => {}
        }
    }
    let body = Bytes::from(draft.text());
    let mut headers = prover(spec, http).map(|prover| prover.sign(id, &body, now)).unwrap_or_default();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some((header, name)) = event {
        headers.insert(HeaderName::from_static(header), HeaderValue::from_static(name));
    }
    FakeCall { url, headers, body }
}

fn at(path: &JsonPath) -> Selector {
    Selector { source: Source::Path(path.clone()), reducers: Vec::new().into() }
}

/// Signs with the secret of the environment of fakes.
pub(crate) fn prover(spec: &ConnectorSpec, http: &'static HttpProtocol) -> Option<Prover> {
    let verify = http.webhook.as_ref()?.verify.as_ref()?;
    let secret = fake_env::value(spec, spec.env_field(verify.secret())?);
    Prover::new(verify, &Secret::new(secret)).ok()
}
