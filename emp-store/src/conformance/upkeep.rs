//! What the store tells of jobs and workers (P17, P30, events, lists, counts).

use std::collections::BTreeMap;
use std::time::Duration;

use emp_core::job::{Delta, Event, EventKind, JobId, JobState, Nonce, Progress};

use super::{Bench, bought, error, intent, labels, new, release, retry, success};
use crate::store::{Answer, CancelAnswer, Change, ClaimKey, Finish, ListQuery, NewJob, WorkerStatus, Write};

fn fraction(fraction: f64) -> Change {
    Change::Progress(Progress { fraction: Some(fraction), ..Progress::default() })
}

/// P17: a hint for every event, to everybody who waited when it was written.
pub async fn p17_whoever_waits_is_told(bench: Bench) {
    let told = async |hints: Vec<_>| {
        let all = futures_util::future::join_all(hints);
        tokio::time::timeout(Duration::from_secs(5), all).await.expect("a hint");
    };
    let hints = vec![bench.store.changed(), bench.store.changed()];
    let job = bench.add_one().await;
    told(hints).await;
    let hints = vec![bench.store.changed()];
    let claimed = bench.claim_as("w").await.expect("the job");
    told(hints).await;
    let hints = vec![bench.store.changed()];
    bench.store.cancel(&job.id, "me", None).await.expect("cancel");
    told(hints).await;
    let hints = vec![bench.store.changed()];
    bench.write(&claimed, success()).await;
    told(hints).await;
}

/// P30: it goes up, within 0 and 1, and it ends with the job.
pub async fn p30_progress_never_falls_and_ends_with_the_job(bench: Bench) {
    let job = bench.submitted().await;
    let shown = async || bench.job(&job.id).await.progress.and_then(|progress| progress.fraction);
    for (said, expected) in [(0.25, 0.25), (0.5, 0.5), (0.1, 0.5), (f64::NAN, 0.5), (7.0, 1.0), (-1.0, 1.0)] {
        assert!(bench.write(&job, fraction(said)).await.holds());
        assert_eq!(shown().await, Some(expected), "after {said}");
    }
    let events = bench.store.events(&job.id, 0).await.expect("events").expect("the job's events");
    let told: Vec<f64> = events.iter().filter_map(|event| event.progress.as_ref()?.fraction).collect();
    assert_eq!(told, [0.25, 0.5, 1.0], "what says nothing new is no event");
    bench.write(&job, success()).await;
    let ended = bench.job(&job.id).await;
    assert_eq!(bench.write(&job, fraction(0.2)).await, Answer::Fenced);
    assert_eq!(bench.job(&job.id).await, ended);
}

/// P30: monotone per attempt.
pub async fn p30_a_new_attempt_begins_its_progress_anew(bench: Bench) {
    let job = bench.submitted().await;
    bench.write(&job, fraction(0.9)).await;
    bench.lapse().await;
    let job = bench.claim_as("b").await.expect("the job again");
    bench.write(&job, fraction(0.3)).await;
    assert_eq!(bench.job(&job.id).await.progress.and_then(|p| p.fraction), Some(0.9), "the same attempt");
    bench.write(&job, retry(Duration::ZERO)).await;
    let job = bench.claim_as("c").await.expect("the job again");
    bench.write(&job, Change::Intent(intent("key-2"))).await;
    bench.write(&job, Change::Submitted(bought("far-2"))).await;
    bench.write(&job, fraction(0.3)).await;
    assert_eq!(bench.job(&job.id).await.progress.and_then(|p| p.fraction), Some(0.3));
}

/// P30: a job that succeeded is done in full, whatever its service said last; any other end leaves the progress as it was.
pub async fn p30_only_success_makes_the_progress_whole(bench: Bench) {
    let said = || Progress {
        fraction: Some(0.3),
        message: Some("painting".to_owned()),
        queue_position: Some(2),
        eta_secs: Some(9.0),
        preview: Some("https://images.example.com/1.png".to_owned()),
        so_far: Some(Box::new(serde_json::json!(["https://images.example.com/1.png"]))),
    };
    let ended = async |end: Change, said: Option<Progress>| {
        let job = bench.submitted().await;
        if let Some(said) = said {
            bench.write(&job, Change::Progress(said)).await;
        }
        assert_eq!(bench.write(&job, end).await, Answer::Ok);
        bench.job(&job.id).await.progress
    };
    let whole = Progress { fraction: Some(1.0), ..Progress::default() };
    assert_eq!(ended(success(), None).await, Some(whole.clone()), "also when the service said nothing");
    let painted = Progress { message: said().message, ..whole };
    assert_eq!(ended(success(), Some(said())).await, Some(painted), "nothing is ahead or left");
    let failed = Change::Finish(Finish::Failed(error()));
    assert_eq!(ended(failed.clone(), Some(said())).await, Some(said()));
    assert_eq!(ended(failed, None).await, None);
    let job = bench.submitted().await;
    bench.store.cancel(&job.id, "me", None).await.expect("cancel");
    bench.write(&job, success()).await;
    assert_eq!(bench.job(&job.id).await.progress, None, "a discarded result is no success");
}

