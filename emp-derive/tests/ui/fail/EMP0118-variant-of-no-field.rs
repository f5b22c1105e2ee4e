use emp_core::{Connector, Url};

/// Renders here.
#[derive(Connector)]
#[connector(service = "render", version = "1.0.0", unregistered)]
#[variant(name = RemoteRender, service = "render-remote", env(urls("RENDER_REMOTE_URL")))]
#[http(base = env.url, allow_http)]
#[auth(none)]
#[submit(post = "/jobs", json { "scene": payload.scene }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
struct LocalRender {
    #[env("RENDER_URL", default = "http://127.0.0.1:8080")]
    url: Url,
}

fn main() {}
