//! `#[prepare]`: steps that give what the submit is made of, in an order that works.

use emp_syntax::hole::Root;

use super::{operation, protocol};
use crate::catalogue::body::PREPARED;
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawSpec;
use crate::spec::{Place, Prepare, Use};

/// The steps, in order.
pub(super) fn prepare(raw: &RawSpec, sink: &Sink) -> Vec<Prepare> {
    let mut seen: Vec<&crate::spec::Capture> = Vec::new();
    for given in &raw.prepare {
        operation::condition(given.value.when.as_ref(), sink);
        if given.value.capture.is_empty() {
            sink.report(
                Diagnostic::new(
                    PREPARED,
                    given.key,
                    "this step captures nothing, so that nothing comes of it",
                )
                .help("add what the submit needs of its answer: `capture(audio_url = \"$.upload_url\")`"),
            );
        }
        if let Some(each) = given.value.each.as_ref().filter(|each| each.value.root != Root::Payload) {
            sink.report(
                Diagnostic::new(
                    PREPARED,
                    each.span,
                    format!("`{}` is not a list of the payload's", each.value),
                )
                .help("write `each = payload.uploads`"),
            );
        }
        for capture in &given.value.capture {
            if let Some(first) = seen.iter().find(|earlier| earlier.name.value == capture.name.value) {
                sink.report(
                    Diagnostic::new(
                        PREPARED,
                        capture.name.span,
                        format!("`prepared.{}` is captured by two steps", capture.name.value),
                    )
                    .help("give it another name here")
                    .related(first.name.span, "the first one is here"),
                );
            }
            seen.push(capture);
        }
    }
    let made = raw.prepare.iter().filter_map(|given| {
        let step = &given.value;
        Some(Prepare {
            when: step.when.as_ref().map(|when| when.value.clone()),
            each: step.each.as_ref().map(|each| each.value.clone()),
            request: protocol::request(&step.request, "prepare", given.key, "post = \"/uploads\"", sink)?,
            accept: step.accept.clone(),
            capture: step.capture.clone(),
        })
    });
    made.collect()
}

/// `prepared.x` is captured by a step, and one that is done before; `item` is there inside `each`.
pub(super) fn used(raw: &RawSpec, used: &Use, sink: &Sink) {
    let step = match used.place {
        Place::Prepare(step) => Some(step),
        _ => None,
    };
    if used.reference.root == Root::Item {
        let inside =
            step.and_then(|step| raw.prepare.get(step)).is_some_and(|step| step.value.each.is_some());
        if !inside {
            sink.report(Diagnostic::new(PREPARED, used.span, "there is no `item` here").help(
                "`item` is the element of a step with `each = payload.uploads`, or an item of the outcome's `each(..)`",
            ));
        }
        return;
    }
    let Some(name) = used.first() else { return };
    if matches!(used.place, Place::Base | Place::Auth | Place::Health | Place::Setting) {
        sink.report(
            Diagnostic::new(
                PREPARED,
                used.span,
                format!("`prepared.{name}` has no value here: it belongs to a job"),
            )
            .help("use `env.` and a field here, or a literal"),
        );
        return;
    }
    let before = raw.prepare.iter().take(step.unwrap_or(usize::MAX));
    let names: Vec<&str> = before
        .flat_map(|step| step.value.capture.iter().map(|capture| capture.name.value.as_str()))
        .collect();
    if names.contains(&name) {
        return;
    }
    let help = match emp_syntax::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `prepared.{near}`?"),
        None => format!(
            "add a step before: `#[prepare(post = \"/uploads\", raw(file(payload.file)), capture({name} = \"$.{name}\"))]`"
        ),
    };
    sink.report(
        Diagnostic::new(PREPARED, used.span, format!("no prepare step before captures `{name}`")).help(help),
    );
}
