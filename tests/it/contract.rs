//! The contract kit over the stock connectors, and over the same connectors with one thing wrong.

use emp::REGISTRY;
use emp_core::connector::{Entry, Loaded};
use emp_core::spec::{Auth, ConnectorSpec, HttpProtocol, Protocol, RequestSpec, Settle, StateSet, UrlSpec};
use emp_core::syntax::hole::Reference;
use emp_core::syntax::rule::{CodePattern, StateVerdict};
use emp_core::syntax::template::Template;
use emp_testkit::contract::{Contract, Finding, Grade, Outcome, Record, Report};
use emp_testkit::fake_env;
use tokio::task::JoinSet;

fn entry(name: &str) -> &'static Entry {
    REGISTRY.get(name).expect("registered")
}

fn loaded(entry: &Entry) -> Loaded {
    entry.load(&fake_env(entry.spec)).expect("a whole environment")
}

/// A connector as its author might have written it, with one thing wrong.
fn mutant(name: &str, wrong: impl FnOnce(&mut HttpProtocol)) -> Loaded {
    let entry = entry(name);
    let mut spec: ConnectorSpec = entry.spec.clone();
    match &mut spec.protocol {
        Protocol::Http(http) => wrong(http),
        _ => unreachable!("{name} speaks HTTP"),
    }
    Loaded { spec: Box::leak(Box::new(spec)), ..loaded(entry) }
}

fn without_word(http: &mut HttpProtocol, word: &str) {
    let sets: Vec<StateSet> = http
        .states
        .sets
        .iter()
        .map(|set| {
            let words: Vec<&'static str> = set.words.iter().copied().filter(|known| *known != word).collect();
            StateSet { verdict: set.verdict.clone(), words: words.leak() }
        })
        .collect();
    http.states.sets = sets.leak();
}

fn failed(report: &Report) -> Vec<&str> {
    report.failures().map(|finding| finding.scenario.id.as_str()).collect()
}

fn told(report: &Report) -> String {
    let bad = report.findings.iter().filter(|finding| finding.outcome != Outcome::Pass);
    let lines =
        bad.map(|finding| format!("{:?} {}: {}", finding.outcome, finding.scenario.id, finding.reason));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stock_connector_keeps_its_contract() {
    let mut running = JoinSet::new();
    for entry in REGISTRY.entries() {
        let contract = Contract::of(loaded(entry));
        running.spawn(async move { contract.run().await });
    }
    let reports = running.join_all().await;
    let failures: Vec<String> = reports
        .iter()
        .flat_map(|report| report.failures().map(move |finding| (report, finding)))
        .map(|(report, finding)| format!("{} {}: {}", report.connector, finding.scenario.id, finding.reason))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let untried: Vec<String> = reports.iter().flat_map(untried).collect();
    assert!(untried.is_empty(), "no job was tried that takes: {}", untried.join(", "));
}

/// The submits, the streams and the steps of some jobs only that no job of the kit has taken.
fn untried(report: &Report) -> Vec<String> {
    let Some(http) = entry(&report.connector).spec.http() else { return Vec::new() };
    let passed = |id: &str| {
        let found = |finding: &&Finding| finding.scenario.id == id;
        report.findings.iter().find(found).is_some_and(|finding| finding.outcome == Outcome::Pass)
    };
    // One of the submits is that of the usual job.
    let names = (1..=http.operations.len()).map(|nth| nth.to_string()).chain(["main".to_owned()]);
    let operations = names.filter(|name| passed(&format!("happy.operation.{name}"))).count();
    let mut untried = Vec::new();
    if operations != http.operations.len() {
        untried.push(format!("{}: {operations} of its further submits", report.connector));
    }
    let steps = [
        ("stream", http.stream.is_some()),
        ("cleanup", http.cleanup.as_ref().is_some_and(|step| step.when.is_some())),
    ];
    let parts =
        http.outcome.also.iter().filter(|part| part.when.is_some()).map(|part| format!("part.{}", part.name));
    let wanted = steps.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).chain(parts);
    untried.extend(
        wanted
            .filter(|name| !passed(&format!("happy.{name}")))
            .map(|name| format!("{}: {name}", report.connector)),
    );
    untried
}

#[tokio::test]
async fn a_recorded_connector_without_advice_has_the_best_grade() {
    let entry = entry("MyServiceConnector");
    let record = Record::of(entry.spec).expect("speaks HTTP");
    let again = Record::parse("MyServiceConnector", &record.to_text()).expect("reads back");
    assert_eq!(again, record);
    let report = Contract::of(loaded(entry)).recorded(record).expect("a good record").run().await;
    assert_eq!(report.grade, Grade::A, "{}", told(&report));
}

/// Runs a mutant against the service as the reviewed declaration describes it, and as a record does: both must see what is wrong.
async fn caught(name: &str, what: &str, scenarios: &[&str], wrong: impl Fn(&mut HttpProtocol)) {
    let spec = entry(name).spec;
    let record = Record::of(spec).expect("speaks HTTP");
    let contract = || Contract::of(mutant(name, &wrong)).only(format!("record,{}", scenarios.join(",")));
    let against = contract().against(spec).run().await;
    let recorded = contract().recorded(record).expect("a good record").run().await;
    for report in [&against, &recorded] {
        let failed = failed(report);
        for scenario in scenarios {
            assert!(failed.contains(scenario), "{name}, {what}: {scenario} passed\n{}", told(report));
        }
        assert!(report.grade < Grade::B, "{name}, {what}: {:?}", report.grade);
    }
    assert!(recorded.failures().any(|finding| finding.scenario.id.starts_with("record.")), "{name}, {what}");
}

