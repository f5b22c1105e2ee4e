//! Tidying up after a result.

use emp_core::Connector;
use emp_core::job::JobState;

use crate::derived::Derived;

/// Deletes what it was given and what it made, for jobs that ask for it.
#[derive(Connector)]
#[connector(service = "tidy", version = "1.0.0", unregistered)]
#[http(base = "https://tidy.example.com")]
#[auth(none)]
#[submit(post = "/transcripts", json { "audio": payload.audio, "kind": payload.kind }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/transcripts/{job.id}")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[cleanup(delete = "/transcripts/{job.id}", when = payload.kind == "text")]
struct Tidy {}

/// As [`Tidy`], for other jobs than these.
#[derive(Connector)]
#[connector(service = "untidy", version = "1.0.0", unregistered)]
#[http(base = "https://tidy.example.com")]
#[auth(none)]
#[submit(post = "/transcripts", json { "audio": payload.audio, "kind": payload.kind }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/transcripts/{job.id}")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[cleanup(delete = "/transcripts/{job.id}", when = payload.kind == "other")]
struct Untidy {}

#[tokio::test]
async fn m55_a_job_is_tidied_up_once_when_it_has_its_result_and_not_when_it_failed() {
    let derived = Derived::new::<Tidy>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(derived.lines().last().map(String::as_str), Some("DELETE /transcripts/fake-1"));
    assert_eq!((derived.count("DELETE"), derived.fake.unfinished()), (1, 0));
    let failed = Derived::new::<Tidy>(&["submit:job_fails=service"]).await;
    assert_eq!(failed.finish().await.job.state, JobState::Failed);
    assert_eq!(failed.count("DELETE"), 0);
    let others = Derived::new::<Untidy>(&[]).await;
    assert_eq!(others.finish().await.job.state, JobState::Succeeded);
    assert_eq!(others.count("DELETE"), 0);
}

#[tokio::test]
async fn m55_a_cleanup_that_fails_changes_nothing_about_the_job_and_is_not_tried_again() {
    for trouble in ["cleanup:500*", "cleanup:cut*", "cleanup:401*"] {
        let derived = Derived::new::<Tidy>(&[trouble]).await;
        let ended = derived.finish().await;
        assert_eq!((ended.job.state, derived.count("DELETE")), (JobState::Succeeded, 1), "{trouble}");
        assert!(ended.job.result.is_some());
    }
}
