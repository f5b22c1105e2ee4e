//! The engine: takes up claimed jobs and works on them, one step at a time.

use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::health::Health;
use emp_core::job::{Job, Phase, UpstreamCancel};
use emp_core::spec::Protocol;
use emp_core::{Clock, ErrorCode, JobError, SystemClock};

use crate::gateway::{Gateway, GatewayOptions};
use crate::limits::{Service, Services};
use crate::outputs::Outputs;
use crate::port::JobPort;
use crate::run::{End, Next, Run};
use crate::webhook::Webhooks;

/// What an engine is made of.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How requests are sent.
    pub gateway: GatewayOptions,
    /// Where services may call for news of their jobs; `None` when this installation is not reachable from outside.
    pub webhooks: Option<Webhooks>,
    /// For how long a cancel is followed at the service until it is seen to have ended the job.
    pub cancel_deadline: Duration,
    /// Measures the pauses that services ask for and those of the breakers, by its elapsed time.
    pub clock: Arc<dyn Clock>,
    /// Where the files of results go; without one, a connector whose results have files fails its jobs.
    pub outputs: Option<Arc<dyn Outputs>>,
    /// Numbers from 0 to 1, for jitter; a test gives a constant.
    pub random: fn() -> f64,
    /// Whether declared sockets are opened. Without them their jobs are polled as all others are.
    pub sockets: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            gateway: GatewayOptions::default(),
            webhooks: None,
            cancel_deadline: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
            outputs: None,
            random,
            sockets: true,
        }
    }
}

fn random() -> f64 {
    let bits = (uuid::Uuid::new_v4().as_u128() >> 96) as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

/// Does jobs as their connectors declare, over one gateway and with limits that all jobs of a service share.
#[derive(Debug)]
pub struct Engine {
    pub(crate) gateway: Gateway,
    pub(crate) services: Services,
    pub(crate) options: EngineOptions,
}

impl Engine {
    /// An engine with its own connections and limits; one per process.
    pub fn new(options: EngineOptions) -> Arc<Self> {
        let gateway = Gateway::new(options.gateway.clone());
        let services = Services::new(Arc::clone(&options.clock));
        Arc::new(Self { gateway, services, options })
    }

    /// The gateway, for requests that are not a job's.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Takes up a claimed job where its phase says. Sends nothing.
    pub fn start(&self, job: Job, connector: Arc<Loaded>, port: Arc<dyn JobPort>) -> Run {
        let service = self.services.of(&connector);
        let mut run = Run::new(job, connector, port);
        run.webhook = self.options.webhooks.as_ref().map(|webhooks| webhooks.url(&run.job.id));
        if run.job.phase.is_some_and(|phase| phase != Phase::Prepared) {
            run.place = Some(service.occupy());
        }
        let fingerprint = run.connector.spec.fingerprint;
        if run.job.service_job.as_ref().is_some_and(|service_job| service_job.fingerprint != fingerprint) {
            // It is polled all the same, with what its own submit captured.
            tracing::info!(job = %run.job.id, connector = run.connector.spec.name, "submitted by another declaration");
        }
        run.service = Some(service);
        run
    }

    /// Works on a run until it must wait, ends or must stop. Texts that leave here are free of the connector's secrets.
    ///
    /// A step is not dropped while a submit may be under way; the sleeps and polls in it end by themselves when the port says stop.
    pub async fn step(&self, run: &mut Run) -> Next {
        if let Some(stop) = run.port.stop() {
            return Next::Stopped(stop);
        }
        let service = self.service(run);
        let next = match &run.connector.spec.protocol {
            Protocol::Custom => self.run_custom(run, &service).await,
            Protocol::Http(http) => self.run_declared(run, &service, http).await,
            _ => {
                let message = "this engine does not know the connector's protocol; update it";
                Next::End(End::Failed(JobError::new(ErrorCode::EInternal, message)))
            }
        };
        let accepted = run.job.phase == Some(Phase::Submitted);
        clean(if accepted { next.paid() } else { next }, &service)
    }

    /// Cancels the job at the service, follows it until it is seen to have ended, and says what became of it.
    pub async fn cancel(&self, run: &mut Run) -> UpstreamCancel {
        let service = self.service(run);
        match &run.connector.spec.protocol {
            Protocol::Http(http) => self.cancel_upstream(run, &service, http).await,
            // A custom connector ends its own work when its context says stop; nobody can tell what the far side did.
            _ => match run.job.phase {
                None | Some(Phase::Prepared) => UpstreamCancel::NotNeeded,
                Some(Phase::Submitting) => UpstreamCancel::Unknown,
                Some(Phase::Submitted) => UpstreamCancel::Unsupported,
            },
        }
    }

    /// Tidies up at the service, when the connector says how. To be called once, when the result of a job that succeeded is stored;
    /// says whether there was anything to do. It takes ten seconds at most, and what becomes of it changes nothing about the job.
    pub async fn clean_up(&self, run: &mut Run) -> bool {
        self.service(run);
        self.clean_up_declared(run).await
    }

    /// Asks the service how it is.
    pub async fn health(&self, connector: &Loaded) -> Health {
        let service = self.services.of(connector);
        self.probe(connector, &service).await
    }

    /// For how long no job of this connector should be claimed, and why.
    pub fn paused(&self, connector: &Loaded) -> Option<(Duration, String)> {
        self.services.of(connector).paused()
    }

    pub(crate) fn random(&self) -> f64 {
        (self.options.random)()
    }

    fn service(&self, run: &mut Run) -> Arc<Service> {
        let connector = &run.connector;
        Arc::clone(run.service.get_or_insert_with(|| self.services.of(connector)))
    }
}

/// Takes the connector's secrets out of everything that goes on from here.
fn clean(next: Next, service: &Service) -> Next {
    let scrub = &service.scrubber;
    let Next::End(end) = next else { return next };
    Next::End(match end {
        End::Succeeded { mut result, mut meta } => {
            scrub.value(&mut result);
            meta.values_mut().for_each(|value| scrub.value(value));
            End::Succeeded { result, meta }
        }
        End::Failed(error) => End::Failed(scrub.error(error)),
        End::Retry { error, after } => End::Retry { error: scrub.error(error), after },
        End::GiveBack { reason, after } => End::GiveBack { reason: scrub.text(&reason), after },
        End::Uncertain(error) => End::Uncertain(scrub.error(error)),
        End::Cancelled(upstream) => End::Cancelled(upstream),
    })
}
