//! From where results are fetched, and whether the credential goes there.

/// Where the files of a result may lie, beside the base's own origin.
///
/// A download from the base's own origin is a request like any other: it has the credential. Other hosts are followed only when they are
/// named here, and get the credential only when [`auth`](Self::auth) says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    /// These hosts; `*.x.com` matches one or more labels.
    pub hosts: &'static [&'static str],
    /// What they get of the credential.
    pub auth: DownloadAuth,
}

impl Download {
    /// What a connector that says nothing gets: files at the base's own origin, and nowhere else.
    pub const DEFAULT: Self = Self { hosts: &[], auth: DownloadAuth::None };
}

/// Whether the hosts of downloads get the API's credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadAuth {
    /// They do not: signed URLs need none.
    None,
    /// They do, since the service asks for it there too.
    SameAsApi,
}
