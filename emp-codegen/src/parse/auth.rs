//! `#[auth]`: the credential and its place.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Token, token as tokens};

use super::keys::AUTH;
use super::selector::header_name;
use super::walk::{Context, Met, Parsed, inside, items, parenthesized, unknown_word};
use super::{token, value, walk};
use crate::catalogue::derive::{SYNTAX, TEMPLATE};
use crate::diag::Diagnostic;
use crate::raw::Given;
use crate::spec::{Auth, AuthPart, Need, Place, Route, Spanned, Use};

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
            "query" => {
                let (name, parts) = placed(met, input, context, value::string)?;
                Auth::Query(name, parts)
            }
            "jwt" => Auth::Jwt(token::jwt(met, input, context)?),
            _ => Auth::OAuth2(token::oauth2(met, input, context)?),
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

pub(super) fn field(input: ParseStream, context: &Context<'_>) -> Parsed<String> {
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
    if !input.peek(tokens::Paren) {
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
