//! Assets of a payload: read, checked and given in the form that the service takes. Pure: what an URL gives was fetched before.
//!
//! A path of the worker's machine is no asset: any client could then read its files.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use data_url::DataUrl;
use emp_core::{ErrorCode, JobError};
use emp_syntax::asset::Asset;
use serde_json::Value;
use url::Url;

mod kind;
mod wanted;

pub(crate) use wanted::{Wanted, wanted};

/// Largest asset when the declaration says nothing, bytes; the limit of the body counts beside it.
pub const MAX_ASSET: u64 = 64 << 20;
/// Longest URL of an asset, bytes.
const MAX_URL: usize = 8 << 10;
/// Longest file name, bytes.
const MAX_NAME: usize = 255;

/// What the URLs of assets gave, by URL. Kept while a request is made, and never stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Assets(BTreeMap<String, Fetched>);

/// What an URL gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Bytes,
    /// The type that the server named.
    pub mime: Option<String>,
}

impl Assets {
    /// Nothing.
    pub const NONE: &'static Self = &Self(BTreeMap::new());

    /// Adds what an URL gave.
    pub fn insert(&mut self, url: &Url, fetched: Fetched) {
        self.0.insert(url.to_string(), fetched);
    }
}

impl std::fmt::Debug for Assets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assets").field("fetched", &self.0.len()).finish_non_exhaustive()
    }
}

/// An asset as a payload spells it.
#[derive(Debug)]
pub(crate) struct Given {
    content: Content,
    mime: Option<String>,
    name: Option<String>,
}

#[derive(Debug)]
enum Content {
    Url(Url),
    Bytes(Bytes),
}

/// An asset, checked.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) bytes: Bytes,
    pub(crate) mime: String,
    pub(crate) name: Option<String>,
}

impl Given {
    /// Reads an asset. `place` is its path in the payload, for errors.
    pub(crate) fn read(value: &Value, place: &str) -> Result<Self, JobError> {
        if let Value::String(text) = value {
            return content(text, place);
        }
        let Value::Object(members) = value else {
            return Err(unfit(place, "is neither a text nor an object"));
        };
        if let Some(odd) =
            members.keys().find(|name| !["url", "base64", "mime", "name"].contains(&name.as_str()))
        {
            let odd: String = odd.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(unfit(
                place,
                &format!("has a member `{odd}`; an asset has url or base64, mime and name"),
            ));
        }
        let text = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(unfit(&format!("{place}.{name}"), "is not a text")),
        };
        let mut given = match (text("url")?, text("base64")?) {
            (Some(url), None) => content(url, &format!("{place}.url"))?,
            (None, Some(base64)) => {
                let bytes = STANDARD.decode(base64.trim());
                let bytes = bytes.map_err(|_| unfit(&format!("{place}.base64"), "is not base64"))?;
                Self { content: Content::Bytes(bytes.into()), mime: None, name: None }
            }
            _ => return Err(unfit(place, "has neither `url` nor `base64`, or both")),
        };
        if let Some(mime) = text("mime")? {
            let problem = || unfit(&format!("{place}.mime"), "is not a media type such as image/png");
            given.mime = Some(kind::essence(mime).ok_or_else(problem)?);
        }
        given.name = text("name")?.map(|name| file_name(name, &format!("{place}.name"))).transpose()?;
        Ok(given)
    }

    /// The URL, when the asset is given by one.
    pub(crate) fn url(&self) -> Option<&Url> {
        match &self.content {
            Content::Url(url) => Some(url),
            Content::Bytes(_) => None,
        }
    }

    /// The bytes, within what the declaration allows.
    pub(crate) fn file(self, asset: &Asset, place: &str, assets: &Assets) -> Result<File, JobError> {
        let (bytes, named, name) = match self.content {
            Content::Bytes(bytes) => (bytes, None, None),
            Content::Url(url) => {
                let fetched = assets.0.get(url.as_str()).ok_or_else(|| {
                    JobError::new(ErrorCode::EInternal, format!("{place} was not fetched before it is used"))
                })?;
                let last = url.path_segments().and_then(|mut segments| segments.next_back());
                let name = last.filter(|name| !name.is_empty()).and_then(|name| file_name(name, place).ok());
                (fetched.bytes.clone(), fetched.mime.clone(), name)
            }
        };
        if bytes.is_empty() {
            return Err(unfit(place, "is empty"));
        }
        if let Some(max) = asset.max.filter(|max| bytes.len() as u64 > *max) {
            return Err(unfit(place, &format!("has {} bytes and may have {max}", bytes.len())));
        }
        let mime = kind::judge(&bytes, self.mime.as_deref(), named.as_deref(), place)?;
        if !asset.takes(&mime) && !asset.types.iter().any(|allowed| kind::same(allowed, &mime)) {
            let allowed = asset.types.join(", ");
            return Err(unfit(place, &format!("is {mime} and may be {allowed}")));
        }
        Ok(File { bytes, mime, name: self.name.or(name) })
    }
}

