use emp_core::Connector;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn))]
#[pace(deadline(queued = "2h", total = "1h"))]
struct Things {}

fn main() {}
