//! Fields with `#[env("NAME", ..)]`, and small checks of names.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, Field, GenericArgument, Lit, LitStr, PathArguments, Token, Type};

use super::container::canonical;
use super::keys::ENV;
use super::value::{self, given};
use super::walk::{Context, Parsed, items, unknown_word};
use super::{arguments, description};
use crate::catalogue::derive::{DUPLICATE, ORIGIN, SYNTAX, VALUE, VARIABLE_NAME};
use crate::diag::Diagnostic;
use crate::raw::RawField;
use crate::spec::{DurationUnit, EnvKind, Spanned};

/// Reads a field; `None` for a field without a name, which is reported elsewhere.
pub(super) fn field(field: &Field, context: &Context<'_>) -> Option<RawField> {
    let ident = field.ident.clone()?;
    let (kind, option) = kind_of(&field.ty);
    let mut raw = RawField {
        field: ident,
        type_span: field.ty.span(),
        kind,
        option,
        variable: None,
        default: None,
        optional: None,
        range: None,
        unit: None,
        description: description(&field.attrs),
    };
    let mut first: Option<&Attribute> = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("env")) {
        if let Some(first) = first {
            context.sink.report(
                Diagnostic::new(DUPLICATE, attribute.path().span(), "a field has one `#[env]`")
                    .help("keep one of the two")
                    .related(first.path().span(), "the first one is here"),
            );
            continue;
        }
        first = Some(attribute);
        arguments(attribute, &context.sink, |input| env(&mut raw, input, context));
    }
    Some(raw)
}

fn env(raw: &mut RawField, input: ParseStream, context: &Context<'_>) -> Parsed<()> {
    if input.peek(LitStr) {
        let name = value::string(input)?;
        variable_name(&name)?;
        raw.variable = Some(name);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    } else if let Some(bare) = bare_variable(input) {
        return Err(Diagnostic::new(SYNTAX, bare.span(), format!("`{bare}` is not in quotes"))
            .help(format!("write `#[env(\"{bare}\")]`")));
    }
    items(input, &ENV, &context.sink, |met, input| {
        match met.name {
            "default" => raw.default = given(met, input, default)?,
            "optional" => raw.optional = Some(met.span),
            "range" => raw.range = given(met, input, range)?,
            _ => {
                raw.unit = given(met, input, |input| {
                    let word = input.call(Ident::parse_any)?;
                    match word.to_string().as_str() {
                        "s" => Ok(DurationUnit::Seconds),
                        "ms" => Ok(DurationUnit::Millis),
                        _ => Err(unknown_word("unit", &word, ["s", "ms"])),
                    }
                })?;
            }
        }
        Ok(())
    });
    Ok(())
}

/// A variable's name without its quotes: no key is spelt in capitals.
fn bare_variable(input: ParseStream) -> Option<Ident> {
    let word = input.fork().call(Ident::parse_any).ok()?;
    let text = word.to_string();
    (text.starts_with(|first: char| first.is_ascii_uppercase()) && text == text.to_ascii_uppercase())
        .then_some(word)
}

fn variable_name(name: &Spanned<String>) -> Parsed<()> {
    let starts = name.value.starts_with(|first: char| first.is_ascii_uppercase() || first == '_');
    let goes_on =
        name.value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if starts && goes_on {
        return Ok(());
    }
    let better: String = name
        .value
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    Err(Diagnostic::new(VARIABLE_NAME, name.span, format!("\"{}\" is not a variable's name", name.value))
        .help(format!("write `#[env(\"{better}\")]`")))
}

/// A host name, perhaps `*.` and one.
pub(super) fn host(name: &Spanned<String>) -> Parsed<()> {
    let host = name.value.strip_prefix("*.").unwrap_or(&name.value);
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if host.split('.').all(label) {
        return Ok(());
    }
    Err(Diagnostic::new(ORIGIN, name.span, format!("\"{}\" is not a host", name.value)))
}

fn default(input: ParseStream) -> Parsed<String> {
    let negative = input.peek(Token![-]);
    if negative {
        input.parse::<Token![-]>()?;
    }
    let span = input.span();
    let sign = if negative { "-" } else { "" };
    match input.parse::<Lit>() {
        Ok(Lit::Str(text)) if !negative => Ok(text.value()),
        Ok(Lit::Bool(value)) if !negative => Ok(value.value.to_string()),
        Ok(Lit::Int(value)) => Ok(format!("{sign}{}", value.base10_digits())),
        Ok(Lit::Float(value)) => Ok(format!("{sign}{}", value.base10_digits())),
        _ => Err(Diagnostic::new(VALUE, span, "a literal was expected here")
            .help("write a text in quotes, a number, true or false")),
    }
}

fn range(input: ParseStream) -> Parsed<(f64, f64)> {
    let low = bound(input)?;
    let span = input.span();
    if input.peek(Token![..=]) {
        input.parse::<Token![..=]>()?;
        return Ok((low, bound(input)?));
    }
    if input.peek(Token![..]) {
        input.parse::<Token![..]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok((low, f64::MAX));
        }
    }
    Err(Diagnostic::new(VALUE, span, "a range says both ends, and the last is part of it")
        .help("write `range = 1..=60`"))
}

fn bound(input: ParseStream) -> Parsed<f64> {
    if input.peek(LitStr) { Ok(value::duration(input)?.as_secs_f64()) } else { value::number(input) }
}

/// What a type's text must be, and whether it is an `Option`.
fn kind_of(found: &Type) -> (EnvKind, bool) {
    match argument(found, "Option") {
        Some(inner) => (kind(inner), true),
        None => (kind(found), false),
    }
}

fn kind(found: &Type) -> EnvKind {
    if let Some(inner) = argument(found, "Vec") {
        return EnvKind::List(Box::new(kind(inner)));
    }
    let integer = |min, max| EnvKind::Integer { min, max };
    match last_segment(found).as_deref() {
        Some("String") => EnvKind::Text,
        Some("Secret") => EnvKind::Secret,
        Some("Url") => EnvKind::Url,
        Some("bool") => EnvKind::Bool,
        Some("Duration") => EnvKind::Duration,
        Some("f32" | "f64") => EnvKind::Float,
        Some("u8") => integer(0, u8::MAX.into()),
        Some("u16") => integer(0, u16::MAX.into()),
        Some("u32") => integer(0, u32::MAX.into()),
        Some("u64" | "usize") => integer(0, i64::MAX),
        Some("i8") => integer(i8::MIN.into(), i8::MAX.into()),
        Some("i16") => integer(i16::MIN.into(), i16::MAX.into()),
        Some("i32") => integer(i32::MIN.into(), i32::MAX.into()),
        Some("i64" | "isize") => integer(i64::MIN, i64::MAX),
        _ => EnvKind::Other(canonical(&found.to_token_stream()).trim().replace(' ', "")),
    }
}

fn last_segment(found: &Type) -> Option<String> {
    let Type::Path(path) = found else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

/// The `T` of `Name<T>`.
fn argument<'a>(found: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = found else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}
