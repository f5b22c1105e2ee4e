use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes images.
#[derive(Connector)]
#[connector(service = "images", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = key)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[outcome(files = urls("$.url"), refresh = poll)]
struct Images {
    #[env("IMAGES_KEY")]
    key: Secret,
}

fn main() {}
