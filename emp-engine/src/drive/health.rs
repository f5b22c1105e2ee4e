//! One question to a service: how are you?

use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::health::{Health, HealthStatus};
use emp_core::spec::{HealthProbe, HttpProtocol, Protocol};
use emp_core::{Clock as _, SystemClock};
use tokio::time::Instant;

use crate::context::Context;
use crate::engine::Engine;
use crate::limits::Service;
use crate::memory::Memory;
use crate::outcome;
use crate::predicate;
use crate::request;
use crate::select::View;

/// A probe that takes longer than this has its answer: no.
const PROBE: Duration = Duration::from_secs(10);

impl Engine {
    pub(crate) async fn probe(&self, connector: &Loaded, service: &Service) -> Health {
        let told = |status, detail: Option<String>| Health {
            status,
            detail: detail.map(|detail| service.scrubber.text(&detail)),
            checked_at: Some(SystemClock.now()),
            ..Health::unknown()
        };
        match &connector.spec.protocol {
            Protocol::Custom => match &connector.custom {
                Some(custom) => match tokio::time::timeout(PROBE, custom.is_ready()).await {
                    Ok(Ok(())) => told(HealthStatus::Healthy, None),
                    Ok(Err(error)) => told(HealthStatus::Down, Some(error.message)),
                    Err(_) => told(HealthStatus::Down, Some(format!("not ready after {PROBE:?}"))),
                },
                None => told(HealthStatus::Healthy, None),
            },
            Protocol::Http(http) => match &http.health {
                Some(probe) => self.ask(connector, service, http, probe, told).await,
                None => Health::unknown(),
            },
            _ => Health::unknown(),
        }
    }

    async fn ask(
        &self,
        connector: &Loaded,
        service: &Service,
        http: &HttpProtocol,
        probe: &HealthProbe,
        told: impl Fn(HealthStatus, Option<String>) -> Health,
    ) -> Health {
        let context = Context { budget: PROBE, ..Context::bare(connector) };
        let mut request = match request::request(http, &probe.request, &context) {
            Ok(request) => request,
            Err(error) => return told(HealthStatus::Down, Some(error.message)),
        };
        request.timeout = Some(request.timeout.unwrap_or(PROBE));
        let started = Instant::now();
        let answer = self.exchange(&request, &connector.spec.limits, service, http.follow).await;
        let exchange = match answer {
            Ok(exchange) => exchange,
            Err(error) => return told(HealthStatus::Down, Some(error.to_string())),
        };
        let view = View {
            exchange: &exchange,
            context: &context,
            memory: &Memory::default(),
            now: SystemClock.now(),
        };
        let (status, detail) = match exchange.code {
            200..=299 if probe.ready.as_ref().is_none_or(|ready| predicate::holds(ready, &view)) => {
                (HealthStatus::Healthy, None)
            }
            200..=299 => (HealthStatus::Degraded, Some("it answers, but is not ready".to_owned())),
            code => (HealthStatus::Down, Some(format!("it answers {code}"))),
        };
        Health {
            latency_ms: Some(started.elapsed().as_millis() as u64),
            metrics: outcome::metrics(probe.metrics, &view),
            ..told(status, detail)
        }
    }
}
