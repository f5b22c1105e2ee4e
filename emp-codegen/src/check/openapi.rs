//! `#[openapi]`: the part that needs no file.

use super::missing_key;
use crate::catalogue::derive::VALUE;
use crate::diag::{Diagnostic, Sink};
use crate::raw::RawOpenApi;
use crate::spec::{OpenApi, Spanned};

pub(super) fn openapi(raw: Option<&Spanned<RawOpenApi>>, sink: &Sink) -> Option<OpenApi> {
    let Spanned { value: raw, key, .. } = raw?;
    let Some(file) = &raw.file else {
        sink.report(missing_key("openapi", *key, "a file", "file = \"example.json\""));
        return None;
    };
    if file.value.contains(['/', '\\']) || file.value.strip_suffix(".json").is_none_or(str::is_empty) {
        sink.report(
            Diagnostic::new(VALUE, file.span, format!("\"{}\" is not the name of a slice", file.value))
                .help("write the name of a file in `schemas/openapi/`: `file = \"example.json\"`"),
        );
    }
    Some(OpenApi {
        file: file.clone(),
        submit: raw.submit.clone(),
        poll: raw.poll.clone(),
        cancel: raw.cancel.clone(),
        open: raw.open.clone(),
        allow: raw.allow.clone(),
        strict: raw.strict,
    })
}
