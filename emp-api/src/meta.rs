//! What this server is, offers and has: `/livez`, `/readyz`, `/metrics`, `/api/version`, `/api/connectors`, `/api/services`, `/api/workers`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use emp_core::job::JOB_SCHEMA;
use emp_core::job::JobState;
use emp_metrics::Metrics;
use emp_store::WorkerStatus;
use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::Service;
use crate::code::Code;
use crate::offer::{ConnectorView, ServiceDetail, ServiceView, WorkerView};
use crate::problem::Refusal;
use crate::query;
use crate::state::ApiState;

/// How long the store may take to answer a readiness probe.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// All is well; anything else is a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Well {
    /// Always `ok`.
    #[schemars(extend("const" = "ok"))]
    pub status: &'static str,
}

/// What runs here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VersionView {
    /// Always `emp`.
    pub name: &'static str,
    /// Version of the software.
    pub version: &'static str,
    /// Version of the job record's shape.
    pub job_schema: u16,
}

/// What a problem's code means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodeView {
    /// The code.
    pub code: &'static str,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// The code in words.
    pub title: &'static str,
    /// Why it happens and what to do.
    pub explanation: &'static str,
}

/// Says that the process answers. Never looks at the store: an outage there must not restart every process here.
pub(crate) async fn livez() -> Json<Well> {
    Json(Well { status: "ok" })
}

/// Says that jobs can be taken in.
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<Json<Well>, Refusal> {
    if state.stop.is_cancelled() {
        return Err(not_ready("the server is stopping"));
    }
    match tokio::time::timeout(READY_TIMEOUT, state.store.workers()).await {
        Ok(Ok(_)) => Ok(Json(Well { status: "ok" })),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err(not_ready("the store does not answer"))
        }
        Err(_) => Err(not_ready("the store does not answer in time")),
    }
}

/// Shows what this process counts. A store that does not answer is one of the things that are shown, so it is no reason to refuse.
pub(crate) async fn metrics(State(state): State<ApiState>) -> impl IntoResponse {
    match tokio::time::timeout(READY_TIMEOUT, state.store.counts()).await {
        Ok(Ok(counts)) => state.metrics.jobs(&counts),
        Ok(Err(error)) => tracing::warn!(%error, "the jobs are not counted"),
        Err(_) => tracing::warn!("the jobs are not counted: the store does not answer in time"),
    }
    ([(CONTENT_TYPE, Metrics::MEDIA_TYPE)], state.metrics.text())
}

fn not_ready(why: &str) -> Refusal {
    Refusal::new(Code::StoreDown, why).retry_after(1)
}

/// Says what runs here.
pub(crate) async fn version() -> Json<VersionView> {
    Json(VersionView { name: "emp", version: env!("CARGO_PKG_VERSION"), job_schema: JOB_SCHEMA })
}

/// Lists the connectors of this binary.
pub(crate) async fn connectors(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    query::none(query.as_deref())?;
    Ok(Json(state.catalog.connectors().iter().copied().map(ConnectorView::from).collect()))
}

/// Lists the services that jobs may ask for.
pub(crate) async fn services(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ServiceView>>, Refusal> {
    query::none(query.as_deref())?;
    let workers = state.store.workers().await?;
    let counts = state.store.counts().await?;
    Ok(Json(state.catalog.services().map(|(name, service)| view(name, service, &workers, &counts)).collect()))
}

/// Shows one service, with the schema of its payload.
pub(crate) async fn service(
    State(state): State<ApiState>,
    path: Option<Path<String>>,
    RawQuery(query): RawQuery,
) -> Result<Json<ServiceDetail>, Refusal> {
    query::none(query.as_deref())?;
    let name = path.map(|Path(name)| name).unwrap_or_default();
    let Some(service) = state.catalog.service(&name) else {
        let meant = state
            .catalog
            .nearest(&name)
            .map(|nearest| format!("; did you mean `{nearest}`?"))
            .unwrap_or_default();
        return Err(Refusal::new(Code::NotFound, format!("no service has this name{meant}")));
    };
    let workers = state.store.workers().await?;
    let counts = state.store.counts().await?;
    Ok(Json(ServiceDetail {
        service: view(&name, service, &workers, &counts),
        payload: service.connectors.first().map(|served| served.payload.clone()).unwrap_or_default(),
        output: service.connectors.first().and_then(|served| served.spec.output).map(|schema| schema()),
    }))
}

fn view(
    name: &str,
    service: &Service,
    workers: &[WorkerStatus],
    counts: &BTreeMap<String, BTreeMap<JobState, u64>>,
) -> ServiceView {
    ServiceView::new(name, service, workers, counts.get(name).cloned().unwrap_or_default())
}

/// Lists the workers that were heard of lately.
pub(crate) async fn workers(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<WorkerView>>, Refusal> {
    query::none(query.as_deref())?;
    Ok(Json(state.store.workers().await?.into_iter().map(WorkerView::from).collect()))
}

/// Explains the code of a problem.
pub(crate) async fn problem(path: Option<Path<String>>) -> Result<Json<CodeView>, Refusal> {
    let word = path.map(|Path(word)| word).unwrap_or_default();
    let code = Code::find(&word).ok_or_else(|| Refusal::new(Code::NotFound, "no problem has this code"))?;
    Ok(Json(CodeView {
        code: code.as_str(),
        status: code.status(),
        title: code.title(),
        explanation: code.explain(),
    }))
}
