//! What is believed of calls.

use std::time::Duration;

use emp_core::Connector;
use emp_core::secret::Secret;
use emp_core::spec::{CallBody, EventAt, HmacAlgorithm, SignatureEncoding, SignedPart, StampAt, Verify};

/// Signs as Standard Webhooks does.
#[derive(Connector)]
#[connector(service = "standard", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "to": webhook.url?, "about": webhook.events? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", echo = ["$.id", header("x-job")])]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[webhook(verify = standard_webhooks(secret), body = same_as_poll, events = ["completed"])]
struct Standard {
    #[env("STANDARD_SECRET", optional)]
    secret: Option<Secret>,
}

/// Signs the moment, a header and the body.
#[derive(Connector)]
#[connector(service = "signs", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", query("callback" = webhook.url?), json {}, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", echo = "$.id")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[webhook(
    verify = hmac(
        key = secret, header = "X-Signature", alg = SHA512, encoding = base64, prefix = "v1=",
        signed = "{X-Id}.{timestamp}.{body}", timestamp = header("X-Time"), tolerance = "1m",
    ),
    body = "$.data", events = ["end"], event = header("X-Event"),
)]
struct Signs {
    #[env("SIGNS_SECRET")]
    secret: Secret,
}

/// Calls with a word that both know, to say that there is news.
#[derive(Connector)]
#[connector(service = "knows", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", header("X-Callback" = webhook.url?), json {}, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
#[webhook(verify = header("X-Token", token))]
struct Knows {
    #[env("KNOWS_TOKEN")]
    token: Secret,
}

fn main() {
    let webhook = |spec: &'static emp_core::ConnectorSpec| spec.http().unwrap().webhook.as_ref().unwrap();
    let standard = webhook(Standard::SPEC);
    assert!(matches!(standard.verify, Some(Verify::StandardWebhooks { secret: "secret" })));
    assert!(matches!(standard.body, CallBody::SameAsPoll));
    assert_eq!(standard.events, ["completed"]);
    let signs = webhook(Signs::SPEC);
    let Some(Verify::Hmac(hmac)) = &signs.verify else { panic!("{:?}", signs.verify) };
    assert_eq!((hmac.header, hmac.prefix), ("x-signature", "v1="));
    assert_eq!((hmac.algorithm, hmac.encoding), (HmacAlgorithm::Sha512, SignatureEncoding::Base64));
    let dot = || SignedPart::Text(".");
    let signed = [SignedPart::Header("x-id"), dot(), SignedPart::Timestamp, dot(), SignedPart::Body];
    assert_eq!(hmac.signed, signed);
    assert_eq!((hmac.timestamp, hmac.tolerance), (Some(StampAt::Header("x-time")), Duration::from_secs(60)));
    assert!(matches!(signs.body, CallBody::At(_)) && matches!(signs.event, Some(EventAt::Header("x-event"))));
    let knows = webhook(Knows::SPEC);
    assert!(matches!(knows.verify, Some(Verify::Header { name: "x-token", secret: "token" })));
    assert!(matches!(knows.body, CallBody::Hint));
}
