//! The results of a fake service: values where the connector looks for them, and files for it to fetch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emp_core::spec::{Each, Files, HttpProtocol, PairValue, RequestSpec, ResultAt, Take, UrlSpec};
use emp_core::syntax::hole::{Hole, Root, Step};
use emp_core::syntax::selector::{Selector, Source};
use emp_core::syntax::template::{Part, Template};
use serde_json::{Map, Value, json};

use crate::draft::Draft;
use crate::job::{VirtualJob, Yield};
use crate::route;

/// A file of a fake service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FakeFile {
    pub(crate) mime: String,
    pub(crate) bytes: Vec<u8>,
}

/// The smallest picture that there is.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\xdac\xfc\xcf\xc0P\x0f\0\x04\x85\x01\x80\x84\xa9\x8c!\0\0\0\0IEND\xaeB`\x82";

/// A file of the first type that the connector takes; a picture when it takes any. Each name has bytes of its own.
pub(crate) fn file(http: &HttpProtocol, name: &str) -> FakeFile {
    let declared = http.outcome.types.first().copied().unwrap_or("image/png");
    let (mime, head): (&str, &[u8]) = match declared {
        "image/*" | "image/png" => ("image/png", PNG),
        "video/*" => ("video/mp4", b"\0\0\0\x18ftypmp42"),
        "audio/*" => ("audio/mpeg", b"ID3\x04\0"),
        "text/*" => ("text/plain", b""),
        exact => (exact, b""),
    };
    FakeFile { mime: mime.to_owned(), bytes: [head, b"fake file ", name.as_bytes()].concat() }
}

/// Puts a result into an answer where `take` looks for it.
pub(crate) fn put(http: &HttpProtocol, take: &Take, job: &VirtualJob, draft: &mut Draft) {
    if job.yields == Yield::Few {
        return;
    }
    if let Some(first) = http.outcome.first_of.first() {
        match &first.at {
            Some(ResultAt::Found(selectors)) => {
                draft.put_first(selectors, &format!("{}{}", job.origin, route::part_path(&job.id)).into());
            }
            Some(ResultAt::Request(_)) => {}
            None => part(http, &first.take, job, draft),
        }
    }
    if take.raw {
        draft.file = Some(file(http, &job.id));
    }
    if take.raw || !take.base64.is_empty() {
        draft.put_first(take.mime, &file(http, &job.id).mime.into());
    }
    draft.put_first(take.base64, &STANDARD.encode(file(http, &job.id).bytes).into());
    match take.files {
        Files::Urls(selectors) => {
            for (number, selector) in selectors.iter().enumerate() {
                draft.put(selector, link(job, number).into());
            }
        }
        Files::Auto => {
            let found = json!([link(job, 0)]);
            if take.json.is_empty() {
                draft.body = json!({ "output": found });
            } else if !draft.put_first(take.json, &found) {
                // Where a filter wants an object, the link is a member of it.
                draft.put_first(take.json, &json!({ "url": link(job, 0) }));
            }
        }
        Files::Each(each) => put_item(each, draft),
        _ => {}
    }
}

/// Puts a part of a result into an answer: the values of `take`, and its files.
pub(crate) fn part(http: &HttpProtocol, take: &Take, job: &VirtualJob, draft: &mut Draft) {
    if take.raw {
        draft.file = Some(file(http, &job.id));
    }
    let value = json!({ "echo": job.request });
    draft.put_first(take.text, &"text of a part".into());
    draft.put_first(take.json, &value);
    if let Files::Urls(selectors) = take.files {
        for (number, selector) in selectors.iter().enumerate() {
            draft.put(selector, link(job, number).into());
        }
    }
}

/// An answer by lines: its array, one element a line; a value that is none is the only line.
pub(crate) fn by_lines(draft: &mut Draft) {
    let values = match &draft.body {
        Value::Array(values) => values.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    draft.raw = Some(lines.join("\n"));
    draft.headers.insert("content-type".to_owned(), "application/jsonl".to_owned());
}

/// What is taken out of the answer to a request for a part of the result.
pub(crate) fn take_of<'h>(http: &'h HttpProtocol, request: &RequestSpec) -> Option<&'h Take> {
    let places = http.outcome.first_of.iter().filter_map(|part| Some((part.at.as_ref()?, &part.take)));
    let extras = http.outcome.also.iter().map(|extra| (&extra.at, &extra.take));
    places.chain(extras).find_map(|(at, take)| match at {
        ResultAt::Request(own) => std::ptr::eq(own, request).then_some(take),
        ResultAt::Found(_) => None,
    })
}

/// The URL of a file; it changes when the ones before have expired.
fn link(job: &VirtualJob, number: usize) -> String {
    format!("{}{}", job.origin, route::file_path(&job.id, job.links, number))
}

/// One item with everything that its request reads of it.
fn put_item(each: &Each, draft: &mut Draft) {
    // What a filter asks for is there first, and stays.
    draft.put(&each.items, Value::Null);
    let there = match &each.items.source {
        Source::Path(path) => path.nodes(&draft.body).first().map(|node| (*node).clone()).unwrap_or_default(),
        _ => Value::Null,
    };
    let bare = Selector { reducers: std::borrow::Cow::Borrowed(&[]), ..each.items.clone() };
    if item_holes(each).iter().any(|hole| hole.reference.path.is_empty()) {
        draft.put(&bare, "fake-item".into());
        return;
    }
    let mut item = Map::new();
    for name in item_members(each).filter(|name| there.get(name).is_none()) {
        let value = format!("fake-{name}.png");
        item.insert(name, value.into());
    }
    draft.put(&bare, Value::Object(item));
}

/// The members of an item that its request and its name read.
fn item_members(each: &Each) -> impl Iterator<Item = String> {
    item_holes(each).into_iter().filter_map(|hole| match hole.reference.path.first()? {
        Step::Name(name) => Some(name.clone().into_owned()),
        Step::Index(_) => None,
    })
}

/// What a request for an item, and its name, read of it.
fn item_holes(each: &Each) -> Vec<Hole> {
    let of_text = |template: &Template| -> Vec<Hole> {
        let hole = |part: &Part| match part {
            Part::Hole { hole, .. } => Some(hole.clone()),
            Part::Literal(_) => None,
        };
        template.parts.iter().filter_map(hole).collect()
    };
    let mut holes: Vec<Hole> = Vec::new();
    if let UrlSpec::Path(template) = &each.request.url {
        holes.extend(of_text(template));
    }
    let pairs = each.request.query.iter().chain(each.request.headers).map(|pair| &pair.value);
    for value in pairs.chain(&each.name) {
        match value {
            PairValue::Text(template) => holes.extend(of_text(template)),
            PairValue::Hole(hole) => holes.push(hole.clone()),
        }
    }
    holes.retain(|hole| hole.reference.root == Root::Item);
    holes
}
