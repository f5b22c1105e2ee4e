//! What the holes of a request and the references of a selector can see.

use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::job::{Job, Phase, ServiceJob};
use emp_core::spec::Setting;
use emp_syntax::hole::{Hole, HoleDefault, Literal, Reference, Root, Step};
use emp_syntax::template::{Part, Template};
use serde_json::{Map, Value};

use crate::asset::Assets;
use crate::reduce;

/// The values behind `payload`, `env`, `job` and `queue`. Plain data: the same context gives the same request, byte by byte.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The connector and its settings; secrets are not reachable through a hole.
    pub connector: &'a Loaded,
    /// `payload`
    pub payload: &'a Value,
    /// `queue.job_id`
    pub job_id: &'a str,
    /// `queue.attempt`, from 1.
    pub attempt: u32,
    /// `queue.budget_secs`: for how long the job may run from its submit. The declared deadline, not what is left of it, so that
    /// a resend is the same bytes.
    pub budget: Duration,
    /// `queue.hold_secs`: for how long the service is asked to hold its answer back, in a request that says so.
    pub hold: Option<Duration>,
    /// `queue.ids`: the ids of the service jobs that a batch asks after.
    pub ids: &'a [String],
    /// `job.assigned_id`: the id that we gave.
    pub assigned_id: &'a str,
    /// `job.id` and what was captured; absent before the submit's answer.
    pub service_job: Option<&'a ServiceJob>,
    /// `item`: one item of an `each(..)`, or the element of an `each` step.
    pub item: Option<&'a Value>,
    /// Where in the payload the element is, for errors: `payload.uploads[1]`; empty for what is not of the payload.
    pub item_place: &'a str,
    /// `prepared`: what the prepare steps captured.
    pub prepared: Option<&'a Map<String, Value>>,
    /// What the URLs of assets gave.
    pub assets: &'a Assets,
    /// `webhook.url`: where the service may call for news of the job.
    pub webhook: Option<&'a str>,
}

/// The element that a step with `each` is done for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The element.
    pub value: Value,
    /// Its path, for errors: `payload.uploads[1]`.
    pub place: String,
}

/// What is behind `payload` where there is no job.
static NO_PAYLOAD: Value = Value::Null;

impl<'a> Context<'a> {
    /// A context without a job: only `env` has values.
    pub fn bare(connector: &'a Loaded) -> Self {
        Self {
            connector,
            payload: &NO_PAYLOAD,
            job_id: "",
            attempt: 0,
            budget: Duration::ZERO,
            hold: None,
            ids: &[],
            assigned_id: "",
            service_job: None,
            item: None,
            item_place: "",
            prepared: None,
            assets: Assets::NONE,
            webhook: None,
        }
    }

    /// The context of a job as it stands, with the key of its current attempt.
    pub fn of(job: &'a Job, connector: &'a Loaded, key: &'a str) -> Self {
        Self {
            connector,
            payload: &job.payload,
            job_id: job.id.as_str(),
            attempt: current_attempt(job),
            budget: duration(&connector.spec.pace.deadline, connector),
            hold: None,
            ids: &[],
            assigned_id: key,
            service_job: job.service_job.as_ref(),
            item: None,
            item_place: "",
            prepared: job.intent.as_ref().map(|intent| &intent.prepared),
            assets: Assets::NONE,
            webhook: None,
        }
    }

    /// A reference as a client reads it: an element of an `each` step by its path in the payload.
    pub fn place(&self, reference: &Reference) -> String {
        let whole = reference.to_string();
        if reference.root == Root::Item && !self.item_place.is_empty() {
            format!("{}{}", self.item_place, whole.strip_prefix("item").unwrap_or_default())
        } else {
            whole
        }
    }

    /// The value at a reference; `None` when there is none or it is null.
    pub fn lookup(&self, reference: &Reference) -> Option<Value> {
        let value = match reference.root {
            Root::Payload => walk(self.payload, &reference.path)?.clone(),
            Root::Env => {
                let (Step::Name(field), rest) = reference.path.split_first()? else { return None };
                walk(&self.connector.settings.json(field)?, rest)?.clone()
            }
            Root::Job => self.of_job(&reference.path)?,
            Root::Queue => self.of_queue(&reference.path)?,
            Root::Item => walk(self.item?, &reference.path)?.clone(),
            Root::Prepared => {
                let (Step::Name(name), rest) = reference.path.split_first()? else { return None };
                walk(self.prepared?.get(name.as_ref())?, rest)?.clone()
            }
            Root::Webhook => self.of_webhook(&reference.path)?,
        };
        Some(value).filter(|value| !value.is_null())
    }

