//! What surrounds a poll: envelopes, further questions, lists, batches, progress beside a submit, and the clocks of a job.

use std::time::Duration;

use emp_syntax::selector::Source;
use proc_macro2::Span;

use super::{missing_key, protocol, value};
use crate::catalogue::derive::{MISSING_KEY, MODE, RANGE};
use crate::catalogue::polling::{BATCH_IDS, ETA, UNKNOWN_PROBE};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawBatchPoll, RawEnvelope, RawListed, RawPace, RawProbe, RawSideProgress, RawSpec};
use crate::spec::{BatchPoll, Envelope, Listed, Place, Probe, Setting, SideProgress, Spanned};

pub(super) fn envelope(given: Option<&Spanned<RawEnvelope>>, sink: &Sink) -> Option<Envelope> {
    let given = given?;
    let Some(ok) = &given.value.ok else {
        sink.report(missing_key("envelope", given.key, "`ok`", "ok = \"$.code\" == 0"));
        return None;
    };
    Some(Envelope { ok: ok.value.clone(), message: given.value.message.clone() })
}

pub(super) fn also(probes: &[RawProbe], sink: &Sink) -> Vec<Probe> {
    let probe = |probe: &RawProbe| {
        let request = protocol::request(&probe.request, "also", probe.name.span, "get(\"/queue\")", sink)?;
        Some(Probe { name: probe.name.clone(), request })
    };
    probes.iter().filter_map(probe).collect()
}

/// Every selector that reads a further answer names one that is asked for.
pub(super) fn probe_uses(raw: &RawSpec, sink: &Sink) {
    let polls = || raw.poll.iter().chain(&raw.polls);
    let probes = polls().flat_map(|poll| &poll.value.also);
    let names: Vec<&str> = probes.map(|probe| probe.name.value.as_str()).collect();
    for used in &raw.probe_uses {
        let name = used.name.value.as_str();
        if used.place != Place::Poll {
            sink.report(
                Diagnostic::new(
                    UNKNOWN_PROBE,
                    used.name.span,
                    format!("the answer to `{name}` is not there in this place"),
                )
                .help("read it in `#[states]`, or for the progress in `#[poll]`"),
            );
        } else if !names.contains(&name) {
            let help = match emp_syntax::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add it to `#[poll]`: `also({name} = get(\"/{name}\"))`"),
            };
            let what = format!("the poll asks for no `{name}`");
            sink.report(Diagnostic::new(UNKNOWN_PROBE, used.name.span, what).help(help));
        } else if let Some(poll) =
            polls().find(|poll| !poll.value.also.iter().any(|probe| probe.name.value == name))
        {
            // The states are those of every job: one whose poll never asks would wait for the answer for ever.
            sink.report(
                Diagnostic::new(UNKNOWN_PROBE, used.name.span, format!("not every poll asks for `{name}`"))
                    .help(format!("add `also({name} = ..)` to the other `#[poll]` too"))
                    .related(poll.key, "this one does not ask"),
            );
        }
    }
}

/// Both of `items` and `id`, or neither.
pub(super) fn listed(raw: &RawListed, attribute: &str, sink: &Sink) -> Option<Listed> {
    match (&raw.items, &raw.id) {
        (Some(items), Some(id)) => Some(Listed { items: items.value.clone(), id: id.value.clone() }),
        (Some(items), None) => {
            sink.report(missing_key(attribute, items.key, "`id` beside `items`", "id = \"$.id\""));
            None
        }
        (None, Some(id)) => {
            sink.report(missing_key(attribute, id.key, "`items` beside `id`", "items = \"$.jobs[*]\""));
            None
        }
        (None, None) => None,
    }
}

pub(super) fn batch_poll(raw: &RawSpec, sink: &Sink) -> Option<BatchPoll> {
    let given = raw.batch_poll.as_ref()?;
    let batch = &given.value;
    if raw.poll.is_none() {
        sink.report(
            Diagnostic::new(
                MODE,
                given.key,
                "a job that is not polled alone is not polled in a batch either",
            )
            .help("add `#[poll(get = \"/jobs/{job.id}\")]`: it is asked when a batch does not tell of a job"),
        );
    }
    let request = protocol::request(&batch.request, "batch_poll", given.key, "get = \"/jobs\"", sink)?;
    if request.method != "GET" && !raw.uses.iter().any(is_ids) {
        sink.report(Diagnostic::new(
            BATCH_IDS,
            given.key,
            "this batch does not say which jobs it asks after",
        ));
    }
    if batch.listed.items.is_none() && batch.listed.id.is_none() {
        sink.report(missing_key(
            "batch_poll",
            given.key,
            "`items` and `id`",
            "items = \"$.jobs[*]\", id = \"$.id\"",
        ));
    }
    counts(batch, sink);
    Some(BatchPoll {
        request,
        listed: listed(&batch.listed, "batch_poll", sink)?,
        next: batch.next.clone(),
        pages: value(batch.pages.as_ref()).unwrap_or(5),
        most: value(batch.most.as_ref()).unwrap_or(100),
        worth_it_above: value(batch.worth_it_above.as_ref()).unwrap_or(20),
        every: value(batch.every.as_ref()).unwrap_or(Duration::from_secs(2)),
        complete: batch.complete,
    })
}

