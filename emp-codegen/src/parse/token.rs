//! `jwt(..)` and `oauth2(..)` of `#[auth]`: credentials that are made.

use std::time::Duration;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitInt, LitStr, Token};

use super::auth::field;
use super::keys::{JWT, OAUTH2};
use super::value::{self, given};
use super::walk::{Context, Met, Parsed, items, separated, unknown_word};
use super::{json, reference, request};
use crate::catalogue::derive::{DUPLICATE_MEMBER, MISSING_KEY, SYNTAX};
use crate::diag::Diagnostic;
use crate::raw::Given;
use crate::spec::{Claim, ClaimValue, ClientAuth, Jwt, Need, OAuth2, Place, Spanned, TokenUrl};

/// A new token is made when less than this is left of the one in use.
const REFRESH_BEFORE: Duration = Duration::from_mins(1);

pub(super) fn jwt(met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<Jwt> {
    let (mut alg, mut key, mut refresh_before) = (false, None, REFRESH_BEFORE);
    let mut claims: Given<Vec<Claim>> = None;
    items(input, &JWT, &context.sink, |met, input| {
        match met.name {
            "alg" => {
                let word = input.call(Ident::parse_any)?;
                if word != "HS256" {
                    return Err(unknown_word("way to sign", &word, ["HS256"]));
                }
                alg = true;
            }
            "key" => key = Some(field(input, context)?),
            "claims" => claims = given(met, input, |input| Ok(self::claims(input, context)))?,
            _ => refresh_before = value::duration(input)?,
        }
        Ok(())
    });
    let missing = |what: &str, example: &str| {
        Diagnostic::new(MISSING_KEY, met.span, format!("`jwt` needs {what}")).help(format!("add `{example}`"))
    };
    if !alg {
        return Err(missing("`alg`", "alg = HS256"));
    }
    let key = key.ok_or_else(|| missing("`key`", "key = secret_key"))?;
    let claims = claims.ok_or_else(|| missing("`claims`", "claims { \"exp\": now + 1800 }"))?;
    Ok(Jwt { key, claims, refresh_before })
}

/// `"exp": now + 1800, "iss": env.access_key`
fn claims(input: ParseStream, context: &Context<'_>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    separated(input, &context.sink, |input| {
        let span = input.span();
        let name = input.parse::<LitStr>().map_err(|_| {
            Diagnostic::new(SYNTAX, span, "a claim was expected here")
                .help("write `\"iss\": env.access_key`, or `\"exp\": now + 1800`")
        })?;
        let (text, span) = (name.value(), name.span());
        if let Some(first) = claims.iter().find(|claim| claim.name.value == text) {
            let mistake =
                Diagnostic::new(DUPLICATE_MEMBER, span, format!("the claim \"{text}\" is there twice"));
            return Err(mistake.related(first.name.span, "the first one is here"));
        }
        input.parse::<Token![:]>()?;
        claims.push(Claim { name: Spanned { value: text, key: span, span }, value: claim(input, context)? });
        Ok(())
    });
    claims
}

fn claim(input: ParseStream, context: &Context<'_>) -> Parsed<ClaimValue> {
    if !input.fork().call(Ident::parse_any).is_ok_and(|word| word == "now") {
        return json::json(input, context).map(ClaimValue::Json);
    }
    input.call(Ident::parse_any)?;
    let sign = if input.parse::<Option<Token![+]>>()?.is_some() {
        1
    } else if input.parse::<Option<Token![-]>>()?.is_some() {
        -1
    } else {
        return Ok(ClaimValue::Now(0));
    };
    let span = input.span();
    if !input.peek(LitInt) {
        return Err(
            Diagnostic::new(SYNTAX, span, "a number of seconds was expected here").help("write `now + 1800`")
        );
    }
    value::whole::<u32>(input).map(|seconds| ClaimValue::Now(sign * i64::from(seconds)))
}

pub(super) fn oauth2(met: Met, input: ParseStream, context: &Context<'_>) -> Parsed<OAuth2> {
    let mut token_url: Given<TokenUrl> = None;
    let (mut client_id, mut client_secret) = (None, None);
    let (mut client_auth, mut scope, mut params) = (ClientAuth::Basic, None, Vec::new());
    let mut refresh_before = REFRESH_BEFORE;
    let settings = context.at(Place::Base);
    items(input, &OAUTH2, &context.sink, |met, input| {
        match met.name {
            "token_url" => token_url = given(met, input, |input| self::token_url(input, &settings))?,
            "client_id" => client_id = Some(field(input, context)?),
            "client_secret" => client_secret = Some(field(input, context)?),
            "client_auth" => client_auth = self::client_auth(input)?,
            "scope" => scope = Some(value::string(input)?.value),
            "params" => params = request::pairs(input, context, value::string),
            _ => refresh_before = value::duration(input)?,
        }
        Ok(())
    });
    let missing = |what: &str, example: &str| {
        Diagnostic::new(MISSING_KEY, met.span, format!("`oauth2` needs {what}"))
            .help(format!("add `{example}`"))
    };
    Ok(OAuth2 {
        token_url: token_url
            .ok_or_else(|| missing("`token_url`", "token_url = \"https://auth.example.com/oauth/token\""))?,
        client_id: client_id.ok_or_else(|| missing("`client_id`", "client_id = client_id"))?,
        client_secret: client_secret
            .ok_or_else(|| missing("`client_secret`", "client_secret = client_secret"))?,
        client_auth,
        scope,
        params,
        refresh_before,
    })
}

fn token_url(input: ParseStream, context: &Context<'_>) -> Parsed<TokenUrl> {
    if !input.peek(LitStr) {
        return value::env_field(input, context, Need::Url).map(TokenUrl::Env);
    }
    let path = input.fork().parse::<LitStr>()?.value().starts_with('/');
    let template = reference::text(input, context)?;
    Ok(if path { TokenUrl::Path(template) } else { TokenUrl::Absolute(template) })
}

fn client_auth(input: ParseStream) -> Parsed<ClientAuth> {
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "basic" => Ok(ClientAuth::Basic),
        "body" => Ok(ClientAuth::Body),
        _ => Err(unknown_word("way to show a client's secret", &word, ["basic", "body"])),
    }
}
