//! How many jobs of a connector are worth claiming: no more than have a place at the service, and fewer after a job came back.
//!
//! Without it a worker under a rate limit would claim the whole backlog again and again only to give it back.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

use emp_core::connector::Loaded;
use emp_core::spec::Setting;

use crate::sync::lock;

/// A service that names a longer wait than this is asked again after it.
const LONGEST: Duration = Duration::from_hours(1);

/// What each connector can take.
#[derive(Debug, Default)]
pub(crate) struct Appetite(Mutex<HashMap<&'static str, Window>>);

/// A connector that had a job given back lately.
#[derive(Clone, Copy, Debug)]
struct Window {
    jobs: usize,
    until: Instant,
}

impl Appetite {
    /// A job was given back before anything was sent: one at a time from now on, and none for a while.
    pub(crate) fn gave_back(&self, connector: &'static str, now: Instant, after: Duration) {
        let until = now + after.min(LONGEST);
        lock(&self.0).insert(connector, Window { jobs: 1, until });
    }

    /// A job came past the connector's limits: twice as many the next time.
    pub(crate) fn went_on(&self, connector: &'static str) {
        if let Some(window) = lock(&self.0).get_mut(connector) {
            window.jobs = window.jobs.saturating_mul(2);
        }
    }

    /// How many more jobs to claim while `held` are held, or for how long none.
    pub(crate) fn of(&self, connector: &Loaded, held: usize, now: Instant) -> Result<usize, Duration> {
        let window = lock(&self.0).get(connector.spec.name).copied();
        if let Some(wait) =
            window.map(|window| window.until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
        {
            return Err(wait);
        }
        let places = places(connector).map_or(usize::MAX, |places| places.saturating_sub(held));
        Ok(places.min(window.map_or(usize::MAX, |window| window.jobs)))
    }
}

/// How many service jobs the connector allows at once.
fn places(connector: &Loaded) -> Option<usize> {
    let count = match connector.spec.limits.in_flight? {
        Setting::Fixed(count) => count,
        Setting::Env(field) => connector.settings.count(field)?,
    };
    usize::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use emp_core::env::Settings;
    use emp_core::spec::{ConnectorSpec, Limits, Pace, PayloadSchema, Protocol, SourceLocation};

    use super::*;

    const fn spec(in_flight: Option<Setting<u32>>) -> ConnectorSpec {
        ConnectorSpec {
            name: "C",
            services: &["c"],
            version: "1.0.0",
            description: "",
            source: SourceLocation { file: "", line: 1, lines: 1 },
            fingerprint: 1,
            env: &[],
            payload: PayloadSchema::Any,
            output: None,
            pace: Pace::DEFAULT,
            limits: Limits { in_flight, ..Limits::DEFAULT },
            openapi: None,
            protocol: Protocol::Custom,
        }
    }

    static FREE: ConnectorSpec = spec(None);
    static THREE: ConnectorSpec = spec(Some(Setting::Fixed(3)));

    fn loaded(spec: &'static ConnectorSpec) -> Loaded {
        Loaded { spec, settings: Settings::default(), custom: None, base: None }
    }

    #[test]
    fn no_more_is_claimed_than_has_a_place() {
        let (appetite, now) = (Appetite::default(), Instant::now());
        assert_eq!(appetite.of(&loaded(&FREE), 100, now), Ok(usize::MAX));
        assert_eq!(appetite.of(&loaded(&THREE), 1, now), Ok(2));
        assert_eq!(appetite.of(&loaded(&THREE), 5, now), Ok(0));
    }

    #[test]
    fn after_a_job_came_back_one_is_tried_then_two_then_four() {
        let (appetite, now, after) = (Appetite::default(), Instant::now(), Duration::from_millis(60));
        let free = loaded(&FREE);
        appetite.gave_back("C", now, after);
        assert_eq!(appetite.of(&free, 0, now), Err(after));
        assert_eq!(appetite.of(&free, 0, now + after), Ok(1));
        appetite.went_on("C");
        assert_eq!(appetite.of(&free, 0, now + after), Ok(2));
        appetite.went_on("C");
        assert_eq!(appetite.of(&free, 0, now + after), Ok(4));
        appetite.gave_back("C", now, after);
        assert_eq!(appetite.of(&free, 0, now + after), Ok(1));
    }

    #[test]
    fn i21_a_wait_without_end_is_asked_about_again_in_an_hour() {
        let (appetite, now) = (Appetite::default(), Instant::now());
        appetite.gave_back("C", now, Duration::MAX);
        assert_eq!(appetite.of(&loaded(&FREE), 0, now), Err(LONGEST));
    }
}
