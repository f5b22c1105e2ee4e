//! The bytes of a body, and their content type.

use bytes::Bytes;
use emp_core::spec::{Body, RequestSpec};
use emp_core::{ErrorCode, JobError};
use emp_syntax::asset::{Adapter, Asset};
use emp_syntax::json::Json;
use serde_json::Value;

use super::{MAX_BODY, body, form, missing};
use crate::asset::{File, Given};
use crate::context::Context;

/// A body, ready to be sent.
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    pub(super) content_type: String,
}

/// The body of a request, with the idempotency key among its members when `field` says so. `json` stands in for declared JSON.
pub(super) fn body(
    spec: &RequestSpec,
    json: Option<&Json>,
    field: Option<(&'static str, &str)>,
    context: &Context<'_>,
) -> Result<Option<Encoded>, JobError> {
    let encoded = match &spec.body {
        Body::Json(declared) => Encoded {
            bytes: body::render(json.unwrap_or(declared), field, context)?,
            content_type: "application/json".to_owned(),
        },
        Body::Form(members) => form::urlencoded(&form::parts(members, field, context)?)?,
        Body::Multipart(members) => {
            form::multipart(&form::parts(members, field, context)?, context.assigned_id)
        }
        Body::Raw { value, content_type } => form::raw(value, *content_type, context)?,
        _ => return Ok(None),
    };
    let declared = spec.max_body.or(context.connector.spec.limits.max_body);
    let (length, limit) = (encoded.bytes.len() as u64, declared.unwrap_or(MAX_BODY));
    if length > limit {
        let message = format!("the body has {length} bytes and may have {limit} (`max_body`)");
        return Err(JobError::new(ErrorCode::EInvalidInput, message));
    }
    Ok(Some(encoded))
}

/// An asset with its bytes; `None` when an optional hole has no value.
pub(super) fn file(asset: &Asset, context: &Context<'_>) -> Result<Option<File>, JobError> {
    let place = context.place(&asset.hole.reference);
    let Some(value) = context.hole(&asset.hole) else {
        return if asset.hole.optional { Ok(None) } else { Err(missing(&place)) };
    };
    Given::read(&value, &place)?.file(asset, &place, context.assets).map(Some)
}

/// An asset as text.
pub(super) fn text(asset: &Asset, context: &Context<'_>) -> Result<Option<Value>, JobError> {
    match asset.adapter {
        Adapter::Url => url(asset, context),
        Adapter::Base64 => Ok(file(asset, context)?.map(|file| file.base64().into())),
        Adapter::DataUri => Ok(file(asset, context)?.map(|file| file.data_uri().into())),
        Adapter::File => {
            let message = "a file cannot stand in a body of text";
            Err(JobError::new(ErrorCode::EBadRequest, message))
        }
    }
}

fn url(asset: &Asset, context: &Context<'_>) -> Result<Option<Value>, JobError> {
    let place = context.place(&asset.hole.reference);
    let Some(value) = context.hole(&asset.hole) else {
        return if asset.hole.optional { Ok(None) } else { Err(missing(&place)) };
    };
    let given = Given::read(&value, &place)?;
    if let Some(url) = given.url() {
        // As the client wrote it: a signed URL may not change by a byte.
        let written = value.as_str().or_else(|| value.get("url").and_then(Value::as_str));
        return Ok(Some(written.unwrap_or(url.as_str()).into()));
    }
    if asset.inline {
        return given.file(asset, &place, context.assets).map(|file| Some(file.data_uri().into()));
    }
    let problem =
        "holds its bytes, and this service takes an URL only: put it where the service can fetch it";
    Err(crate::asset::unfit(&place, problem))
}
