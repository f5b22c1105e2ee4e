//! When the server did not answer, as far as that matters: for so long that somebody may have lost a lease by it.

use std::time::{Duration, Instant};

/// What is remembered of a server's silences.
#[derive(Debug)]
pub(super) struct Outages {
    /// A shorter silence is none.
    least: Duration,
    answered: Option<Instant>,
    /// The first question that was not answered since.
    failing: Option<Instant>,
    /// When the last outage ended.
    ended: Option<Instant>,
}

impl Outages {
    /// Nothing was asked yet.
    pub(super) fn of_at_least(least: Duration) -> Self {
        Self { least, answered: None, failing: None, ended: None }
    }

    /// A question that left at `asked` was not answered. One that left before the last answer came says nothing of the server now.
    pub(super) fn failed(&mut self, asked: Instant) {
        if self.answered.is_none_or(|answered| answered < asked) {
            self.failing.get_or_insert(asked);
        }
    }

    /// The server answers.
    pub(super) fn answered(&mut self, now: Instant) {
        if let Some(since) = self.failing.take()
            && now.saturating_duration_since(since) > self.least
        {
            self.ended = Some(now);
        }
        self.answered = Some(now);
    }

    /// An outage ended less than so long ago: nobody could renew, so a lapsed lease says nothing of its worker.
    pub(super) fn ended_within(&self, time: Duration, now: Instant) -> bool {
        self.ended.is_some_and(|ended| now.saturating_duration_since(ended) < time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P9: neither a fault that is heard of late nor a short one after it hides that nobody could renew just now.
    #[test]
    fn p09_a_late_fault_hides_no_outage() {
        let lease = Duration::from_secs(30);
        let (mut outages, start) = (Outages::of_at_least(lease / 3), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        outages.answered(at(0));
        outages.failed(at(1));
        outages.failed(at(20));
        outages.answered(at(61));
        assert!(outages.ended_within(lease, at(62)));
        outages.failed(at(60));
        outages.answered(at(63));
        assert!(outages.ended_within(lease, at(64)), "asked before the outage ended");
        outages.failed(at(64));
        outages.answered(at(65));
        assert!(outages.ended_within(lease, at(66)), "a short one after the long one");
        assert!(!outages.ended_within(lease, at(92)));
        outages.failed(at(93));
        outages.answered(at(94));
        assert!(!outages.ended_within(lease, at(95)), "too short for anybody to lose a lease by it");
    }
}