impl File {
    /// `data:image/png;base64,…`
    pub(crate) fn data_uri(&self) -> String {
        format!("data:{};base64,{}", self.mime, STANDARD.encode(&self.bytes))
    }

    /// The bytes as base64.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// A name with an extension for a part that needs one.
    pub(crate) fn name(&self, part: &str) -> String {
        self.name.clone().unwrap_or_else(|| {
            let part: String = part.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("{}.{}", if part.is_empty() { "file" } else { &part }, kind::extension(&self.mime))
        })
    }
}

/// `https://…` or `data:…`
fn content(text: &str, place: &str) -> Result<Given, JobError> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("data") => {
            let url = DataUrl::process(text).map_err(|_| unfit(place, "is not a data URI"))?;
            let (bytes, _) = url.decode_to_vec().map_err(|_| unfit(place, "is not base64"))?;
            let mime = url.mime_type();
            // Without a type in it a data URI is plain text, says its standard; that is not what the client said.
            let said = !text.trim_start().get(5..6).is_some_and(|first| matches!(first, "," | ";"));
            let mime = said.then(|| kind::essence(&format!("{}/{}", mime.type_, mime.subtype))).flatten();
            Ok(Given { content: Content::Bytes(bytes.into()), mime, name: None })
        }
        Some("http" | "https") => {
            let url = url(text).map_err(|problem| unfit(place, problem))?;
            Ok(Given { content: Content::Url(url), mime: None, name: None })
        }
        Some("file") => Err(local(place)),
        _ if text.starts_with(['/', '.', '~', '\\']) || text.get(1..3) == Some(":\\") => Err(local(place)),
        _ => Err(unfit(
            place,
            "is not an asset: write an https URL, a data URI, or an object with url or base64",
        )),
    }
}

/// An absolute URL that reads the same to a person and to a parser.
fn url(text: &str) -> Result<Url, &'static str> {
    if text.len() > MAX_URL || !text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) || text.contains('\\') {
        return Err("has characters that no URL has");
    }
    let url = Url::parse(text).map_err(|_| "is not an URL")?;
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    if url.host_str().is_none() || authority.is_none_or(str::is_empty) {
        return Err("is not an absolute URL");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || authority.is_some_and(|text| text.contains('@'))
    {
        return Err("has a user part: assets are fetched without any credential");
    }
    Ok(url)
}

/// The last part of a name, without what could end a header.
fn file_name(name: &str, place: &str) -> Result<String, JobError> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    if last.is_empty() || last.len() > MAX_NAME || last.chars().any(char::is_control) {
        return Err(unfit(place, "is not a file's name"));
    }
    Ok(last.to_owned())
}

fn local(place: &str) -> JobError {
    let why =
        "is a path: workers read no files of their machine for a job, since every client could read them so";
    unfit(place, &format!("{why}; give an https URL, a data URI or {{\"base64\": ..}}"))
}

/// `image/png` of `Image/PNG; x=y`; `None` when it is no media type.
pub(crate) fn media_type(text: &str) -> Option<String> {
    kind::essence(text)
}

pub(crate) fn unfit(place: &str, problem: &str) -> JobError {
    JobError::new(ErrorCode::EInvalidInput, format!("{place} {problem}"))
}
