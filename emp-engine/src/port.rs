//! What the engine asks of whoever holds the claim on a job: durable writes before and after each effect.

use std::time::Duration;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::job::{Call, Delta, Intent, Progress, ServiceJob};

/// The holder's side of one job. The worker implements it over the store; tests implement it over a `Vec`.
#[async_trait]
pub trait JobPort: Send + Sync {
    /// Stores the intent durably; only then may the first byte of a submit leave.
    async fn intent(&self, intent: Intent) -> Result<(), Stop>;

    /// The submit was certainly not accepted: withdraws the intent.
    async fn not_sent(&self, reason: &str) -> Result<(), Stop>;

    /// Stores the service job durably; only then may it be polled.
    async fn submitted(&self, service_job: ServiceJob) -> Result<(), Stop>;

    /// How far the job is. May be coalesced; never blocks.
    fn progress(&self, progress: Progress);

    /// Text that the job's stream has brought. May be put together with others; never blocks, and is lost with the process.
    fn delta(&self, delta: Delta);

    /// What the service's last call said, when it has called since this was asked last and the call was proven to be its own.
    async fn call(&self) -> Option<Call> {
        None
    }

    /// Whether the engine must stop, and why. Looked at before each effect.
    fn stop(&self) -> Option<Stop>;

    /// Completes when [`stop`](Self::stop) says something; a sleep or a request is dropped then, except a submit.
    async fn stopped(&self) -> Stop;

    /// Completes when the service has called for the job since this completed last: whoever waits in a step of its own asks at once.
    async fn nudged(&self) {
        std::future::pending::<()>().await;
    }

    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits by the clock of [`now`](Self::now).
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Why the engine must stop working on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The claim is lost or in doubt: no effect, no write.
    Fenced,
    /// A cancel is recorded.
    Cancel,
    /// The worker hands its jobs over.
    HandOver,
}
