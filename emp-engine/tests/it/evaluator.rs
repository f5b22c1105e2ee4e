//! The pure parts: reducers, predicates, pacing, advice, health.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::health::HealthStatus;
use emp_core::spec::{HealthProbe, Pace};
use emp_engine::advice;
use emp_engine::context::Context;
use emp_engine::exchange::Exchange;
use emp_engine::memory::{Memory, Stage};
use emp_engine::pace;
use emp_engine::predicate::holds;
use emp_engine::select::View;
use emp_engine::wheel::Wheel;
use emp_syntax::hole::Literal;
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::rule::{Comparison, Predicate};
use emp_syntax::selector::{Reducer, Selector, Source};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Server, at, capture, declared, engine, list, path, reply, request, submitted};

fn looked<R>(body: &Value, act: impl FnOnce(&View<'_>) -> R) -> R {
    let connector = declared().loaded("https://api.x.com");
    let job = submitted("j1");
    let context = Context::of(&job, &connector, "key");
    let mut headers = HeaderMap::new();
    headers.insert("x-wait", "12".parse().unwrap());
    let exchange = Exchange::new(200, headers, body.to_string().as_bytes());
    let memory = Memory::default();
    act(&View { exchange: &exchange, context: &context, memory: &memory, now: Timestamp(1_700_000_060_000) })
}

fn reduced(body: &Value, path: &str, reducers: Vec<Reducer>) -> Option<Value> {
    let selector = Selector { reducers: reducers.into(), ..at(path) };
    looked(body, |view| view.get(&selector))
}

#[test]
fn reducers_reduce() {
    let items =
        || json!({ "items": [{ "t": "a" }, { "t": "b" }], "n": "50%", "total": 4, "part": 1, "ms": 1500 });
    let path = |text: &str| JsonPath::parse(text).unwrap();
    for (place, reducers, expected) in [
        ("$.items[*].t", vec![], json!("a")),
        ("$.items[*].t", vec![Reducer::All], json!(["a", "b"])),
        ("$.items[*].t", vec![Reducer::Join("; ".into())], json!("a; b")),
        ("$.items[*]", vec![Reducer::Count], json!(2)),
        ("$.items[1]", vec![Reducer::At(path("$.t"))], json!("b")),
        ("$.n", vec![Reducer::Percent], json!(0.5)),
        ("$.part", vec![Reducer::Ratio(path("$.total"))], json!(0.25)),
        ("$.part", vec![Reducer::Ratio(path("$.total")), Reducer::Invert], json!(0.75)),
        ("$.part", vec![Reducer::Ratio(path("$.total")), Reducer::Between(0.2, 0.6)], json!(0.3)),
        ("$.ms", vec![Reducer::Millis], json!(1.5)),
    ] {
        let found = reduced(&items(), place, reducers).unwrap();
        match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9, "{place}: {found}"),
            _ => assert_eq!(found, expected, "{place}"),
        }
    }
    let texts = json!({ "j": "{\"a\":1}", "b": "aGk=", "d": "6m0s", "log": "step 1/9\nstep 7/9\n", "u": "ABC", "h": "Tue, 14 Nov 2023 22:14:50 GMT" });
    for (place, reducers, expected) in [
        ("$.j", vec![Reducer::ParseJson, Reducer::At(path("$.a"))], json!(1)),
        ("$.b", vec![Reducer::Base64], json!("hi")),
        ("$.d", vec![Reducer::Duration], json!(360.0)),
        ("$.log", vec![Reducer::LastMatch(r"step (\d+)".into()), Reducer::Number], json!(7.0)),
        ("$.u", vec![Reducer::Lower, Reducer::Tail(2)], json!("bc")),
        ("$.h", vec![Reducer::HttpDate], json!(30.0)),
        ("$.u", vec![Reducer::Number], Value::Null),
        ("$.u", vec![Reducer::Duration], Value::Null),
        ("$.missing", vec![Reducer::Percent], Value::Null),
    ] {
        assert_eq!(reduced(&texts, place, reducers).unwrap_or_default(), expected, "{place}");
    }
}

#[test]
fn sources_beside_the_body() {
    looked(&json!({}), |view| {
        let get = |source| view.get(&Selector { source, reducers: Vec::new().into() });
        assert_eq!(get(Source::Code), Some(json!(200)));
        assert_eq!(get(Source::Header("x-wait".into())), Some(json!("12")));
        assert_eq!(get(Source::Age), Some(json!(60.0)));
        assert_eq!(get(Source::State), Some(json!("queued")));
        assert_eq!(get(Source::AbsentFor), Some(json!(0.0)));
        assert_eq!(get(Source::Raw), Some(json!("{}")));
    });
}

