//! Jobs of the other kinds that a payload can choose: another operation, an answer that is streamed, a step that only some jobs take.
//!
//! The other scenarios try the usual payload, which is one kind of job. Here each of the others is tried as a whole, and where it has
//! fates of its own (its submit, its stream, its step) with those.

use emp_core::connector::Loaded;
use emp_core::spec::{HttpProtocol, ResultAt, Stream};
use emp_core::syntax::rule::Predicate;
use serde_json::Value;

use super::choose::Chooser;
use super::conduct;
use super::plan::{Plan, Work};
use super::scenario::{Group, Judged, Scenario};
use super::script::{Expect, Life, Script};
use crate::fault::{Fault, Step, Trouble};
use crate::kill::Moment;

/// The scenarios of the kinds of jobs that the usual payload is not.
pub(crate) fn plans(connector: &Loaded, payload: &Value) -> Vec<Plan> {
    let Some(http) = connector.spec.http() else { return Vec::new() };
    let chooser = Chooser { connector, http, usual: payload };
    let mut plans = operations(&chooser);
    plans.extend(http.stream.iter().flat_map(|stream| streams(&chooser, stream)));
    plans.extend(steps(&chooser));
    if http.outcome.partial.is_some() {
        let about = "a result that is only a part is one, and it is told that it is";
        let script = Script::new(Expect::Partly).fault(Fault::at(Step::Submit, Trouble::Partial));
        plans.push(Plan { scenario: Scenario::new(Group::Happy, "partial", about), work: script.into() });
    }
    plans
}

/// Scenarios for a payload; where none is found, the first says so and is advice: nobody has tried such a job.
fn of_payload(payload: Option<&Value>, scenarios: Vec<(Group, String, String, Script)>) -> Vec<Plan> {
    let plan = |(group, name, about, script): (Group, String, String, Script)| {
        let work = match payload {
            Some(payload) => Work::Play(script.payload(payload.clone())),
            None => Judged::advice(
                "no payload is found that chooses it; give the payload's type an example that does",
            )
            .into(),
        };
        Plan { scenario: Scenario::new(group, name, about), work }
    };
    let wanted = if payload.is_some() { usize::MAX } else { 1 };
    scenarios.into_iter().take(wanted).map(plan).collect()
}

/// The jobs of each operation that the usual payload does not choose.
fn operations(chooser: &Chooser<'_>) -> Vec<Plan> {
    let usual = chooser.operation_of(chooser.usual);
    let all = (0..chooser.http.operations.len()).map(Some).chain([None]);
    all.filter(|wanted| *wanted != usual)
        .flat_map(|wanted| {
            let scenarios = of_operation(chooser.http, wanted);
            of_payload(chooser.operation(wanted).as_ref(), scenarios)
        })
        .collect()
}

fn of_operation(http: &HttpProtocol, operation: Option<usize>) -> Vec<(Group, String, String, Script)> {
    let (name, of) = match operation {
        Some(index) => ((index + 1).to_string(), format!("submit {}", index + 1)),
        None => ("main".to_owned(), "the submit without `when`".to_owned()),
    };
    let row = |group, name: String, about: String, script| (group, name, about, script);
    let at = |expect, trouble| Script::new(expect).fault(Fault::at(Step::Submit, trouble));
    let mut scenarios = vec![
        row(
            Group::Happy,
            format!("operation.{name}"),
            format!("a job of {of} goes from its submit to its result, paid once"),
            Script::new(Expect::Succeeds),
        ),
        row(
            Group::Conduct,
            format!("F27.400.operation.{name}"),
            format!("{of}: one that is refused with 400 costs nothing"),
            at(Expect::Refused, Trouble::Status(400)),
        ),
        row(
            Group::Conduct,
            format!("F33.cut_accepted.operation.{name}"),
            format!("{of}: a connection that breaks off after it was accepted is settled by its own rule"),
            at(Expect::Settles, Trouble::CutAfter),
        ),
        row(
            Group::Crash,
            format!("submitting.accepted.operation.{name}"),
            format!("{of}: the worker dies after it was accepted, and before its answer"),
            at(Expect::Settles, Trouble::TimeoutAfter).life(Life::DiesDuring(Step::Submit)),
        ),
    ];
    if http.poll_at(operation).is_some() {
        scenarios.push(row(
            Group::Crash,
            format!("submitted.operation.{name}"),
            format!("{of}: the worker dies as soon as the id is stored: never submitted again"),
            Script::new(Expect::Succeeds).life(Life::DiesAt(Moment::AfterId)),
        ));
    }
    scenarios
}

