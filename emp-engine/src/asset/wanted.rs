//! Which URLs must be fetched before a body can be made.

use emp_core::JobError;
use emp_core::spec::Body;
use emp_syntax::asset::{Adapter, Asset};
use emp_syntax::json::{Json, Member};
use url::Url;

use super::{Given, MAX_ASSET};
use crate::context::Context;

/// An URL whose bytes a body needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) url: Url,
    /// Its path in the payload.
    pub(crate) place: String,
    /// Largest size, bytes.
    pub(crate) max: u64,
}

/// The URLs whose bytes a body needs, each once.
///
/// # Errors
/// `E_INVALID_INPUT` names the payload's path of an asset that cannot be read.
pub(crate) fn wanted(body: &Body, context: &Context<'_>) -> Result<Vec<Wanted>, JobError> {
    let mut found = Vec::new();
    match body {
        Body::Json(value) | Body::Raw { value, .. } => in_json(value, context, &mut found)?,
        Body::Form(members) | Body::Multipart(members) => in_members(members, context, &mut found)?,
        _ => {}
    }
    Ok(found)
}

fn in_json(json: &Json, context: &Context<'_>, found: &mut Vec<Wanted>) -> Result<(), JobError> {
    match json {
        Json::Asset(asset) => of_asset(asset, context, found),
        Json::Array(values) => values.iter().try_for_each(|value| in_json(value, context, found)),
        Json::First(values) => {
            let has = |value: &&Json| match value {
                Json::Hole(hole) => context.hole(hole).is_some(),
                _ => true,
            };
            values.iter().find(has).map_or(Ok(()), |value| in_json(value, context, found))
        }
        Json::Object(members) => in_members(members, context, found),
        Json::Literal(_) | Json::Text(_) | Json::Hole(_) | Json::Hook(_) => Ok(()),
    }
}

fn in_members(members: &[Member], context: &Context<'_>, found: &mut Vec<Wanted>) -> Result<(), JobError> {
    members.iter().try_for_each(|member| match member {
        Member::Field { value, .. } => in_json(value, context, found),
        Member::Spread(_) | Member::SpreadHook(_) => Ok(()),
    })
}

fn of_asset(asset: &Asset, context: &Context<'_>, found: &mut Vec<Wanted>) -> Result<(), JobError> {
    if asset.adapter == Adapter::Url {
        return Ok(());
    }
    let Some(value) = context.hole(&asset.hole) else { return Ok(()) };
    let place = context.place(&asset.hole.reference);
    let given = Given::read(&value, &place)?;
    let Some(url) = given.url() else { return Ok(()) };
    let max = asset.max.unwrap_or(MAX_ASSET);
    match found.iter_mut().find(|earlier| earlier.url == *url) {
        // The strictest use would refuse it anyway.
        Some(earlier) => earlier.max = earlier.max.min(max),
        None => found.push(Wanted { url: url.clone(), place, max }),
    }
    Ok(())
}
