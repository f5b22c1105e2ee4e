//! `#[connector]`, `#[http]`, `#[auth]`, `#[pace]`, `#[limits]`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token, token};

use super::keys::{AUTH, CONNECTOR, HTTP, LIMITS, PACE};
use super::selector::{header_name, selectors};
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, inside, items, parenthesized, unknown_word};
use super::{reference, walk};
use crate::catalogue::derive::{SYNTAX, TEMPLATE};
use crate::diag::Diagnostic;
use crate::raw::{Given, RawConnector, RawHttp, RawLimits, RawPace};
use crate::spec::{Auth, AuthPart, Base, Need, Place, Route, Spanned, TypeRef, Use};

pub(super) fn connector(input: ParseStream, context: &Context<'_>) -> RawConnector {
    let mut raw = RawConnector::default();
    items(input, &CONNECTOR, &context.sink, |met, input| {
        match met.name {
            "service" => raw.service = given(met, input, |input| value::list(input, context, value::string))?,
            "version" => raw.version = given(met, input, |input| Ok(value::string(input)?.value))?,
            "payload" => raw.payload = given(met, input, type_ref)?,
            "output" => raw.output = given(met, input, type_ref)?,
            "crate" => raw.krate = Some(type_ref(input)?),
            "custom" => raw.custom = true,
            "unregistered" => raw.unregistered = true,
            _ => raw.sync = given(met, input, mode)?,
        }
        Ok(())
    });
    raw
}

fn mode(input: ParseStream) -> Parsed<bool> {
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "sync" => Ok(true),
        "poll" => Ok(false),
        _ => Err(unknown_word("mode", &word, ["poll", "sync"])),
    }
}

fn type_ref(input: ParseStream) -> Parsed<TypeRef> {
    let span = input.span();
    let found = input.call(syn::Path::parse_mod_style).map_err(|_| {
        Diagnostic::new(SYNTAX, span, "a path was expected here")
            .help("write the path of a type, such as `ChatPayload`")
    })?;
    let tokens = found.into_token_stream();
    Ok(TypeRef { text: canonical(&tokens), tokens, span })
}

/// The same text for the same tokens, whoever lexed them.
pub(super) fn canonical(tokens: &TokenStream) -> String {
    let mut text = String::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => {
                text.push('(');
                text.push_str(&canonical(&group.stream()));
                text.push(')');
            }
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            other => {
                text.push(' ');
                text.push_str(&other.to_string());
            }
        }
    }
    text
}

pub(super) fn http(input: ParseStream, context: &Context<'_>) -> RawHttp {
    let mut raw = RawHttp::default();
    items(input, &HTTP, &context.sink, |met, input| {
        match met.name {
            "base" => raw.base = given(met, input, |input| base(input, context))?,
            "allow_hosts" => raw.allow_hosts = value::list(input, context, value::string)?,
            _ => raw.allow_http = true,
        }
        Ok(())
    });
    raw
}

fn base(input: ParseStream, context: &Context<'_>) -> Parsed<Base> {
    if input.peek(LitStr) {
        return reference::text(input, context).map(Base::Template);
    }
    value::env_field(input, context, Need::Url).map(Base::Env)
}

pub(super) fn auth(input: ParseStream, context: &Context<'_>) -> Given<Auth> {
    let mut auth: Given<Auth> = None;
    items(input, &AUTH, &context.sink, |met, input| {
        let found = match met.name {
            "none" => Auth::None,
            "bearer" => {
                let field = field(input, context)?;
                Auth::Header(
                    "authorization".to_owned(),
                    vec![AuthPart::Literal("Bearer ".to_owned()), AuthPart::Field(field)],
                )
            }
            "basic" => basic(met, input, context)?,
            "header" => {
                let (name, parts) = placed(met, input, context, header_name)?;
                Auth::Header(name, parts)
            }
            _ => {
                let (name, parts) = placed(met, input, context, value::string)?;
                Auth::Query(name, parts)
            }
        };
        if let Some(first) = &auth {
            return Err(Diagnostic::new(
                crate::catalogue::derive::DUPLICATE,
                met.span,
                "a connector has one credential",
            )
            .help("keep one of the two")
            .related(first.span, "the first one is here"));
        }
        auth = Some(Spanned { value: found, key: met.span, span: met.span });
        Ok(())
    });
    auth
}

fn field(input: ParseStream, context: &Context<'_>) -> Parsed<String> {
    let span = input.span();
    let name = input.call(Ident::parse_any).map_err(|_| {
        Diagnostic::new(SYNTAX, span, "the name of a field was expected here")
            .help("write the field that holds the credential, such as `bearer = api_key`")
    })?;
    let text = name.unraw().to_string();
    note(context, &text, name.span());
    Ok(text)
}

