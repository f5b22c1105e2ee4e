use emp_core::Connector;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn), rules(code == 404 => lost, with(Self::judge)))]
struct Things {}

impl Things {
    fn judge(_: &emp_core::hook::Answer<'_>) -> Option<emp_core::hook::StateVerdict> {
        None
    }
}

fn main() {}
