//! Who may call: nobody but this machine, or whoever has the token.

use emp_core::{EnvSource, Secret};
use sha2::{Digest, Sha256};

/// The variable that holds the API's token.
pub const TOKEN_VARIABLE: &str = "EMP_API_TOKEN";

/// Who may call the API.
#[derive(Clone)]
pub enum Auth {
    /// Anybody who reaches it: on a loopback address only.
    None,
    /// Whoever sends `Authorization: Bearer <token>`. Only the token's SHA-256 is kept; a token is random and long, so that a slow
    /// hash would add nothing.
    Token([u8; 32]),
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token([redacted])",
        })
    }
}

impl Auth {
    /// The token of `EMP_API_TOKEN`; [`Auth::None`] when it is unset or empty.
    pub fn from_env(source: &dyn EnvSource) -> Self {
        match source.get(TOKEN_VARIABLE) {
            Some(token) if !token.trim().is_empty() => Self::token(&Secret::new(token.trim())),
            _ => Self::None,
        }
    }

    /// A token.
    pub fn token(token: &Secret) -> Self {
        Self::Token(digest(token.expose()))
    }

    /// Whether these `Authorization` headers let the request in. There must be exactly one.
    pub(crate) fn admits<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let Self::Token(expected) = self else { return true };
        let mut headers = headers.into_iter();
        let (Some(only), None) = (headers.next(), headers.next()) else { return false };
        let given = std::str::from_utf8(only).ok().and_then(|value| value.split_once(' '));
        let Some((scheme, token)) = given else { return false };
        scheme.eq_ignore_ascii_case("bearer") && same(&digest(token), expected)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Compares every byte, so that the time tells nothing of the place of the first difference.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use emp_core::Secret;

    use super::Auth;

    #[test]
    fn i49_only_one_whole_bearer_token_is_let_in() {
        let auth = Auth::token(&Secret::new("right-token"));
        assert!(auth.admits([b"Bearer right-token".as_slice()]));
        let refused: [&[&[u8]]; 8] = [
            &[],
            &[b""],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"Basic right-token"],
            &[b"Bearer right-token", b"Bearer right-token"],
            &[b"Bearer right-toke\xff"],
            &[b"Bearer  right-token"],
        ];
        for headers in refused {
            assert!(!auth.admits(headers.iter().copied()), "{headers:?}");
        }
    }

    #[test]
    fn i50_one_wrong_character_is_refused_at_either_end() {
        let auth = Auth::token(&Secret::new("right-token"));
        for wrong in ["Right-token", "right-tokeN", "right-token1", "right-toke"] {
            assert!(!auth.admits([format!("Bearer {wrong}").as_bytes()]), "{wrong}");
        }
    }

    #[test]
    fn an_empty_variable_is_no_token_and_a_token_is_never_printed() {
        let env = |value: &str| BTreeMap::from([("EMP_API_TOKEN".to_owned(), value.to_owned())]);
        assert!(matches!(Auth::from_env(&env(" ")), Auth::None));
        let auth = Auth::from_env(&env("s3cret"));
        assert!(auth.admits([b"Bearer s3cret".as_slice()]));
        assert_eq!(format!("{auth:?}"), "Token([redacted])");
    }
}
