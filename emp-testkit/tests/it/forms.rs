//! Every form in which services say how a job is, judged as the engine does.

use emp_core::connector::Loaded;
use emp_core::env::Settings;
use emp_core::error::FailureKind;
use emp_core::job::ServiceJob;
use emp_core::{Connector, Timestamp};
use emp_engine::context::Context;
use emp_engine::decide::{Verdict, decide};
use emp_engine::exchange::Exchange;
use emp_engine::memory::{Memory, Stage};
use emp_engine::progress::Places;
use emp_engine::select::View;
use emp_testkit::fake_env;
use http::HeaderMap;

/// What a connector makes of an answer to a poll `age` seconds after the submit.
fn looked_at<C: Connector, R>(
    code: u16,
    headers: &[(&'static str, &'static str)],
    body: &str,
    age: i64,
    act: impl FnOnce(&View<'_>) -> R,
) -> R {
    let (settings, _) = Settings::load(C::SPEC.env, &fake_env(C::SPEC));
    let loaded = Loaded { spec: C::SPEC, settings, custom: None, base: None };
    let job = ServiceJob {
        id: "j-1".to_owned(),
        captured: serde_json::Map::new(),
        connector: C::SPEC.name.to_owned(),
        fingerprint: C::SPEC.fingerprint,
        submitted_at: Timestamp(0),
    };
    let context = Context { service_job: Some(&job), ..Context::bare(&loaded) };
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
        .collect();
    let exchange = Exchange::new(code, headers, body.as_bytes());
    act(&View {
        exchange: &exchange,
        context: &context,
        memory: &Memory::default(),
        now: Timestamp(age * 1000),
    })
}

fn judged<C: Connector>(
    code: u16,
    headers: &[(&'static str, &'static str)],
    body: &str,
    age: i64,
) -> Verdict {
    let Some(http) = C::SPEC.http() else { return Verdict::Lost };
    looked_at::<C, _>(code, headers, body, age, |view| decide(http, view))
}

const RUNNING: Verdict = Verdict::Pending(Stage::Running);
const QUEUED: Verdict = Verdict::Pending(Stage::Queued);

fn failed(verdict: &Verdict) -> Option<FailureKind> {
    match verdict {
        Verdict::Failed { kind, .. } => Some(*kind),
        _ => None,
    }
}

/// Says it by booleans, by what is there, by a header and by the code.
#[derive(Connector)]
#[connector(service = "forms", version = "1.0.0", unregistered)]
#[http(base = "https://forms.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
#[poll(post = "/status", json { "id": job.id })]
#[states(rules(
    header("finish-reason") == "CONTENT_FILTERED" => failed(moderated),
    "$.error" present => failed(service),
    "$.done" == true && "$.response..samples[*]" absent => failed(moderated, "nothing came of it"),
    "$.done" == true => succeeded,
    code == 202 => running,
    code == 404 && age < "10s" => queued,
    code == 404 || code == 410 => lost,
    code in [425, 503] => running,
    "$.outputs" present && !("$.outputs" == "none") => succeeded,
    "$.percent" < 1 => queued,
    code == 200 => running,
))]
struct Forms {}

