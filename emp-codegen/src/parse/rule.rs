//! Predicates, verdicts and the two kinds of rules.

use emp_syntax::hole::Literal;
use emp_syntax::rule::{Comparison, ErrorRule, FailureKind, Predicate, StateRule, StateVerdict};
use emp_syntax::selector::{Selector, Source};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitInt, LitStr, Token, token};

use super::selector::{regex, selector, selectors};
use super::value;
use super::walk::{Context, Parsed, inside, parenthesized, unknown_word};
use crate::catalogue::derive::{SYNTAX, VALUE};
use crate::diag::Diagnostic;

/// The states that a rule can lead to.
const VERDICTS: [&str; 6] = ["queued", "running", "succeeded", "failed", "canceled", "lost"];

/// `a && b || !c`
pub(super) fn predicate(input: ParseStream, context: &Context<'_>) -> Parsed<Predicate> {
    let mut any = vec![all(input, context)?];
    while input.peek(Token![||]) {
        input.parse::<Token![||]>()?;
        any.push(all(input, context)?);
    }
    Ok(if any.len() == 1 { any.remove(0) } else { Predicate::Any(any.into()) })
}

fn all(input: ParseStream, context: &Context<'_>) -> Parsed<Predicate> {
    let mut all = vec![not(input, context)?];
    while input.peek(Token![&&]) {
        input.parse::<Token![&&]>()?;
        all.push(not(input, context)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Predicate::All(all.into()) })
}

fn not(input: ParseStream, context: &Context<'_>) -> Parsed<Predicate> {
    if input.peek(Token![!]) && !input.peek(Token![!=]) {
        input.parse::<Token![!]>()?;
        return Ok(Predicate::Not(vec![not(input, context)?].into()));
    }
    if input.peek(token::Paren) {
        let inner = parenthesized(input)?;
        return inside(&inner, &context.sink, |inner| predicate(inner, context));
    }
    comparison(input, context)
}

fn comparison(input: ParseStream, context: &Context<'_>) -> Parsed<Predicate> {
    let selector = selector(input, context)?;
    if let Some(op) = operator(input)? {
        let value = operand(input, &selector)?;
        return Ok(Predicate::Compare { selector, op, value });
    }
    let span = input.span();
    let missing = || {
        Diagnostic::new(SYNTAX, span, "a comparison was expected here")
            .help("write `== value`, `!=`, `<`, `<=`, `>`, `>=`, `in [a, b]`, `matches r\"..\"`, `is url`, `present` or `absent`")
    };
    let word = input.call(Ident::parse_any).map_err(|_| missing())?;
    match word.to_string().as_str() {
        "present" => Ok(Predicate::Present(selector)),
        "absent" => Ok(Predicate::Absent(selector)),
        "matches" => Ok(Predicate::Matches { pattern: regex(input)?.into(), selector }),
        "in" => {
            let values = value::list(input, context, |input| operand(input, &selector))?;
            Ok(Predicate::In { selector, values: values.into() })
        }
        "is" => {
            let what = input.call(Ident::parse_any)?;
            if what == "url" {
                return Ok(Predicate::IsUrl(selector));
            }
            Err(unknown_word("thing that a value can be", &what, ["url"]))
        }
        _ => Err(unknown_word("comparison", &word, ["present", "absent", "matches", "in", "is"])),
    }
}

fn operator(input: ParseStream) -> Parsed<Option<Comparison>> {
    macro_rules! operators {
        ($($token:tt => $comparison:ident),*) => {$(
            if input.peek(Token![$token]) {
                input.parse::<Token![$token]>()?;
                return Ok(Some(Comparison::$comparison));
            }
        )*};
    }
    operators!(== => Eq, != => Ne, <= => Le, >= => Ge, < => Lt, > => Gt);
    Ok(None)
}

