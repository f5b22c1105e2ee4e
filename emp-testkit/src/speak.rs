//! Answers that say one chosen thing: a status word, or what a rule of the states waits for.

use emp_core::spec::{ConnectorSpec, HttpProtocol, States};
use emp_core::syntax::rule::StateVerdict;

use crate::answer;
use crate::draft::Draft;
use crate::job::{View, VirtualJob};
use crate::known::Known;
use crate::polling;

/// What an answer says of the job's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Saying {
    /// This word, at `states.at`.
    Word(String),
    /// What the rule with this index waits for.
    Rule(usize),
}

impl Saying {
    /// What the declaration takes it for; `None` for a word or a rule that it does not have.
    pub(crate) fn verdict<'s>(&self, states: &'s States) -> Option<&'s StateVerdict> {
        match self {
            Self::Word(word) => {
                let set = states.sets.iter().find(|set| set.words.contains(&word.as_str()))?;
                Some(&set.verdict)
            }
            Self::Rule(index) => states.rules.get(*index).map(|rule| &rule.then),
        }
    }

    /// Puts it into an answer, if it can.
    pub(crate) fn put(&self, http: &HttpProtocol, draft: &mut Draft) -> bool {
        match self {
            Self::Word(word) => draft.put_first(http.states.at, &word.as_str().into()),
            Self::Rule(index) => {
                http.states.rules.get(*index).is_some_and(|rule| draft.satisfy_whole(&rule.when))
            }
        }
    }
}

/// The answer to a poll that says it; `None` when no answer can.
pub(crate) fn poll(
    spec: &ConnectorSpec,
    http: &HttpProtocol,
    job: &VirtualJob,
    saying: &Saying,
) -> Option<Draft> {
    let mut draft = Draft { known: Known::of(spec, job), ..Draft::new(200) };
    let verdict = saying.verdict(&http.states)?.clone();
    saying.put(http, &mut draft).then_some(())?;
    let view = View { verdict, fraction: 0.5, left: std::time::Duration::from_secs(1) };
    answer::capture(http, job, &mut draft);
    answer::fill(spec, http, job, &view, &mut draft);
    if let Some(envelope) = http.poll_at(job.operation).and_then(|poll| poll.envelope.as_ref()) {
        polling::sealed(envelope, &mut draft);
    }
    if draft.body.is_null() && !draft.also.is_empty() {
        draft.body = serde_json::json!({});
    }
    Some(draft)
}
