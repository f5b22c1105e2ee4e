//! How a process is treated.

use std::time::Duration;

/// How a process is treated.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long it may take until it answers.
    pub starts_within: Duration,
    /// How long it may take to end once it is told to.
    pub stops_within: Duration,
    /// The wait before the first start after a failure; each further one doubles it.
    pub first_delay: Duration,
    /// The wait is never longer.
    pub longest_delay: Duration,
    /// After so long without a failure, the earlier ones are forgotten.
    pub proven_after: Duration,
    /// Not answering for so long is a failure.
    pub sick_for: Duration,
    /// Exit codes after which a start would end the same way.
    pub final_exits: &'static [i32],
}

impl Policy {
    /// For the service of an internal worker.
    pub const SERVICE: Self = Self {
        starts_within: Duration::from_mins(5),
        stops_within: Duration::from_secs(10),
        first_delay: Duration::from_millis(200),
        longest_delay: Duration::from_secs(30),
        proven_after: Duration::from_mins(1),
        // A service that loads a model answers nobody meanwhile.
        sick_for: Duration::from_mins(2),
        final_exits: &[],
    };
    /// For a process of ours: wrong usage and wrong configuration are mended by no start.
    pub const WORKER: Self = Self { final_exits: &[2, 3], ..Self::SERVICE };

    pub(super) fn delay(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
        self.first_delay.saturating_mul(doubled).min(self.longest_delay)
    }
}
