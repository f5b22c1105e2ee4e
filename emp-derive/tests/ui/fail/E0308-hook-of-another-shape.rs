use emp_core::Connector;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}", progress = with(Self::progress))]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
struct Things {}

impl Things {
    fn progress(text: &str) -> Option<f64> {
        text.parse().ok()
    }
}

fn main() {}
