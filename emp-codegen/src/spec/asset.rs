//! Which members of the payload are assets.

use emp_syntax::asset::{Adapter, Asset};
use emp_syntax::hole::{Root, Step};
use emp_syntax::json::{Json, Member};

use super::{Body, Http, Request};

/// What an asset in a payload may be, as all who read it say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadAsset {
    /// Its media types; any when empty.
    pub types: Vec<String>,
    /// Its bytes will do, and not only its URL.
    pub inline: bool,
}

impl Http {
    /// What a top-level member of the payload may be that some request reads as an asset.
    pub(super) fn asset(&self, member: &str) -> Option<PayloadAsset> {
        let mut found = Vec::new();
        for body in self.requests().into_iter().filter_map(|request| request.body.as_ref()) {
            match body {
                Body::Json(value) | Body::Raw { value, .. } => in_json(value, &mut found),
                Body::Form(members) | Body::Multipart(members) => in_members(members, &mut found),
            }
        }
        found.retain(|asset| is(asset, member));
        let types = found.iter().find(|asset| !asset.types.is_empty());
        (!found.is_empty()).then(|| PayloadAsset {
            types: types
                .map(|asset| asset.types.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            inline: found.iter().any(|asset| asset.adapter != Adapter::Url || asset.inline),
        })
    }

    /// The requests of a job.
    fn requests(&self) -> Vec<&Request> {
        let operations = self.operations.iter().map(|operation| &operation.submit.request);
        let polls = self.operations.iter().filter_map(|operation| operation.poll.as_ref());
        operations
            .chain([&self.submit.request])
            .chain(self.prepare.iter().map(|step| &step.request))
            .chain(polls.chain(&self.poll).map(|poll| &poll.request))
            .chain(self.cancel.iter().flat_map(|cancel| {
                cancel.request.iter().chain(cancel.stages.iter().map(|(_, request)| request))
            }))
            .collect()
    }
}

fn in_json<'h>(json: &'h Json, found: &mut Vec<&'h Asset>) {
    match json {
        Json::Asset(asset) => found.push(asset),
        Json::Array(values) | Json::First(values) => values.iter().for_each(|value| in_json(value, found)),
        Json::Object(members) => in_members(members, found),
        Json::Literal(_) | Json::Text(_) | Json::Hole(_) | Json::Hook(_) => {}
    }
}

fn in_members<'h>(members: &'h [Member], found: &mut Vec<&'h Asset>) {
    for member in members {
        if let Member::Field { value, .. } = member {
            in_json(value, found);
        }
    }
}

fn is(asset: &Asset, member: &str) -> bool {
    let reference = &asset.hole.reference;
    reference.root == Root::Payload && matches!(reference.path.as_ref(), [Step::Name(name)] if name == member)
}
