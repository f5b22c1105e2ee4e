//! Declarations against the services' own descriptions: `#[openapi]`.
//!
//! Each check asks the slice, and says only what the slice is certain of: where it is silent, so is the check.

mod body;
mod case;
mod credential;
mod looks;
mod operations;
mod request;
mod selectors;
mod states;
mod steps;
mod uses;

use std::collections::BTreeMap;

use emp_codegen::spec::{Http, OpenApi};
use emp_openapi::Slice;

use self::case::Case;
pub(crate) use self::uses::Used;
use crate::codes;
use crate::connector::{Connector, Sources};
use crate::declaration::Declaration;
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
    let described = sources.connectors.iter().filter_map(Subject::of);
    described
        .flat_map(|subject| match slices.read(&subject.given.file.value) {
            Ok(slice) => {
                let case = subject.case(&slice);
                let operations = operations::find(&case);
                states::check(&case, &operations);
                selectors::check(&case, &operations);
                request::check(&case, &operations);
                case.into_findings()
            }
            Err(unusable) => vec![no_slice(subject.connector, &subject.given.file, &unusable)],
        })
        .collect()
}

/// The connectors that name a slice, with what of it each relies on.
pub(crate) fn uses<'a>(
    sources: &'a Sources,
    documents: &[Document],
) -> Vec<(&'a Connector, &'a str, Vec<Used>)> {
    let slices = Slices::new(documents);
    let described = sources.connectors.iter().filter_map(Subject::of);
    described
        .filter_map(|subject| {
            let slice = slices.read(&subject.given.file.value).ok()?;
            let case = subject.case(&slice);
            let used = uses::of(&case, &operations::find(&case));
            Some((subject.connector, subject.given.file.value.as_str(), used))
        })
        .collect()
}

/// A connector that names a slice.
struct Subject<'a> {
    connector: &'a Connector,
    declaration: &'a Declaration,
    given: &'a OpenApi,
    http: &'a Http,
}

impl<'a> Subject<'a> {
    fn of(connector: &'a Connector) -> Option<Self> {
        let declaration = connector.declaration.as_ref()?;
        let (given, http) = (declaration.spec.openapi.as_ref()?, declaration.spec.http.as_ref()?);
        Some(Self { connector, declaration, given, http })
    }

    fn case<'s>(&self, slice: &'s Slice) -> Case<'s>
    where
        'a: 's,
    {
        Case::new(self.connector, self.declaration, self.http, self.given, slice)
    }
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
