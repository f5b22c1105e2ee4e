//! Durations: `250ms`, `30s`, `1m 30s`, `24h`.

use std::time::Duration;

use crate::SyntaxError;

/// Longer than anything that is waited for; sums of a few of these fit wherever durations do.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// Parses a duration with its unit, up to ten years.
pub fn parse(text: &str) -> Result<Duration, SyntaxError> {
    let duration = humantime::parse_duration(text.trim()).map_err(|error| {
        SyntaxError::new(0, error.to_string()).help("write a number and a unit, such as \"30s\"")
    })?;
    if duration > LONGEST {
        return Err(SyntaxError::new(0, "it is longer than ten years").help("write a shorter duration"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_that_would_overflow_a_sum_is_refused() {
        assert_eq!(parse("1m 30s").unwrap(), Duration::from_secs(90));
        assert!(parse("3650days").is_ok());
        assert!(parse("18446744073709551615s").unwrap_err().message.contains("ten years"));
    }
}
