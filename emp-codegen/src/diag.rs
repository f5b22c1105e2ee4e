//! Errors: collected in a tree of sinks, so that a phase knows whether *its* part is sound, and printed in source order.

use std::cell::RefCell;
use std::rc::Rc;

use proc_macro2::{Span, TokenStream};

use crate::catalogue::{self, Code};

/// One mistake: what, where, why, and one fix.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The stable code; its catalogue entry says why.
    pub code: Code,
    /// Where the mistake is.
    pub span: Span,
    /// What is wrong, as a lower-case phrase.
    pub message: String,
    /// The fix for this very place; the catalogue's general one when absent.
    pub help: Option<String>,
    /// Another place that matters, such as the first of two, with what is there.
    pub related: Option<(Span, String)>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None, related: None }
    }

    /// The fix for this very place, ready to paste.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related = Some((span, message.into()));
        self
    }

    /// The whole text: what, why, the fix, and where to read more.
    pub fn text(&self) -> String {
        let code = self.code;
        let entry = catalogue::find(code.as_str());
        let why = entry.map(|entry| format!("\nwhy: {}", entry.why)).unwrap_or_default();
        let help = self.help.as_deref().or(entry.map(|entry| entry.help));
        let help = help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        format!("{code}: {}\n{why}{help}\nmore: emp explain {code}", self.message)
    }

    fn to_compile_error(&self) -> TokenStream {
        let mut tokens = syn::Error::new(self.span, self.text()).to_compile_error();
        if let Some((span, message)) = &self.related {
            tokens.extend(syn::Error::new(*span, format!("{}: {message}", self.code)).to_compile_error());
        }
        tokens
    }
}

/// Collects the mistakes of one part of a declaration.
///
/// A root sink must be drained with [`into_diagnostics`](Self::into_diagnostics) or
/// [`into_compile_errors`](Self::into_compile_errors): a mistake that nobody prints is a bug, and a debug build says so.
#[derive(Debug)]
pub struct Sink {
    node: Rc<RefCell<Node>>,
    root: bool,
}

#[derive(Debug, Default)]
struct Node {
    entries: Vec<Branch>,
}

#[derive(Debug)]
enum Branch {
    Leaf(Diagnostic),
    Scope(Rc<RefCell<Node>>),
}

impl Node {
    fn has_errors(&self) -> bool {
        self.entries.iter().any(|entry| match entry {
            Branch::Leaf(_) => true,
            Branch::Scope(node) => node.borrow().has_errors(),
        })
    }

    fn drain(&mut self, into: &mut Vec<Diagnostic>) {
        for entry in self.entries.drain(..) {
            match entry {
                Branch::Leaf(diagnostic) => into.push(diagnostic),
                Branch::Scope(node) => node.borrow_mut().drain(into),
            }
        }
    }
}

impl Default for Sink {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink {
    /// A root sink without mistakes.
    pub fn new() -> Self {
        Self { node: Rc::default(), root: true }
    }

    /// A sink for a part: its mistakes count here too, and stand where the scope was opened.
    #[must_use]
    pub fn scope(&self) -> Self {
        let node = Rc::<RefCell<Node>>::default();
        self.node.borrow_mut().entries.push(Branch::Scope(Rc::clone(&node)));
        Self { node, root: false }
    }

    /// Takes a mistake.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.node.borrow_mut().entries.push(Branch::Leaf(diagnostic));
    }

    /// Takes the mistake of a result and gives its value.
    pub fn take<T>(&self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.report(diagnostic)).ok()
    }

    /// Whether this sink or a scope of it has a mistake.
    pub fn has_errors(&self) -> bool {
        self.node.borrow().has_errors()
    }

    /// All mistakes, in the order of the declaration's parts.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        self.node.borrow_mut().drain(&mut diagnostics);
        diagnostics
    }

    /// All mistakes as `compile_error!` calls at their places.
    pub fn into_compile_errors(self) -> TokenStream {
        self.into_diagnostics().iter().map(Diagnostic::to_compile_error).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        debug_assert!(
            !self.root || std::thread::panicking() || !self.has_errors(),
            "a sink with errors was dropped without being drained"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::derive::{NOT_A_STRUCT, UNKNOWN_KEY};

    fn mistake(message: &str) -> Diagnostic {
        Diagnostic::new(UNKNOWN_KEY, Span::call_site(), message)
    }

    #[test]
    fn mistakes_stand_where_their_scope_was_opened() {
        let sink = Sink::new();
        let (first, second) = (sink.scope(), sink.scope());
        second.report(mistake("b"));
        sink.report(mistake("c"));
        first.report(mistake("a"));
        assert!(first.has_errors() && sink.has_errors());
        let messages: Vec<_> = sink.into_diagnostics().into_iter().map(|found| found.message).collect();
        assert_eq!(messages, ["a", "b", "c"]);
    }

    #[test]
    fn a_text_says_what_why_the_fix_and_where_to_read_more() {
        let text = Diagnostic::new(NOT_A_STRUCT, Span::call_site(), "this is an enum")
            .help("make it a struct")
            .text();
        assert!(text.starts_with("EMP0101: this is an enum\n\nwhy: "), "{text}");
        assert!(text.ends_with("\nhelp: make it a struct\nmore: emp explain EMP0101"), "{text}");
    }

    #[test]
    #[should_panic(expected = "without being drained")]
    fn an_undrained_sink_says_so() {
        Sink::new().report(mistake("lost"));
    }
}
