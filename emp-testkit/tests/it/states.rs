//! What an answer says of a job, in the forms that services have.

use emp_core::Connector;
use emp_core::job::JobState;
use serde_json::json;

use crate::derived::Derived;

/// Finds its job by its id, inside the answer.
#[derive(Connector)]
#[connector(service = "keyed", version = "1.0.0", unregistered)]
#[http(base = "https://keyed.example.com")]
#[auth(none)]
#[submit(post = "/prompt", json { "prompt": payload.prompt, "tag": payload.tag? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/history/{job.id}", progress = "$.running[?@[1]=='{job.id}'][2]" | fraction)]
#[states(rules(
    "$['{job.id}'].status" == "error" => failed,
    "$['{job.id}'].status" == "done" => succeeded,
    "$.running[?@[1]=='{job.id}']" present => running,
    "$.pending[?@.of=='job-{job.id}']" present => queued,
))]
#[outcome(json = "$['{job.id}'].outputs")]
struct Keyed {}

#[tokio::test]
async fn m25_a_job_is_found_by_its_id_inside_the_answer() {
    let derived = Derived::new::<Keyed>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(ended.job.result, Some(json!({ "echo": { "prompt": "text" } })));
    assert_eq!((derived.count("POST /prompt"), derived.fake.ledger().accepted()), (1, 1));
    assert!(derived.elapsed() >= 22, "it queued and ran");
    let fractions: Vec<f64> = ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    assert!(fractions.len() > 2 && fractions.is_sorted(), "{fractions:?}");
    let failed = Derived::new::<Keyed>(&["submit:job_fails=service"]).await.finish().await;
    assert_eq!(failed.job.state, JobState::Failed);
}
