//! The service has called for a job (M58): whoever has it is told once, and soon.

use emp_core::job::{EventKind, JobId};

use super::{Bench, success};
use crate::store::{Answer, Change};

/// M58: with the next renewal, and not again.
pub async fn m58_a_call_for_a_job_is_told_to_its_holder_once(bench: Bench) {
    let job = bench.submitted().await;
    assert!(bench.store.nudge(&job.id).await.expect("nudge"));
    assert!(bench.store.nudge(&job.id).await.expect("nudge"), "a service may call twice");
    let calls =
        |kinds: Vec<EventKind>| kinds.into_iter().filter(|kind| *kind == EventKind::WebhookReceived).count();
    assert_eq!(calls(bench.kinds(&job.id).await), 1, "what nobody has looked at yet is one event");
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Nudged);
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Ok);
    assert!(bench.store.nudge(&job.id).await.expect("nudge"));
    bench.store.cancel(&job.id, "me", None).await.expect("cancel");
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::CancelRequested, "a cancel goes before it");
}

/// M58: of a job that nothing was sent of, or that has ended, or that is not there, nobody need be told.
pub async fn m58_a_call_for_a_job_that_is_not_out_changes_nothing(bench: Bench) {
    let queued = bench.add_one().await;
    assert!(!bench.store.nudge(&queued.id).await.expect("nudge"));
    assert!(!bench.store.nudge(&JobId::random()).await.expect("nudge"));
    let claimed = bench.claimed().await;
    assert!(!bench.store.nudge(&claimed.id).await.expect("nudge"));
    bench.write(&claimed, success()).await;
    let before = bench.job(&claimed.id).await;
    assert!(!bench.store.nudge(&claimed.id).await.expect("nudge"));
    assert_eq!(bench.job(&claimed.id).await, before);
}