/// One list, in order, without gaps; the last `max_events` of it.
pub async fn events_are_numbered_without_gaps_and_capped(bench: Bench) {
    let job = bench.submitted().await;
    let events = async |after| -> Vec<Event> {
        bench.store.events(&job.id, after).await.expect("events").expect("the job's events")
    };
    let first = events(0).await;
    let kinds: Vec<EventKind> = first.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Queued, EventKind::Claimed, EventKind::Submitting, EventKind::Submitted]);
    assert_eq!(first.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(
        first.iter().map(|event| event.state).collect::<Vec<_>>()[..2],
        [JobState::Queued, JobState::Running]
    );
    assert_eq!(events(3).await, first[3..]);
    assert!(first[1].worker.is_some());
    for step in 1..=30 {
        bench.write(&job, fraction(f64::from(step) / 100.0)).await;
    }
    let kept = events(0).await;
    assert_eq!(kept.iter().map(|event| event.seq).collect::<Vec<_>>(), (15..=34).collect::<Vec<_>>());
    assert_eq!(bench.job(&job.id).await.seq, 34);
    assert!(events(34).await.is_empty());
}

/// Text that came piece by piece: whoever reads all events has the end of it, the first text of an attempt replaces what was there, and
/// neither the pieces nor the other events push the other out.
pub async fn m59_text_of_a_stream_is_kept_within_bounds_and_beside_the_other_events(bench: Bench) {
    let job = bench.submitted().await;
    let events = async |after| -> Vec<Event> {
        bench.store.events(&job.id, after).await.expect("events").expect("the job's events")
    };
    let delta = |start, text: String| Change::Delta(Delta { start, text });
    let read = |events: &[Event]| {
        events.iter().filter_map(|event| event.delta.as_ref()).fold(String::new(), |text, delta| {
            if delta.start { delta.text.clone() } else { text + &delta.text }
        })
    };
    let mut said = String::new();
    for number in 0..200 {
        let text = format!("{number} ");
        said.push_str(&text);
        bench.write(&job, delta(number == 0, text)).await;
    }
    let all = events(0).await;
    assert_eq!(read(&all), said);
    assert!(all.len() < 80, "{} events", all.len());
    assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq), "in order");
    assert_eq!(all[0].kind, EventKind::Queued, "the text pushes nothing out");
    let middle = &all[all.len() / 2];
    assert_eq!(events(middle.seq).await, all[all.len() / 2 + 1..]);
    for step in 1..=30 {
        bench.write(&job, fraction(f64::from(step) / 100.0)).await;
    }
    let all = events(0).await;
    assert_eq!(read(&all), said, "nothing pushes the text out");
    assert_eq!(all.iter().filter(|event| event.delta.is_none()).count(), 20);
    bench.write(&job, delta(true, "anew".to_owned())).await;
    assert_eq!(read(&events(0).await), "anew");
    bench.write(&job, delta(false, "é".repeat(Delta::KEPT))).await;
    bench.write(&job, delta(false, "end".to_owned())).await;
    let text = read(&events(0).await);
    assert!(text.ends_with("éend") && text.len() <= Delta::KEPT + 8, "{} bytes", text.len());
}

/// Whatever happens, the counts are the number of jobs in each state.
pub async fn counts_equal_the_sums(bench: Bench) {
    for service in ["svc", "svc", "svc", "svc", "svc", "other"] {
        bench.add(new(service)).await;
    }
    let claimed = bench.claim_n("w", 4).await;
    let [done, lost, waiting, given_back] = claimed.as_slice() else { panic!("four jobs") };
    bench.write(done, success()).await;
    bench.write(waiting, retry(Duration::from_hours(1))).await;
    bench.write(given_back, release(Duration::ZERO)).await;
    bench.store.cancel(&given_back.id, "me", None).await.expect("cancel");
    bench.lapse().await;
    assert_eq!(bench.job(&lost.id).await.state, JobState::Queued);
    let page = bench.store.list(ListQuery { limit: 200, ..ListQuery::default() }).await.expect("list");
    let mut sums = BTreeMap::<String, BTreeMap<JobState, u64>>::new();
    for job in page.jobs {
        *sums.entry(job.service).or_default().entry(job.state).or_default() += 1;
    }
    assert_eq!(bench.store.counts().await.expect("counts"), sums);
    assert_eq!(sums.values().flat_map(BTreeMap::values).sum::<u64>(), 6);
}