/// A literal in the terms of what it is compared with: times are seconds, states are words.
fn operand(input: ParseStream, selector: &Selector) -> Parsed<Literal> {
    match selector.source {
        Source::Age | Source::AbsentFor if input.peek(LitStr) => {
            let duration = value::duration(input)?;
            Ok(match i64::try_from(duration.as_secs()) {
                Ok(seconds) if duration.subsec_nanos() == 0 => Literal::Int(seconds),
                _ => Literal::Float(duration.as_secs_f64()),
            })
        }
        Source::State if input.peek(Ident::peek_any) => {
            let word = input.call(Ident::parse_any)?;
            if word == "queued" || word == "running" {
                return Ok(Literal::Text(word.to_string().into()));
            }
            Err(unknown_word("state before an answer", &word, ["queued", "running"]))
        }
        _ => value::literal(input),
    }
}

/// `predicate => verdict`
pub(super) fn state_rule(input: ParseStream, context: &Context<'_>) -> Parsed<StateRule> {
    let when = predicate(input, context)?;
    arrow(input)?;
    Ok(StateRule { when, then: verdict(input, context)? })
}

pub(super) fn arrow(input: ParseStream) -> Parsed<()> {
    let span = input.span();
    input.parse::<Token![=>]>().map(|_| ()).map_err(|_| {
        Diagnostic::new(SYNTAX, span, "a `=>` was expected here")
            .help("a rule is `condition => what it means`")
    })
}

pub(super) fn verdict(input: ParseStream, context: &Context<'_>) -> Parsed<StateVerdict> {
    let word = input.call(Ident::parse_any)?;
    Ok(match word.to_string().as_str() {
        "queued" => StateVerdict::Queued,
        "running" => StateVerdict::Running,
        "succeeded" => StateVerdict::Succeeded,
        "canceled" => StateVerdict::Canceled,
        "lost" => StateVerdict::Lost,
        "timed_out" => StateVerdict::Failed { kind: FailureKind::Timeout, message: None },
        "failed" if input.peek(token::Paren) => {
            let inner = parenthesized(input)?;
            inside(&inner, &context.sink, |inner| {
                let kind = kind(inner)?;
                let message = match inner.parse::<Option<Token![,]>>()? {
                    Some(_) => Some(value::string(inner)?.value.into()),
                    None => None,
                };
                Ok(StateVerdict::Failed { kind, message })
            })?
        }
        "failed" => StateVerdict::Failed { kind: FailureKind::Service, message: None },
        _ => return Err(unknown_word("state", &word, VERDICTS)),
    })
}

/// `auth`, `billing`, ..
pub(super) fn kind(input: ParseStream) -> Parsed<FailureKind> {
    let word = input.call(Ident::parse_any)?;
    FailureKind::from_word(&word.to_string())
        .ok_or_else(|| unknown_word("kind of failure", &word, FailureKind::ALL.map(|(name, _)| name)))
}

/// `401 | 403 if predicate => kind(wait = selectors)`
pub(super) fn error_rule(input: ParseStream, context: &Context<'_>) -> Parsed<ErrorRule> {
    if !input.peek(LitInt) {
        return Err(Diagnostic::new(SYNTAX, input.span(), "a key or a rule was expected here")
            .help("write `message = ..`, `code = ..`, or a rule such as `401 | 403 => auth`"));
    }
    let mut codes = vec![value::code(input)?];
    while input.peek(Token![|]) {
        input.parse::<Token![|]>()?;
        codes.push(value::code(input)?);
    }
    let when = match input.parse::<Option<Token![if]>>()? {
        Some(_) => Some(predicate(input, context)?),
        None => None,
    };
    arrow(input)?;
    let span = input.span();
    let kind = kind(input)?;
    let mut wait = Vec::new();
    if input.peek(token::Paren) {
        let inner = parenthesized(input)?;
        wait = inside(&inner, &context.sink, |inner| {
            let key = inner.call(Ident::parse_any)?;
            if key != "wait" {
                return Err(unknown_word("key of a kind", &key, ["wait"]));
            }
            inner.parse::<Token![=]>()?;
            selectors(inner, context)
        })?;
        if !matches!(kind, FailureKind::RateLimited | FailureKind::Capacity | FailureKind::Transient) {
            return Err(Diagnostic::new(
                VALUE,
                span,
                format!("`{}` is not tried again, so it has no `wait`", kind.word()),
            )
            .help("remove `(wait = ..)`"));
        }
    }
    Ok(ErrorRule { codes: codes.into(), when, kind, wait: wait.into() })
}