fn note(context: &Context<'_>, field: &str, span: Span) {
    let path = vec![emp_syntax::hole::Step::Name(field.to_owned().into())];
    let reference = emp_syntax::hole::Reference { root: emp_syntax::hole::Root::Env, path: path.into() };
    context.uses.borrow_mut().push(Use {
        reference,
        span,
        in_text: false,
        place: Place::Auth,
        need: Need::Credential,
        route: Route::All,
    });
}

fn basic(met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<Auth> {
    let (mut user, mut password) = (None, None);
    walk::separated(input, &context.sink, |input| {
        let key = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let part = if input.peek(LitStr) {
            AuthPart::Literal(value::string(input)?.value)
        } else {
            AuthPart::Field(field(input, context)?)
        };
        match key.to_string().as_str() {
            "user" => user = Some(part),
            "password" => password = Some(part),
            _ => return Err(unknown_word("part of `basic`", &key, ["user", "password"])),
        }
        Ok(())
    });
    match (user, password) {
        (Some(user), Some(password)) => Ok(Auth::Basic(user, password)),
        _ => Err(Diagnostic::new(
            crate::catalogue::derive::MISSING_KEY,
            met.span,
            "`basic` needs a user and a password",
        )
        .help("write `basic(user = user, password = password)`")),
    }
}

/// `header("x-key") = "Key {api_key}"`
fn placed(
    met: Met,
    input: ParseStream,
    context: &Context<'_>,
    name: impl Fn(ParseStream) -> Parsed<Spanned<String>>,
) -> Parsed<(String, Vec<AuthPart>)> {
    let wrong = || {
        Diagnostic::new(
            crate::catalogue::derive::WRONG_FORM,
            met.span,
            format!("`{}` is not written like this", met.name),
        )
        .help(format!("write `{}(\"x-key\") = \"{{api_key}}\"`", met.name))
    };
    if !input.peek(token::Paren) {
        return Err(wrong());
    }
    let inner = parenthesized(input)?;
    let name = inside(&inner, &context.sink, name)?;
    input.parse::<Token![=]>().map_err(|_| wrong())?;
    let literal = input.parse::<LitStr>().map_err(|_| wrong())?;
    let parts = parts(&literal)?;
    for part in &parts {
        if let AuthPart::Field(field) = part {
            note(context, field, literal.span());
        }
    }
    Ok((name.value, parts))
}

fn parts(literal: &LitStr) -> Parsed<Vec<AuthPart>> {
    let text = literal.value();
    let wrong = |what: &str| {
        Diagnostic::new(TEMPLATE, literal.span(), format!("\"{text}\" {what}"))
            .help("write text and fields: \"Key {api_key}\"")
    };
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(AuthPart::Literal(before.to_owned()));
        }
        let (name, after) = behind.split_once('}').ok_or_else(|| wrong("has a `{` without its `}`"))?;
        if syn::parse_str::<Ident>(name).is_err() {
            return Err(wrong("has a hole that is not the name of a field"));
        }
        parts.push(AuthPart::Field(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(AuthPart::Literal(rest.to_owned()));
    }
    if parts.iter().all(|part| matches!(part, AuthPart::Literal(_))) {
        return Err(wrong("names no field, so the credential would stand in the source"));
    }
    Ok(parts)
}

pub(super) fn pace(input: ParseStream, context: &Context<'_>) -> RawPace {
    let mut raw = RawPace::default();
    items(input, &PACE, &context.sink, |met, input| {
        match met.name {
            "first" => raw.first = given(met, input, value::duration)?,
            "min" => raw.min = given(met, input, value::duration)?,
            "max" => raw.max = given(met, input, value::duration)?,
            "factor" => raw.factor = given(met, input, value::number)?,
            "jitter" => raw.jitter = given(met, input, value::number)?,
            "advice" => raw.advice = selectors(input, context)?,
            "max_unknown" => raw.max_unknown = given(met, input, value::whole)?,
            "deadline" => {
                raw.deadline = given(met, input, |input| {
                    value::setting(input, context, Need::Duration, value::duration)
                })?;
            }
            _ => {
                let state = input.call(Ident::parse_any)?;
                if state != "queued" {
                    return Err(unknown_word("state to slow down in", &state, ["queued"]));
                }
                input.parse::<Token![,]>()?;
                raw.while_queued = given(met, input, value::duration)?;
            }
        }
        Ok(())
    });
    raw
}

pub(super) fn limits(input: ParseStream, context: &Context<'_>) -> RawLimits {
    let mut raw = RawLimits::default();
    items(input, &LIMITS, &context.sink, |met, input| {
        let count = |input: ParseStream<'_>| value::setting(input, context, Need::Count, value::whole);
        match met.name {
            "rate" => raw.rate = given(met, input, value::rate)?,
            "in_flight" => raw.in_flight = given(met, input, count)?,
            "attempts" => raw.attempts = given(met, input, count)?,
            "max_body" => raw.max_body = given(met, input, value::size)?,
            _ => raw.max_response = given(met, input, value::size)?,
        }
        Ok(())
    });
    raw
}
