//! Declared conditions in words, and patterns of scenario ids.

use emp_core::syntax::hole::Literal;
use emp_core::syntax::rule::{CodePattern, Predicate};
use emp_core::syntax::selector::{Selector, Source};

/// Whether an id has one of the patterns in it; a comma stands between two of them, `*` for anything.
pub(crate) fn matches(patterns: &str, id: &str) -> bool {
    let id = id.to_ascii_lowercase();
    patterns.to_ascii_lowercase().split(',').any(|pattern| {
        let mut rest = id.as_str();
        pattern.trim().split('*').all(|piece| match rest.find(piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    })
}

/// A condition, much as a declaration writes it.
pub(crate) fn predicate(predicate: &Predicate) -> String {
    let joined =
        |parts: &[Predicate], word: &str| parts.iter().map(self::predicate).collect::<Vec<_>>().join(word);
    match predicate {
        Predicate::Compare { selector, op, value } => {
            format!("{} {op} {}", self::selector(selector), literal(value))
        }
        Predicate::In { selector, values } => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("{} in [{}]", self::selector(selector), values.join(", "))
        }
        Predicate::Matches { selector, pattern } => {
            format!("{} matches {pattern:?}", self::selector(selector))
        }
        Predicate::Present(selector) => format!("{} present", self::selector(selector)),
        Predicate::Absent(selector) => format!("{} absent", self::selector(selector)),
        Predicate::All(parts) => joined(parts, " && "),
        Predicate::Any(parts) => format!("({})", joined(parts, " || ")),
        Predicate::IsUrl(selector) => format!("{} is url", self::selector(selector)),
        Predicate::Not(parts) => format!("!({})", joined(parts, " && ")),
    }
}

fn literal(literal: &Literal) -> String {
    literal.to_json().to_string()
}

/// A selector, much as a declaration writes it.
pub(crate) fn selector(selector: &Selector) -> String {
    let source = match &selector.source {
        Source::Path(path) => path.to_string(),
        Source::Header(name) => format!("header({name})"),
        Source::Code => "code".to_owned(),
        Source::Raw => "raw".to_owned(),
        Source::Age => "age".to_owned(),
        Source::AbsentFor => "absent_for".to_owned(),
        Source::Reference(reference) => reference.to_string(),
        other => format!("{other:?}").to_lowercase(),
    };
    selector.reducers.iter().fold(source, |text, reducer| format!("{text} | {}", reducer.word()))
}

/// A set of status codes: `404`, `5xx`.
pub(crate) fn code(pattern: CodePattern) -> String {
    match pattern {
        CodePattern::Exact(code) => code.to_string(),
        CodePattern::Class(class) => format!("{class}xx"),
    }
}

/// What [`code`] writes, read.
pub(crate) fn parse_code(text: &str) -> Option<CodePattern> {
    match text.strip_suffix("xx") {
        Some(class) => class.parse().ok().map(CodePattern::Class),
        None => text.parse().ok().map(CodePattern::Exact),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_in_an_id() {
        for (pattern, id, is) in [
            ("F26", "conduct.F26.html", true),
            ("f26*html", "conduct.F26.html", true),
            ("crash.*", "crash.polling", true),
            ("crash*f26", "conduct.F26.html", false),
            ("", "happy.health", true),
            ("cancel, f26", "conduct.F26.html", true),
        ] {
            assert_eq!(matches(pattern, id), is, "{pattern} {id}");
        }
    }

    #[test]
    fn codes_read_back() {
        for pattern in [CodePattern::Exact(404), CodePattern::Class(5)] {
            assert_eq!(parse_code(&code(pattern)), Some(pattern));
        }
    }
}
