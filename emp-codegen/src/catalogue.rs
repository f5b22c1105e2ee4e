//! Every error of the compiler and of the build, with what `emp explain` says of it.
//!
//! `EMP01xx` are mistakes in a declaration, `EMP02xx` in a mapping or between files, `EMP03xx` in an environment or a template.
//! A code is never reused and never changes its meaning.

pub mod body;
pub mod derive;
pub mod life;
pub mod machine;
pub mod mapping;
pub mod openapi;
pub mod outcome;
pub mod polling;
pub mod stream;

/// The stable name of an error: `EMP0104`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    /// The code with this name.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name: `EMP0104`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// What is known of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its code.
    pub code: Code,
    /// The rule, in a few words.
    pub title: &'static str,
    /// Why the rule exists.
    pub why: &'static str,
    /// What to do about it in general.
    pub help: &'static str,
    /// A declaration that follows the rule.
    pub example: &'static str,
}

/// The tables, in the order of their codes.
pub const CODES: &[&[Entry]] = &[
    derive::ENTRIES,
    body::ENTRIES,
    life::ENTRIES,
    polling::ENTRIES,
    outcome::ENTRIES,
    stream::ENTRIES,
    openapi::ENTRIES,
    derive::LAST,
    mapping::ENTRIES,
    machine::ENTRIES,
    mapping::LAST,
];

/// Every entry, in the order of the codes.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    CODES.iter().copied().flatten()
}

/// The entry of a code such as `EMP0104`; upper or lower case.
pub fn find(code: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.code.as_str().eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted_and_every_entry_is_whole() {
        let entries: Vec<_> = all().collect();
        assert!(entries.windows(2).all(|pair| pair[0].code < pair[1].code));
        for entry in entries {
            assert!(!entry.title.is_empty() && !entry.why.is_empty(), "{}", entry.code);
            assert!(!entry.help.is_empty() && !entry.example.is_empty(), "{}", entry.code);
        }
    }

    #[test]
    fn a_code_is_found_in_either_case() {
        assert_eq!(find("emp0101").map(|entry| entry.code.as_str()), Some("EMP0101"));
        assert_eq!(find("EMP9999"), None);
    }
}
