use emp_core::Connector;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", progress = with(Self::progres))]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
struct Things {}

impl Things {
    fn progress(_: &emp_core::hook::Answer<'_>) -> Option<emp_core::hook::Value> {
        None
    }
}

fn main() {}
