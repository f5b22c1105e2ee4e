//! Origins, the credential, cancel, cleanup and calls.

use emp_core::spec::{
    Auth, AuthPart, CallBody, Cancel, CancelScope, CancelStage, ConnectorSpec, Download, DownloadAuth,
    Follow, HttpProtocol, TokenUrl, Verify,
};

use super::markdown::{Page, code, codes};
use super::protocol::variable;
use super::request;

/// Which URLs of the service's are followed.
pub(super) fn origins(http: &HttpProtocol) -> Vec<String> {
    let mut points = Vec::new();
    match http.follow {
        Follow::Hosts(hosts) => {
            points.push(format!("URLs of {} are followed, without the credential", codes(hosts)));
        }
        Follow::Rebase => points.push("URLs of any host are followed, at the base's own origin".to_owned()),
        _ => {}
    }
    if let Download { hosts: [_, ..], auth } = http.download {
        let with = if auth == DownloadAuth::SameAsApi { "with" } else { "without" };
        points
            .push(format!("results are fetched from {}, {with} the credential", codes(http.download.hosts)));
    }
    points
}

/// The credential and its place.
pub(super) fn credential(spec: &ConnectorSpec, auth: &Auth) -> String {
    let field = |field: &'static str| format!("${}", variable(spec, field));
    let part = |part: &AuthPart| match part {
        AuthPart::Literal(text) => (*text).to_owned(),
        AuthPart::Field(name) => field(name),
    };
    let parts = |value: &[AuthPart]| value.iter().map(part).collect::<String>();
    match auth {
        Auth::None => "none".to_owned(),
        Auth::Header { name, value } => format!("header {}", code(format!("{name}: {}", parts(value)))),
        Auth::Query { name, value } => format!("query {}", code(format!("{name}={}", parts(value)))),
        Auth::Basic { user, password } => {
            format!("HTTP Basic {}", code(format!("{}:{}", part(user), part(password))))
        }
        Auth::Jwt(jwt) => {
            let claims: Vec<&str> = jwt.claims.iter().map(|claim| claim.name).collect();
            format!("a JWT signed with {} (HS256), of {}", code(field(jwt.key)), codes(&claims))
        }
        Auth::OAuth2(oauth2) => {
            let from = match &oauth2.token_url {
                TokenUrl::Absolute(url) | TokenUrl::Path(url) => code(url),
                TokenUrl::Env(name) => code(field(name)),
            };
            let client = code(format!("{}:{}", field(oauth2.client_id), field(oauth2.client_secret)));
            format!("a token from {from} for {client}")
        }
        _ => "as declared".to_owned(),
    }
}

/// How a job is cancelled.
pub(super) fn cancel(page: &mut Page, spec: &ConnectorSpec, cancel: &Cancel) {
    for (stage, request) in cancel.requests() {
        page.part(match stage {
            Some(CancelStage::Queued) => "Cancel of a job that is queued",
            Some(CancelStage::Running) => "Cancel of a job that is running",
            None => "Cancel",
        });
        request::describe(page, spec, request);
    }
    let mut points = Vec::new();
    if cancel.drops_connection() {
        page.part("Cancel");
        points.push("the connection closes".to_owned());
    }
    if cancel.ask_first {
        points.push("sent only to a job that has not ended".to_owned());
    }
    if cancel.scope == CancelScope::Service {
        points.push("ends whatever runs there: sent only while that is seen to be this job".to_owned());
    }
    for (what, known) in [("done:", cancel.ok), ("too late:", cancel.too_late), ("gone:", cancel.gone)] {
        if !known.is_empty() {
            points.push(format!("{what} {}", codes(known)));
        }
    }
    page.points(&points);
}

/// What is tidied up after a result.
pub(super) fn cleanup(page: &mut Page, spec: &ConnectorSpec, http: &HttpProtocol) {
    let Some(cleanup) = &http.cleanup else { return };
    let when = cleanup.when.as_ref().map(|when| format!(" when {}", code(when)));
    page.part(&format!("Cleanup after a result{}", when.unwrap_or_default()));
    request::describe(page, spec, &cleanup.request);
}

/// What is believed of the service's calls.
pub(super) fn webhook(page: &mut Page, spec: &ConnectorSpec, http: &HttpProtocol) {
    let Some(webhook) = &http.webhook else { return };
    page.part("Calls of the service");
    let by = |verify: &Verify| {
        let secret = code(variable(spec, verify.secret()));
        match verify {
            Verify::StandardWebhooks { .. } => {
                format!("proven by Standard Webhooks, with the secret in {secret}")
            }
            Verify::Hmac(hmac) => {
                format!("proven by an HMAC in {}, with the key in {secret}", code(hmac.header))
            }
            Verify::Header { name, .. } => {
                format!("proven by the secret in {secret}, in the header {}", code(name))
            }
        }
    };
    let mut points: Vec<String> = webhook.verify.as_ref().map(by).into_iter().collect();
    points.push(match webhook.body {
        CallBody::Hint => "the job is asked after when it is called for".to_owned(),
        CallBody::SameAsPoll => "a proven call tells what a poll would, and the job ends by it".to_owned(),
        CallBody::At(_) => "a proven call holds what a poll would tell, and the job ends by it".to_owned(),
    });
    if !webhook.events.is_empty() {
        points.push(format!("asked for: {}", codes(webhook.events)));
    }
    page.points(&points);
}
