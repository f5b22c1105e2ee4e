//! `file(payload.image, max = "10MB", types = ["image/*"])` and the other adapters.

use emp_syntax::asset::{Adapter, Asset};
use emp_syntax::hole::{Hole, Root};
use emp_syntax::json::Json;
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Token, token};

use super::keys::ASSET;
use super::walk::{Context, Parsed, inside, items, parenthesized};
use super::{reference, value};
use crate::catalogue::body::ASSET as ASSET_MISTAKE;
use crate::diag::Diagnostic;
use crate::spec::{Need, Spanned};

/// Whether bytes can stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// A part of `multipart`, or the whole of `raw`.
    Allowed,
    /// Text only.
    Refused,
}

/// An asset, or a value with an asset behind its `??`; `None` when neither begins here.
pub(super) fn value(input: ParseStream, context: &Context<'_>, files: Files) -> Option<Parsed<Json>> {
    if adapter(input).is_some() {
        return Some(asset(input, context, files).map(Json::Asset));
    }
    falls_back(input).then(|| {
        let (reference, _) = reference::reference(input, context, Need::Optional)?;
        input.parse::<Token![?]>()?;
        input.parse::<Token![?]>()?;
        let first = Json::Hole(Hole { reference, optional: true, default: None });
        Ok(Json::First(vec![first, Json::Asset(asset(input, context, files)?)].into()))
    })
}

fn adapter(input: ParseStream) -> Option<Adapter> {
    let word = input.fork().call(Ident::parse_any).ok()?;
    input.peek2(token::Paren).then(|| Adapter::from_word(&word.to_string())).flatten()
}

/// Whether `reference ?? adapter(` stands here.
fn falls_back(input: ParseStream) -> bool {
    let ahead = input.fork();
    while ahead.peek(Ident::peek_any) || ahead.peek(Token![.]) || ahead.peek(token::Bracket) {
        if ahead.parse::<proc_macro2::TokenTree>().is_err() {
            return false;
        }
    }
    ahead.parse::<Token![?]>().is_ok() && ahead.parse::<Token![?]>().is_ok() && adapter(&ahead).is_some()
}

fn asset(input: ParseStream, context: &Context<'_>, files: Files) -> Parsed<Asset> {
    let word = input.call(Ident::parse_any)?;
    let adapter = Adapter::from_word(&word.to_string()).unwrap_or(Adapter::File);
    if adapter == Adapter::File && files == Files::Refused {
        context.sink.report(
            Diagnostic::new(ASSET_MISTAKE, word.span(), "bytes cannot stand here, only text")
                .help("write `base64(..)` or `data_uri(..)` here, or send the file in `multipart { .. }`"),
        );
    }
    let inner = parenthesized(input)?;
    inside(&inner, &context.sink, |inner| {
        let span = inner.span();
        let hole = reference::hole(inner, context)?;
        if !matches!(hole.reference.root, Root::Payload | Root::Item) {
            context.sink.report(
                Diagnostic::new(ASSET_MISTAKE, span, format!("`{}` is not an asset", hole.reference))
                    .help(format!("write a member of the payload: `{word}(payload.image)`")),
            );
        }
        let mut asset = Asset { adapter, hole, max: None, types: Vec::new().into(), inline: false };
        if !inner.is_empty() {
            inner.parse::<Token![,]>()?;
        }
        items(inner, &ASSET, &context.sink, |met, input| {
            match met.name {
                "max" => asset.max = Some(value::size(input)?),
                "types" => {
                    let types = value::list(input, context, mime)?;
                    asset.types = types.into_iter().map(|mime| mime.value.into()).collect();
                }
                _ if adapter == Adapter::Url => asset.inline = true,
                _ => {
                    return Err(Diagnostic::new(
                        ASSET_MISTAKE,
                        met.span,
                        format!("`{word}(..)` is always inline"),
                    )
                    .help("remove `inline`"));
                }
            }
            Ok(())
        });
        Ok(asset)
    })
}

/// `image/png` or `image/*`
fn mime(input: ParseStream) -> Parsed<Spanned<String>> {
    let text = value::string(input)?;
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let fits = text
        .value
        .split_once('/')
        .is_some_and(|(family, kind)| token(family) && (kind == "*" || token(kind)));
    if fits {
        return Ok(text);
    }
    Err(Diagnostic::new(ASSET_MISTAKE, text.span, format!("\"{}\" is not a media type", text.value))
        .help("write `types = [\"image/png\", \"image/*\"]`"))
}
