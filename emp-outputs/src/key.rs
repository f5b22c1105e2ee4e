//! The keys of files as this store finds them again: `<job>/<attempt>/<name>`, which [`FileKey`](emp_engine::outputs::FileKey) writes.

use emp_core::job::JobId;

/// The job that a directory at the top of the store is of.
pub(crate) fn job(part: &str) -> Option<JobId> {
    part.parse().ok().filter(|job: &JobId| job.as_str() == part)
}

/// Whether a directory in a job's is of one of its attempts.
pub(crate) fn is_attempt(part: &str) -> bool {
    part.parse::<u32>().is_ok()
}

/// Whether it may be a file's name.
pub(crate) fn is_name(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !part.starts_with('.') && !part.is_empty() && part.bytes().all(plain)
}

/// Whether it may be the name of what a directory holds of a file that is being written: the store's own names have a `#`, and ours have none.
pub(crate) fn is_staged(part: &str) -> bool {
    part.split_once('#').is_some_and(|(name, number)| is_name(name) && is_name(number))
}

/// The job that a whole key is of.
pub(crate) fn owner<'k>(mut parts: impl Iterator<Item = &'k str>) -> Option<JobId> {
    let job = parts.next().and_then(job)?;
    let file = parts.next().is_some_and(is_attempt) && parts.next().is_some_and(is_name);
    (file && parts.next().is_none()).then_some(job)
}