fn is_ids(used: &crate::spec::Use) -> bool {
    used.place == Place::Batch
        && used.reference.root == emp_syntax::hole::Root::Queue
        && used.first() == Some("ids")
}

fn counts(batch: &RawBatchPoll, sink: &Sink) {
    let least = |span: Span, name: &str, example: &str| {
        let what = format!("`{name}` is more than nothing");
        sink.report(Diagnostic::new(RANGE, span, what).help(format!("write `{example}`")));
    };
    if let Some(pages) = batch.pages.as_ref().filter(|pages| pages.value == 0) {
        least(pages.span, "pages", "pages = 5");
    }
    if let Some(most) = batch.most.as_ref().filter(|most| most.value == 0) {
        least(most.span, "most", "most = 100");
    }
    if let Some(every) = batch.every.as_ref().filter(|every| every.value.is_zero()) {
        least(every.span, "every", "every = \"2s\"");
    }
}

pub(super) fn side_progress(raw: &RawSpec, sync: bool, sink: &Sink) -> Option<SideProgress> {
    let given = raw.side_progress.as_ref()?;
    let side: &RawSideProgress = &given.value;
    if !sync {
        sink.report(
            Diagnostic::new(MODE, given.key, "a job that is polled tells its progress by its polls")
                .help("write `progress = ..` in `#[poll]`; `side_progress` goes with `mode = sync`"),
        );
    }
    if [&side.progress, &side.progress_text, &side.eta, &side.preview]
        .iter()
        .all(|selectors| selectors.is_empty())
    {
        let example = "progress = \"$.progress\" | fraction";
        sink.report(missing_key("side_progress", given.key, "something to read", example));
    }
    Some(SideProgress {
        request: protocol::request(&side.request, "side_progress", given.key, "get = \"/progress\"", sink)?,
        progress: side.progress.clone(),
        progress_text: side.progress_text.clone(),
        eta: side.eta.clone(),
        preview: side.preview.clone(),
        every: value(side.every.as_ref()).unwrap_or(Duration::from_secs(1)),
    })
}

/// The deadline of the whole: as written, else the sum of the phases' where both are written.
pub(super) fn deadline(raw: &RawPace, sink: &Sink) -> Option<Setting<Duration>> {
    let phases = [raw.queued.as_ref(), raw.running.as_ref()];
    let fixed = |given: Option<&Spanned<Setting<Duration>>>| match given?.value {
        Setting::Fixed(duration) => Some(duration),
        Setting::Env(_) => None,
    };
    if let Some(total) = &raw.deadline {
        let longer = |phase: &&&Spanned<Setting<Duration>>| {
            fixed(Some(phase)).zip(fixed(Some(total))).is_some_and(|(phase, total)| phase > total)
        };
        if let Some(phase) = phases.iter().flatten().find(longer) {
            sink.report(
                Diagnostic::new(RANGE, phase.span, "this phase may take longer than the whole job")
                    .help("make `total` at least as long as each of the phases")
                    .related(total.span, "the whole is here"),
            );
        }
        return Some(total.value.clone());
    }
    let first = phases.into_iter().flatten().next()?;
    let [queued, running] = phases.map(fixed);
    let sum = queued.zip(running).map(|(queued, running)| Setting::Fixed(queued + running));
    if sum.is_none() {
        sink.report(
            Diagnostic::new(MISSING_KEY, first.key, "the whole of this deadline is not known")
                .help("add `total = \"1h\"`"),
        );
    }
    sum
}

/// What is expected of a job is known before it is polled: no part of an answer.
pub(super) fn eta(raw: &RawPace, sink: &Sink) -> Vec<emp_syntax::selector::Selector> {
    let Some(given) = &raw.eta else { return Vec::new() };
    if given.value.iter().any(|selector| !matches!(selector.source, Source::Reference(_))) {
        sink.report(Diagnostic::new(ETA, given.span, "what a poll answers is not known before it"));
    }
    given.value.clone()
}
