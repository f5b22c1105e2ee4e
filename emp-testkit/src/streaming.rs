//! Answers event by event: the declared stream, read backwards.

use std::time::Duration;

use emp_core::spec::{ConnectorSpec, HttpProtocol, Stream, StreamFormat};
use emp_core::syntax::hole::Literal;
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::jsonpath::{PathSelector, Segment};
use emp_core::syntax::rule::StateVerdict;
use emp_core::syntax::selector::{Selector, Source};
use serde_json::{Value, json};

use crate::answer::{self, TEXT};
use crate::draft::Draft;
use crate::fault::Trouble;
use crate::job::{Durations, Ending, VirtualJob};
use crate::place::{literal_value, place};
use crate::route::Seen;

/// An answer event by event.
#[derive(Debug)]
pub(crate) struct Streaming {
    pub(crate) content_type: &'static str,
    /// The bytes of each event.
    pub(crate) frames: Vec<String>,
    /// Before each of them.
    pub(crate) gap: Duration,
    /// What comes behind the last of them.
    pub(crate) close: Close,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Close {
    /// Well-formed.
    End,
    /// The connection closes in the middle.
    Cut,
    /// Not at all: nothing more comes.
    Never,
}

/// The stream of a submit, when it asks for one and no trouble spoils all of the answer.
pub(crate) fn of_submit(
    spec: &ConnectorSpec,
    http: &HttpProtocol,
    job: &VirtualJob,
    durations: Durations,
    seen: &Seen,
    trouble: Option<&Trouble>,
) -> Option<Streaming> {
    let stream = http.stream.as_ref().filter(|stream| stream.format.of_submit() && asks(stream, seen))?;
    let close = match trouble {
        None | Some(Trouble::JobFails(_) | Trouble::JobCancelled) => None,
        Some(Trouble::JobNeverEnds) => Some(Close::Never),
        Some(Trouble::CutBody) => Some(Close::Cut),
        Some(Trouble::EndsEarly) => Some(Close::End),
        Some(_) => return None,
    };
    let close = close.or((job.ending == Ending::Never).then_some(Close::Never));
    let mut events = events(spec, http, stream, job);
    if close.is_some() {
        events.truncate(events.len() / 2);
    }
    let (content_type, frame): (_, fn(String) -> String) = match stream.format {
        StreamFormat::Sse => ("text/event-stream", |event| format!("data: {event}\n\n")),
        _ => ("application/x-ndjson", |event| format!("{event}\n")),
    };
    let gap = (durations.queued + durations.running) / u32::try_from(events.len().max(1)).unwrap_or(1);
    let frames = events.into_iter().map(frame).collect();
    Some(Streaming { content_type, frames, gap, close: close.unwrap_or(Close::End) })
}

/// Whether the request has the members by which a stream is asked for.
fn asks(stream: &Stream, seen: &Seen) -> bool {
    let Some(Json::Object(members)) = &stream.body else { return true };
    members.iter().all(|member| match member {
        Member::Field { name, value: Json::Literal(wanted @ Literal::Bool(_)) } => {
            seen.json.as_ref().and_then(|json| json.get(name.as_ref())) == Some(&literal_value(wanted))
        }
        _ => true,
    })
}

fn events(spec: &ConnectorSpec, http: &HttpProtocol, stream: &Stream, job: &VirtualJob) -> Vec<String> {
    let mut events: Vec<String> = TEXT
        .split_inclusive(' ')
        .map(|word| {
            let mut event = Draft::new(200);
            event.put_first(stream.delta, &word.into());
            event.text()
        })
        .collect();
    let mut last = Draft { body: json!({}), ..Draft::new(200) };
    match job.ending {
        Ending::Succeeds | Ending::Never => {
            last.express(&http.states, &StateVerdict::Succeeded);
            if let Some(done) = &stream.done {
                last.satisfy(done);
            }
            answer::outcome(spec, http, job, &mut last);
            events.push(last.text());
            events.extend(stream.end.map(str::to_owned));
        }
        Ending::Fails(kind) => {
            events.truncate(2);
            last.express(&http.states, &StateVerdict::Failed { kind, message: None });
            last.put_first(stream.error, &"the fake service was told to fail this job".into());
            events.push(last.text());
        }
        Ending::Cancelled => {
            events.truncate(2);
            last.express(&http.states, &StateVerdict::Canceled);
            events.push(last.text());
        }
    }
    events
}

/// The answer of a chunk route with what is new: as many words as the job has come far, from a number on.
pub(crate) fn chunks(items: &Selector, fraction: f64, from: usize) -> (Draft, usize) {
    let words: Vec<&str> = TEXT.split_inclusive(' ').collect();
    let until = ((fraction * words.len() as f64).floor() as usize).clamp(from, words.len());
    let mut draft = Draft { body: json!({}), ..Draft::new(200) };
    if let Source::Path(path) = &items.source {
        let wildcard = |segment: &Segment| matches!(segment, Segment::Child(step) if matches!(step.first(), Some(PathSelector::Wildcard)));
        let list = path.segments.iter().position(wildcard).unwrap_or(path.segments.len());
        let (before, after) = path.segments.split_at(list);
        let new: Vec<Value> = words[from..until]
            .iter()
            .map(|word| {
                let mut item = Value::Null;
                place(&mut item, after.get(1..).unwrap_or_default(), (*word).into());
                item
            })
            .collect();
        place(&mut draft.body, before, new.into());
    }
    (draft, until)
}
