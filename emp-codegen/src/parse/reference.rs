//! References and holes, in tokens and inside texts.

use emp_syntax::hole::{Hole, HoleDefault, Reference, Root, Step};
use emp_syntax::template::{Part, Template};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Lit, LitInt, LitStr, Token, token};

use super::value;
use super::walk::{Context, Parsed, bracketed, inside, unknown_word};
use crate::catalogue::derive::{SYNTAX, TEMPLATE};
use crate::diag::Diagnostic;
use crate::spec::{Need, Route, Use};

/// `payload.x.y[0]`, with the place of its first name; takes note of it.
pub(super) fn reference(input: ParseStream, context: &Context<'_>, need: Need) -> Parsed<(Reference, Span)> {
    let (reference, member) = path(input, context)?;
    note(context, &reference, member, false, need);
    Ok((reference, member))
}

fn path(input: ParseStream, context: &Context<'_>) -> Parsed<(Reference, Span)> {
    let span = input.span();
    let word = input.call(Ident::parse_any).map_err(|_| {
        Diagnostic::new(SYNTAX, span, "a value was expected here").help(
            "write a literal, or a reference such as `payload.prompt`, `env.model`, `job.id`, `queue.job_id`",
        )
    })?;
    let Some(root) = Root::from_word(&word.to_string()) else {
        return Err(unknown_word("root", &word, ["payload", "env", "job", "queue", "webhook"]));
    };
    let mut steps = Vec::new();
    let mut member = word.span();
    loop {
        if input.peek(Token![.]) && !input.peek(Token![..]) {
            input.parse::<Token![.]>()?;
            let name = input.call(Ident::parse_any)?;
            if steps.is_empty() {
                member = name.span();
            }
            steps.push(Step::Name(name.unraw().to_string().into()));
        } else if input.peek(token::Bracket) {
            let inner = bracketed(input)?;
            steps.push(inside(&inner, &context.sink, index)?);
        } else {
            break;
        }
    }
    if steps.is_empty() && root != Root::Payload {
        return Err(Diagnostic::new(SYNTAX, word.span(), format!("`{word}` needs a name behind it"))
            .help(format!("write `{word}.` and a name")));
    }
    Ok((Reference { root, path: steps.into() }, member))
}

fn index(input: ParseStream) -> Parsed<Step> {
    if input.peek(LitInt) {
        value::whole(input).map(Step::Index)
    } else {
        Ok(Step::Name(value::string(input)?.value.into()))
    }
}

fn note(context: &Context<'_>, reference: &Reference, span: Span, in_text: bool, need: Need) {
    let (reference, place) = (reference.clone(), context.place);
    let found = Use { reference, span, in_text, place, need, route: Route::All };
    context.uses.borrow_mut().push(found);
}

/// `payload.x`, `payload.x?`, `payload.x ?? 20`
pub(super) fn hole(input: ParseStream, context: &Context<'_>) -> Parsed<Hole> {
    let (reference, member) = path(input, context)?;
    let defaulted = input.peek(Token![?]) && input.peek2(Token![?]);
    let optional = !defaulted && input.parse::<Option<Token![?]>>()?.is_some();
    let need = if optional || defaulted { Need::Optional } else { Need::Required };
    note(context, &reference, member, false, need);
    let default = if defaulted {
        input.parse::<Token![?]>()?;
        input.parse::<Token![?]>()?;
        Some(default(input, context)?)
    } else {
        None
    };
    Ok(Hole { reference, optional, default })
}

fn default(input: ParseStream, context: &Context<'_>) -> Parsed<HoleDefault> {
    let literal = input.peek(Lit)
        || input.peek(Token![-])
        || input.fork().call(Ident::parse_any).is_ok_and(|word| word == "null");
    if literal {
        return value::literal(input).map(HoleDefault::Literal);
    }
    reference(input, context, Need::Required).map(|(reference, _)| HoleDefault::Reference(reference))
}

/// Takes note of a hole in a selector. A selector may find nothing, so the hole needs no value.
pub(super) fn of_selector(hole: &Hole, span: Span, context: &Context<'_>) {
    note(context, &hole.reference, span, true, Need::Optional);
    if let Some(HoleDefault::Reference(reference)) = &hole.default {
        note(context, reference, span, true, Need::Optional);
    }
}

/// A text with holes; takes note of them at the place of the text.
pub(super) fn template(literal: &LitStr, context: &Context<'_>) -> Parsed<Template> {
    let template =
        Template::parse(&literal.value()).map_err(|error| value::in_text(TEMPLATE, literal, &error))?;
    for part in template.parts.iter() {
        let Part::Hole { hole, .. } = part else { continue };
        let need = if hole.optional || hole.default.is_some() { Need::Optional } else { Need::Required };
        note(context, &hole.reference, literal.span(), true, need);
        if let Some(HoleDefault::Reference(reference)) = &hole.default {
            note(context, reference, literal.span(), true, Need::Required);
        }
    }
    Ok(template)
}

/// `".."` with holes.
pub(super) fn text(input: ParseStream, context: &Context<'_>) -> Parsed<Template> {
    let literal = input.parse::<LitStr>()?;
    template(&literal, context)
}
