//! What a refusal means: by code, by what stands in the answer beside it, and by the service's own word.

use emp_core::error::ErrorCode;
use emp_core::job::JobState;
use emp_core::{Connector, Secret};

use crate::derived::Derived;

/// Says of each refusal whether another try makes sense, as the services of the Stainless clients do.
#[derive(Connector)]
#[connector(service = "hints", version = "1.0.0", unregistered)]
#[http(base = "https://hints.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["running"], succeeded = ["done"], failed = ["failed"], unknown = running(warn))]
#[errors(message = ["$.error.message", "$.detail"], code = "$.error.code", retry = header("x-should-retry"),
    429 if "$.error.code" == "insufficient_quota" => billing,
    504 if header("x-request-timeout-type") == "user" => timeout,
    502 | 503 | 504 if header("x-request-id") absent => transient,
    5xx => service,
)]
struct Hints {
    #[env("HINTS_KEY")]
    key: Secret,
}

#[tokio::test]
async fn m51_the_services_own_word_decides_of_another_try() {
    let again = Derived::new::<Hints>(&["submit:says_again"]).await;
    let ended = again.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 2), "{:?}", ended.job.error);
    let last = Derived::new::<Hints>(&["submit:says_final"]).await;
    let ended = last.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Failed, 1));
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::ERateLimited));
    assert_eq!(last.fake.ledger().accepted(), 0);
}

#[tokio::test]
async fn m50_a_code_means_what_stands_beside_it() {
    let quota = Derived::new::<Hints>(&["submit:refused=billing"]).await;
    let ended = quota.finish().await;
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EBilling));
    let request = quota.fake.requests().into_iter().next().expect("a request");
    assert_eq!(request.answer, Some(429), "the fake refuses as the declaration reads it");
}
