//! Values: durations, sizes, rates, numbers, codes, and settings from the environment.

use std::time::Duration;

use emp_syntax::SyntaxError;
use emp_syntax::hole::{Literal, Root};
use emp_syntax::rule::CodePattern;
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Lit, LitBool, LitFloat, LitInt, LitStr, Token, token};

use super::reference;
use super::walk::{Context, Met, Parsed, bracketed, inside, separated};
use crate::catalogue::Code;
use crate::catalogue::derive::{EMPTY, STATUS_CODE, VALUE};
use crate::diag::Diagnostic;
use crate::spec::{Need, Place, Setting, Spanned};

/// A value with the places of its key and of itself.
pub(super) fn given<T>(
    met: Met,
    input: ParseStream,
    parse: impl FnOnce(ParseStream) -> Parsed<T>,
) -> Parsed<Option<Spanned<T>>> {
    let span = input.span();
    parse(input).map(|value| Some(Spanned { value, key: met.span, span }))
}

/// The mistake in a text of one of the small languages; stable Rust has no places inside a literal, so the text says the column.
pub(super) fn in_text(code: Code, text: &LitStr, error: &SyntaxError) -> Diagnostic {
    let value = text.value();
    let column = value.get(..error.offset).map_or(error.offset, |before| before.chars().count()) + 1;
    let mistake =
        Diagnostic::new(code, text.span(), format!("{} at column {column} of \"{value}\"", error.message));
    match &error.help {
        Some(help) => mistake.help(help.clone()),
        None => mistake,
    }
}

fn text(input: ParseStream, what: &str, example: &str) -> Parsed<LitStr> {
    let span = input.span();
    input.parse().map_err(|_| {
        Diagnostic::new(VALUE, span, format!("{what} was expected here")).help(format!("write `{example}`"))
    })
}

/// A string literal.
pub(super) fn string(input: ParseStream) -> Parsed<Spanned<String>> {
    let literal = text(input, "a text in quotes", "\"..\"")?;
    Ok(Spanned { value: literal.value(), key: literal.span(), span: literal.span() })
}

/// `"30s"`
pub(super) fn duration(input: ParseStream) -> Parsed<Duration> {
    let literal = text(input, "a duration with its unit", "\"30s\"")?;
    emp_syntax::duration::parse(&literal.value()).map_err(|error| in_text(VALUE, &literal, &error))
}

/// `"10MB"`
pub(super) fn size(input: ParseStream) -> Parsed<u64> {
    if input.peek(LitInt) {
        return whole(input);
    }
    let literal = text(input, "a size", "\"10MB\"")?;
    emp_syntax::size::parse(&literal.value()).map_err(|error| in_text(VALUE, &literal, &error))
}

/// `"150/10s"`
pub(super) fn rate(input: ParseStream) -> Parsed<(u32, Duration)> {
    let literal = text(input, "a rate", "\"150/10s\"")?;
    let value = literal.value();
    let rate = value.split_once('/').and_then(|(count, per)| {
        let count = count.trim().parse::<u32>().ok().filter(|count| *count > 0)?;
        let per = per.trim();
        let per = if per.starts_with(|first: char| first.is_ascii_digit()) {
            per.to_owned()
        } else {
            format!("1{per}")
        };
        let per = emp_syntax::duration::parse(&per).ok().filter(|per| !per.is_zero())?;
        Some((count, per))
    });
    rate.ok_or_else(|| {
        Diagnostic::new(VALUE, literal.span(), format!("\"{value}\" is not a rate"))
            .help("write how many, `/`, and in how long: `rate = \"150/10s\"`")
    })
}

/// A whole number of a type.
pub(super) fn whole<T: std::str::FromStr>(input: ParseStream) -> Parsed<T> {
    let span = input.span();
    let wrong = || {
        Diagnostic::new(VALUE, span, "a whole number was expected here").help("write a number such as `3`")
    };
    let literal = input.parse::<LitInt>().map_err(|_| wrong())?;
    if !literal.suffix().is_empty() {
        return Err(wrong());
    }
    literal.base10_digits().parse().map_err(|_| wrong())
}

/// A number, whole or not, perhaps negative.
pub(super) fn number(input: ParseStream) -> Parsed<f64> {
    let span = input.span();
    let sign = if input.parse::<Option<Token![-]>>()?.is_some() { -1.0 } else { 1.0 };
    let digits = if input.peek(LitInt) {
        input.parse::<LitInt>()?.base10_digits().to_owned()
    } else {
        let wrong = |_| {
            Diagnostic::new(VALUE, span, "a number was expected here").help("write a number such as `1.5`")
        };
        input.parse::<LitFloat>().map_err(wrong)?.base10_digits().to_owned()
    };
    let value =
        digits.parse::<f64>().map_err(|_| Diagnostic::new(VALUE, span, "this number is too large"))?;
    Ok(sign * value)
}