#[test]
fn m19_a_status_is_a_boolean_a_presence_a_header_or_a_code() {
    let said = |body| judged::<Forms>(200, &[], body, 60);
    assert_eq!(said(r#"{"done":false}"#), RUNNING);
    assert_eq!(said(r#"{"done":true,"response":{"video":{"samples":[1]}}}"#), Verdict::Succeeded);
    assert_eq!(failed(&said(r#"{"done":true,"response":{"filtered":1}}"#)), Some(FailureKind::Moderated));
    assert_eq!(said(r#"{"outputs":{"0":"x"}}"#), Verdict::Succeeded);
    assert_eq!(failed(&said(r#"{"error":{"code":13}}"#)), Some(FailureKind::Service));
    assert_eq!(said(r#"{"error":null}"#), RUNNING, "null is not there");
    let header = judged::<Forms>(200, &[("finish-reason", "CONTENT_FILTERED")], "", 60);
    assert_eq!(failed(&header), Some(FailureKind::Moderated));
    assert_eq!(judged::<Forms>(202, &[], "", 60), RUNNING);
}

#[test]
fn m24_the_first_rule_that_holds_decides() {
    let both = r#"{"error":"x","done":true,"percent":0}"#;
    assert_eq!(failed(&judged::<Forms>(202, &[], both, 60)), Some(FailureKind::Service));
    assert_eq!(judged::<Forms>(200, &[], r#"{"percent":0}"#, 60), QUEUED);
}

#[test]
fn m25_codes_are_states_where_a_rule_says_so_and_a_404_by_the_age_of_the_job() {
    for code in [202, 425, 503] {
        assert_eq!(judged::<Forms>(code, &[], "{}", 60), RUNNING, "{code}");
    }
    assert_eq!(judged::<Forms>(404, &[], "{}", 5), QUEUED, "young");
    assert_eq!(judged::<Forms>(404, &[], "{}", 11), Verdict::Lost, "old");
    assert_eq!(judged::<Forms>(410, &[], "gone", 5), Verdict::Lost);
    assert!(matches!(judged::<Forms>(500, &[], "{}", 60), Verdict::Refused(_)), "no rule says so");
}

#[test]
fn m18_a_poll_may_be_a_post_with_a_body() {
    let poll = Forms::SPEC.http().and_then(|http| http.poll.as_ref());
    assert_eq!(poll.map(|poll| poll.request.method), Some("POST"));
}

/// Says how far it is in every scale.
#[derive(Connector)]
#[connector(service = "scales", version = "1.0.0", unregistered)]
#[http(base = "https://scales.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json {}, capture(id = "$.id"), at_most_once)]
#[poll(
    get = "/jobs/{job.id}",
    progress = [
        "$.percent" | percent,
        "$.fraction" | fraction,
        "$.done" | ratio("$.total"),
        "$.left" | invert,
        "$.log" | last_match(r"(\d+)%\|") | percent,
    ],
    progress_text = "$.phase",
    queue_position = "$.ahead",
    eta = ["$.eta_ms" | millis, "$.eta" | duration],
    logs = "$.log",
    preview = "$.image",
)]
#[states(rules(code == 200 => running, "$.x" == 1 => succeeded))]
struct Scales {}

#[test]
fn m34_m35_progress_has_any_scale_and_stays_within_its_bounds() {
    let told = |body: &str| {
        let poll = Scales::SPEC.http().and_then(|http| http.poll.as_ref()).expect("a poll");
        looked_at::<Scales, _>(200, &[], body, 1, |view| Places::of(poll).read(view))
    };
    let fraction = |body| told(body).and_then(|progress| progress.fraction);
    assert_eq!(fraction(r#"{"percent":40}"#), Some(0.4));
    assert_eq!(fraction(r#"{"percent":"40 %"}"#), Some(0.4));
    assert_eq!(fraction(r#"{"fraction":0.4}"#), Some(0.4));
    assert_eq!(fraction(r#"{"done":2,"total":5}"#), Some(0.4));
    assert_eq!(fraction(r#"{"left":0.75}"#), Some(0.25));
    assert_eq!(fraction(r#"{"log":" 10%|#   \n 40%|##  "}"#), Some(0.4), "the last line of a bar");
    for odd in [r#"{"percent":400}"#, r#"{"done":7,"total":5}"#, r#"{"left":-3}"#] {
        assert_eq!(fraction(odd), Some(1.0), "{odd}");
    }
    assert_eq!(fraction(r#"{"done":0,"total":0}"#), None, "nothing of nothing says nothing");
    let rest = told(r#"{"phase":"up\nscaling","ahead":3,"eta_ms":1500,"log":"a\nb"}"#).expect("progress");
    assert_eq!(
        (rest.message.as_deref(), rest.queue_position, rest.eta_secs),
        (Some("up scaling"), Some(3), Some(1.5))
    );
    assert_eq!(told(r#"{"eta":"6m0s"}"#).and_then(|progress| progress.eta_secs), Some(360.0));
    assert_eq!(
        told(r#"{"log":"first\nlast\n"}"#).and_then(|progress| progress.message),
        Some("last".to_owned())
    );
}

#[test]
fn m34_a_preview_is_a_picture_that_a_page_may_show_and_not_too_large() {
    let preview = |image: &str| {
        let poll = Scales::SPEC.http().and_then(|http| http.poll.as_ref()).expect("a poll");
        let body = serde_json::json!({ "image": image }).to_string();
        looked_at::<Scales, _>(200, &[], &body, 1, |view| Places::of(poll).read(view))?.preview
    };
    assert_eq!(preview("https://x.example/1.png").as_deref(), Some("https://x.example/1.png"));
    assert_eq!(preview("iVBORw0KGgo=").as_deref(), Some("data:image/png;base64,iVBORw0KGgo="));
    assert_eq!(
        preview("data:image/webp;base64,UklGRg==").as_deref(),
        Some("data:image/webp;base64,UklGRg==")
    );
    let large = format!("/9j/4{}", "A".repeat(70_000));
    for refused in [
        "http://x.example/1.png",
        "javascript:alert(1)",
        "data:text/html,<b>",
        "iVBOR<script>",
        "",
        "text",
        &large,
    ] {
        assert_eq!(preview(refused), None, "{}", &refused[..refused.len().min(30)]);
    }
}
