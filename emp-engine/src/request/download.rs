//! The request that fetches a file of a result.

use emp_core::JobError;
use emp_core::spec::HttpProtocol;
use http::Method;

use super::origin::{Origins, server_url};
use super::{Base, OutboundRequest};

/// A GET of a URL that an answer gives for a file of the result: at the base's own origin with the credential, at a followed origin
/// without it, and at a declared host of downloads as `download_auth` says. A redirect on the way passes the same check when the
/// gateway's target has [`Origins::of_downloads`].
///
/// # Errors
/// `E_ORIGIN_REFUSED` for every other place; the URL itself is not in the error.
pub fn download(http: &HttpProtocol, base: &Base, url: &str) -> Result<OutboundRequest, JobError> {
    let (url, trust) = server_url(url, base, Origins::of_downloads(http))?;
    Ok(OutboundRequest {
        method: Method::GET,
        url,
        trust,
        headers: Vec::new(),
        body: None,
        timeout: None,
        hold: None,
        submit: false,
    })
}
