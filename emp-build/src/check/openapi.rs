//! Declarations against the services' own descriptions: `#[openapi]`.
//!
//! Each check asks the slice, and says only what the slice is certain of: where it is silent, so is the check.

mod case;
mod operations;
mod request;
mod selectors;
mod states;

use std::collections::BTreeMap;

use emp_openapi::Slice;

use self::case::Case;
use crate::codes;
use crate::connector::{Connector, Sources};
use crate::finding::Finding;
use crate::inputs::Document;
use crate::source::SourceText;

/// The slices of a tree, by file name; read when a connector asks for one.
pub(super) struct Slices<'a> {
    files: BTreeMap<&'a str, &'a Document>,
}

impl<'a> Slices<'a> {
    pub(super) fn new(documents: &'a [Document]) -> Self {
        let name = |document: &'a Document| document.name.rsplit('/').next().unwrap_or_default();
        Self { files: documents.iter().map(|document| (name(document), document)).collect() }
    }

    fn read(&self, file: &str) -> Result<Slice, Unusable<'a>> {
        let document = *self.files.get(file).ok_or_else(|| {
            let near = emp_syntax::nearest(file, self.files.keys().copied());
            Unusable { problem: "does not exist".to_owned(), near }
        })?;
        let unusable = |problem| Unusable { problem, near: None };
        let text = document.text.as_ref().map_err(|problem| unusable(problem.clone()))?;
        Slice::parse(SourceText::text(text)).map_err(|error| unusable(error.to_string()))
    }
}

/// Why there is no slice.
struct Unusable<'a> {
    problem: String,
    near: Option<&'a str>,
}

/// All connectors that name a slice.
pub(super) fn check(sources: &Sources, documents: &[Document]) -> Vec<Finding> {
    let slices = Slices::new(documents);
    sources.connectors.iter().flat_map(|connector| one(connector, &slices)).collect()
}

fn one(connector: &Connector, slices: &Slices<'_>) -> Vec<Finding> {
    let Some(declaration) = &connector.declaration else { return Vec::new() };
    let spec = &declaration.spec;
    let (Some(given), Some(http)) = (&spec.openapi, &spec.http) else { return Vec::new() };
    let slice = match slices.read(&given.file.value) {
        Ok(slice) => slice,
        Err(unusable) => return vec![no_slice(connector, &given.file, &unusable)],
    };
    let case = Case::new(connector, declaration, http, given, &slice);
    let operations = operations::find(&case);
    states::check(&case, &operations);
    selectors::check(&case, &operations);
    request::check(&case, &operations);
    case.into_findings()
}

fn no_slice(connector: &Connector, file: &emp_codegen::Spanned<String>, unusable: &Unusable<'_>) -> Finding {
    let name = &file.value;
    let message = format!("the slice `schemas/openapi/{name}` {}", unusable.problem);
    let finding = Finding::error(codes::SLICE, &connector.source, file.span.byte_range(), message);
    match unusable.near {
        Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("file = \"{near}\"")),
        None => finding.help(format!(
            "emp openapi slice --spec FILE --operation ID --out schemas/openapi/{name}    with the vendor's file"
        )),
    }
}
