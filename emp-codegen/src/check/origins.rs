//! `#[origins]`: what is followed and fetched.

use super::value;
use crate::catalogue::life::DOWNLOAD_AUTH;
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawOrigins;
use crate::spec::{Download, Follow, Spanned};

pub(super) fn follow(given: Option<&Spanned<RawOrigins>>) -> Follow {
    given.and_then(|given| value(given.value.follow.as_ref())).unwrap_or(Follow::SelfOnly)
}

pub(super) fn download(given: Option<&Spanned<RawOrigins>>, sink: &Sink) -> Download {
    let Some(raw) = given.map(|given| &given.value) else { return Download::default() };
    if let (Some(auth), None) = (&raw.same_auth, &raw.download) {
        sink.report(
            Diagnostic::new(
                DOWNLOAD_AUTH,
                auth.key,
                "`download_auth` is about the hosts of `download`, and there are none",
            )
            .help("add `download = [\"files.example.com\"]`, or remove `download_auth`"),
        );
    }
    Download {
        hosts: value(raw.download.as_ref()).unwrap_or_default(),
        same_auth: value(raw.same_auth.as_ref()).unwrap_or(false),
    }
}