/// Newest first, page by page, only what was asked for.
pub async fn lists_are_paged_and_filtered(bench: Bench) {
    let mut added = Vec::new();
    for index in 0..7 {
        let service = if index % 2 == 0 { "svc" } else { "other" };
        let kind = if index < 3 { "a" } else { "b" };
        added.push(bench.add(NewJob { labels: labels(&[("kind", kind)]), ..new(service) }).await);
    }
    added.reverse();
    let list = async |query: ListQuery| bench.store.list(query).await.expect("list");
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = list(ListQuery { before, limit: 3, ..ListQuery::default() }).await;
        assert!(page.jobs.len() <= 3);
        seen.extend(page.jobs);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, added, "every job once, whole, newest first");
    let exact = list(ListQuery { limit: 7, ..ListQuery::default() }).await;
    assert_eq!((exact.jobs.len(), exact.next), (7, None));
    let other = list(ListQuery { service: Some("other".into()), limit: 50, ..ListQuery::default() }).await;
    assert_eq!(other.jobs.len(), 3);
    let labelled =
        list(ListQuery { labels: labels(&[("kind", "a")]), limit: 50, ..ListQuery::default() }).await;
    assert_eq!(labelled.jobs.len(), 3);
    bench.store.cancel(&added[0].id, "me", None).await.expect("cancel");
    let states = vec![JobState::Cancelled, JobState::Failed];
    let ended = list(ListQuery { states, limit: 50, ..ListQuery::default() }).await;
    assert_eq!(ended.jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [&added[0].id]);
}

/// A job stays readable whatever its service answered: JSON that is nested deeper than readers follow is a failure.
pub async fn f34_a_result_that_cannot_be_read_again_is_a_failure(bench: Bench) {
    let nested = |levels| (1..levels).fold(serde_json::json!([]), |inner, _| serde_json::json!([inner]));
    for (levels, expected) in [(99, JobState::Succeeded), (127, JobState::Failed), (1000, JobState::Failed)] {
        let job = bench.claimed().await;
        let mut far = bought(&levels.to_string());
        far.captured.insert("fact".to_owned(), nested(levels));
        assert_eq!(bench.write(&job, Change::Submitted(far)).await, Answer::Ok);
        let kept = bench.job(&job.id).await.service_job.expect("what was paid for").captured.len();
        assert_eq!(kept, usize::from(expected == JobState::Succeeded), "{levels}");
        let end = Change::Finish(Finish::Succeeded { result: nested(levels), meta: serde_json::Map::new() });
        assert_eq!(bench.write(&job, end.clone()).await, Answer::Ok);
        assert_eq!(bench.job(&job.id).await.state, expected, "{levels}");
        assert_eq!(bench.write(&job, end).await, Answer::OkAlready);
    }
    let page = bench.store.list(ListQuery { limit: 10, ..ListQuery::default() }).await.expect("list");
    assert_eq!(page.jobs.len(), 3);
}

/// From announce to retire, or until they are not heard of.
pub async fn workers_are_listed_while_they_are_heard_of(bench: Bench) {
    let first = bench.announced("gpu").await;
    bench.clock.advance(Duration::from_mins(1));
    let second = bench.announced("gpu").await;
    assert_eq!(bench.store.workers().await.expect("workers").len(), 2, "one name, two workers");
    assert_ne!(first.id, second.id);
    bench.clock.advance(Duration::from_mins(1));
    let listed = bench.store.workers().await.expect("workers");
    assert_eq!(listed.iter().map(|worker| &worker.id).collect::<Vec<_>>(), [&second.id]);
    bench.store.announce(WorkerStatus { draining: true, ..second.clone() }).await.expect("announce");
    let listed = bench.store.workers().await.expect("workers");
    assert!(listed.iter().all(|worker| worker.draining && worker.seen_at == bench.store.now()));
    bench.store.retire(&second.id).await.expect("retire");
    assert_eq!(bench.store.workers().await.expect("workers"), []);
}

/// A job that is not there is an answer, not an error.
pub async fn what_is_not_there_is_said_so(bench: Bench) {
    let nobody = JobId::random();
    assert_eq!(bench.store.get(&nobody).await.expect("get"), None);
    assert_eq!(bench.store.events(&nobody, 0).await.expect("events"), None);
    assert_eq!(bench.store.cancel(&nobody, "me", None).await.expect("cancel"), CancelAnswer::NotFound);
    let claim = ClaimKey { job: nobody, nonce: Nonce::random() };
    let writes = vec![Write { claim, change: Change::Renew }];
    assert_eq!(bench.store.write(writes).await.expect("write"), [Answer::Gone]);
    assert_eq!(bench.claim_as("w").await, None);
}
