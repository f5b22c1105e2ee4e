//! Text of a stream, kept within bounds: what is old is put together, and of a long text the end is kept.

use emp_core::Timestamp;
use emp_core::job::{Delta, Event, Job};

use super::{Pen, Step, standing};

/// Most events with text that a job has. More of them become one.
const MOST: usize = 64;

/// Notes text that a job's stream has brought.
pub(super) fn tell(job: &mut Job, delta: Delta, at: Timestamp) -> Step {
    let answer = standing(job);
    let mut bounded = Delta { start: delta.start, text: String::new() };
    bounded.push(&Delta { start: false, text: delta.text });
    let mut pen = Pen::new(job, at);
    pen.note_delta(bounded);
    pen.done(answer)
}

/// Whether so many events with so many bytes of text are more than a job may have.
pub fn crowded(events: usize, bytes: usize) -> bool {
    events > MOST || (events > 1 && bytes > 2 * Delta::KEPT)
}

/// The events with text of one job, oldest first, as one event: the newest, with all the text that is kept.
///
/// It says that it is the text from the beginning. A reader who has not seen the newest replaces what it has and is right.
pub fn compact(events: &[Event]) -> Option<Event> {
    let newest = events.last()?;
    let mut whole = Delta::default();
    for delta in events.iter().filter_map(|event| event.delta.as_ref()) {
        whole.push(delta);
    }
    whole.start = true;
    Some(Event { delta: Some(whole), ..newest.clone() })
}
