//! Selectors over an answer: find, then reduce.

use std::borrow::Cow;

use emp_core::Timestamp;
use emp_syntax::hole::Reference;
use emp_syntax::hook::{Answer, Known};
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::selector::{Reducer, Selector, Source};
use serde_json::Value;

use crate::context::Context;
use crate::exchange::Exchange;
use crate::memory::Memory;
use crate::reduce;

/// Everything that a selector, a predicate or a verdict may look at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The answer.
    pub exchange: &'a Exchange,
    /// The values that are known already.
    pub context: &'a Context<'a>,
    /// What earlier answers told.
    pub memory: &'a Memory,
    /// When the answer came.
    pub now: Timestamp,
}

impl View<'_> {
    /// The value at a selector; absent and null are the same.
    pub fn get(&self, selector: &Selector) -> Option<Value> {
        let (values, reducers) = self.reduced(selector)?;
        let rest =
            reducers.iter().try_fold(values, |values, reducer| reduce::apply(values, reducer, self))?;
        rest.into_iter().next().map(Cow::into_owned).filter(|value| !value.is_null())
    }

    /// The first selector that yields a value.
    pub fn first(&self, selectors: &[Selector]) -> Option<Value> {
        selectors.iter().find_map(|selector| self.get(selector))
    }

    /// The first selector that yields a value, as text; a list or an object has none.
    pub fn first_text(&self, selectors: &[Selector]) -> Option<String> {
        selectors.iter().find_map(|selector| reduce::text(&self.get(selector)?))
    }

    /// The first selector that yields a finite number.
    pub fn first_number(&self, selectors: &[Selector]) -> Option<f64> {
        selectors.iter().find_map(|selector| reduce::number(&self.get(selector)?))
    }

    /// Every node that a selector finds, with its reducers applied to each.
    pub fn all(&self, selector: &Selector) -> Vec<Value> {
        let Some((values, reducers)) = self.reduced(selector) else { return Vec::new() };
        let reduced =
            reducers.iter().try_fold(values, |values, reducer| reduce::apply(values, reducer, self));
        match reduced.unwrap_or_default().as_slice() {
            [one] if matches!(one.as_ref(), Value::Array(_)) => one.as_array().cloned().unwrap_or_default(),
            many => many.iter().map(|value| value.as_ref().clone()).collect(),
        }
    }

    /// Whether a selector reads the answer to a further question that was not asked yet.
    pub fn unasked(&self, selector: &Selector) -> bool {
        matches!(&selector.source, Source::Probe(name, _) if self.exchange.beside(name).is_none())
    }

    /// A path with its holes filled; `None` when one has no value.
    pub fn fill<'p>(&self, path: &'p JsonPath) -> Option<Cow<'p, JsonPath>> {
        path.fill(&|template| self.context.text(template))
    }

    /// What a hook makes of the answer.
    pub fn hook<R>(&self, hook: &fn(&Answer<'_>) -> R) -> R {
        let exchange = self.exchange;
        let header = |name: &str| exchange.header(name);
        let lookup = |reference: &Reference| self.context.lookup(reference);
        let known = Known::new(&lookup);
        hook(&Answer::new(exchange.code, &exchange.text, exchange.json.as_ref().ok(), &header, known))
    }

    fn reduced<'s>(&'s self, selector: &'s Selector) -> Option<(Vec<Cow<'s, Value>>, &'s [Reducer])> {
        let one = |value: Value| vec![Cow::Owned(value)];
        let exchange = self.exchange;
        let values = match &selector.source {
            Source::Path(path) => {
                let path = self.fill(path)?;
                path.nodes(exchange.json.as_ref().ok()?).into_iter().map(Cow::Borrowed).collect()
            }
            Source::Probe(name, path) => {
                let path = self.fill(path)?;
                path.nodes(exchange.beside(name)?).into_iter().map(Cow::Borrowed).collect()
            }
            Source::Header(name) => one(exchange.header(name)?.into()),
            Source::Code => one(exchange.code.into()),
            Source::Raw => one(exchange.text.clone().into()),
            Source::Age => {
                let submitted = self.context.service_job?.submitted_at;
                one(self.now.since(submitted).as_secs_f64().into())
            }
            Source::State => one(self.memory.stage.word().into()),
            Source::AbsentFor => one(self.memory.absent_for(self.now).as_secs_f64().into()),
            Source::Deltas => one(self.memory.deltas.clone()?.into()),
            Source::Reference(reference) => one(self.context.lookup(reference)?),
            Source::Hook(hook) => one(self.hook(hook.call.as_ref()?)?),
        };
        Some((values, &selector.reducers))
    }
}
