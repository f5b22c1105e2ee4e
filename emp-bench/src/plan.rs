//! What a run is to measure.

use std::path::{Path, PathBuf};

use crate::Failure;
use crate::measure::Measure;

/// What the command line asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Which measures; all when empty.
    pub(crate) measures: Vec<String>,
    /// Which comparisons; all when empty.
    pub(crate) only: Vec<String>,
    /// Few rounds.
    pub(crate) quick: bool,
}

impl Plan {
    /// Whether a measure is to be taken.
    pub(crate) fn wants(&self, measure: &Measure) -> bool {
        let named = self.measures.is_empty() || self.measures.iter().any(|name| name == measure.name);
        named && (self.only.is_empty() || measure.peers.iter().any(|peer| self.against(peer)))
    }

    /// Whether a comparison is to be made.
    pub(crate) fn against(&self, peer: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == peer)
    }

    /// How often each contender runs.
    pub(crate) fn rounds(&self, usual: usize) -> usize {
        if self.quick { 3 } else { usual }
    }
}

/// The workspace that is measured.
pub(crate) fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// A folder for what is installed, built and written here; it is kept, so that the next run finds it.
pub(crate) fn scratch(name: &str) -> Result<PathBuf, Failure> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let folder = target.join("bench").join(name);
    std::fs::create_dir_all(&folder).map_err(Failure::io("cannot make a folder"))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Taken;

    #[test]
    fn a_measure_is_taken_when_it_is_named_and_has_a_peer_that_is_asked_for() {
        let measure =
            Measure { name: "derive", about: "", peers: &["serde", "bare"], take: |_| Ok(Taken::default()) };
        let wants = |measures: &[&str], only: &[&str]| {
            let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            Plan { measures: texts(measures), only: texts(only), quick: false }.wants(&measure)
        };
        assert!(wants(&[], &[]) && wants(&["derive"], &[]) && wants(&["build", "derive"], &["serde"]));
        assert!(!wants(&["build"], &[]) && !wants(&[], &["bullmq"]) && !wants(&["build"], &["serde"]));
    }
}
