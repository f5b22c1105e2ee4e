//! When the service says to come again: seconds, an HTTP date or a duration, and much garbage (I39).

use std::time::Duration;

use emp_core::Timestamp;
use emp_syntax::selector::Selector;
use serde_json::Value;

use crate::reduce;
use crate::select::View;

/// The longest advice that is followed; a longer one is cut to it.
pub const LONGEST: Duration = Duration::from_hours(1);

/// The first advice that can be understood.
pub fn first(selectors: &[Selector], view: &View<'_>) -> Option<Duration> {
    selectors.iter().find_map(|selector| parse(&view.get(selector)?, view.now))
}

/// The standard header.
pub fn retry_after(view: &View<'_>) -> Option<Duration> {
    parse(&view.exchange.header("retry-after")?.into(), view.now)
}

/// Seconds as a number or text, an HTTP date ahead, or a duration; anything else is no advice.
pub fn parse(value: &Value, now: Timestamp) -> Option<Duration> {
    let seconds = reduce::number(value).or_else(|| {
        let text = value.as_str()?.trim();
        let date = || {
            let at = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(at.as_secs_f64() - now.0 as f64 / 1000.0)
        };
        date().or_else(|| reduce::duration(text))
    })?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
}
