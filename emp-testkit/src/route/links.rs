//! The paths that only the fake has: those of the URLs in its answers.

use emp_core::spec::HttpProtocol;
use emp_core::syntax::hole::{Reference, Root, Step as PathStep};
use percent_encoding::percent_decode_str;

use super::{Holes, Route, Seen};
use crate::fault::Step;

/// The path at which the fake serves a captured URL of a job.
pub(crate) fn captured_url_path(name: &str, id: &str) -> String {
    // An id that is cut out of the URL is the id itself.
    const SEGMENT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_');
    format!("/__fake/url/{name}/{}", percent_encoding::utf8_percent_encode(id, SEGMENT))
}

pub(super) fn captured_url_parts(path: &str) -> Option<(&str, String)> {
    let (name, id) = path.strip_prefix("/__fake/url/")?.split_once('/')?;
    Some((name, percent_decode_str(id).decode_utf8_lossy().into_owned()))
}

/// The path at which the fake serves a file of a job, as long as its links have changed so often.
pub(crate) fn file_path(id: &str, links: u32, number: usize) -> String {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    format!("/__fake/file/{id}/{links}/{number}.bin")
}

/// The path of the answer to which another one leads.
pub(crate) fn part_path(id: &str) -> String {
    format!("/__fake/part/{}", percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC))
}

/// The request for that answer, whose only hole is the job's id.
pub(crate) fn part(seen: &Seen) -> Option<Holes> {
    let id = percent_decode_str(seen.path.strip_prefix("/__fake/part/")?).decode_utf8_lossy().into_owned();
    Some(Holes(vec![(job_reference("id"), id.into())]))
}

/// The request for a file, whose only hole is the job's id.
pub(crate) fn file(seen: &Seen) -> Option<Holes> {
    let (id, _) = seen.path.strip_prefix("/__fake/file/")?.split_once('/')?;
    let id = percent_decode_str(id).decode_utf8_lossy().into_owned();
    Some(Holes(vec![(job_reference("id"), id.into())]))
}

/// The name in `job.<name>`.
pub(super) fn captured_name(reference: &Reference) -> Option<&str> {
    match reference.path.first()? {
        PathStep::Name(name) => Some(name),
        PathStep::Index(_) => None,
    }
}

pub(super) fn job_reference(name: &'static str) -> Reference {
    Reference { root: Root::Job, path: vec![PathStep::Name(name.into())].into() }
}

/// The path of a further page of a batch.
pub(crate) fn page_path(page: usize) -> String {
    format!("/__fake/url/page/{page}")
}

/// A further page of a batch.
pub(super) fn page<'h>(http: &'h HttpProtocol, seen: &Seen) -> Option<(Route<'h>, Holes)> {
    let request = &http.batch_poll.as_ref()?.request;
    let (_, page) = captured_url_parts(&seen.path).filter(|(name, _)| *name == "page")?;
    let reference = Reference { root: Root::Item, path: vec![PathStep::Name("page".into())].into() };
    let holes = Holes(vec![(reference, page.into())]);
    Some((Route { step: Step::Batch, operation: None, request }, holes))
}
