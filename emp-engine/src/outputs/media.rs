//! Media types: read from a header, told from the first bytes, and the extension that follows.

use std::fmt;

/// A media type without parameters, such as `image/png`. What is not one is `application/octet-stream`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaType(String);

/// The type of what nobody knows.
const UNKNOWN: &str = "application/octet-stream";

/// Types with the extension that people expect; `mime_guess` lists them by the alphabet, so `image/jpeg` would be `jfe`.
const EXTENSIONS: &[(&str, &str)] = &[
    ("application/gzip", "gz"),
    ("application/json", "json"),
    ("application/jsonl", "jsonl"),
    ("application/octet-stream", "bin"),
    ("application/pdf", "pdf"),
    ("application/x-ndjson", "jsonl"),
    ("application/x-subrip", "srt"),
    ("application/xml", "xml"),
    ("application/zip", "zip"),
    ("audio/aac", "aac"),
    ("audio/flac", "flac"),
    ("audio/m4a", "m4a"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/wav", "wav"),
    ("audio/x-flac", "flac"),
    ("audio/x-wav", "wav"),
    ("image/avif", "avif"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tiff"),
    ("image/webp", "webp"),
    ("model/gltf+json", "gltf"),
    ("model/gltf-binary", "glb"),
    ("model/obj", "obj"),
    ("model/stl", "stl"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/markdown", "md"),
    ("text/plain", "txt"),
    ("text/vtt", "vtt"),
    ("text/xml", "xml"),
    ("video/mp4", "mp4"),
    ("video/mpeg", "mpeg"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
];

impl MediaType {
    /// The type that a `Content-Type` names.
    pub fn parse(text: &str) -> Self {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let token = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
            !part.is_empty() && part.bytes().all(plain)
        };
        let whole = essence.len() <= 100
            && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
        Self(if whole { essence } else { UNKNOWN.to_owned() })
    }

    /// The type of what nobody knows.
    pub fn unknown() -> Self {
        Self(UNKNOWN.to_owned())
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Nothing is known of the content. Stores of files say so of everything that they were not told of.
    pub fn is_unknown(&self) -> bool {
        matches!(self.as_str(), UNKNOWN | "binary/octet-stream" | "application/binary")
    }

    /// A page for people: what a proxy or a login page sends in place of a file.
    pub fn is_page(&self) -> bool {
        matches!(self.as_str(), "text/html" | "application/xhtml+xml")
    }

    /// Whether a declared type, `image/png` or `image/*`, names this one.
    pub fn is(&self, declared: &str) -> bool {
        match declared.strip_suffix("/*") {
            Some(kind) => self.0.split_once('/').is_some_and(|(own, _)| own.eq_ignore_ascii_case(kind)),
            None => self.0.eq_ignore_ascii_case(declared),
        }
    }

    /// The extension of a file of this type, without its dot.
    pub fn extension(&self) -> &'static str {
        let own = EXTENSIONS.binary_search_by_key(&self.as_str(), |(kind, _)| kind).ok();
        let own = own.and_then(|index| EXTENSIONS.get(index)).map(|(_, extension)| *extension);
        let known = || mime_guess::get_mime_extensions_str(&self.0)?.first().copied();
        own.or_else(known).unwrap_or("bin")
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a file is, from what the service says of it, its first bytes and its name, in this order; but what begins as a page of HTML is one,
/// whatever is said of it.
pub fn sniff(said: Option<&str>, head: &[u8], wish: Option<&str>) -> MediaType {
    if infer::text::is_html(head) {
        return MediaType::parse("text/html");
    }
    let said = MediaType::parse(said.unwrap_or_default());
    if !said.is_unknown() {
        return said;
    }
    if let Some(found) = infer::get(head) {
        return MediaType::parse(found.mime_type());
    }
    let path = wish.and_then(|wish| wish.split(['?', '#']).next()).unwrap_or_default();
    mime_guess::from_path(path).first_raw().map_or(said, MediaType::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(EXTENSIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn an_extension_follows_from_the_type_alone() {
        for (kind, extension) in [
            ("image/jpeg", "jpg"),
            ("IMAGE/PNG; charset=binary", "png"),
            ("audio/mpeg", "mp3"),
            ("application/vnd.api+json", "bin"),
            ("font/woff2", "woff2"),
            ("../../x", "bin"),
            ("image/png\r\nX: 1", "bin"),
            ("", "bin"),
        ] {
            assert_eq!(MediaType::parse(kind).extension(), extension, "{kind}");
        }
    }

    #[test]
    fn what_is_said_comes_before_what_is_seen_unless_it_is_a_page() {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        let kind = |said, head, wish| sniff(said, head, wish).to_string();
        assert_eq!(kind(Some("video/mp4"), PNG, None), "video/mp4");
        assert_eq!(kind(Some("binary/octet-stream"), PNG, Some("x.jpg")), "image/png");
        assert_eq!(kind(None, b"glTF", Some("https://x.test/mesh.glb?sig=1")), "model/gltf-binary");
        assert_eq!(kind(None, b"\x00\x01", None), UNKNOWN);
        assert_eq!(kind(Some("image/png"), b"<!DOCTYPE html><title>Sign in", None), "text/html");
    }

    #[test]
    fn a_declared_type_may_stand_for_a_whole_kind() {
        let png = MediaType::parse("image/png");
        assert!(png.is("image/png") && png.is("image/*") && png.is("IMAGE/*"));
        assert!(!png.is("image/jpeg") && !png.is("imag/*") && !png.is("video/*"));
    }
}
