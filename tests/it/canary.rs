//! I97: canaries for secrets, the whole fault suite at trace level, and not one of them in anything that leaves the process.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emp_core::connector::Entry;
use emp_core::env::EnvSource;
use emp_testkit::fake_env;
use tokio::task::JoinSet;
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, over_http};

const FAULTS: [&str; 30] = [
    "submit:400",
    "submit:402",
    "submit:429=1s",
    "submit:500",
    "submit:503",
    "submit:refused=auth",
    "submit:refused=billing",
    "submit:quotes_credential",
    "submit:500_after",
    "submit:cut",
    "submit:cut_after",
    "submit:timeout",
    "submit:timeout_after",
    "submit:no_id",
    "submit:html",
    "submit:cut_body",
    "submit:huge_body",
    "submit:redirect=http://127.0.0.1:9/",
    "submit:foreign_url=http://127.0.0.1:9/",
    "submit:job_fails=service",
    "submit:job_cancelled",
    "poll:500*3",
    "poll:401*3",
    "poll:404*",
    "poll:html*2",
    "poll:cut*2",
    "poll:quotes_credential*",
    "poll:unknown_status*",
    "poll:huge_body",
    "poll:timeout",
];

/// Everything that was logged.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The secrets of a connector: those that the fake's environment makes up, which occur nowhere else.
fn canaries(entry: &Entry) -> Vec<String> {
    let env = fake_env(entry.spec);
    let secrets = entry.spec.env.iter().filter(|field| field.secret());
    secrets.filter_map(|field| env.get(field.variable)).collect()
}

/// What a user, an operator or a log collector can see of one job.
async fn seen_of(entry: &'static Entry, fault: &'static str) -> String {
    // The only connector with a timeout of its own gets a short one, so that a silent service is given up in the test's time.
    let env = fake_env(entry.spec).set("MY_SERVICE_TIMEOUT", "100");
    let mut seen = format!("{env:?} {:?}", entry.load(&env));
    let bench = Bench::with_env(entry, &[fault], &env).await;
    // A connector without a timeout of its own waits for longer than a test may: its worker dies instead.
    tokio::select! {
        _ended = bench.rig.finish() => {}
        () = bench.quiet(Duration::from_millis(150)) => {}
    }
    bench.fake.clear_faults();
    let ended = tokio::time::timeout(Duration::from_mins(1), bench.rig.finish()).await;
    let ended = ended.expect("nothing is wrong any more").expect("the store works");
    let record = serde_json::to_string(&ended.job).expect("JSON");
    let events = serde_json::to_string(&ended.events).expect("JSON");
    let targets: Vec<String> = bench.fake.requests().into_iter().map(|request| request.target).collect();
    write!(seen, "{record}{events}{targets:?}{ended:?}{:?}{:?}", bench.rig, bench.fake.ledger())
        .expect("a string takes it");
    assert!(
        bench.fake.requests().iter().any(|request| request.authorized),
        "{} {fault}: the canary was never sent: {:?}",
        entry.spec.name,
        ended.job.error
    );
    seen
}

/// Jobs at once: most of them wait for a silent service.
const AT_ONCE: usize = 10;

#[tokio::test]
async fn i97_no_secret_in_logs_errors_events_records_or_urls() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // For all threads: a callsite that another test's thread meets first would stay silent in this one.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    for entry in over_http() {
        for faults in FAULTS.chunks(AT_ONCE) {
            let mut jobs: JoinSet<_> =
                faults.iter().map(|fault| async move { (*fault, seen_of(entry, fault).await) }).collect();
            while let Some(job) = jobs.join_next().await {
                let (fault, seen) = job.expect("no panic");
                let hit = canaries(entry).into_iter().find(|canary| seen.contains(canary));
                assert_eq!(hit, None, "{} {fault}: {seen}", entry.spec.name);
                // The service's words are shown; only the credential in them is not.
                assert!(
                    fault != "submit:quotes_credential" || seen.contains("is not good"),
                    "{fault}: {seen}"
                );
            }
        }
    }
    let text = log.text();
    assert!(text.contains("TRACE") && text.contains("fake service"), "too little was logged: {text}");
    let all: Vec<String> = over_http().flat_map(canaries).collect();
    assert!(!all.is_empty());
    let hit = text.lines().find(|line| all.iter().any(|canary| line.contains(canary)));
    assert_eq!(hit, None);
}
