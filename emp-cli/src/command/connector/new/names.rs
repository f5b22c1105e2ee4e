//! The names that come of one: file, module, type, service, variables.

/// A connector's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    words: Vec<String>,
}

impl Names {
    /// Reads a name in any case: `acme-video`, `AcmeVideo`, `acme_video`, `AcmeVideoConnector`.
    ///
    /// # Errors
    /// When no name of Rust comes of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut words: Vec<String> = Vec::new();
        let mut fresh = true;
        let mut before_lower = false;
        for letter in text.chars() {
            if !letter.is_ascii_alphanumeric() {
                if !['-', '_', ' ', '.'].contains(&letter) {
                    return Err(format!("`{letter}` cannot stand in a name"));
                }
                fresh = true;
                continue;
            }
            let begins = fresh || (letter.is_ascii_uppercase() && before_lower);
            if begins {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(letter.to_ascii_lowercase());
            }
            before_lower = !letter.is_ascii_uppercase();
            fresh = false;
        }
        if words.len() > 1 && words.last().is_some_and(|word| word == "connector") {
            words.pop();
        }
        match words.first().and_then(|word| word.chars().next()) {
            Some(first) if first.is_ascii_alphabetic() => Ok(Self { words }),
            _ => Err("a name begins with a letter".to_owned()),
        }
    }

    /// `acme_video`
    pub(super) fn snake(&self) -> String {
        self.words.join("_")
    }

    /// `acme-video`
    pub(super) fn kebab(&self) -> String {
        self.words.join("-")
    }

    /// `AcmeVideo`
    pub(super) fn pascal(&self) -> String {
        self.words.iter().map(|word| capital(word)).collect()
    }

    /// `ACME_VIDEO`
    pub(super) fn upper(&self) -> String {
        self.snake().to_uppercase()
    }

    /// `AcmeVideoConnector`
    pub(super) fn connector(&self) -> String {
        format!("{}Connector", self.pascal())
    }

    /// `AcmeVideoPayload`
    pub(super) fn payload(&self) -> String {
        format!("{}Payload", self.pascal())
    }

    /// `Acme Video`, for people.
    pub(super) fn title(&self) -> String {
        self.words.iter().map(|word| capital(word)).collect::<Vec<_>>().join(" ")
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_gives_the_same_names() {
        for text in ["acme-video", "AcmeVideo", "acme_video", "AcmeVideoConnector", "Acme video"] {
            let names = Names::parse(text).unwrap();
            assert_eq!(
                (names.snake().as_str(), names.kebab().as_str()),
                ("acme_video", "acme-video"),
                "{text}"
            );
            assert_eq!(
                (names.connector().as_str(), names.upper().as_str()),
                ("AcmeVideoConnector", "ACME_VIDEO")
            );
        }
        assert_eq!(Names::parse("OpenAI").unwrap().connector(), "OpenAiConnector");
        for text in ["", "3d", "../x", "a/b", "-"] {
            assert!(Names::parse(text).is_err(), "{text}");
        }
    }
}
