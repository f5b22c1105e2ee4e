use emp_core::Connector;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/draw", json { "prompt": payload.prompt }, at_most_once)]
#[cancel(post = "/jobs/{job.id}/cancel")]
struct Things {}

fn main() {}
