//! One connector beside its slice: places, waivers, findings.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use emp_codegen::spec::{Http, OpenApi};
use emp_openapi::Slice;
use emp_syntax::jsonpath::JsonPath;

use crate::check::names::quoted;
use crate::codes;
use crate::connector::Connector;
use crate::declaration::Declaration;
use crate::finding::Finding;
use crate::texts::Spot;

/// A connector that names a slice.
pub(super) struct Case<'a> {
    pub(super) connector: &'a Connector,
    pub(super) declaration: &'a Declaration,
    pub(super) http: &'a Http,
    pub(super) given: &'a OpenApi,
    pub(super) slice: &'a Slice,
    /// The waivers that kept something from being said.
    needed: RefCell<BTreeSet<&'a str>>,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        connector: &'a Connector,
        declaration: &'a Declaration,
        http: &'a Http,
        given: &'a OpenApi,
        slice: &'a Slice,
    ) -> Self {
        let (needed, findings) = (RefCell::default(), RefCell::default());
        Self { connector, declaration, http, given, slice, needed, findings }
    }

    /// What was found, and the waivers that nothing needed.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let needed = self.needed.borrow();
        for waiver in self.given.open.iter().chain(&self.given.allow) {
            if !needed.contains(waiver.value.as_str()) {
                let message = format!("the waiver {} is not needed", quoted(&waiver.value));
                self.say(
                    self.at(codes::LOOK, waiver.span.byte_range(), message)
                        .label("nothing is waived by it")
                        .help("take it out")
                        .warning(),
                );
            }
        }
        drop(needed);
        self.findings.into_inner()
    }

    /// Reports, unless the same was said of the same place already.
    pub(super) fn say(&self, finding: Finding) {
        let mut findings = self.findings.borrow_mut();
        let same = |said: &Finding| {
            (said.code, said.line, said.column, &said.message)
                == (finding.code, finding.line, finding.column, &finding.message)
        };
        if !findings.iter().any(same) {
            findings.push(finding);
        }
    }

    /// An error at bytes of the connector's source.
    pub(super) fn at(&self, code: &'static str, span: Range<usize>, message: String) -> Finding {
        Finding::error(code, &self.connector.source, span, message)
    }

    /// An error at a literal of a spot, else at one elsewhere (an answer may be read in another attribute); at the attribute's name
    /// when there is none such.
    pub(super) fn at_text(
        &self,
        code: &'static str,
        spot: Spot,
        message: String,
        wanted: impl Fn(&str) -> bool,
    ) -> Finding {
        let texts = &self.declaration.texts;
        let span = texts.literal(spot, &wanted).or_else(|| texts.anywhere(&wanted));
        let span = span.or_else(|| texts.attribute(spot));
        self.at(code, span.unwrap_or_else(|| self.connector.span.clone()), message)
    }

    /// An error at a path of a spot.
    pub(super) fn at_path(
        &self,
        code: &'static str,
        spot: Spot,
        path: &JsonPath,
        message: String,
    ) -> Finding {
        self.at_text(code, spot, message, |text| is_path(text, path))
    }

    /// Whether the declaration knows something better than the description.
    pub(super) fn allows(&self, text: &str) -> bool {
        self.waived(self.given.allow.iter().find(|allowed| allowed.value == text))
    }

    /// Whether a path is not to be asked for.
    pub(super) fn waives(&self, path: &JsonPath) -> bool {
        let below = |prefix: &str| {
            JsonPath::parse(prefix).is_ok_and(|prefix| path.segments.starts_with(&prefix.segments))
        };
        let open = self.given.open.iter().find(|open| below(&open.value));
        let allowed = self.given.allow.iter().find(|allowed| is_path(&allowed.value, path));
        self.waived(open) || self.waived(allowed)
    }

    fn waived(&self, waiver: Option<&'a emp_codegen::Spanned<String>>) -> bool {
        self.needed.borrow_mut().extend(waiver.map(|waiver| waiver.value.as_str()));
        waiver.is_some()
    }
}

fn is_path(text: &str, path: &JsonPath) -> bool {
    text.starts_with('$') && JsonPath::parse(text).is_ok_and(|found| found == *path)
}
