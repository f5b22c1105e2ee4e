//! Names in messages.

/// The longest name that a message repeats.
const LONGEST: usize = 80;

/// A name from a file, in backticks: without control characters, and not longer than a line.
pub(super) fn quoted(name: &str) -> String {
    let mut shown: String = name.chars().take(LONGEST).flat_map(printable).collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn printable(letter: char) -> impl Iterator<Item = char> {
    let escaped = letter.is_control().then(|| letter.escape_default());
    let plain = escaped.is_none().then_some(letter);
    escaped.into_iter().flatten().chain(plain)
}

/// Whether a text can be the name of a variable.
pub(super) fn is_variable(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// `MyServiceConnector` as the file that it would be in: `my_service.rs`.
pub(super) fn file_of(connector: &str) -> String {
    let stem = connector.strip_suffix("Connector").filter(|stem| !stem.is_empty()).unwrap_or(connector);
    let mut file = String::new();
    let mut before_upper = true;
    for letter in stem.chars().take(LONGEST).filter(|letter| letter.is_alphanumeric()) {
        if letter.is_uppercase() && !before_upper {
            file.push('_');
        }
        before_upper = letter.is_uppercase();
        file.extend(letter.to_lowercase());
    }
    format!("{file}.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_control_characters_and_cut() {
        assert_eq!(quoted("a\u{1b}[31m\n"), "`a\\u{1b}[31m\\n`");
        assert_eq!(quoted(&"x".repeat(81)).chars().count(), 83);
    }

    #[test]
    fn files_are_named_like_modules() {
        assert_eq!(file_of("MyServiceConnector"), "my_service.rs");
        assert_eq!(file_of("OpenAIConnector"), "open_ai.rs");
        assert_eq!(file_of("Connector"), "connector.rs");
    }

    #[test]
    fn variables_are_names() {
        assert!(is_variable("_A1"));
        for text in ["", "1A", "${A}", "A-B", "A=b", "Ä"] {
            assert!(!is_variable(text), "{text}");
        }
    }
}
