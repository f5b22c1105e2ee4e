//! `EMP0156` to `EMP0163`: credentials, origins, cancel, cleanup and webhooks.

use super::{Code, Entry};

/// The credential of downloads is about declared hosts.
pub const DOWNLOAD_AUTH: Code = Code::new("EMP0156");

/// The entries, in the order of their codes.
pub const ENTRIES: &[Entry] = &[Entry {
    code: DOWNLOAD_AUTH,
    title: "the credential of downloads is about declared hosts",
    why: "a download from the base's own origin has the credential anyway, and no other host is fetched from unless it is declared",
    help: "name the hosts in `download`, or remove `download_auth`",
    example: "#[origins(download = [\"files.example.com\"], download_auth = same_as_api)]",
}];
