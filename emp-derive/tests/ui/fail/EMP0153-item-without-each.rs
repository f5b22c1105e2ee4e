use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[prepare(post = "/uploads", raw(file(item.file)), capture(audio_url = "$.url"))]
#[submit(post = "/jobs", json { "audio": prepared.audio_url }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
}

fn main() {}
