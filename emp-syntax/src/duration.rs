//! Durations: `250ms`, `30s`, `1m 30s`, `24h`.

use std::time::Duration;

use crate::SyntaxError;

/// Parses a duration with its unit.
pub fn parse(text: &str) -> Result<Duration, SyntaxError> {
    humantime::parse_duration(text.trim()).map_err(|error| {
        SyntaxError::new(0, error.to_string()).help("write a number and a unit, such as \"30s\"")
    })
}
