//! Attributes that stand once for each operation: `#[submit(when = ..)]`, `#[poll(when = ..)]`.

use syn::parse::ParseStream;
use syn::spanned::Spanned as _;

use super::walk::Context;
use super::{Attributes, arguments};
use crate::catalogue::body::OPERATIONS;
use crate::diag::Diagnostic;
use crate::raw::{Given, RawPoll, RawPrepare, RawSpec, RawSubmit};
use crate::spec::{Need, Place, Route, Spanned};

impl Attributes<'_> {
    /// Every attribute with a name, in order.
    pub(super) fn each<T>(
        &self,
        name: &str,
        context: &Context<'_>,
        parse: impl Fn(ParseStream, &Context<'_>) -> T,
        mut route: impl FnMut(&T) -> Route,
    ) -> Vec<Spanned<T>> {
        let named = self.all.iter().filter(|attribute| attribute.path().is_ident(name));
        named
            .filter_map(|attribute| {
                let span = attribute.path().span();
                let from = context.uses.borrow().len();
                let value = arguments(attribute, &context.sink, |input| Ok(parse(input, context)))?;
                let route = route(&value);
                context.uses.borrow_mut().iter_mut().skip(from).for_each(|used| used.route = route);
                Some(Spanned { value, key: span, span })
            })
            .collect()
    }
}

/// Gives each operation its number by the order of its submit; the main one, which has no condition, is the last.
pub(super) fn submits(attributes: &Attributes<'_>, context: &Context<'_>) -> Vec<Spanned<RawSubmit>> {
    let mut number = 0;
    let submits = attributes.each("submit", context, super::protocol::submit, |_| {
        number += 1;
        Route::Operation(number - 1)
    });
    let main = submits.iter().position(|submit| submit.value.when.is_none()).unwrap_or(submits.len());
    for late in submits.iter().skip(main + 1).filter(|submit| submit.value.when.is_some()) {
        context.sink.report(
            Diagnostic::new(
                OPERATIONS,
                late.key,
                "this `#[submit]` is never chosen: the one before has no `when`",
            )
            .help("put the `#[submit]` without `when` behind all others"),
        );
    }
    submits
}

/// The prepare steps, in order; what a conditional one needs is not needed of every job.
pub(super) fn prepares<'a>(
    attributes: &Attributes<'_>,
    context: &impl Fn(Place) -> Context<'a>,
) -> Vec<Spanned<RawPrepare>> {
    let named = attributes.all.iter().filter(|attribute| attribute.path().is_ident("prepare"));
    let steps = named.enumerate().filter_map(|(number, attribute)| {
        let context = context(Place::Prepare(number));
        let span = attribute.path().span();
        let from = context.uses.borrow().len();
        let value =
            arguments(attribute, &context.sink, |input| Ok(super::prepare::prepare(input, &context)))?;
        if value.when.is_some() || value.each.is_some() {
            let mut uses = context.uses.borrow_mut();
            let required = uses.iter_mut().skip(from).filter(|used| used.need == Need::Required);
            required.for_each(|used| used.need = Need::Optional);
        }
        Some(Spanned { value, key: span, span })
    });
    steps.collect()
}

/// The polls belong to the operations by their conditions.
pub(super) fn polls(
    attributes: &Attributes<'_>,
    context: &Context<'_>,
    submits: &[Spanned<RawSubmit>],
) -> Vec<Spanned<RawPoll>> {
    attributes.each("poll", context, super::protocol::poll, |poll| match &poll.when {
        None => Route::Rest,
        Some(when) => {
            let same = |submit: &Spanned<RawSubmit>| {
                submit.value.when.as_ref().map(|when| &when.value) == Some(&when.value)
            };
            submits.iter().position(same).map_or(Route::Rest, Route::Operation)
        }
    })
}

/// The last one without a condition is the main one; which of the others are right is the checks' to say.
pub(super) fn main<T>(all: &mut Vec<Spanned<T>>, conditional: impl Fn(&T) -> bool) -> Given<T> {
    let at = all.iter().rposition(|one| !conditional(&one.value))?;
    Some(all.remove(at))
}

impl RawSpec {
    /// Every submit, the main one last.
    pub fn submits(&self) -> impl Iterator<Item = &Spanned<RawSubmit>> {
        self.operations.iter().chain(&self.submit)
    }

    /// Whether an operation, by its number, has a poll of its own.
    pub fn polls_apart(&self, operation: usize) -> bool {
        let when = self.operations.get(operation).and_then(|submit| submit.value.when.as_ref());
        when.is_some_and(|when| {
            self.polls.iter().any(|poll| poll.value.when.as_ref().is_some_and(|own| own.value == when.value))
        })
    }
}
