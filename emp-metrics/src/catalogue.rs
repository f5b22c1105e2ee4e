//! Every metric, by name. Names are promises: none is renamed, and none changes its meaning.

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, while the process lives.
    Counter,
    /// A value now.
    Gauge,
    /// How values are spread.
    Histogram,
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// The names of its labels; each has a closed set of values.
    pub labels: &'static [&'static str],
}

const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, help, labels }
}

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $constant:ident = $name:literal, $kind:ident, [$($label:literal),*];)*) => {
        $(
            $(#[doc = $doc])*
            pub const $constant: Metric = metric($name, Kind::$kind, &[$($label),*], concat!($($doc),*));
        )*

        /// All of them, in the order of their text.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

catalogue! {
    /// Jobs that ended here, by how.
    JOBS_TOTAL = "emp_jobs_total", Counter, ["service", "outcome"];
    /// Jobs in the store now.
    JOBS = "emp_jobs", Gauge, ["service", "state"];
    /// From a job's arrival, or the end of its wait, to the claim that begins it.
    JOB_WAIT = "emp_job_wait_seconds", Histogram, ["service"];
    /// From a claim to the end of its job here.
    JOB_RUN = "emp_job_run_seconds", Histogram, ["service", "outcome"];
    /// Submits, by what came of them: accepted, refused, not sent, or nobody knows.
    SUBMITS = "emp_submits_total", Counter, ["service", "outcome"];
    /// Submits whose answer was lost and that no rule settles: they may have been billed.
    SUBMITS_UNCERTAIN = "emp_submits_uncertain_total", Counter, ["service"];
    /// Jobs taken up after another claim had submitted them: submits that were not sent twice.
    SUBMITS_AVOIDED = "emp_submits_avoided_total", Counter, ["service"];
    /// Whether a service is seen to be down.
    SERVICE_DOWN = "emp_service_down", Gauge, ["service"];
    /// Claims that somebody else holds by now.
    LEASE_LOST = "emp_lease_lost_total", Counter, [];
    /// Writes that the store refused because the claim was not the owner's.
    FENCED = "emp_fenced_writes_total", Counter, ["verb"];
    /// Whether the store answered when it was last asked.
    STORE_UP = "emp_store_up", Gauge, [];
    /// Calls of the store.
    STORE_OP = "emp_store_op_duration_seconds", Histogram, ["op"];
    /// Places of the workers of this process.
    SLOTS = "emp_worker_slots", Gauge, ["state"];
    /// The longest time, in the last minute, for which this process did not get on.
    STALL = "emp_runtime_stall_seconds", Gauge, [];
    /// When this process last read its configuration.
    RELOAD = "emp_config_last_reload_success_timestamp_seconds", Gauge, [];
    /// Always 1; the label has the version.
    BUILD = "emp_build_info", Gauge, ["version"];
}