#[test]
fn a_missing_value_makes_every_comparison_false() {
    let compare = |place: &str, op, value| {
        let predicate = Predicate::Compare { selector: at(place), op, value };
        looked(&json!({ "a": 1, "t": "x", "b": true }), |view| holds(&predicate, view))
    };
    for op in [Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge]
    {
        assert!(!compare("$.missing", op, Literal::Int(1)), "{op:?}");
    }
    assert!(compare("$.a", Comparison::Eq, Literal::Int(1)));
    assert!(compare("$.a", Comparison::Lt, Literal::Float(1.5)));
    assert!(compare("$.t", Comparison::Ne, Literal::Text("y".into())));
    assert!(compare("$.b", Comparison::Eq, Literal::Bool(true)));
    assert!(!compare("$.t", Comparison::Lt, Literal::Int(5)), "no order between kinds");
    looked(&json!({ "t": "x1" }), |view| {
        let matches = |pattern: &str| {
            holds(&Predicate::Matches { selector: at("$.t"), pattern: pattern.to_owned().into() }, view)
        };
        assert!(matches(r"\d$") && !matches("^1") && !matches("(["));
        let absent = Predicate::Absent(at("$.no"));
        assert!(holds(&absent, view) && !holds(&Predicate::Not(vec![absent.clone()].into()), view));
        assert!(holds(
            &Predicate::In { selector: at("$.t"), values: vec![Literal::Text("x1".into())].into() },
            view
        ));
    });
}

#[test]
fn waits_grow_within_bounds_and_advice_wins() {
    let pace = Pace { jitter: 0.2, while_queued: Some(Duration::from_secs(9)), ..Pace::DEFAULT };
    let next = |before: Option<u64>, stage, advice: Option<u64>, random| {
        pace::next(&pace, before.map(Duration::from_secs), stage, advice.map(Duration::from_secs), random)
            .as_secs_f64()
    };
    let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-6, "{left} {right}");
    near(next(None, Stage::Running, None, 0.5), 2.0);
    near(next(Some(10), Stage::Running, None, 0.5), 15.0);
    near(next(Some(1000), Stage::Running, None, 0.5), 30.0);
    near(next(Some(1000), Stage::Running, None, 0.0), 24.0);
    near(next(Some(1000), Stage::Running, None, 1.0), 36.0);
    near(next(None, Stage::Queued, None, 0.5), 9.0);
    near(next(None, Stage::Running, Some(120), 0.5), 120.0);
    near(next(None, Stage::Running, Some(0), 0.5), 1.0);
}

#[test]
fn i39_advice_is_seconds_dates_or_durations() {
    let now = Timestamp(1_700_000_000_000);
    let secs = |value: Value| advice::parse(&value, now).map(|wait| wait.as_secs());
    assert_eq!(secs(json!(5)), Some(5));
    assert_eq!(secs(json!("5")), Some(5));
    assert_eq!(secs(json!("1m 5s")), Some(65));
    assert_eq!(secs(json!("Tue, 14 Nov 2023 22:13:30 GMT")), Some(10));
    assert_eq!(secs(json!(1e300)), Some(3600));
    for garbage in [
        json!(-1),
        json!("-1"),
        json!("NaN"),
        json!("inf"),
        json!([]),
        json!("x"),
        json!("1x"),
        json!("1.2.3s"),
    ] {
        assert_eq!(secs(garbage.clone()), None, "{garbage}");
    }
}

#[tokio::test]
async fn health_is_what_the_probe_finds() {
    async fn probed(code: u16, body: &'static str) -> emp_core::Health {
        let server = Server::start(move |_| reply(code, body)).await;
        let ready = Predicate::Compare { selector: at("$.idle"), op: Comparison::Gt, value: Literal::Int(0) };
        let connector = declared()
            .with(|http| {
                http.health = Some(HealthProbe {
                    request: request("GET", path("/health")),
                    every: Duration::from_secs(30),
                    ready: Some(ready),
                    metrics: list(vec![capture("idle", at("$.idle"))]),
                });
            })
            .loaded(&server.url());
        engine().health(&connector).await
    }
    let healthy = probed(200, r#"{"idle":2}"#).await;
    assert_eq!((healthy.status, &healthy.metrics["idle"]), (HealthStatus::Healthy, &json!(2.0)));
    assert_eq!(probed(200, r#"{"idle":0}"#).await.status, HealthStatus::Degraded);
    assert_eq!(probed(500, "{}").await.status, HealthStatus::Down);
    assert_eq!(engine().health(&declared().loaded("http://127.0.0.1:1")).await.status, HealthStatus::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_wheel_gives_each_item_in_its_time() {
    let wheel = std::sync::Arc::new(Wheel::new());
    wheel.insert("late", Duration::from_secs(50));
    wheel.insert("early", Duration::from_secs(10));
    assert_eq!(wheel.next().await, "early");
    // An insert wakes a `next` that waits for something later.
    let waiting = std::sync::Arc::clone(&wheel);
    let next = tokio::spawn(async move { waiting.next().await });
    tokio::task::yield_now().await;
    wheel.insert("now", Duration::ZERO);
    assert_eq!(next.await.unwrap(), "now");
    assert_eq!((wheel.next().await, wheel.len()), ("late", 0));
    let waiting = std::sync::Arc::clone(&wheel);
    let next = tokio::spawn(async move { waiting.next().await });
    tokio::task::yield_now().await;
    wheel.insert("into an empty wheel", Duration::from_secs(1));
    assert_eq!(next.await.unwrap(), "into an empty wheel");
}

#[tokio::test]
async fn a_wheel_takes_any_wait() {
    let wheel = Wheel::new();
    wheel.insert("never", Duration::MAX);
    wheel.insert("now", Duration::ZERO);
    assert_eq!((wheel.next().await, wheel.len()), ("now", 1));
}
