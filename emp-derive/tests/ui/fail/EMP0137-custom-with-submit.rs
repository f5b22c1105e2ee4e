use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", custom, unregistered)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
}

fn main() {}
