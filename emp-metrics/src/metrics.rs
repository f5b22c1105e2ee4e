//! The counters themselves, and their text.

use std::collections::{BTreeMap, BTreeSet};

use emp_core::job::JobState;
use prometheus::{
    Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::catalogue::{self, Metric};

/// Seconds that tell a quick job from a slow one: milliseconds to a day.
const LONG: [f64; 14] =
    [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0];
/// Seconds of a call of the store.
const CALL: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// Everything that one process counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// The services that the mapping has.
    services: BTreeSet<String>,
    pub(crate) jobs_total: IntCounterVec,
    jobs: GaugeVec,
    pub(crate) wait: HistogramVec,
    pub(crate) run: HistogramVec,
    pub(crate) submits: IntCounterVec,
    pub(crate) submits_uncertain: IntCounterVec,
    pub(crate) submits_avoided: IntCounterVec,
    pub(crate) service_down: GaugeVec,
    pub(crate) lease_lost: IntCounterVec,
    pub(crate) fenced: IntCounterVec,
    store_up: GaugeVec,
    pub(crate) store_op: HistogramVec,
    slots: GaugeVec,
    stall: GaugeVec,
    reload: GaugeVec,
}

impl Metrics {
    /// Counters at zero, for the services of a mapping.
    pub fn new<'a>(services: impl IntoIterator<Item = &'a str>, version: &str) -> Self {
        let registry = Registry::new();
        let (counter, gauge, histogram) = (counter(&registry), gauge(&registry), histogram(&registry));
        let build = gauge(&catalogue::BUILD);
        build.with_label_values(&[version]).set(1.0);
        Self {
            services: services.into_iter().map(str::to_owned).collect(),
            jobs_total: counter(&catalogue::JOBS_TOTAL),
            jobs: gauge(&catalogue::JOBS),
            wait: histogram(&catalogue::JOB_WAIT, &LONG),
            run: histogram(&catalogue::JOB_RUN, &LONG),
            submits: counter(&catalogue::SUBMITS),
            submits_uncertain: counter(&catalogue::SUBMITS_UNCERTAIN),
            submits_avoided: counter(&catalogue::SUBMITS_AVOIDED),
            service_down: gauge(&catalogue::SERVICE_DOWN),
            lease_lost: counter(&catalogue::LEASE_LOST),
            fenced: counter(&catalogue::FENCED),
            store_up: gauge(&catalogue::STORE_UP),
            store_op: histogram(&catalogue::STORE_OP, &CALL),
            slots: gauge(&catalogue::SLOTS),
            stall: gauge(&catalogue::STALL),
            reload: gauge(&catalogue::RELOAD),
            registry,
        }
    }

    /// The label of a service: its name when the mapping has it, else `other`.
    pub(crate) fn service<'a>(&self, name: &'a str) -> &'a str {
        if self.services.contains(name) { name } else { "other" }
    }

    pub(crate) fn store_answers(&self, up: bool) {
        one(&self.store_up).set(f64::from(u8::from(up)));
    }

    pub(crate) fn places(&self, slots: usize, busy: usize) {
        self.slots.with_label_values(&["busy"]).set(busy as f64);
        self.slots.with_label_values(&["free"]).set(slots.saturating_sub(busy) as f64);
    }

    /// The longest stall of late, in seconds.
    pub(crate) fn stalled(&self, seconds: f64) {
        one(&self.stall).set(seconds);
    }

    /// The configuration has been read, at a time in seconds since 1970.
    pub fn configured(&self, seconds: f64) {
        one(&self.reload).set(seconds);
    }

    /// Sets what the store has: it is asked when somebody wants the text.
    pub fn jobs(&self, counts: &BTreeMap<String, BTreeMap<JobState, u64>>) {
        self.jobs.reset();
        for (service, states) in counts {
            for (state, count) in states {
                self.jobs.with_label_values(&[self.service(service), state.as_str()]).add(*count as f64);
            }
        }
    }

    /// The text for Prometheus.
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// The media type of the text.
    pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
}

/// The one series of a metric without labels.
fn one(gauge: &GaugeVec) -> Gauge {
    gauge.with_label_values::<&str>(&[])
}

fn options(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help.trim())
}

/// Registers counters. The names are constants that a test registers, so that nothing can fail here that did not fail there.
fn counter(registry: &Registry) -> impl Fn(&Metric) -> IntCounterVec + use<> {
    let registry = registry.clone();
    move |metric| registered(&registry, IntCounterVec::new(options(metric), metric.labels), metric)
}

fn gauge(registry: &Registry) -> impl Fn(&Metric) -> GaugeVec + use<> {
    let registry = registry.clone();
    move |metric| registered(&registry, GaugeVec::new(options(metric), metric.labels), metric)
}

fn histogram(registry: &Registry) -> impl Fn(&Metric, &[f64]) -> HistogramVec + use<> {
    let registry = registry.clone();
    move |metric, buckets| {
        let options = HistogramOpts::from(options(metric)).buckets(buckets.to_vec());
        registered(&registry, HistogramVec::new(options, metric.labels), metric)
    }
}

#[expect(
    clippy::panic,
    reason = "a name of the catalogue that Prometheus does not take is our own mistake, and every test meets it"
)]
fn registered<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
    metric: &Metric,
) -> C {
    let registered = made.and_then(|made| registry.register(Box::new(made.clone())).map(|()| made));
    registered.unwrap_or_else(|error| panic!("{}: {error}", metric.name))
}
