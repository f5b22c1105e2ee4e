//! Whatever comes from outside, the pure parts answer and never panic.

use emp_core::Timestamp;
use emp_engine::context::Context;
use emp_engine::decide::decide;
use emp_engine::exchange::Exchange;
use emp_engine::memory::Memory;
use emp_engine::request::{request, server_url, submit};
use emp_engine::select::View;
use emp_engine::{advice, outcome, progress, strict_json};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{declared, job, submitted};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop_oneof![Just("succeeded"), Just("running"), Just("failed"), Just("..")].prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof![
            Just("status".to_owned()),
            Just("output".to_owned()),
            Just("prompt".to_owned()),
            ".{0,6}"
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let name = prop_oneof![Just("retry-after".to_owned()), Just("content-type".to_owned()), "[a-z]{1,8}"];
    prop::collection::vec((name, prop::collection::vec(any::<u8>(), 0..20)), 0..6).prop_map(|pairs| {
        pairs
            .into_iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?))
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_answer_is_judged(code in 100..=599u16, headers in headers(), body in json(), now in any::<i64>()) {
        let connector = declared().loaded("https://api.x.com/v1");
        let http = connector.spec.http().unwrap();
        let job = submitted("j1");
        let context = Context::of(&job, &connector, "key");
        let exchange = Exchange::new(code, headers, body.to_string().as_bytes());
        let memory = Memory::default();
        let view = View { exchange: &exchange, context: &context, memory: &memory, now: Timestamp(now) };
        let verdict = decide(http, &view);
        prop_assert_eq!(verdict, decide(http, &view));
        let _ = (
            outcome::take(&http.outcome.take, &view, |_| true),
            progress::Places::of(http.poll.as_ref().unwrap()).read(&view),
        );
        let _ = advice::retry_after(&view);
    }

    #[test]
    fn any_payload_gives_a_request_to_the_base_or_an_error(payload in json(), id in ".{0,30}") {
        let connector = declared().loaded("https://api.x.com/v1");
        let http = connector.spec.http().unwrap();
        let job = job(payload);
        let context = Context::of(&job, &connector, "key");
        if let Ok(built) = submit(http, &http.submit, &context) {
            prop_assert_eq!(built.url.as_str(), "https://api.x.com/v1/jobs");
        }
        let job = submitted(&id);
        let context = Context::of(&job, &connector, "key");
        if let Ok(built) = request(http, &http.poll.as_ref().unwrap().request, &context) {
            prop_assert_eq!(built.url.host_str(), Some("api.x.com"));
            let segments: Vec<&str> = built.url.path_segments().unwrap().collect();
            prop_assert_eq!(&segments[..2], ["v1", "jobs"]);
            prop_assert_eq!(segments.len(), 3);
        }
    }

    #[test]
    fn any_url_of_a_service_leads_to_its_own_origin_or_nowhere(url in "(https?:)?[/\\\\]{0,3}[a-z.@:/\\\\?#%0-9]{0,30}") {
        let connector = declared().loaded("https://api.x.com/v1");
        let base = emp_engine::request::base(connector.spec.http().unwrap(), &connector).unwrap();
        if let Ok((url, _)) = server_url(&url, &base, emp_core::spec::Follow::SelfOnly) {
            prop_assert_eq!(url.origin(), base.url().origin());
        }
    }

    #[test]
    fn any_bytes_are_json_or_not(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = strict_json::parse(&bytes) {
            prop_assert_eq!(Some(value), serde_json::from_slice::<Value>(&bytes).ok());
        }
    }
}
