//! URLs that the service supplies: followed to declared origins only, with the credential to its own origin only.

use emp_core::spec::Follow;
use emp_core::{ErrorCode, JobError};
use url::{Host, Url};

use super::base::Base;

/// How far a URL is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The base's own origin: the credential goes along.
    Base,
    /// Another declared origin: no credential.
    Declared,
}

/// Checks a URL from an answer of the service (rule 2).
///
/// # Errors
/// `E_ORIGIN_REFUSED`; the URL itself is not in the error.
pub fn server_url(text: &str, base: &Base, follow: Follow) -> Result<(Url, Trust), JobError> {
    // The parser drops tabs and newlines and reads `\` as `/`: what a person would read must be what is parsed.
    if text.len() > super::MAX_URL
        || !text.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
        || text.contains('\\')
    {
        return Err(refused("the URL has characters that no URL has"));
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(refused("the URL is not an absolute http or https URL"));
    }
    let url = Url::parse(text).map_err(|_| refused("the URL cannot be read"))?;
    if !url.username().is_empty() || url.password().is_some() || text_has_userinfo(text) {
        return Err(refused("the URL has a user part"));
    }
    if url.fragment().is_some() {
        return Err(refused("the URL has a fragment"));
    }
    if same(&url, base.url()) {
        return Ok((url, Trust::Base));
    }
    let Follow::Hosts(patterns) = follow else {
        return Err(refused("the URL is not of the service's own origin"));
    };
    if url.scheme() != "https" && url.scheme() != base.url().scheme() {
        return Err(refused("the URL is http where the service is https"));
    }
    if patterns.iter().any(|pattern| place_matches(pattern, &url)) {
        Ok((url, Trust::Declared))
    } else {
        Err(refused("the URL's host is not a declared one"))
    }
}

/// The same scheme, host and port, as parsed.
pub(crate) fn same(left: &Url, right: &Url) -> bool {
    left.scheme() == right.scheme()
        && left.host() == right.host()
        && left.port_or_known_default() == right.port_or_known_default()
}

/// Whether a host is the pattern, or for `*.x.com` one or more labels below it.
pub(crate) fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .to_ascii_lowercase()
            .strip_suffix(&parent.to_ascii_lowercase())
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|labels| !labels.is_empty()),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// A pattern without a port means the scheme's own port.
fn place_matches(pattern: &str, url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else { return false };
    let (name, port) = match pattern.rsplit_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().ok()),
        None => (pattern, None),
    };
    url.port() == port && host_matches(name, host)
}

fn text_has_userinfo(text: &str) -> bool {
    text.split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next())
        .is_some_and(|authority| authority.contains('@'))
}

/// An origin is refused, and why.
pub(super) fn refused(why: &str) -> JobError {
    JobError::new(ErrorCode::EOriginRefused, format!("{why}; nothing was sent there"))
}
