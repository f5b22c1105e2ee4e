//! Names of files: ours, whatever the service calls them (I42).

use std::fmt;

use super::media::MediaType;

/// Longest part of a name that is taken over from the service, characters.
const LONGEST: usize = 80;

/// The name of a result file, such as `0-a-cat.png`: ASCII letters, digits, `-`, `_` and one dot, and a number in front. It cannot leave its
/// directory, hide itself, or be a device on any system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileName(String);

impl FileName {
    /// The name of the file with a number. What the service calls it, a name, a path or a URL, is a wish: what is safe of it is kept. The
    /// extension follows from the media type alone.
    pub fn new(number: usize, wish: Option<&str>, media: &MediaType) -> Self {
        let stem = wish.map(stem).filter(|stem| !stem.is_empty()).unwrap_or_else(|| "result".to_owned());
        Self(format!("{number}-{stem}.{}", media.extension()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The last part of a path without its extension, reduced to plain characters.
fn stem(wish: &str) -> String {
    let path = wish.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    let bare = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let mut plain = String::new();
    for character in bare.chars().take(4 * LONGEST) {
        let kept = if character.is_ascii_alphanumeric() || character == '_' { character } else { '-' };
        // Runs of what is not kept become one dash.
        if kept != '-' || !plain.ends_with('-') {
            plain.push(kept);
        }
    }
    plain.trim_matches('-').chars().take(LONGEST).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(wish: &str) -> String {
        FileName::new(3, Some(wish), &MediaType::parse("image/png")).to_string()
    }

    #[test]
    fn i42_a_name_from_outside_is_a_wish() {
        for (wish, name) in [
            ("cat.jpg", "3-cat.png"),
            ("https://x.test/a/b/my%20cat.webp?sig=1.2/3", "3-my-20cat.png"),
            ("../../etc/cron.d/x", "3-x.png"),
            ("..\\..\\windows\\evil.exe", "3-evil.png"),
            ("..", "3-result.png"),
            (".", "3-result.png"),
            ("", "3-result.png"),
            ("/", "3-result.png"),
            (".bashrc", "3-result.png"),
            ("CON", "3-CON.png"),
            ("nul.txt", "3-nul.png"),
            ("a\u{0}b\r\nc\u{202e}gpj.exe", "3-a-b-c-gpj.png"),
            ("--rf *", "3-rf.png"),
            ("a:b|c<d>", "3-a-b-c-d.png"),
            ("größe", "3-gr-e.png"),
            ("#", "3-result.png"),
        ] {
            assert_eq!(named(wish), name, "{wish:?}");
        }
        assert!(named(&"x".repeat(4096)).len() < 100);
        assert_eq!(FileName::new(0, None, &MediaType::parse("")).as_str(), "0-result.bin");
    }
}
