//! What a stock connector makes of an answer, by the evaluator alone: no fake, which answers only as the declaration says.

use std::time::Duration;

use emp::REGISTRY;
use emp_core::{ErrorCode, Timestamp};
use emp_engine::context::Context;
use emp_engine::decide::{Verdict, decide};
use emp_engine::exchange::Exchange;
use emp_engine::memory::Memory;
use emp_engine::select::View;
use emp_testkit::fake_env;
use serde_json::{Value, json};

#[expect(clippy::default_trait_access, reason = "no headers, of a crate that is not needed here otherwise")]
fn verdict(connector: &str, code: u16, body: &Value) -> Verdict {
    let entry = REGISTRY.get(connector).expect("registered");
    let loaded = entry.load(&fake_env(entry.spec)).expect("a whole environment");
    let context = Context {
        connector: &loaded,
        payload: &Value::Null,
        job_id: "job",
        attempt: 1,
        budget: Duration::from_mins(10),
        assigned_id: "",
        service_job: None,
        item: None,
    };
    let exchange = Exchange::new(code, Default::default(), body.to_string().as_bytes());
    let memory = Memory::default();
    let view = View { exchange: &exchange, context: &context, memory: &memory, now: Timestamp(0) };
    decide(entry.spec.http().expect("speaks HTTP"), &view)
}

#[test]
fn a_chat_that_refuses_is_moderated_and_any_other_answer_is_a_success() {
    let chat = |message: Value, finish: &str| json!({ "choices": [{ "message": message, "finish_reason": finish }] });
    let of = |body: &Value| verdict("OpenAIConnector", 200, body);
    let refusal = of(&chat(json!({ "content": null, "refusal": "I can't help with that." }), "stop"));
    let Verdict::Failed { error, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!(
        (error.code, error.detail.as_deref()),
        (ErrorCode::EModerated, Some("I can't help with that."))
    );
    // The API writes `refusal: null` into every answer that is none.
    let answer = of(&chat(json!({ "content": "Paris.", "refusal": null }), "stop"));
    assert_eq!(answer, Verdict::Succeeded);
    let filtered = of(&chat(json!({ "content": "", "refusal": null }), "content_filter"));
    assert!(
        matches!(&filtered, Verdict::Failed { error, .. } if error.code == ErrorCode::EModerated),
        "{filtered:?}"
    );
}
