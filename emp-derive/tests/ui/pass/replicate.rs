//! Poll by a captured URL, hold, inline answers, cancel, health and captured names.

use emp_core::secret::Secret;

/// Makes images with Replicate.
#[derive(emp_core::Connector)]
#[connector(service = ["replicate", "replicate-images"], version = "1.2.0", unregistered)]
#[http(base = "https://api.replicate.com/v1")]
#[auth(bearer = api_token)]
#[origins(follow = ["*.replicate.delivery"])]
#[submit(
    post = "/models/{+payload.model}/predictions",
    header("Prefer" = "wait={env.hold_secs}", "Cancel-After" = "{queue.budget_secs}s"),
    json { "input": { ..payload.input, "seed": payload.seed?, "steps": payload.steps ?? 20 }, "tag": "emp-{queue.job_id}" },
    accept = [201, 202],
    hold = env.hold_secs,
    feeds_poll,
    capture(id = "$.id", poll_url = "$.urls.get", cancel_url = ["$.urls.cancel", header("x-cancel")]),
    timeout = "90s",
    at_most_once,
)]
#[poll(get = job.poll_url, logs = "$.logs" | tail(2000), progress = "$.logs" | last_match(r"(\d+)%") | percent)]
#[states(
    at = "$.status",
    queued = ["starting"], running = ["processing"],
    succeeded = ["succeeded"], failed = ["failed"], failed(moderated) = ["blocked"], canceled = ["canceled", "aborted"],
    unknown = running(warn),
    rules(
        code == 404 && age < "30s" => running,
        code == 404 => lost,
        "$.data_removed" == true => failed(expired, "the data was removed"),
        !("$.error" absent) || "$.kind" in ["a", "b"] => failed,
    ),
)]
#[outcome(json = "$.output", keep_for = "1h", meta(predict_secs = "$.metrics.predict_time"))]
#[errors(
    message = ["$.error", "$.detail", "$.errors[*]" | join("; ")],
    401 | 403 => auth, 402 => billing, 422 => invalid_input,
    429 if "$.error.code" == "quota" => billing,
    429 => rate_limited(wait = [header("retry-after-ms") | millis, header("retry-after")]),
    5xx => transient,
)]
#[cancel(post = job.cancel_url, ok = [200, 202], gone = [404], too_late = [409])]
#[pace(first = "1s", min = "500ms", max = "10s", factor = 1.5, jitter = 0.2, advice = [header("retry-after")], deadline = "30m", slow_while(queued, "2s"))]
#[limits(rate = "150/10s", in_flight = 3, attempts = env.attempts, max_body = "10MB", max_response = "8MiB")]
#[health(get = "/account", every = "60s", ready = "$.type" present, metric(credits = "$.credits"))]
struct Replicate {
    #[env("REPLICATE_API_TOKEN")]
    api_token: Secret,
    #[env("REPLICATE_HOLD_SECS", default = 10, range = 1..=60)]
    hold_secs: u32,
    #[env("REPLICATE_ATTEMPTS", default = 3)]
    attempts: u32,
    #[env("REPLICATE_NOTE", optional)]
    note: Option<String>,
}

fn main() {
    let spec = <Replicate as emp_core::Connector>::SPEC;
    assert_eq!(spec.name, "Replicate");
    assert_eq!(spec.services, ["replicate", "replicate-images"]);
    assert_eq!(spec.description, "Makes images with Replicate.");
    assert_eq!(spec.source.lines, 48);
    let http = spec.http().unwrap();
    assert_eq!(http.submit.capture.len(), 3);
    assert!(http.poll.is_some() && http.cancel.is_some() && http.health.is_some());
    let source = std::collections::BTreeMap::from([("REPLICATE_API_TOKEN".to_owned(), "r8_x".to_owned())]);
    let made = <Replicate as emp_core::Connector>::from_env(&source).unwrap();
    assert_eq!((made.hold_secs, made.attempts, made.note), (10, 3, None));
    assert_eq!(made.api_token.expose(), "r8_x");
}
