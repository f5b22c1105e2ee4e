use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(post = "/jobs", at_most_once)]
#[websocket(get = "/ws", at = "$.type", succeeded = ["done"])]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
}

fn main() {}
