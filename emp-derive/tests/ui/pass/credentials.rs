//! All kinds of credentials, and bases.

use emp_core::Connector;
use emp_core::secret::Secret;
use emp_core::spec::{Auth, AuthPart};

/// Signs.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com/v1/{env.user}")]
#[auth(none)]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Nobody {
    #[env("KEY")]
    key: Option<Secret>,
    #[env("USER", default = "u")]
    user: String,
}

/// Signs.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "http://127.0.0.1:8188")]
#[auth(bearer = key)]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Bearer {
    #[env("KEY")]
    key: Option<Secret>,
    #[env("USER", default = "u")]
    user: String,
}

/// Signs.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "http://localhost:1")]
#[auth(header("X-Key") = "Key {key}")]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Header {
    #[env("KEY")]
    key: Option<Secret>,
    #[env("USER", default = "u")]
    user: String,
}

/// Signs.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(query("key") = "{key}")]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Query {
    #[env("KEY")]
    key: Option<Secret>,
    #[env("USER", default = "u")]
    user: String,
}

/// Signs.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "http://[::1]:8080")]
#[auth(basic(user = user, password = key))]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct Basic {
    #[env("KEY")]
    key: Option<Secret>,
    #[env("USER", default = "u")]
    user: String,
}

/// Signs.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "http://box.local", allow_http)]
#[origins(follow = self, download = ["*.files.example.com"], download_auth = same_as_api)]
#[auth(basic(user = "api", password = key))]
#[submit(post = "/jobs", capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(rules(code == 200 => succeeded))]
struct BasicLiteral {
    #[env("KEY")]
    key: Option<Secret>,
    #[env("USER", default = "u")]
    user: String,
}

fn auth<C: Connector>() -> &'static Auth {
    &C::SPEC.http().unwrap().auth
}

fn main() {
    assert!(matches!(auth::<Nobody>(), Auth::None));
    assert!(matches!(
        auth::<Bearer>(),
        Auth::Header { name: "authorization", value: [AuthPart::Literal("Bearer "), AuthPart::Field("key")] }
    ));
    assert!(matches!(
        auth::<Header>(),
        Auth::Header { name: "x-key", value: [AuthPart::Literal("Key "), AuthPart::Field("key")] }
    ));
    assert!(matches!(auth::<Query>(), Auth::Query { name: "key", value: [AuthPart::Field("key")] }));
    assert!(matches!(auth::<Basic>(), Auth::Basic { user: AuthPart::Field("user"), password: AuthPart::Field("key") }));
    assert!(matches!(auth::<BasicLiteral>(), Auth::Basic { user: AuthPart::Literal("api"), .. }));
    let Nobody { key, user } = Nobody::from_env(&std::collections::BTreeMap::new()).unwrap();
    assert!(key.is_none() && user == "u");
}