#[tokio::test]
async fn a_status_word_that_is_missing_fails_the_kit() {
    for word in ["succeeded", "failed", "canceled", "aborted"] {
        let scenario = format!("states.word.{word}");
        caught("ReplicateConnector", word, &[&scenario], |http| without_word(http, word)).await;
    }
    for word in ["completed", "failed", "error", "cancelled", "queued", "processing"] {
        let scenario = format!("states.word.{word}");
        caught("MyServiceConnector", word, &[&scenario], |http| without_word(http, word)).await;
    }
}

#[tokio::test]
async fn a_settle_rule_that_is_gone_fails_the_kit() {
    let gone = |http: &mut HttpProtocol| http.submit.settle = Settle::AtLeastOnce;
    for name in ["MyServiceConnector", "ReplicateConnector", "OpenAIConnector"] {
        let paid_twice =
            ["conduct.F32.silence_accepted", "conduct.F33.cut_accepted", "crash.submitting.accepted"];
        caught(name, "no settle rule", &paid_twice, gone).await;
    }
    let certain = |http: &mut HttpProtocol| http.submit.rejects = &[CodePattern::Class(5)];
    caught("ReplicateConnector", "any 5xx rejects", &["conduct.F31.500_accepted"], certain).await;
}

#[tokio::test]
async fn a_settle_rule_that_is_gone_from_another_submit_fails_the_kit() {
    let gone = |http: &mut HttpProtocol| {
        let mut operations = http.operations.to_vec();
        for operation in &mut operations {
            operation.submit.settle = Settle::AtLeastOnce;
        }
        http.operations = operations.leak();
    };
    let paid_twice = ["conduct.F33.cut_accepted.operation.1", "crash.submitting.accepted.operation.1"];
    caught("OpenAIImagesConnector", "no settle rule for edits", &paid_twice, gone).await;
    let certain = |http: &mut HttpProtocol| {
        let mut operations = http.operations.to_vec();
        for operation in &mut operations {
            operation.submit.rejects = &[CodePattern::Class(5)];
        }
        http.operations = operations.leak();
    };
    let record = Record::of(entry("OpenAIImagesConnector").spec).expect("speaks HTTP");
    let told = record.differences(mutant("OpenAIImagesConnector", certain).spec);
    assert_eq!(told, ["record.rejects: declared of submit.1 and not recorded: 5xx"]);
}

#[test]
fn a_record_with_a_key_that_is_none_is_refused() {
    let record = Record::of(entry("OpenAIImagesConnector").spec).expect("speaks HTTP").to_text();
    assert!(record.contains("\"submit.1\": {\n      \"settle\""), "{record}");
    let wrong = record.replacen("\"settle\"", "\"setle\"", 1);
    assert!(Record::parse("OpenAIImagesConnector", &wrong).is_err());
    let more = record.replacen("\"billable\"", "\"free\": true, \"billable\"", 1);
    assert!(Record::parse("OpenAIImagesConnector", &more).is_err(), "an unknown key");
}

/// The one request by which a job is cancelled.
fn cancel(http: &mut HttpProtocol) -> &mut RequestSpec {
    http.cancel.as_mut().and_then(|cancel| cancel.request.as_mut()).expect("a cancel")
}

#[tokio::test]
async fn a_cancel_that_goes_to_the_wrong_place_fails_the_kit() {
    let path = |text: &str| UrlSpec::Path(Template::parse(text).expect("a path"));
    let to = |url: UrlSpec| move |http: &mut HttpProtocol| cancel(http).url = url.clone();
    let scenarios = ["cancel.queued", "cancel.running"];
    caught("MyServiceConnector", "another path", &scenarios, to(path("/jobs/{job.id}/stop"))).await;
    caught("MyServiceConnector", "no job", &scenarios, to(path("/jobs/cancel"))).await;
    let poll = Reference::parse("job.poll_url").expect("a reference");
    caught("ReplicateConnector", "the poll's URL", &scenarios, to(UrlSpec::Captured(poll))).await;
}

#[tokio::test]
async fn a_credential_in_another_place_fails_the_kit() {
    let elsewhere = |http: &mut HttpProtocol| {
        if let Auth::Header { name, .. } = &mut http.auth {
            *name = "x-api-key";
        }
    };
    caught("OpenAIConnector", "another header", &["happy.F25.job"], elsewhere).await;
}

/// What can be seen without anybody else's description.
#[tokio::test]
async fn what_contradicts_itself_fails_without_a_record() {
    let no_end = |verdict: &'static str| {
        mutant("MyServiceConnector", move |http| {
            let keep = |set: &&StateSet| match &set.verdict {
                StateVerdict::Succeeded => verdict != "succeeded",
                StateVerdict::Failed { .. } => verdict != "failed",
                _ => true,
            };
            http.states.sets = http.states.sets.iter().filter(keep).cloned().collect::<Vec<_>>().leak();
        })
    };
    let cancel_as_poll = mutant("MyServiceConnector", |http| {
        let poll = http.poll.as_ref().expect("polled").request.clone();
        *cancel(http) = poll;
    });
    let cancel_of_all = mutant("MyServiceConnector", |http| {
        cancel(http).url = UrlSpec::Path(Template::parse("/cancel").expect("a path"));
    });
    for (connector, scenario) in [
        (no_end("succeeded"), "static.success"),
        (no_end("failed"), "static.failure"),
        (cancel_as_poll, "static.cancel_route"),
        (cancel_of_all, "static.cancel_route"),
    ] {
        let report = Contract::of(connector).run().await;
        assert!(failed(&report).contains(&scenario), "{scenario} passed\n{}", told(&report));
    }
    let twice = mutant("ReplicateConnector", |http| http.submit.settle = Settle::AtLeastOnce);
    let report = Contract::of(twice).run().await;
    assert!(report.missing.contains(&"static.settle".to_owned()), "{}", told(&report));
}
