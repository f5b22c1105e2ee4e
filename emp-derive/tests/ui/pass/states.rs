//! What an answer says of a job.

use emp_core::Connector;
use emp_core::spec::Outcome;
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

fn main() {
    let Outcome { json, .. } = &Keyed::SPEC.http().unwrap().outcome;
    let parsed = JsonPath::parse_with_holes("$['{job.id}'].outputs").unwrap();
    assert_eq!(json[0].source, Source::Path(parsed), "what is printed is what was parsed");
}
