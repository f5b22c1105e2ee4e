//! A credential: printed never, compared in constant time, wiped when dropped.

use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

/// A credential from the environment. It can only stand in `#[auth(..)]`.
///
/// `Debug` prints `[redacted]`; there is no `Display` and no `Serialize`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a credential.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The credential itself. Only the gateway's credential step and the scrubber may ask for it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

/// Whether a name is one of a credential, by its words: `X-Auth-Key`, `accessToken`, `client_secret`. `max_tokens` is none.
pub fn names_credential(name: &str) -> bool {
    const WORDS: [&str; 17] = [
        "apikey",
        "auth",
        "authorization",
        "cookie",
        "credential",
        "credentials",
        "jwt",
        "key",
        "passwd",
        "password",
        "secret",
        "session",
        "sessionid",
        "sig",
        "signature",
        "token",
        "xkey",
    ];
    words(name).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// The words of a name in kebab, snake or camel case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::names_credential;

    #[test]
    fn names_of_credentials_are_known() {
        for name in [
            "Authorization",
            "x-api-key",
            "xi-api-key",
            "api_key",
            "key",
            "access_token",
            "accessToken",
            "Ocp-Apim-Subscription-Key",
            "Cookie",
            "Proxy-Authorization",
            "X-Auth",
            "X-Auth-Key",
            "X-Session-Id",
            "private_key",
            "clientSecret",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in
            ["max_tokens", "max_output_tokens", "prompt", "keyframe", "content-type", "code", "author"]
        {
            assert!(!names_credential(name), "{name}");
        }
    }
}
