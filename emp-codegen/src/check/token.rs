//! Credentials that are made: a token ends, and its endpoint is one that a secret may go to.

use emp_syntax::template::{Part, Template};
use proc_macro2::Span;

use crate::catalogue::life::{TOKEN_END, TOKEN_URL};
use crate::diag::{Diagnostic, Sink};
use crate::spec::{Auth, ClaimValue, Jwt, TokenUrl};

pub(super) fn auth(auth: &Auth, sink: &Sink) {
    match auth {
        Auth::Jwt(jwt) => end(jwt, sink),
        Auth::OAuth2(oauth2) => match &oauth2.token_url.value {
            TokenUrl::Absolute(template) => absolute(template, oauth2.token_url.span, sink),
            TokenUrl::Path(_) | TokenUrl::Env(_) => {}
        },
        _ => {}
    }
}

fn end(jwt: &Jwt, sink: &Sink) {
    let claims = &jwt.claims;
    let Some(exp) = claims.value.iter().find(|claim| claim.name.value == "exp") else {
        sink.report(
            Diagnostic::new(TOKEN_END, claims.key, "these claims have no `exp`")
                .help("add `\"exp\": now + 1800`"),
        );
        return;
    };
    let least = jwt.refresh_before.as_secs();
    match exp.value {
        ClaimValue::Now(offset) if u64::try_from(offset).is_ok_and(|offset| offset > least) => {}
        ClaimValue::Now(_) => sink.report(
            Diagnostic::new(
                TOKEN_END,
                exp.name.span,
                format!("a token is made again {least} s before it ends, and this one does not last so long"),
            )
            .help(format!("write `\"exp\": now + {}`, or a shorter `refresh_before`", (least * 2).max(60))),
        ),
        ClaimValue::Json(_) => sink.report(
            Diagnostic::new(TOKEN_END, exp.name.span, "`exp` is not counted from now")
                .help("write `\"exp\": now + 1800`"),
        ),
    }
}

fn absolute(template: &Template, span: Span, sink: &Sink) {
    let head = match template.parts.first() {
        Some(Part::Literal(text)) => text.as_ref(),
        _ => "",
    };
    let wrong = |what: &str| {
        sink.report(
            Diagnostic::new(TOKEN_URL, span, what)
                .help("write `token_url = \"https://auth.example.com/oauth/token\"`"),
        );
    };
    let Some((authority, path)) = head.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return wrong("this token URL is not an https URL with its host written out and a path");
    };
    if authority.is_empty() || authority.contains('@') {
        return wrong("this token URL has no host, or a user beside it");
    }
    let marked = |text: &str| text.contains(['?', '#']);
    let rest = template.parts.iter().skip(1).any(|part| matches!(part, Part::Literal(text) if marked(text)));
    if marked(path) || rest {
        wrong("a token URL has neither query nor fragment");
    }
}
