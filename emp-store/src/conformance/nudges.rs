//! The service has called for a job (M58): whoever has it is told once, and soon.

use emp_core::job::{Call, EventKind, JobId};

use super::{Bench, success};
use crate::store::{Answer, Change};

/// M58: with the next renewal, and not again.
pub async fn m58_a_call_for_a_job_is_told_to_its_holder_once(bench: Bench) {
    let job = bench.submitted().await;
    assert!(bench.store.nudge(&job.id, None).await.expect("nudge"));
    assert!(bench.store.nudge(&job.id, None).await.expect("nudge"), "a service may call twice");
    let calls =
        |kinds: Vec<EventKind>| kinds.into_iter().filter(|kind| *kind == EventKind::WebhookReceived).count();
    assert_eq!(calls(bench.kinds(&job.id).await), 1, "what nobody has looked at yet is one event");
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Nudged);
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Ok);
    assert!(bench.store.nudge(&job.id, None).await.expect("nudge"));
    bench.store.cancel(&job.id, "me", None).await.expect("cancel");
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::CancelRequested, "a cancel goes before it");
}

/// M58: of a job that nothing was sent of, or that has ended, or that is not there, nobody need be told.
pub async fn m58_a_call_for_a_job_that_is_not_out_changes_nothing(bench: Bench) {
    let queued = bench.add_one().await;
    assert!(!bench.store.nudge(&queued.id, None).await.expect("nudge"));
    assert!(!bench.store.nudge(&JobId::random(), None).await.expect("nudge"));
    let claimed = bench.claimed().await;
    assert!(!bench.store.nudge(&claimed.id, None).await.expect("nudge"));
    bench.write(&claimed, success()).await;
    let before = bench.job(&claimed.id).await;
    assert!(!bench.store.nudge(&claimed.id, None).await.expect("nudge"));
    assert_eq!(bench.job(&claimed.id).await, before);
}

fn call(id: &str, body: &str) -> Call {
    Call { id: id.to_owned(), body: Some(body.to_owned()) }
}

/// M58: what a proven call says is in the record for the holder; of two that nobody has looked at, neither is believed.
pub async fn m58_a_proven_call_is_kept_for_the_holder_until_another_comes(bench: Bench) {
    let job = bench.submitted().await;
    assert!(bench.store.nudge(&job.id, Some(call("1", "{}"))).await.expect("nudge"));
    assert_eq!(bench.job(&job.id).await.call, Some(call("1", "{}")));
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Nudged);
    assert_eq!(
        bench.job(&job.id).await.call,
        Some(call("1", "{}")),
        "the holder reads it when it has been told"
    );
    assert!(bench.store.nudge(&job.id, Some(call("2", "[]"))).await.expect("nudge"));
    assert_eq!(bench.job(&job.id).await.call, Some(call("2", "[]")));
    assert!(bench.store.nudge(&job.id, Some(call("3", "{}"))).await.expect("nudge"));
    assert_eq!(bench.job(&job.id).await.call, None, "which of the two is newer, nobody knows");
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Nudged);
    bench.write(&job, success()).await;
    let ended = bench.job(&job.id).await;
    assert!(ended.call.is_none() && ended.heard.is_empty(), "an end leaves nothing of them");
}

/// F42: a call that comes again is no news, however often, and whether the job was looked at since or not.
pub async fn f42_a_call_that_was_heard_before_changes_nothing(bench: Bench) {
    let job = bench.submitted().await;
    assert!(bench.store.nudge(&job.id, Some(call("1", "{}"))).await.expect("nudge"));
    let before = bench.job(&job.id).await;
    assert!(
        bench.store.nudge(&job.id, Some(call("1", "{}"))).await.expect("nudge"),
        "a late call is no mistake"
    );
    assert_eq!(bench.job(&job.id).await, before);
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Nudged);
    assert!(bench.store.nudge(&job.id, Some(call("1", "{}"))).await.expect("nudge"));
    assert_eq!(bench.write(&job, Change::Renew).await, Answer::Ok);
    for id in 2..100 {
        bench.store.nudge(&job.id, Some(call(&id.to_string(), "{}"))).await.expect("nudge");
    }
    assert!(bench.job(&job.id).await.heard.len() <= 16, "what is remembered is bounded");
}
