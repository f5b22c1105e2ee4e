//! Regular expressions of the declarations, compiled once each. The derive has checked them.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use regex::Regex;

static COMPILED: LazyLock<RwLock<HashMap<String, Option<Regex>>>> = LazyLock::new(RwLock::default);

/// The expression; `None` when it is not one.
pub(crate) fn get(pattern: &str) -> Option<Regex> {
    let known = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(pattern).cloned();
    known.unwrap_or_else(|| {
        // Declarations are compiled in, so the number of patterns is bounded by the binary.
        let compiled = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().ok();
        COMPILED.write().unwrap_or_else(PoisonError::into_inner).insert(pattern.to_owned(), compiled.clone());
        compiled
    })
}
