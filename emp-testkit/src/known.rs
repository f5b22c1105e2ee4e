//! What the fake puts into the holes of a path when it answers about one of its jobs.

use emp_core::spec::ConnectorSpec;
use emp_core::syntax::hole::{Hole, HoleDefault, Reference, Root, Step};
use emp_core::syntax::template::{Part, Template};
use serde_json::Value;

use crate::draft::text_of;
use crate::job::VirtualJob;
use crate::place::literal_value;
use crate::sample;

/// The values that a selector's holes have for one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Vec<(Reference, Value)>);

impl Known {
    /// What the service knows of a job: its names, and what came with its submit.
    pub(crate) fn of(spec: &ConnectorSpec, job: &VirtualJob) -> Self {
        let named = |root, name: &str, value: Value| {
            (Reference { root, path: vec![Step::Name(name.to_owned().into())].into() }, value)
        };
        let mut known = vec![named(Root::Job, "id", job.id.clone().into())];
        known.extend(job.assigned_id.iter().map(|id| named(Root::Job, "assigned_id", id.clone().into())));
        known.extend(job.captured.iter().map(|(name, value)| named(Root::Job, name, value.clone())));
        // The environment of `fake_env`: the defaults, and made-up values where there are none.
        let env = spec.env.iter().filter(|field| !field.secret());
        known.extend(env.map(|field| {
            let text = field.default.map_or_else(|| sample::of_env(field), str::to_owned);
            named(Root::Env, field.field, text.into())
        }));
        known.extend(job.holes.all().cloned());
        Self(known)
    }

    /// The text of a template, when all of its holes are known.
    pub(crate) fn text(&self, template: &Template) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Literal(text) => Some(text.to_string()),
            Part::Hole { hole, .. } => self.hole(hole),
        };
        template.parts.iter().map(part).collect()
    }

    fn hole(&self, hole: &Hole) -> Option<String> {
        self.value(&hole.reference).or_else(|| match hole.default.as_ref()? {
            HoleDefault::Reference(reference) => self.value(reference),
            HoleDefault::Literal(literal) => Some(text_of(&literal_value(literal))),
        })
    }

    fn value(&self, wanted: &Reference) -> Option<String> {
        self.0.iter().find_map(|(reference, value)| (reference == wanted).then(|| text_of(value)))
    }
}