/// The jobs whose output comes piece by piece.
fn streams(chooser: &Chooser<'_>, stream: &Stream) -> Vec<Plan> {
    let payload = match &stream.when {
        Some(when) => chooser.holding(when, None),
        None => Some(chooser.usual.clone()),
    };
    let mut scenarios = vec![(
        Group::Happy,
        "stream".to_owned(),
        "a job whose output is streamed tells it piece by piece, and ends with its result, paid once"
            .to_owned(),
        Script::new(Expect::Tells),
    )];
    if stream.format.of_submit() {
        let breaks = [
            ("cut", "a stream that breaks off half-way is settled", Trouble::CutBody),
            ("ends_early", "a stream that ends before it is done is settled", Trouble::EndsEarly),
        ];
        scenarios.extend(breaks.map(|(name, about, trouble)| {
            let script = Script::new(Expect::Settles).fault(Fault::at(Step::Submit, trouble));
            (Group::Conduct, format!("F33.stream.{name}"), about.to_owned(), script)
        }));
    } else {
        // Chunks are fetched beside the poll, whose word alone counts.
        scenarios.extend(fetched(Step::Chunks, "chunks", &Expect::Succeeds));
    }
    of_payload(payload.as_ref(), scenarios)
}

/// The jobs that take a step which the usual payload's does not.
fn steps(chooser: &Chooser<'_>) -> Vec<Plan> {
    let http = chooser.http;
    let other = |when: &Option<Predicate>| {
        when.clone().filter(|when| !chooser.holds(when, chooser.usual) && of_payloads(when))
    };
    let mut plans = Vec::new();
    for (nth, prepare) in http.prepare.iter().enumerate() {
        // A condition on an element of a list is one of several, and not the job's.
        if let Some(when) = other(&prepare.when).filter(|_| prepare.each.is_none()) {
            let payload = chooser.holding(&when, Some(&prepare.request.body));
            plans.extend(of_payload(payload.as_ref(), taken(&format!("prepare.{}", nth + 1), Step::Prepare)));
        }
    }
    for extra in http.outcome.also {
        if let (Some(when), ResultAt::Request(_)) = (other(&extra.when), &extra.at) {
            let payload = chooser.holding(&when, None);
            let part = format!("part.{}", extra.name);
            let mut scenarios = taken(&part, Step::Result);
            scenarios.extend(fetched(Step::Result, &part, &Expect::Ends));
            plans.extend(of_payload(payload.as_ref(), scenarios));
        }
    }
    if let Some(when) = http.cleanup.as_ref().and_then(|cleanup| other(&cleanup.when)) {
        let payload = chooser.holding(&when, None);
        let mut scenarios = taken("cleanup", Step::Cleanup);
        scenarios.extend(fetched(Step::Cleanup, "cleanup", &Expect::Succeeds));
        plans.extend(of_payload(payload.as_ref(), scenarios));
    }
    plans
}

fn taken(name: &str, step: Step) -> Vec<(Group, String, String, Script)> {
    let about = format!("a job that asks for it takes the step `{}`, and is paid once", step.word());
    vec![(Group::Happy, name.to_owned(), about, Script::new(Expect::Takes(step)))]
}

fn fetched(step: Step, word: &str, expect: &Expect) -> Vec<(Group, String, String, Script)> {
    let rows = conduct::fetching(step, word, expect).into_iter();
    rows.map(|(name, about, script)| (Group::Conduct, name, about, script)).collect()
}

/// Whether a condition looks at the payload, so that another payload can change what it says.
fn of_payloads(when: &Predicate) -> bool {
    use emp_core::syntax::hole::Root;
    use emp_core::syntax::selector::Source;
    when.any(&mut |selector| {
        matches!(&selector.source, Source::Reference(reference) if reference.root == Root::Payload)
    })
}
