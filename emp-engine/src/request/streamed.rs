//! The body of a submit whose answer is to be a stream.

use std::borrow::Cow;

use emp_core::spec::HttpProtocol;
use emp_syntax::json::Json;

use crate::context::Context;
use crate::stream;

/// The submit's body, with the members of `#[stream(json {..})]` behind its own for a job that is streamed.
pub(super) fn body<'j>(http: &HttpProtocol, json: &'j Json, context: &Context<'_>) -> Cow<'j, Json> {
    let more = stream::wanted(http, context).and_then(|stream| stream.body.as_ref());
    match (json, more) {
        (Json::Object(members), Some(Json::Object(more))) => {
            Cow::Owned(Json::Object(members.iter().chain(more.iter()).cloned().collect()))
        }
        _ => Cow::Borrowed(json),
    }
}
