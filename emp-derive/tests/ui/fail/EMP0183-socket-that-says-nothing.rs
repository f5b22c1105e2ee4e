use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(post = "/jobs", capture(id = "$.id", ws = "$.ws"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = failed)]
#[websocket(get = "/ws", job = "$.id")]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
}

fn main() {}
