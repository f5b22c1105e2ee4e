//! One request: its verb and path, its pairs, its body.

use emp_core::spec::{Body, ConnectorSpec, Pair, PairValue, RequestSpec, UrlSpec};
use emp_core::syntax::json::Json;

use super::markdown::{Page, code};
use super::protocol::duration;

/// `POST /v1/jobs`, or the name of the captured URL that it goes to.
pub(super) fn line(request: &RequestSpec) -> String {
    let method = request.method;
    match &request.url {
        UrlSpec::Path(path) => code(format!("{method} {path}")),
        UrlSpec::Captured(reference) => format!("{} the URL in {}", code(method), code(reference)),
    }
}

/// Everything that goes with it.
pub(super) fn describe(page: &mut Page, spec: &ConnectorSpec, request: &RequestSpec) {
    page.block(&line(request));
    let mut points = Vec::new();
    points.extend(request.query.iter().map(|pair| format!("query {}", pair_text(pair))));
    points.extend(request.headers.iter().map(|pair| format!("header {}", pair_text(pair))));
    points.extend(request.max_body.map(|bytes| format!("a body of at most {bytes} bytes")));
    points.extend(request.timeout.as_ref().map(|timeout| format!("may take {}", duration(spec, timeout))));
    page.points(&points);
    match &request.body {
        Body::None => {}
        Body::Json(json) => page.fenced("text", &format!("{json:#}")),
        Body::Form(parts) => page.fenced("text", &format!("form {:#}", Json::Object((*parts).into()))),
        Body::Multipart(parts) => {
            page.fenced("text", &format!("multipart {:#}", Json::Object((*parts).into())));
        }
        Body::Raw { value, content_type: None } => page.fenced("text", &format!("raw({value:#})")),
        Body::Raw { value, content_type: Some(content_type) } => {
            page.fenced("text", &format!("raw({value:#}, content_type = {content_type:?})"));
        }
        other => page.fenced("text", &format!("{other:?}")),
    }
}

fn pair_text(Pair { name, value }: &Pair) -> String {
    match value {
        PairValue::Text(template) => code(format!("{name}: {template}")),
        PairValue::Hole(hole) => code(format!("{name}: {{{hole}}}")),
    }
}
