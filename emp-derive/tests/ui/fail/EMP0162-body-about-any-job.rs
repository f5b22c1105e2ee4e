use emp_core::Connector;
use emp_core::secret::Secret;

/// Makes things.
#[derive(Connector)]
#[connector(service = "things", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(bearer = api_key)]
#[submit(post = "/jobs", json { "prompt": payload.prompt, "webhook": webhook.url? }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
#[webhook(verify = standard_webhooks(webhook_secret), body = same_as_poll)]
struct Things {
    #[env("THINGS_KEY")]
    api_key: Secret,
    #[env("THINGS_WEBHOOK_SECRET", optional)]
    webhook_secret: Option<Secret>,
}

fn main() {}
