use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(when = payload.image present, post = "/edits", multipart { image: file(payload.image), prompt: payload.prompt }, at_most_once)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, at_most_once)]
#[stream(sse, when = payload.stream == true, json { "stream": true }, delta = "$.text", end = "[DONE]")]
#[outcome(text = ["$.text", deltas])]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
}

fn main() {}
