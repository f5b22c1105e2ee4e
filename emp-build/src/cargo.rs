//! The lines by which a build script talks to cargo.

use std::fmt;

/// A line for cargo. The order of the variants is the order in which they are printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Directive {
    /// Run again when this file or folder changes.
    RerunIfChanged(String),
    /// Run again when this variable changes.
    RerunIfEnvChanged(String),
    /// Show one line, and go on.
    Warning(String),
    /// Show one line, and fail.
    Error(String),
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = match self {
            Self::RerunIfChanged(path) => ("rerun-if-changed", path),
            Self::RerunIfEnvChanged(name) => ("rerun-if-env-changed", name),
            Self::Warning(text) => ("warning", text),
            Self::Error(text) => ("error", text),
        };
        // A line break would end the directive, and its rest would be read as another one.
        write!(f, "cargo::{key}={}", value.replace(['\n', '\r'], " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_is_one_line() {
        let text = Directive::Warning("a\ncargo::rustc-link-arg=x".to_owned()).to_string();
        assert_eq!(text, "cargo::warning=a cargo::rustc-link-arg=x");
    }
}
