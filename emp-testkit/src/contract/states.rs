//! Every status word and every rule of the service, said once: does the connector take it for what it is?

use emp_core::ErrorCode;
use emp_core::connector::Loaded;
use emp_core::spec::{ConnectorSpec, HttpProtocol};
use emp_core::syntax::rule::StateVerdict;
use serde_json::Value;

use super::oracle::{agrees, decides, declared, told};
use super::plan::{Plan, Work};
use super::scenario::{Group, Judged, Scenario};
use super::script::{Expect, Script};
use crate::fault::{Fault, Step, Trouble, When};
use crate::job::VirtualJob;
use crate::speak::{self, Saying};

/// The scenarios of the states of a service, as its description has them.
pub(crate) fn plans(connector: &Loaded, truth: &'static ConnectorSpec, payload: &Value) -> Vec<Plan> {
    let Some(http) = truth.http() else { return Vec::new() };
    let words = http.states.sets.iter().flat_map(|set| set.words).map(|word| {
        let scenario = Scenario::new(
            Group::States,
            format!("word.{word}"),
            format!("the status `{word}` is taken for what it is"),
        );
        (scenario, Saying::Word((*word).to_owned()))
    });
    let rules = http.states.rules.iter().enumerate().map(|(index, rule)| {
        let scenario = Scenario::new(
            Group::States,
            format!("rule.{}", index + 1),
            format!("rule {} of the states says {}", index + 1, declared(&rule.then)),
        );
        (scenario, Saying::Rule(index))
    });
    let service = Loaded { spec: truth, ..connector.clone() };
    let asked: Vec<_> = words.chain(rules).collect();
    asked
        .into_iter()
        .map(|(scenario, saying)| Plan { work: plan(connector, &service, http, payload, &saying), scenario })
        .collect()
}

fn plan(connector: &Loaded, service: &Loaded, http: &HttpProtocol, payload: &Value, saying: &Saying) -> Work {
    let Some(verdict) = saying.verdict(&http.states) else {
        return Work::Done(Judged::not_applicable("the service has no such state"));
    };
    let job = sample(payload);
    let Some(draft) = speak::poll(service.spec, http, &job, saying) else {
        let reason = "no answer alone says it: it depends on the time, on the job or on another request";
        return Work::Done(Judged::not_applicable(reason));
    };
    let right = decides(service, payload, &draft);
    if !right.is_some_and(|right| agrees(&right, verdict)) {
        let reason = "the smallest answer that says it says something else first";
        return Work::Done(Judged::not_applicable(reason));
    }
    match decides(connector, payload, &draft) {
        Some(found) if agrees(&found, verdict) => {}
        found => {
            let found = found.map_or_else(|| "nothing".to_owned(), |found| told(&found));
            let reason =
                format!("the service means {}; the connector takes it for {found}", declared(verdict));
            return Work::Done(Judged::fail(reason));
        }
    }
    // A sync service tells its states in the one answer that there is: what it means is judged.
    if http.poll.is_none() {
        return Work::Done(Judged::passes(format!("taken for {}", declared(verdict))));
    }
    Work::Play(script(verdict, saying))
}

/// A job during which the service says it: the end is the right one.
fn script(verdict: &StateVerdict, saying: &Saying) -> Script {
    let trouble = match saying {
        Saying::Word(word) => Trouble::Word(word.clone()),
        Saying::Rule(index) => Trouble::Rule(*index),
    };
    let said = Fault::at(Step::Poll, trouble);
    let always = said.clone().when(When::Always);
    match verdict {
        StateVerdict::Queued | StateVerdict::Running => Script::new(Expect::Succeeds).fault(said),
        StateVerdict::Succeeded => Script::new(Expect::Succeeds).fault(always),
        StateVerdict::Canceled => Script::new(Expect::Fails(vec![ErrorCode::ECancelled])).fault(always),
        StateVerdict::Lost => Script::new(Expect::Fails(vec![ErrorCode::EServiceJobLost])).fault(always),
        // One that passes is tried again, and fails again.
        StateVerdict::Failed { kind, .. } => {
            Script::new(Expect::Fails(vec![(*kind).into()])).fault(always).attempts()
        }
    }
}

/// A job to speak of.
pub(crate) fn sample(payload: &Value) -> VirtualJob {
    VirtualJob {
        id: "fake-1".to_owned(),
        assigned_id: Some("fake-1".to_owned()),
        queue_job_id: Some("job".to_owned()),
        request: payload.clone(),
        ..VirtualJob::default()
    }
}
