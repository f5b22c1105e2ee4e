//! Selectors and their reducers.

use emp_syntax::jsonpath::JsonPath;
use emp_syntax::selector::{Reducer, Selector, Source};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token, token};

use super::hook;
use super::reference;
use super::value;
use super::walk::{Context, Parsed, inside, parenthesized, separated, unknown_word};
use crate::catalogue::derive::{DUPLICATE, HEADER_NAME, JSON_PATH, REGEX, SYNTAX};
use crate::diag::Diagnostic;
use crate::raw::ProbeUse;
use crate::spec::{Capture, HookKind, Need, Spanned};

/// The words that begin a selector, for suggestions.
const SOURCES: [&str; 12] = [
    "header",
    "code",
    "raw",
    "age",
    "state",
    "absent_for",
    "deltas",
    "job",
    "payload",
    "env",
    "queue",
    "with",
];

/// One selector, or `[a, b]` in fallback order.
pub(super) fn selectors(input: ParseStream, context: &Context<'_>) -> Parsed<Vec<Selector>> {
    value::list(input, context, |input| selector(input, context))
}

/// `"$.path" | reducer`
pub(super) fn selector(input: ParseStream, context: &Context<'_>) -> Parsed<Selector> {
    let source = source(input, context)?;
    let mut reducers = Vec::new();
    while input.peek(Token![|]) && !input.peek(Token![||]) {
        input.parse::<Token![|]>()?;
        reducers.push(reducer(input, context)?);
    }
    Ok(Selector { source, reducers: reducers.into() })
}

fn source(input: ParseStream, context: &Context<'_>) -> Parsed<Source> {
    if input.peek(LitStr) {
        return path(input, context).map(Source::Path);
    }
    if hook::here(input) {
        return hook::hook(input, context, HookKind::Select).map(Source::Hook);
    }
    let word = input.fork().call(Ident::parse_any).map_err(|error| {
        Diagnostic::new(SYNTAX, error.span(), "a selector was expected here")
            .help("write a JSONPath in quotes (\"$.status\"), `header(\"name\")`, `code`, `raw`, `age` or `job.name`")
    })?;
    if let Some(probe) = probe(input, context)? {
        return Ok(probe);
    }
    let simple = match word.to_string().as_str() {
        "header" => {
            input.call(Ident::parse_any)?;
            let inner = parenthesized(input)?;
            return inside(&inner, &context.sink, header_name).map(|name| Source::Header(name.value.into()));
        }
        "code" => Source::Code,
        "raw" => Source::Raw,
        "age" => Source::Age,
        "state" => Source::State,
        "absent_for" => Source::AbsentFor,
        "deltas" => Source::Deltas,
        text if emp_syntax::hole::Root::from_word(text).is_none() => {
            return Err(unknown_word("selector", &word, SOURCES));
        }
        _ => {
            return reference::reference(input, context, Need::Optional)
                .map(|(found, _)| Source::Reference(found));
        }
    };
    input.call(Ident::parse_any)?;
    Ok(simple)
}

/// `queue."$.running[*]"`: a path into the answer to a further question; takes note of its name.
fn probe(input: ParseStream, context: &Context<'_>) -> Parsed<Option<Source>> {
    let ahead = input.fork();
    let named = ahead.call(Ident::parse_any).is_ok() && ahead.parse::<Token![.]>().is_ok();
    if !named || !ahead.peek(LitStr) {
        return Ok(None);
    }
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![.]>()?;
    let used = Spanned { value: name.unraw().to_string(), key: name.span(), span: name.span() };
    context.probes.borrow_mut().push(ProbeUse { name: used.clone(), place: context.place });
    path(input, context).map(|path| Some(Source::Probe(used.value.into(), path)))
}

/// A header's name in quotes, in lower case.
pub(super) fn header_name(input: ParseStream) -> Parsed<Spanned<String>> {
    let mut name = value::string(input)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.value.is_empty() || !name.value.bytes().all(token) {
        return Err(Diagnostic::new(
            HEADER_NAME,
            name.span,
            format!("\"{}\" is not a header's name", name.value),
        ));
    }
    name.value.make_ascii_lowercase();
    Ok(name)
}

