//! What stands in the holes of a request that came.

use emp_core::spec::{Body, PairValue, RequestSpec, UrlSpec};
use emp_core::syntax::hole::{Reference, Root, Step as PathStep};
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::template::{Part, Template};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Seen;
use super::links::{self, captured_name, job_reference};
use crate::form;

/// What stood in the holes of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holes(pub(super) Vec<(Reference, Value)>);

impl Holes {
    /// The names and values of the holes below a root.
    pub(crate) fn of_root(&self, root: Root) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter(move |(reference, _)| reference.root == root).filter_map(|(reference, value)| {
            match reference.path.first()? {
                PathStep::Name(name) => Some((name.as_ref(), value)),
                PathStep::Index(_) => None,
            }
        })
    }

    /// Every hole.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(Reference, Value)> {
        self.0.iter()
    }

    /// The text in the hole with a name.
    pub(crate) fn text(&self, root: Root, name: &str) -> Option<String> {
        self.of_root(root)
            .find_map(|(found, value)| (found == name).then(|| value.as_str().map(str::to_owned))?)
    }
}

/// The holes of a request with the fake's base; `None` when it is another one.
pub(super) fn of(request: &RequestSpec, base_path: &str, seen: &Seen) -> Option<Holes> {
    let mut holes = Holes::default();
    match &request.url {
        UrlSpec::Path(template) => {
            let path = seen.path.strip_prefix(base_path.trim_end_matches('/'))?;
            match_path(template, path, &mut holes)?;
        }
        UrlSpec::Captured(reference) => {
            let (name, id) = links::captured_url_parts(&seen.path)?;
            (captured_name(reference)? == name).then_some(())?;
            holes.0.push((job_reference("id"), id.into()));
        }
    }
    read_pairs(request, seen, &mut holes);
    match (&request.body, &seen.json, &seen.form) {
        (Body::Json(template), Some(json), _) => read_json(template, json, &mut holes),
        (Body::Form(members) | Body::Multipart(members), _, Some(parts)) => {
            read_parts(members, parts, &mut holes);
        }
        _ => {}
    }
    Some(holes)
}

fn match_path(template: &Template, path: &str, holes: &mut Holes) -> Option<()> {
    // A query that stands in the path template is not part of the path that comes.
    let parts = template.parts.iter().map(|part| match part {
        Part::Literal(text) => Piece::Literal(text.split('?').next().unwrap_or(text)),
        Part::Hole { hole, reserved } => Piece::Hole(&hole.reference, *reserved),
    });
    let found = match_pieces(&parts.collect::<Vec<_>>(), path)?;
    holes.0.extend(found.into_iter().map(|(reference, text)| {
        (reference.clone(), percent_decode_str(text).decode_utf8_lossy().into_owned().into())
    }));
    Some(())
}

#[derive(Clone, Copy)]
enum Piece<'t> {
    Literal(&'t str),
    /// With whether it may hold slashes.
    Hole(&'t Reference, bool),
}

fn match_pieces<'t, 's>(pieces: &[Piece<'t>], text: &'s str) -> Option<Vec<(&'t Reference, &'s str)>> {
    let Some((first, rest)) = pieces.split_first() else {
        return text.is_empty().then(Vec::new);
    };
    match first {
        Piece::Literal(literal) => match_pieces(rest, text.strip_prefix(literal)?),
        Piece::Hole(reference, slashes) => {
            let limit = if *slashes { text.len() } else { text.find('/').unwrap_or(text.len()) };
            // The longest first, so that the last literal is found at the end of the text.
            let ends = (1..=limit).rev().filter(|end| text.is_char_boundary(*end));
            ends.into_iter().find_map(|end| {
                let mut found = match_pieces(rest, &text[end..])?;
                found.push((*reference, &text[..end]));
                Some(found)
            })
        }
    }
}

fn read_pairs(request: &RequestSpec, seen: &Seen, holes: &mut Holes) {
    let query = |name: &str| seen.query.iter().find_map(|(key, value)| (key == name).then_some(value));
    let pairs = request.query.iter().map(|pair| (pair, query(pair.name)));
    let headers =
        request.headers.iter().map(|pair| (pair, seen.headers.get(&pair.name.to_ascii_lowercase())));
    for (pair, text) in pairs.chain(headers) {
        let Some(text) = text else { continue };
        match &pair.value {
            PairValue::Hole(hole) => holes.0.push((hole.reference.clone(), text.as_str().into())),
            PairValue::Text(template) => read_text(template, text, holes),
        }
    }
}

fn read_text(template: &Template, text: &str, holes: &mut Holes) {
    let pieces: Vec<_> = template
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Piece::Literal(text),
            Part::Hole { hole, .. } => Piece::Hole(&hole.reference, true),
        })
        .collect();
    let found = match_pieces(&pieces, text).unwrap_or_default();
    holes.0.extend(found.into_iter().map(|(reference, text)| (reference.clone(), text.into())));
}

fn read_json(template: &Json, value: &Value, holes: &mut Holes) {
    match (template, value) {
        (Json::Hole(hole), value) => holes.0.push((hole.reference.clone(), value.clone())),
        (Json::Text(template), Value::String(text)) => read_text(template, text, holes),
        (Json::Array(items), Value::Array(values)) => {
            items.iter().zip(values).for_each(|(item, value)| read_json(item, value, holes));
        }
        (Json::Object(members), Value::Object(values)) => {
            for member in members.iter() {
                if let Member::Field { name, value } = member
                    && let Some(there) = values.get(name.as_ref())
                {
                    read_json(value, there, holes);
                }
            }
        }
        _ => {}
    }
}

fn read_parts(members: &[Member], parts: &[form::Part], holes: &mut Holes) {
    for member in members {
        let Member::Field { name, value } = member else { continue };
        let texts = parts.iter().filter(|part| part.name == name.as_ref()).filter_map(form::Part::text);
        match value {
            Json::Array(values) => {
                values.iter().zip(texts).for_each(|(value, text)| read_json(value, &text.into(), holes));
            }
            value => texts.take(1).for_each(|text| read_json(value, &text.into(), holes)),
        }
    }
}
