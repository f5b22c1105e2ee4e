//! Media types: what is said of an asset, and what its first bytes say.

use emp_core::JobError;

use super::unfit;

/// Types of several names.
const SAME: [(&str, &str); 14] = [
    ("audio/aacp", "audio/aac"),
    ("audio/m4a", "audio/mp4"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/vnd.wave", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/x-flac", "audio/flac"),
    ("audio/x-m4a", "audio/mp4"),
    ("audio/x-wav", "audio/wav"),
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    ("video/x-m4v", "video/mp4"),
    ("video/quicktime", "video/mp4"),
    ("video/x-matroska", "video/webm"),
];

/// Types whose first bytes are always known: what does not begin so is not of the type.
const CERTAIN: [&str; 13] = [
    "application/pdf",
    "audio/flac",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/webm",
];

/// Types by which a server says that it does not know.
const VAGUE: [&str; 5] = [
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-download",
    "application/force-download",
    "text/plain",
];

/// `image/png` of `Image/PNG; x=y`; `None` when it is no media type.
pub(super) fn essence(text: &str) -> Option<String> {
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    let (family, kind) = essence.split_once('/')?;
    (essence.len() <= 127 && token(family) && token(kind)).then(|| essence.to_ascii_lowercase())
}

/// The usual name of a type.
fn usual(mime: &str) -> &str {
    SAME.iter().find_map(|(other, usual)| (*other == mime).then_some(*usual)).unwrap_or(mime)
}

/// Whether two names are of one type; containers that hold sound or pictures are of both families.
pub(super) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let (one, other) = (usual(&one), usual(&other));
    let container = |mime: &str| {
        let (family, kind) = mime.split_once('/')?;
        let both = matches!(family, "audio" | "video") && matches!(kind, "mp4" | "webm" | "ogg" | "3gpp");
        both.then(|| kind.to_owned())
    };
    one == other || container(one).is_some_and(|kind| Some(kind) == container(other))
}

/// The type of an asset by what the client said, by what a server named, and by its first bytes, which decide.
pub(super) fn judge(
    bytes: &[u8],
    said: Option<&str>,
    named: Option<&str>,
    place: &str,
) -> Result<String, JobError> {
    let found = infer::get(bytes).map(|kind| kind.mime_type());
    let named = named.filter(|mime| !VAGUE.contains(mime));
    match (said, found) {
        (Some(said), Some(found)) if same(said, found) => Ok(said.to_owned()),
        (Some(said), Some(found)) if certain(said) || media(said) => {
            Err(unfit(place, &format!("is said to be {said}, and its first bytes are those of {found}")))
        }
        (Some(said), None) if certain(said) => {
            Err(unfit(place, &format!("is said to be {said}, and its first bytes are not")))
        }
        (Some(said), _) => Ok(said.to_owned()),
        // A server's word counts where the bytes say the same in another name, or nothing.
        (None, Some(found)) => {
            Ok(named.filter(|named| same(named, found)).unwrap_or(usual(found)).to_owned())
        }
        (None, None) => {
            Ok(named.filter(|named| !certain(named)).unwrap_or("application/octet-stream").to_owned())
        }
    }
}

fn certain(mime: &str) -> bool {
    CERTAIN.contains(&usual(mime))
}

fn media(mime: &str) -> bool {
    ["image/", "audio/", "video/"].iter().any(|family| mime.starts_with(family))
}

/// The usual extension of a type.
pub(super) fn extension(mime: &str) -> &str {
    match usual(mime) {
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "image/jpeg" => "jpg",
        "image/svg+xml" => "svg",
        "text/plain" => "txt",
        usual => match usual.split_once('/') {
            Some((_, kind)) if kind.len() <= 5 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                kind
            }
            _ => "bin",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn x15_the_first_bytes_decide_what_an_asset_is() {
        let judge =
            |bytes, said, named| judge(bytes, said, named, "payload.image").map_err(|error| error.message);
        assert_eq!(judge(PNG, None, None).as_deref(), Ok("image/png"));
        assert_eq!(judge(PNG, None, Some("image/jpeg")).as_deref(), Ok("image/png"));
        assert_eq!(judge(PNG, None, Some("binary/octet-stream")).as_deref(), Ok("image/png"));
        assert_eq!(judge(b"RIFF\x24\0\0\0WAVEfmt ", Some("audio/x-wav"), None).as_deref(), Ok("audio/x-wav"));
        assert_eq!(judge(b"a,b\n1,2\n", Some("text/csv"), None).as_deref(), Ok("text/csv"));
        assert_eq!(judge(b"<html>", None, Some("text/html")).as_deref(), Ok("text/html"));
        assert_eq!(judge(b"nothing", None, Some("image/png")).as_deref(), Ok("application/octet-stream"));
        for (bytes, said) in [(PNG, "image/jpeg"), (b"nothing", "image/png"), (PNG, "audio/mpeg")] {
            let message = judge(bytes, Some(said), None).unwrap_err();
            assert!(message.starts_with("payload.image is said to be"), "{message}");
        }
    }

    #[test]
    fn x15_types_of_several_names_are_the_same() {
        assert!(same("audio/x-wav", "audio/wav") && same("image/JPG", "image/jpeg"));
        assert!(same("audio/webm", "video/webm") && same("audio/x-m4a", "video/mp4"));
        assert!(!same("image/png", "image/jpeg") && !same("audio/mpeg", "audio/wav"));
    }
}
