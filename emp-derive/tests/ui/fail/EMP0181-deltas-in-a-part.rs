use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, at_most_once)]
#[outcome(first_of(json = "$.output", text = deltas))]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
}

fn main() {}
