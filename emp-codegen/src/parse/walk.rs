//! Walking over the items of an attribute: keys, forms, duplicates and recovery, the same everywhere.

use std::cell::RefCell;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseBuffer, ParseStream};
use syn::{Token, token};

use super::keys::{Attribute, Form, Key};
use crate::catalogue::derive::{DUPLICATE, SYNTAX, UNKNOWN_KEY, WRONG_FORM};
use crate::diag::{Diagnostic, Sink};
use crate::raw::ProbeUse;
use crate::spec::{HookUse, Place, Use};

/// What a parser of a part gives.
pub(super) type Parsed<T> = Result<T, Diagnostic>;

impl From<syn::Error> for Diagnostic {
    fn from(error: syn::Error) -> Self {
        Self::new(SYNTAX, error.span(), error.to_string())
    }
}

/// Where a parser stands: the sink of its attribute, and the references that it meets.
pub(super) struct Context<'a> {
    pub(super) sink: Sink,
    pub(super) place: Place,
    pub(super) uses: &'a RefCell<Vec<Use>>,
    pub(super) hooks: &'a RefCell<Vec<HookUse>>,
    pub(super) probes: &'a RefCell<Vec<ProbeUse>>,
}

impl Context<'_> {
    /// The same sink, for another part of the declaration.
    pub(super) fn at(&self, place: Place) -> Self {
        Self { sink: self.sink.scope(), place, uses: self.uses, hooks: self.hooks, probes: self.probes }
    }
}

/// A key as it was met.
#[derive(Clone, Copy)]
pub(super) struct Met {
    pub(super) name: &'static str,
    pub(super) span: Span,
}

/// Calls `each` for every item `key ..`. An item that is wrong is reported and skipped; the others are still read.
pub(super) fn items(
    input: ParseStream,
    attribute: &'static Attribute,
    sink: &Sink,
    mut each: impl FnMut(Met, ParseStream) -> Parsed<()>,
) {
    items_or(input, attribute, sink, |met, input| match met {
        Some(met) => each(met, input),
        None => Err(unexpected(input, attribute)),
    });
}

/// As [`items`]; items that do not begin with a name go to `each` without one.
pub(super) fn items_or(
    input: ParseStream,
    attribute: &'static Attribute,
    sink: &Sink,
    mut each: impl FnMut(Option<Met>, ParseStream) -> Parsed<()>,
) {
    let mut seen: Vec<Met> = Vec::new();
    separated(input, sink, |input| {
        if !input.peek(Ident::peek_any) {
            return each(None, input);
        }
        let ident = input.call(Ident::parse_any)?;
        let key = find(attribute, &ident)?;
        let met = Met { name: key.name, span: ident.span() };
        match seen.iter().find(|earlier| earlier.name == key.name) {
            Some(first) if !key.repeat => {
                sink.report(
                    Diagnostic::new(DUPLICATE, met.span, format!("`{}` is there twice", key.name))
                        .help("keep one of the two")
                        .related(first.span, "the first one is here"),
                );
            }
            _ => seen.push(met),
        }
        in_form(key, met, input, sink, |input| each(Some(met), input))
    });
}

/// Calls `each` for every part between commas, going on at the next comma after a mistake.
pub(super) fn separated(input: ParseStream, sink: &Sink, mut each: impl FnMut(ParseStream) -> Parsed<()>) {
    while !input.is_empty() {
        if let Err(mistake) = each(input) {
            sink.report(mistake);
            skip(input);
        } else if !input.is_empty() && !input.peek(Token![,]) {
            sink.report(not_separated(input));
            skip(input);
        }
        if !input.is_empty() && input.parse::<Token![,]>().is_err() {
            drain(input);
        }
    }
}

/// The mistake of something behind a part that is whole: most often the start of the next part.
fn not_separated(input: ParseStream) -> Diagnostic {
    let next = input.fork().parse::<TokenTree>();
    match next {
        Ok(token @ (TokenTree::Ident(_) | TokenTree::Literal(_))) => {
            Diagnostic::new(SYNTAX, input.span(), format!("a comma is missing before `{token}`"))
                .help(format!("write `, {token}`"))
        }
        _ => Diagnostic::new(SYNTAX, input.span(), "this is too much here: a comma or the end was expected"),
    }
}

