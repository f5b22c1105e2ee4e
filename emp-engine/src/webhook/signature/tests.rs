use super::*;

const NOW: Timestamp = Timestamp(1_614_265_330_000);

/// The vector of the Standard Webhooks specification's own libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &str = r#"{"test": 2432232314}"#;
const TAG: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

static STANDARD: Verify = Verify::StandardWebhooks { secret: "secret" };

static STRIPE_LIKE: Verify = Verify::Hmac(HmacSignature {
    secret: "secret",
    header: "x-signature",
    prefix: "v0=",
    algorithm: HmacAlgorithm::Sha256,
    encoding: SignatureEncoding::Hex,
    signed: &[SignedPart::Timestamp, SignedPart::Text("."), SignedPart::Body],
    timestamp: Some(StampAt::Member("t=")),
    tolerance: Duration::from_mins(30),
});

static WITH_HEADERS: Verify = Verify::Hmac(HmacSignature {
    secret: "secret",
    header: "x-signature",
    prefix: "",
    algorithm: HmacAlgorithm::Sha512,
    encoding: SignatureEncoding::Base64,
    signed: &[SignedPart::Header("x-id"), SignedPart::Text("|"), SignedPart::Timestamp, SignedPart::Body],
    timestamp: Some(StampAt::Header("x-time")),
    tolerance: HmacSignature::TOLERANCE,
});

static SHARED: Verify = Verify::Header { name: "x-token", secret: "secret" };

fn prover(verify: &'static Verify, secret: &str) -> Prover {
    Prover::new(verify, &Secret::new(secret)).expect("a secret")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().expect("a value"));
    }
    headers
}

fn standard(stamp: &str, signature: &str) -> HeaderMap {
    headers(&[("webhook-id", MESSAGE), ("webhook-timestamp", stamp), ("webhook-signature", signature)])
}

#[test]
fn m58_a_call_is_proven_by_the_vector_of_standard_webhooks() {
    let prover = prover(&STANDARD, SECRET);
    assert_eq!(prover.prove(&standard("1614265330", TAG), BODY.as_bytes(), NOW), Ok(()));
    let several = format!("v1,AAAA v2,whatever {TAG}");
    assert_eq!(prover.prove(&standard("1614265330", &several), BODY.as_bytes(), NOW), Ok(()));
    assert_eq!(prover.sign(MESSAGE, BODY.as_bytes(), NOW), standard("1614265330", TAG));
}

#[test]
fn m58_a_wrong_stale_or_mutilated_proof_is_refused() {
    let prover = prover(&STANDARD, SECRET);
    let right = standard("1614265330", TAG);
    let minutes = |minutes: i64| Timestamp(NOW.0 + minutes * 60_000);
    let refused = |headers: &HeaderMap, body: &str, now| prover.prove(headers, body.as_bytes(), now);
    assert_eq!(refused(&right, r#"{"test": 2432232315}"#, NOW), Err(Unproven::Signature));
    assert_eq!(refused(&right, BODY, minutes(5)), Ok(()));
    assert_eq!(refused(&right, BODY, minutes(6)), Err(Unproven::Stale));
    assert_eq!(refused(&right, BODY, minutes(-6)), Err(Unproven::Stale));
    assert_eq!(refused(&standard("1614265331", TAG), BODY, NOW), Err(Unproven::Signature));
    assert_eq!(refused(&standard("yesterday", TAG), BODY, NOW), Err(Unproven::Timestamp));
    assert_eq!(refused(&standard("-9223372036854775808", TAG), BODY, NOW), Err(Unproven::Stale));
    for signature in ["", "v1,", "v1", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,%%%"] {
        let headers = standard("1614265330", signature);
        assert_eq!(refused(&headers, BODY, NOW), Err(Unproven::Signature), "{signature}");
    }
    assert_eq!(refused(&HeaderMap::new(), BODY, NOW), Err(Unproven::Header("webhook-id")));
    let mut twice = right.clone();
    twice.append("webhook-signature", "v1,AAAA".parse().expect("a value"));
    assert_eq!(refused(&twice, BODY, NOW), Err(Unproven::Header("webhook-signature")));
}

#[test]
fn m58_an_hmac_is_declared_by_header_hash_encoding_prefix_and_what_is_signed() {
    for verify in [&STRIPE_LIKE, &WITH_HEADERS] {
        let (right, wrong) = (prover(verify, "key"), prover(verify, "another"));
        let signed = right.sign("event-1", b"body", NOW);
        assert_eq!(right.prove(&signed, b"body", NOW), Ok(()));
        assert_eq!(wrong.prove(&signed, b"body", NOW), Err(Unproven::Signature));
        assert_eq!(right.prove(&signed, b"bodY", NOW), Err(Unproven::Signature));
        assert_eq!(right.prove(&signed, b"body", Timestamp(NOW.0 + 3_600_000)), Err(Unproven::Stale));
    }
    // echo -n 1614265330.body | openssl dgst -sha256 -hmac key
    let known = "t=1614265330,v0=373050f2553014e4d931fcfa5dce72f9a63d7322cdb6d72c7c39672d7b9f0864";
    assert_eq!(prover(&STRIPE_LIKE, "key").sign("", b"body", NOW), headers(&[("x-signature", known)]));
}

#[test]
fn m58_a_shared_secret_is_the_whole_header() {
    let prover = prover(&SHARED, "shared-secret");
    let prove = |pairs: &[(&'static str, &str)]| prover.prove(&headers(pairs), b"", NOW);
    assert_eq!(prove(&[("x-token", "shared-secret")]), Ok(()));
    for wrong in ["", "shared", "Shared-secret", "shared-secretx"] {
        assert_eq!(prove(&[("x-token", wrong)]), Err(Unproven::Signature), "{wrong}");
    }
    let twice = prove(&[("x-token", "shared-secret"), ("x-token", "shared-secret")]);
    assert_eq!(twice, Err(Unproven::Header("x-token")));
}

#[test]
fn m58_a_secret_that_is_no_base64_is_said_to_be_none_and_never_shown() {
    for text in ["whsec_", "whsec_???", "not base64!"] {
        assert_eq!(Prover::new(&STANDARD, &Secret::new(text)).err(), Some(NoSecret), "{text}");
    }
    assert!(!format!("{:?}", prover(&SHARED, "shared-secret")).contains("shared-secret"));
}
