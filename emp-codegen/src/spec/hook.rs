//! The functions of the author's that a declaration names.

use proc_macro2::Ident;
use syn::ext::IdentExt;

/// What a hook stands for; its words are those of `emp_core::hook`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// A selector.
    Select,
    /// A value of a body.
    Make,
    /// The judgement of an answer.
    Judge,
    /// The classification of a refusal.
    Classify,
}

impl HookKind {
    /// What such a function takes, as an author writes it.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Select | Self::Judge | Self::Classify => "answer: &Answer<'_>",
            Self::Make => "known: &Known<'_>",
        }
    }

    /// What such a function gives, as an author writes it.
    pub fn result(self) -> &'static str {
        match self {
            Self::Select | Self::Make => "Option<Value>",
            Self::Judge => "Option<StateVerdict>",
            Self::Classify => "Option<FailureKind>",
        }
    }
}

/// A hook, at its place.
#[derive(Clone, Debug)]
pub struct HookUse {
    /// The function's name.
    pub name: Ident,
    /// What it stands for.
    pub kind: HookKind,
}

impl HookUse {
    /// The name of the constant that holds the function in generated code. One for each function and kind.
    pub fn constant(name: &str, kind: HookKind) -> String {
        format!("HOOK_{kind:?}_{name}").to_uppercase()
    }

    /// The function's name without `r#`.
    pub fn text(&self) -> String {
        self.name.unraw().to_string()
    }
}