/// A JSONPath in quotes; takes note of its holes.
fn path(input: ParseStream, context: &Context<'_>) -> Parsed<JsonPath> {
    let literal = input.parse::<LitStr>()?;
    let path = JsonPath::parse_with_holes(&literal.value())
        .map_err(|error| value::in_text(JSON_PATH, &literal, &error))?;
    path.holes().into_iter().for_each(|hole| reference::of_selector(hole, literal.span(), context));
    Ok(path)
}

fn reducer(input: ParseStream, context: &Context<'_>) -> Parsed<Reducer> {
    let word = input.call(Ident::parse_any)?;
    let argument = |parse: &dyn Fn(ParseStream) -> Parsed<Reducer>| -> Parsed<Reducer> {
        if !input.peek(token::Paren) {
            return Err(Diagnostic::new(SYNTAX, word.span(), format!("`{word}` needs an argument"))
                .help(format!("write `{}`", example(&word.to_string()))));
        }
        let inner = parenthesized(input)?;
        inside(&inner, &context.sink, parse)
    };
    Ok(match word.to_string().as_str() {
        "first" => Reducer::First,
        "all" => Reducer::All,
        "count" => Reducer::Count,
        "parse_json" => Reducer::ParseJson,
        "base64" => Reducer::Base64,
        "number" => Reducer::Number,
        "percent" => Reducer::Percent,
        "fraction" => Reducer::Fraction,
        "invert" => Reducer::Invert,
        "millis" => Reducer::Millis,
        "seconds" => Reducer::Seconds,
        "duration" => Reducer::Duration,
        "http_date" => Reducer::HttpDate,
        "lower" => Reducer::Lower,
        "join" => argument(&|input| Ok(Reducer::Join(value::string(input)?.value.into())))?,
        "at" => argument(&|input| path(input, context).map(Reducer::At))?,
        "ratio" => argument(&|input| path(input, context).map(Reducer::Ratio))?,
        "tail" => argument(&|input| value::whole(input).map(Reducer::Tail))?,
        "last_match" => argument(&|input| Ok(Reducer::LastMatch(regex(input)?.into())))?,
        "between" => argument(&|input| {
            let low = value::number(input)?;
            input.parse::<Token![,]>()?;
            Ok(Reducer::Between(low, value::number(input)?))
        })?,
        _ => return Err(unknown_word("reducer", &word, Reducer::WORDS)),
    })
}

fn example(word: &str) -> &'static str {
    match word {
        "join" => "join(\", \")",
        "at" => "at(\"$.message\")",
        "ratio" => "ratio(\"$.total\")",
        "tail" => "tail(2000)",
        "last_match" => "last_match(r\"(\\d+)%\")",
        _ => "between(0.3, 0.9)",
    }
}

/// A regular expression that compiles.
pub(super) fn regex(input: ParseStream) -> Parsed<String> {
    let pattern = value::string(input)?;
    match regex::Regex::new(&pattern.value) {
        Ok(_) => Ok(pattern.value),
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            Err(Diagnostic::new(REGEX, pattern.span, format!("this is not a regular expression: {last}")))
        }
    }
}

/// `name = selectors, ..` of `capture`, `meta` and `metric`.
pub(super) fn captures(input: ParseStream, context: &Context<'_>) -> Vec<Capture> {
    let mut captures: Vec<Capture> = Vec::new();
    separated(input, &context.sink, |input| {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let from = selectors(input, context)?;
        let name = Spanned { value: name.unraw().to_string(), key: name.span(), span: name.span() };
        if let Some(first) = captures.iter().find(|earlier| earlier.name.value == name.value) {
            context.sink.report(
                Diagnostic::new(DUPLICATE, name.span, format!("`{}` is there twice", name.value))
                    .help(format!(
                        "write the places of one value as a list: `{} = [\"$.a\", \"$.b\"]`",
                        name.value
                    ))
                    .related(first.name.span, "the first one is here"),
            );
        }
        captures.push(Capture { name, from });
        Ok(())
    });
    captures
}
