//! `GET /api/jobs/{id}/files/{name}`: a file of a job's result, for clients that cannot reach the output store.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use emp_core::job::JobId;
use emp_outputs::{OpenError, StoredFile};
use serde_json::Value;

use crate::code::Code;
use crate::jobs::no_such_job;
use crate::problem::Refusal;
use crate::state::ApiState;

/// Gives a file as an attachment: what a service made is never a page of ours (I43).
pub(crate) async fn file(
    State(state): State<ApiState>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Path((id, name)) = path.map_err(|_| no_such_job())?;
    let id: JobId = id.parse().ok().filter(|job: &JobId| job.as_str() == id).ok_or_else(no_such_job)?;
    let job = state.store.get(&id).await?.ok_or_else(no_such_job)?;
    let (url, mime) = job.result.as_ref().and_then(|result| entry(result, &name)).ok_or_else(no_such_file)?;
    let Some(outputs) = &state.outputs else { return Err(no_such_file()) };
    let range = headers.get(header::RANGE).and_then(range);
    let whole = range.is_none();
    let found = outputs.open(&id, url, range).await.map_err(|error| match error {
        OpenError::Missing => no_such_file(),
        OpenError::Range => Refusal::new(Code::BadRange, "the range begins behind the end of the file"),
        OpenError::Unavailable(why) => Refusal::new(Code::StoreDown, why).retry_after(5),
    })?;
    Ok(answer(found, whole, &name, mime))
}

fn answer(file: StoredFile, whole: bool, name: &str, mime: &str) -> Response {
    let StoredFile { size, range, body } = file;
    let value = |text: String| HeaderValue::from_str(&text).ok();
    let sandbox = HeaderValue::from_static("sandbox; default-src 'none'");
    let named = [
        (header::CONTENT_TYPE, value(mime.to_owned())),
        (header::CONTENT_LENGTH, value((range.end - range.start).to_string())),
        (header::CONTENT_DISPOSITION, value(format!("attachment; filename=\"{name}\""))),
        (header::CONTENT_SECURITY_POLICY, Some(sandbox)),
        (header::ACCEPT_RANGES, Some(HeaderValue::from_static("bytes"))),
        (
            header::CONTENT_RANGE,
            value(format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))),
        ),
    ];
    let headers: HeaderMap = named
        .into_iter()
        .filter(|(header, _)| !whole || *header != header::CONTENT_RANGE)
        .filter_map(|(header, value)| Some((header, value?)))
        .collect();
    let status = if whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    (status, headers, Body::from_stream(body)).into_response()
}

/// Where a result says that a file of this name is, and of which type. The name is compared, never used as a path.
fn entry<'r>(result: &'r Value, name: &str) -> Option<(&'r str, &'r str)> {
    let files = result.get("files")?.as_array()?;
    let found = files.iter().find(|file| file.get("name").and_then(Value::as_str) == Some(name))?;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    Some((found.get("url")?.as_str()?, found.get("mime")?.as_str()?)).filter(|_| plain)
}

/// One range from a start, `bytes=10-19` or `bytes=10-`; any other is answered with the whole file, as the standard allows.
fn range(value: &HeaderValue) -> Option<Range<u64>> {
    let (start, end) = value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = start.parse().ok()?;
    let end = if end.is_empty() { u64::MAX } else { end.parse::<u64>().ok()?.checked_add(1)? };
    (start < end).then_some(start..end)
}

fn no_such_file() -> Refusal {
    Refusal::new(
        Code::NotFound,
        "the job's result names no such file in this server's output store; GET /api/jobs/{id}/result lists its files",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_range_is_one() {
        let of = |text: &str| range(&HeaderValue::from_str(text).unwrap());
        assert_eq!((of("bytes=0-"), of("bytes=10-19")), (Some(0..u64::MAX), Some(10..20)));
        for other in [
            "bytes=-5",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=1-2",
            "bytes=a-b",
            "bytes=1-18446744073709551615",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
