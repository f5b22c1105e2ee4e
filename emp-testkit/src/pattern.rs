//! Texts for regular expressions: one that an expression matches, and one in which its first group is a given value.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// A text that a pattern matches, about the shortest.
pub(crate) fn matching(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    written(&hir, None)
}

/// A text of which `last_match` makes a value: the pattern's first group is it, or the whole where there is no group.
pub(crate) fn capturing(pattern: &str, value: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    if has_group(&hir) { written(&hir, Some(value)) } else { Some(value.to_owned()) }
}

fn has_group(hir: &Hir) -> bool {
    hir.properties().explicit_captures_len() > 0
}

fn written(hir: &Hir, group: Option<&str>) -> Option<String> {
    let mut text = String::new();
    write(hir, group, &mut text)?;
    Some(text)
}

fn write(hir: &Hir, group: Option<&str>, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => text.push(letter(class)?),
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repeated) => {
            let least = repeated.min.max(u32::from(group.is_some() && has_group(&repeated.sub)));
            for _ in 0..least {
                write(&repeated.sub, group, text)?;
            }
        }
        HirKind::Capture(capture) => match group {
            Some(value) if capture.index == 1 => text.push_str(value),
            _ => write(&capture.sub, group, text)?,
        },
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, group, text)?;
            }
        }
        HirKind::Alternation(choices) => {
            let wanted = choices.iter().find(|choice| group.is_some() && has_group(choice));
            write(wanted.or(choices.first())?, group, text)?;
        }
    }
    Some(())
}

/// A character of a class: a plain one where it has any.
fn letter(class: &ClassUnicode) -> Option<char> {
    let within = |plain: &char| class.iter().any(|range| (range.start()..=range.end()).contains(plain));
    let starts = || class.iter().map(ClassUnicodeRange::start);
    let plain = ['a', '1', ' ', '.'].into_iter().find(within);
    // A class of one letter in both cases comes of `(?i)`.
    plain.or_else(|| starts().find(|start| start.is_lowercase())).or_else(|| starts().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_that_a_pattern_matches() {
        for (pattern, text) in [
            ("^SAFETY", "SAFETY"),
            ("(?i)done|over", "done"),
            (r"^\d{2,}-[^/?]+$", "11-a"),
            (r"a(?:b|c)*d", "ad"),
        ] {
            assert_eq!(matching(pattern).as_deref(), Some(text), "{pattern}");
        }
        assert_eq!(matching("("), None);
    }

    #[test]
    fn a_value_stands_where_the_first_group_is() {
        for (pattern, text) in [
            (r"(\d+)%\|", "40%|"),
            (r"^https?://[^/]+/([^?]+)", "http://a/40"),
            (r"none|in (\d+)(?: s)?$", "in 40"),
            (r"(?:eta (\d+))?", "eta 40"),
            (r"\d+", "40"),
        ] {
            assert_eq!(capturing(pattern, "40").as_deref(), Some(text), "{pattern}");
        }
    }
}