    /// Where the service may call, and about what. Nothing of it without a URL.
    fn of_webhook(&self, path: &[Step]) -> Option<Value> {
        let url = self.webhook?;
        match path {
            [Step::Name(name)] if name == "url" => Some(url.into()),
            [Step::Name(name)] if name == "events" => {
                Some(self.connector.spec.http()?.webhook.as_ref()?.events.into())
            }
            _ => None,
        }
    }

    /// The value of a hole with its default.
    pub fn hole(&self, hole: &Hole) -> Option<Value> {
        self.lookup(&hole.reference).or_else(|| match hole.default.as_ref()? {
            HoleDefault::Reference(reference) => self.lookup(reference),
            HoleDefault::Literal(literal) => Some(literal_value(literal)),
        })
    }

    /// The text of a template; `None` when a hole has no value, or one that is no scalar.
    pub fn text(&self, template: &Template) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Literal(text) => Some(text.to_string()),
            Part::Hole { hole, .. } => reduce::text(&self.hole(hole)?),
        };
        template.parts.iter().map(part).collect()
    }

    fn of_job(&self, path: &[Step]) -> Option<Value> {
        let (Step::Name(name), rest) = path.split_first()? else { return None };
        let captured = |name: &str| -> Option<Value> { self.service_job?.captured.get(name).cloned() };
        let value = match name.as_ref() {
            "assigned_id" => Value::from(self.assigned_id),
            "id" => Value::from(self.service_job?.id.clone()),
            name => captured(name)?,
        };
        walk(&value, rest).cloned()
    }

    fn of_queue(&self, path: &[Step]) -> Option<Value> {
        let [Step::Name(name)] = path else { return None };
        match name.as_ref() {
            "job_id" => Some(self.job_id.into()),
            "attempt" => Some(self.attempt.into()),
            "budget_secs" => Some(self.budget.as_secs().into()),
            "budget_millis" => Some((self.budget.as_millis() as u64).into()),
            "hold_secs" => Some(self.hold?.as_secs().into()),
            "hold_millis" => Some((self.hold?.as_millis() as u64).into()),
            "ids" => Some(self.ids.into()),
            _ => None,
        }
    }
}

/// The attempt that a job is at: the one to come while nothing was sent, else the one under way.
pub fn current_attempt(job: &Job) -> u32 {
    match job.phase {
        None | Some(Phase::Prepared) => job.attempt.saturating_add(1),
        Some(Phase::Submitting | Phase::Submitted) => job.attempt.max(1),
    }
}

/// Longest duration of a declaration or an environment: a longer one would leave what timers and clocks can count.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// A declared duration, or the one that the environment gives; an absent field, which only an `Option` can be, is a day.
pub fn duration(setting: &Setting<Duration>, connector: &Loaded) -> Duration {
    let duration = match setting {
        Setting::Fixed(duration) => *duration,
        Setting::Env(field) => connector.settings.duration(field).unwrap_or(Duration::from_hours(24)),
    };
    duration.min(LONGEST)
}

/// A declared count, or the one that the environment gives.
pub fn count(setting: &Setting<u32>, connector: &Loaded) -> Option<u32> {
    match setting {
        Setting::Fixed(count) => Some(*count),
        Setting::Env(field) => connector.settings.count(field),
    }
}

/// A literal as JSON; a float that JSON cannot hold is null.
pub fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => (*value).into(),
        Literal::Int(value) => (*value).into(),
        Literal::Float(value) => (*value).into(),
        Literal::Text(value) => value.as_ref().into(),
    }
}

fn walk<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => {
            value.as_object().and_then(|object: &Map<String, Value>| object.get(name.as_ref()))
        }
        Step::Index(index) => value.as_array().and_then(|items| items.get(*index)),
    })
}
