//! All settle rules.

use emp_core::Connector;
use emp_core::secret::Secret;
use emp_core::spec::{KeyPlace, Settle};

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json {}, capture(id = "$.id"), idempotent(header("Idempotency-Key"), ttl = "24h"))]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct IdempotentHeader {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json {}, capture(id = "$.id"), idempotent(field("request_id"), ttl = "1h"))]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct IdempotentField {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json { "id": job.assigned_id }, assign_id = uuid)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Assigned {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", header("X-Id" = job.assigned_id), assign_id(uuid, absent_for = "1m", resend))]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct AssignedResend {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json { "tag": queue.job_id }, capture(id = "$.id"), lookup(get = "/jobs", query("tag" = queue.job_id), items = "$.jobs[*]", tag = "$.tag", id = "$.id", wait = "10s"))]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Found {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Once {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", capture(id = "$.id"), at_least_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Twice {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

/// Settles.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", capture(id = "$.id"), billable = false)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Free {
    #[env("KEY")]
    key: Secret,
    #[env("USER", default = "u")]
    user: String,
}

fn settle<C: Connector>() -> &'static Settle {
    &C::SPEC.http().unwrap().submit.settle
}

fn main() {
    assert!(matches!(settle::<IdempotentHeader>(), Settle::Idempotent { key: KeyPlace::Header("idempotency-key"), .. }));
    assert!(matches!(settle::<IdempotentField>(), Settle::Idempotent { key: KeyPlace::Field("request_id"), .. }));
    assert!(matches!(settle::<Assigned>(), Settle::AssignId { resend: false, .. }));
    assert!(matches!(settle::<AssignedResend>(), Settle::AssignId { resend: true, absent_for } if absent_for.as_secs() == 60));
    assert!(matches!(settle::<Found>(), Settle::Lookup(lookup) if lookup.wait.as_secs() == 10));
    assert!(matches!(settle::<Once>(), Settle::AtMostOnce));
    assert!(matches!(settle::<Twice>(), Settle::AtLeastOnce));
    assert!(matches!(settle::<Free>(), Settle::AtLeastOnce));
    assert!(!Free::SPEC.http().unwrap().submit.billable);
    let source = std::collections::BTreeMap::from([("KEY".to_owned(), "k".to_owned())]);
    let Once { key, user } = Once::from_env(&source).unwrap();
    assert_eq!((key.expose(), user.as_str()), ("k", "u"));
}
