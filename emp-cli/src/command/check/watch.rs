//! `emp check --watch`: checks again when a file changes.

use std::time::Duration;

use emp_build::{CheckInputs, Inputs};

/// How often the files are read. Reading says more than a file's time or a system's notices, which differ by system and by
/// mount; two hundred connectors take a few milliseconds.
const PAUSE: Duration = Duration::from_millis(400);

/// Calls for each state of the files, the first one included, until it says that it is enough.
pub(super) fn each_state(asked: &CheckInputs, mut on: impl FnMut(&Inputs) -> bool) {
    let mut seen = None;
    loop {
        let now = asked.read(std::path::Path::new(""));
        if seen.as_ref() != Some(&now) {
            if !on(&now) {
                return;
            }
            seen = Some(now);
        }
        std::thread::sleep(PAUSE);
    }
}
