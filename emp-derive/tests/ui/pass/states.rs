//! What an answer says of a job.

use emp_core::Connector;
use emp_core::syntax::jsonpath::JsonPath;
use emp_core::syntax::selector::Source;

/// Finds its job by its id, inside the answer.
#[derive(Connector)]
#[connector(service = "keyed", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/prompt", json { "prompt": payload.workflow }, capture(id = "$.prompt_id"), at_most_once)]
#[poll(get = "/history/{job.id}", progress = "$.queue[?@[1]=='{job.id}'][2]" | ratio("$['{job.id}'].total"))]
#[states(rules(
    "$['{job.id}'].status.completed" == true => succeeded,
    "$['{job.id}'].status.messages[?@[0]=='execution_error' && @[1].owner == '{env.owner ?? \"me\"}']" present => failed,
    code == 200 => running,
))]
#[outcome(json = "$['{job.id}'].outputs")]
struct Keyed {
    #[env("OWNER", optional)]
    owner: Option<String>,
}

/// Asks further, reads an envelope, and holds its polls.
#[derive(Connector)]
#[connector(service = "further", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(
    post = "/jobs",
    header("Prefer" = "wait={queue.hold_secs}"),
    json { "prompt": payload.prompt },
    hold = "10s",
    envelope(ok = "$.code" == 0, message = "$.message"),
    capture(id = "$.id", expected_secs = "$.secs"),
    at_most_once,
)]
#[poll(
    get = "/jobs",
    query("wait" = queue.hold_secs),
    items = "$.jobs[*]",
    id = "$.id",
    hold = env.hold,
    also(queue = get("/queue", query("all" = "1"), header("Accept" = "application/json")), stats = post("/stats", json { "id": job.id })),
    envelope(ok = "$.code" == 0),
    preview = "$.preview",
    queue_position = stats."$.position",
)]
#[states(rules("$.done" == true => succeeded, queue."$.running" present && stats."$.x" > 1 => running, absent_for > "15s" => lost))]
#[pace(deadline(queued = env.hold, running = "30m", total = "1h"), eta = job.expected_secs, learn = payload.model)]
#[batch_poll(post = "/fetch", json { "ids": queue.ids }, items = "$.jobs[*]", id = "$.id", most = 100, complete)]
struct Further {
    #[env("HOLD", default = "25s")]
    hold: std::time::Duration,
}

/// Tells its progress beside its submit.
#[derive(Connector)]
#[connector(service = "side", version = "1.0.0", mode = sync, unregistered)]
#[http(base = "https://api.example.com")]
#[auth(none)]
#[submit(post = "/draw", json { "prompt": payload.prompt }, at_most_once)]
#[side_progress(get = "/progress", progress = "$.progress" | fraction, every = "1s")]
#[pace(learn)]
struct Side {}

fn main() {
    let json = Keyed::SPEC.http().unwrap().outcome.take.json;
    let parsed = JsonPath::parse_with_holes("$['{job.id}'].outputs").unwrap();
    assert_eq!(json[0].source, Source::Path(parsed), "what is printed is what was parsed");
    let further = Further::SPEC.http().unwrap();
    let poll = further.poll.as_ref().unwrap();
    assert_eq!(poll.also.iter().map(|probe| probe.name).collect::<Vec<_>>(), ["queue", "stats"]);
    assert!(poll.listed.is_some() && poll.envelope.is_some() && further.submit.envelope.is_some());
    assert_eq!(further.batch_poll.as_ref().map(|batch| (batch.most, batch.complete, batch.worth_it_above)), Some((100, true, 20)));
    assert!(Side::SPEC.http().unwrap().side_progress.is_some());
}