/// `true` or `false`
pub(super) fn boolean(input: ParseStream) -> Parsed<bool> {
    let span = input.span();
    input.parse::<LitBool>().map(|literal| literal.value).map_err(|_| {
        Diagnostic::new(VALUE, span, "`true` or `false` was expected here").help("write `true` or `false`")
    })
}

/// A JSON scalar.
pub(super) fn literal(input: ParseStream) -> Parsed<Literal> {
    let span = input.span();
    if input.peek(Ident::peek_any) && !input.peek(LitBool) {
        let word = input.call(Ident::parse_any)?;
        if word == "null" {
            return Ok(Literal::Null);
        }
        return Err(Diagnostic::new(VALUE, word.span(), format!("`{word}` is not a literal"))
            .help(format!("write a text in quotes (\"{word}\"), a number, true, false or null")));
    }
    if input.peek(Token![-]) || input.peek(LitFloat) {
        let negative = input.peek(Token![-]);
        if negative && input.peek2(LitInt) {
            input.parse::<Token![-]>()?;
            return whole::<i64>(input).map(|value| Literal::Int(-value));
        }
        return number(input).map(Literal::Float);
    }
    match input.parse::<Lit>() {
        Ok(Lit::Str(text)) => Ok(Literal::Text(text.value().into())),
        Ok(Lit::Bool(value)) => Ok(Literal::Bool(value.value)),
        Ok(Lit::Int(value)) if value.suffix().is_empty() => value
            .base10_parse()
            .map(Literal::Int)
            .map_err(|_| Diagnostic::new(VALUE, span, "this number is too large")),
        _ => Err(Diagnostic::new(VALUE, span, "a literal was expected here")
            .help("write a text in quotes, a number, true, false or null")),
    }
}

/// `env.field`, or a value of its own.
pub(super) fn setting<T>(
    input: ParseStream,
    context: &Context<'_>,
    need: Need,
    fixed: impl FnOnce(ParseStream) -> Parsed<T>,
) -> Parsed<Setting<T>> {
    if input.peek(Ident::peek_any) && !input.peek(LitBool) {
        return env_field(input, context, need).map(Setting::Env);
    }
    fixed(input).map(Setting::Fixed)
}

/// `env.field`
pub(super) fn env_field(input: ParseStream, context: &Context<'_>, need: Need) -> Parsed<String> {
    let setting = context.at(Place::Setting);
    let (found, span) = reference::reference(input, &setting, need)?;
    match (found.root, found.path.first(), found.path.len()) {
        (Root::Env, Some(emp_syntax::hole::Step::Name(name)), 1) => Ok(name.to_string()),
        _ => Err(Diagnostic::new(VALUE, span, format!("`{found}` cannot be a setting"))
            .help("write a value, or `env.` and the name of a field")),
    }
}

/// `200`, `2xx`
pub(super) fn code(input: ParseStream) -> Parsed<CodePattern> {
    let span = input.span();
    let wrong = |text: &str| {
        Diagnostic::new(STATUS_CODE, span, format!("{text} is not a status code"))
            .help("write a code such as `404`, or a class such as `5xx`")
    };
    let literal = input.parse::<LitInt>().map_err(|_| wrong("this"))?;
    let shown = format!("`{literal}`");
    let digits: u16 = literal.base10_parse().map_err(|_| wrong(&shown))?;
    match (literal.suffix(), digits) {
        ("", 100..=599) => Ok(CodePattern::Exact(digits)),
        ("xx", 1..=5) => Ok(CodePattern::Class(digits as u8)),
        _ => Err(wrong(&shown)),
    }
}

/// One code, or `[200, 201]`.
pub(super) fn codes(input: ParseStream, context: &Context<'_>) -> Parsed<Vec<CodePattern>> {
    list(input, context, code)
}

/// One value, or `[a, b]` with at least one.
pub(super) fn list<T>(
    input: ParseStream,
    context: &Context<'_>,
    mut element: impl FnMut(ParseStream) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    if !input.peek(token::Bracket) {
        return element(input).map(|value| vec![value]);
    }
    let span: Span = input.span();
    let inner = bracketed(input)?;
    if inner.is_empty() {
        return Err(Diagnostic::new(EMPTY, span, "this list is empty"));
    }
    let mut values = Vec::new();
    inside(&inner, &context.sink, |inner| {
        separated(inner, &context.sink, |input| element(input).map(|value| values.push(value)));
        Ok(())
    })?;
    Ok(values)
}
