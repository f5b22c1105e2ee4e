//! URLs that the service supplies: followed to declared origins only, with the credential to its own origin only, and to those of
//! downloads that the declaration gives it to.

use emp_core::spec::{Download, DownloadAuth, Follow, HttpProtocol};
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
    /// A declared origin of downloads that gets the API's credential (`download_auth = same_as_api`).
    Download,
}

impl Trust {
    /// Whether the credential goes along.
    pub fn credential(self) -> bool {
        matches!(self, Self::Base | Self::Download)
    }
}

/// The origins that a request may go to: those of every request, and for a download those of results too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origins {
    follow: Follow,
    download: Option<Download>,
}

impl Origins {
    /// For downloading a result: what is followed, and the declared hosts of downloads.
    pub fn of_downloads(http: &HttpProtocol) -> Self {
        Self { follow: http.follow, download: Some(http.download) }
    }
}

impl From<Follow> for Origins {
    /// For everything but a download.
    fn from(follow: Follow) -> Self {
        Self { follow, download: None }
    }
}

/// Checks a URL from an answer of the service (rule 2), and says how far it is trusted. A URL that is to be rebased comes back so.
///
/// # Errors
/// `E_ORIGIN_REFUSED`; the URL itself is not in the error.
pub fn server_url(text: &str, base: &Base, origins: impl Into<Origins>) -> Result<(Url, Trust), JobError> {
    let Origins { follow, download } = origins.into();
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
    let among = |patterns: &[&str]| patterns.iter().any(|pattern| place_matches(pattern, &url));
    let downgrade = url.scheme() != "https" && url.scheme() != base.url().scheme();
    // A declared host of downloads is where it says that it is, rebased or not.
    let file = download.filter(|download| !downgrade && among(download.hosts));
    match (file, follow) {
        (Some(Download { auth: DownloadAuth::SameAsApi, .. }), _) => Ok((url, Trust::Download)),
        (Some(_), _) => Ok((url, Trust::Declared)),
        (None, Follow::Rebase) => Ok((rebased(&url, base)?, Trust::Base)),
        (None, Follow::Hosts(_)) if downgrade => Err(refused("the URL is http where the service is https")),
        (None, Follow::Hosts(patterns)) if among(patterns) => Ok((url, Trust::Declared)),
        (None, Follow::SelfOnly) if download.is_none_or(|download| download.hosts.is_empty()) => {
            Err(refused("the URL is not of the service's own origin"))
        }
        _ => Err(refused("the URL's host is not a declared one")),
    }
}

/// The same path and query at the base's scheme, host and port.
fn rebased(url: &Url, base: &Base) -> Result<Url, JobError> {
    let mut own = base.url().clone();
    own.set_path(url.path());
    own.set_query(url.query());
    // It was parsed already: what stands in the path now is what stood there.
    if own.path() != url.path() || !same(&own, base.url()) {
        return Err(refused("the URL's path does not keep its shape at the base"));
    }
    Ok(own)
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
