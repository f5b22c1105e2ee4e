//! Conditions of the code (`cfg`), as the target of a build answers them.
//!
//! cargo tells a build script of its target by `CARGO_CFG_*`; `cfg!` in a build script would speak of the machine that compiles. What
//! cargo does not tell (`test`, what other build scripts set) stays open, and a connector under it may exist.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitBool, LitStr, Token, parenthesized};

/// What is known of the target of a build; nothing unless a build says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The names in lower case, each with its values; a flag has none.
    known: BTreeMap<String, BTreeSet<String>>,
}

/// Flags that the compiler itself sets or does not set, so that one which cargo does not tell is not set.
const FLAGS: [&str; 3] = ["unix", "windows", "debug_assertions"];

/// Names that the compiler itself gives values.
const KEYS: [&str; 10] = [
    "feature",
    "panic",
    "target_abi",
    "target_arch",
    "target_endian",
    "target_env",
    "target_family",
    "target_os",
    "target_pointer_width",
    "target_vendor",
];

impl Target {
    /// The target that variables such as `CARGO_CFG_TARGET_OS=linux` and `CARGO_FEATURE_LOCAL_GPU=1` tell of.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in variables {
            if let Some(name) = name.strip_prefix("CARGO_CFG_") {
                let values = value.split(',').filter(|value| !value.is_empty()).map(str::to_owned);
                known.entry(name.to_lowercase()).or_default().extend(values);
            } else if let Some(feature) = name.strip_prefix("CARGO_FEATURE_") {
                known.entry("feature".to_owned()).or_default().insert(told(feature));
            }
        }
        Self { known }
    }

    /// Whether a condition holds; `None` when that cannot be told.
    pub(crate) fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition {
            // Nothing is known outside of a build.
            _ if self.known.is_empty() => None,
            Condition::Given(answer) => Some(*answer),
            Condition::All(parts) => self.fold(parts, false),
            Condition::Any(parts) => self.fold(parts, true),
            Condition::Not(part) => self.holds(part).map(|holds| !holds),
            Condition::Flag(name) if self.known.contains_key(name) => Some(true),
            Condition::Flag(name) => FLAGS.contains(&name.as_str()).then_some(false),
            Condition::Value(name, value) => {
                let value = if name == "feature" { &told(value) } else { value };
                match self.known.get(name) {
                    Some(values) => Some(values.iter().any(|known| known == value || told(known) == *value)),
                    None => KEYS.contains(&name.as_str()).then_some(false),
                }
            }
            Condition::Unread => None,
        }
    }

    /// One part that is `deciding` decides; else all of them must be known.
    fn fold(&self, parts: &[Condition], deciding: bool) -> Option<bool> {
        let answers: Vec<Option<bool>> = parts.iter().map(|part| self.holds(part)).collect();
        if answers.contains(&Some(deciding)) {
            return Some(deciding);
        }
        if answers.contains(&None) { None } else { Some(!deciding) }
    }
}

/// A feature as the name of a variable tells it: `local-gpu` is `LOCAL_GPU`.
fn told(feature: &str) -> String {
    feature.to_uppercase().replace('-', "_")
}

/// An attribute `#[cfg(..)]`.
#[derive(Clone, Debug)]
pub(crate) struct Cfg {
    /// `cfg(windows)`
    pub(crate) text: String,
    /// What it asks.
    pub(crate) condition: Condition,
}

impl Cfg {
    /// Of what stands in its brackets.
    pub(crate) fn new(tokens: TokenStream) -> Self {
        let text = format!("cfg({tokens})");
        Self { text, condition: syn::parse2(tokens).unwrap_or(Condition::Unread) }
    }
}

/// What stands between the brackets of `cfg(..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `true`, `false`
    Given(bool),
    /// `all(..)`
    All(Vec<Self>),
    /// `any(..)`
    Any(Vec<Self>),
    /// `not(..)`
    Not(Box<Self>),
    /// `unix`
    Flag(String),
    /// `target_os = "linux"`
    Value(String, String),
    /// What is not understood here, which is rustc's to report.
    Unread,
}

impl Parse for Condition {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitBool) {
            return Ok(Self::Given(input.parse::<LitBool>()?.value));
        }
        let name = input.call(Ident::parse_any)?.to_string();
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            return Ok(Self::Value(name, input.parse::<LitStr>()?.value()));
        }
        if !input.peek(syn::token::Paren) {
            return Ok(Self::Flag(name));
        }
        let inside;
        parenthesized!(inside in input);
        let mut parts: Vec<Self> =
            Punctuated::<Self, Token![,]>::parse_terminated(&inside)?.into_iter().collect();
        Ok(match (name.as_str(), parts.len()) {
            ("all", _) => Self::All(parts),
            ("any", _) => Self::Any(parts),
            ("not", 1) => Self::Not(Box::new(parts.remove(0))),
            _ => Self::Unread,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(variables: &[(&str, &str)]) -> Target {
        Target::from_variables(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    fn windows() -> Target {
        target(&[
            ("CARGO_CFG_WINDOWS", ""),
            ("CARGO_CFG_TARGET_OS", "windows"),
            ("CARGO_CFG_TARGET_FAMILY", "windows"),
            ("CARGO_CFG_TARGET_FEATURE", "fxsr,sse,sse2"),
            ("CARGO_CFG_FEATURE", "default,local-gpu"),
            ("CARGO_FEATURE_LOCAL_GPU", "1"),
            ("CARGO_MANIFEST_DIR", "/x"),
        ])
    }

    fn holds(target: &Target, condition: &str) -> Option<bool> {
        target.holds(&syn::parse_str(condition).unwrap_or(Condition::Unread))
    }

    #[test]
    fn the_target_answers_and_not_the_machine_that_builds() {
        let windows = windows();
        for (condition, answer) in [
            ("windows", Some(true)),
            ("unix", Some(false)),
            ("not(unix)", Some(true)),
            ("target_os = \"windows\"", Some(true)),
            ("target_os = \"linux\"", Some(false)),
            ("target_env = \"musl\"", Some(false)),
            ("target_feature = \"sse2\"", Some(true)),
            ("feature = \"local-gpu\"", Some(true)),
            ("feature = \"other\"", Some(false)),
            ("all(windows, feature = \"local-gpu\",)", Some(true)),
            ("any(unix, all(windows, not(feature = \"other\")))", Some(true)),
            ("all()", Some(true)),
            ("any()", Some(false)),
            ("true", Some(true)),
        ] {
            assert_eq!(holds(&windows, condition), answer, "{condition}");
        }
    }

    #[test]
    fn what_cargo_does_not_tell_stays_open() {
        let windows = windows();
        for condition in
            ["test", "tokio_unstable", "a = \"b\"", "not(test)", "any(unix, test)", "all(windows, test)"]
        {
            assert_eq!(holds(&windows, condition), None, "{condition}");
        }
        assert_eq!(holds(&windows, "any(windows, test)"), Some(true), "one part is enough");
        assert_eq!(holds(&windows, "all(unix, test)"), Some(false), "one part is enough");
        for condition in ["unix", "windows", "true"] {
            assert_eq!(holds(&Target::default(), condition), None, "nothing is known outside of a build");
        }
    }

    #[test]
    fn i21_what_is_no_condition_is_nobody_s_answer() {
        for condition in ["", "not(a, b)", "maybe(x)", "= 1", "target_os = linux", "all(", "a b"] {
            assert_eq!(holds(&windows(), condition), None, "{condition}");
        }
    }
}