fn skip(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

fn drain(input: ParseStream) {
    // A group that is left half read would be reported a second time by syn.
    let _: Result<TokenStream, _> = input.parse();
}

fn find(attribute: &'static Attribute, ident: &Ident) -> Parsed<&'static Key> {
    let name = ident.unraw().to_string();
    attribute.keys.iter().find(|key| key.name == name).ok_or_else(|| {
        let names = attribute.keys.iter().map(|key| key.name);
        let list = names.clone().collect::<Vec<_>>().join(", ");
        let found = emp_syntax::nearest(&name, names)
            .and_then(|near| attribute.keys.iter().find(|key| key.name == near));
        let help = match found {
            Some(key) => {
                format!("did you mean `{}`? It is written `{}`; the keys are {list}", key.name, key.example)
            }
            None => format!("the keys of `{}` are {list}", attribute.name),
        };
        Diagnostic::new(UNKNOWN_KEY, ident.span(), format!("`{}` has no key `{name}`", attribute.name))
            .help(help)
    })
}

fn in_form(
    key: &Key,
    met: Met,
    input: ParseStream,
    sink: &Sink,
    each: impl FnOnce(ParseStream) -> Parsed<()>,
) -> Parsed<()> {
    let wrong = || {
        Diagnostic::new(WRONG_FORM, met.span, format!("`{}` is not written like this", key.name))
            .help(format!("write `{}`", key.example))
    };
    match key.form {
        Form::Value if input.peek(Token![=]) && !input.peek(Token![=>]) => {
            input.parse::<Token![=]>()?;
            each(input)
        }
        Form::Flag if input.is_empty() || input.peek(Token![,]) => each(input),
        Form::Group if input.peek(token::Paren) => {
            let content = parenthesized(input)?;
            // `header("x") = ".."` goes on behind the parentheses: the parser of the key gets both.
            inside(&content, sink, each)
        }
        Form::Braces if input.peek(token::Brace) => {
            let content = braced(input)?;
            inside(&content, sink, each)
        }
        Form::Free => each(input),
        _ => Err(wrong()),
    }
}

/// Reads the whole of a group; what is left over is a mistake of its own.
pub(super) fn inside<T>(
    content: ParseStream,
    sink: &Sink,
    each: impl FnOnce(ParseStream) -> Parsed<T>,
) -> Parsed<T> {
    let result = each(content);
    if result.is_ok() && !content.is_empty() {
        sink.report(Diagnostic::new(SYNTAX, content.span(), "this is too much here"));
    }
    drain(content);
    result
}

/// The content of `( .. )`.
pub(super) fn parenthesized<'a>(input: &ParseBuffer<'a>) -> syn::Result<ParseBuffer<'a>> {
    let content;
    syn::parenthesized!(content in input);
    Ok(content)
}

/// The content of `{ .. }`.
pub(super) fn braced<'a>(input: &ParseBuffer<'a>) -> syn::Result<ParseBuffer<'a>> {
    let content;
    syn::braced!(content in input);
    Ok(content)
}

/// The content of `[ .. ]`.
pub(super) fn bracketed<'a>(input: &ParseBuffer<'a>) -> syn::Result<ParseBuffer<'a>> {
    let content;
    syn::bracketed!(content in input);
    Ok(content)
}

/// The mistake of an item that begins with something else than a key.
pub(super) fn unexpected(input: ParseStream, attribute: &'static Attribute) -> Diagnostic {
    let keys: Vec<_> = attribute.keys.iter().map(|key| key.name).collect();
    Diagnostic::new(SYNTAX, input.span(), format!("a key of `{}` was expected here", attribute.name))
        .help(format!("the keys are {}", keys.join(", ")))
}

/// The mistake of a word that is not in a closed list.
pub(super) fn unknown_word<'a>(
    what: &str,
    word: &Ident,
    words: impl IntoIterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let text = word.to_string();
    let list = words.clone().into_iter().collect::<Vec<_>>().join(", ");
    let help = match emp_syntax::nearest(&text, words) {
        Some(near) => format!("did you mean `{near}`? There are {list}"),
        None => format!("there are {list}"),
    };
    Diagnostic::new(
        crate::catalogue::derive::UNKNOWN_WORD,
        word.span(),
        format!("there is no {what} `{text}`"),
    )
    .help(help)
}
