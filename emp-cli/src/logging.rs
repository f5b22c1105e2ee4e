//! Logs of the processes that serve: to stderr, for people on a terminal and as JSON elsewhere. `RUST_LOG` filters. No secret that this
//! process knows gets through, whoever wrote the line: a library at trace level, or a service's own words.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError, RwLock};

use emp_core::Secret;
use emp_engine::scrub::Scrubber;
use tracing_subscriber::EnvFilter;

static KNOWN: Mutex<Vec<Secret>> = Mutex::new(Vec::new());
static SCRUBBER: RwLock<Option<Scrubber>> = RwLock::new(None);

/// What production logs.
pub(crate) const ALL: &str = "info";
/// What happens to jobs, without how workers start: that would scroll away what a developer is told first.
pub(crate) const JOBS: &str = "info,emp_worker::pool=warn,emp_worker::status=warn";
/// Only what needs attention.
pub(crate) const WARNINGS: &str = "warn";

/// Starts logging by a filter, unless `RUST_LOG` has another.
pub(crate) fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let terminal = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Scrubbed(std::io::stderr()));
    // A second start in one process (tests) keeps the first.
    let _ = if terminal {
        builder.with_target(false).try_init()
    } else {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    };
}

/// Names secrets that must not show from now on, beside those that were named before.
pub(crate) fn hide<'s>(secrets: impl IntoIterator<Item = &'s Secret>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.extend(secrets.into_iter().cloned());
    *SCRUBBER.write().unwrap_or_else(PoisonError::into_inner) = Some(Scrubber::new(known.iter()));
}

/// A writer that takes the secrets out. The subscriber writes each event in one piece.
struct Scrubbed<W>(W);

impl<W: Write> Write for Scrubbed<W> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        match &*SCRUBBER.read().unwrap_or_else(PoisonError::into_inner) {
            Some(scrubber) => self.0.write_all(scrubber.text(&String::from_utf8_lossy(piece)).as_bytes())?,
            None => self.0.write_all(piece)?,
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use emp_core::Secret;

    use super::{Scrubbed, hide};

    #[test]
    fn i97_a_log_line_that_holds_a_secret_is_written_without_it() {
        // As a server names them: each kind as soon as it is known, and some are none.
        hide(&[]);
        hide(&[Secret::new("canary-5f2e9a71")]);
        hide(&[Secret::new("canary-of-another")]);
        let mut written = Vec::new();
        Scrubbed(&mut written).write_all(b"Bearer canary-5f2e9a71, x-key: canary-of-another\n").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "Bearer [redacted], x-key: [redacted]\n");
    }
}
