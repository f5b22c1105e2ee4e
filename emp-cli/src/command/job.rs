//! `emp job`: the API's jobs, from a terminal or a script.

use std::io::Read;
use std::time::Duration;

use emp_core::Url;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::args::{Job, Submit};
use crate::client::Api;
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, printable};

pub(super) async fn run(args: Job, out: &Output) -> Result<Exit, Failure> {
    match args {
        Job::Submit(args) => submit(&args, out).await,
        Job::Get { id, api } => {
            let job = Api::new(&api.api)?.get(&job_path(&id, "")).await?;
            if out.is_json() {
                out.json(&job);
            } else {
                print(&job, out);
            }
            Ok(Exit::Ok)
        }
        Job::List { status, service, limit, cursor, api } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(status.map(|status| ("status", status)));
            query.extend(service.map(|service| ("service", service)));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            list(&api.api, &query, out).await
        }
        Job::Watch { id, api } => watch(&api.api, &id, out).await,
        Job::Wait { id, timeout, api } => wait(&api.api, &id, timeout, out).await,
        Job::Cancel { id, reason, api } => {
            let body = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
            let job = Api::new(&api.api)?.post(&job_path(&id, "/cancel"), &body).await?;
            if out.is_json() {
                out.json(&job);
            } else {
                out.line(format!("{id}: cancel recorded, now {}", text(&job, "state")));
            }
            Ok(Exit::Ok)
        }
    }
}

async fn submit(args: &Submit, out: &Output) -> Result<Exit, Failure> {
    let mut body = json!({ "service": args.service, "payload": payload(&args.input)? });
    if let Some(priority) = args.priority {
        body["priority"] = json!(priority);
    }
    let labels = args.label.iter().map(|label| pair(label)).collect::<Result<Map<_, _>, _>>()?;
    if !labels.is_empty() {
        body["labels"] = Value::Object(labels);
    }
    if let Some(key) = &args.idempotency_key {
        body["idempotency_key"] = json!(key);
    }
    let job = Api::new(&args.api.api)?.post("/api/jobs", &body).await?;
    let id = text(&job, "job_id");
    if args.wait {
        out.note(&id);
        return wait(&args.api.api, &id, args.timeout, out).await;
    }
    if out.is_json() {
        out.json(&job);
    } else {
        out.line(&id);
    }
    Ok(Exit::Ok)
}

async fn list(api: &Url, query: &[(&str, String)], out: &Output) -> Result<Exit, Failure> {
    let page = Api::new(api)?.get_with("/api/jobs", query).await?;
    if out.is_json() {
        out.json(&page);
        return Ok(Exit::Ok);
    }
    let jobs = page.get("jobs").and_then(Value::as_array).cloned().unwrap_or_default();
    // A terminal has no room for everything, and a pipe has no use for a head.
    let fields: &[&str] = if out.is_terminal() {
        &["id", "service", "status", "progress", "attempt"]
    } else {
        &["id", "service", "status", "state", "progress", "attempt", "service_job_id", "created_at"]
    };
    let rows = jobs.iter().map(|job| fields.iter().map(|field| text(job, field)).collect());
    out.table(&["id", "service", "status", "%", "tries"], rows.collect());
    if let Some(next) = page.get("next").and_then(Value::as_str) {
        out.note(format!("more: emp job list --cursor {next}"));
    }
    Ok(Exit::Ok)
}

async fn watch(api: &Url, id: &str, out: &Output) -> Result<Exit, Failure> {
    let api = Api::new(api)?;
    api.events(&job_path(id, "/events"), |event| {
        if out.is_json() {
            out.line(event.to_string());
        } else {
            let progress = event.get("progress").and_then(Value::as_f64);
            let percent = progress.map(|percent| format!("{percent:>3.0} %")).unwrap_or_default();
            let said = event.get("delta").map(|delta| text(delta, "text")).unwrap_or_default();
            let words = [text(&event, "detail"), text(&event, "message"), said].join(" ");
            let line =
                format!("{}  {:<16} {percent:<5} {}", text(&event, "at"), text(&event, "type"), words.trim());
            out.line(printable(line.trim_end()));
        }
    })
    .await?;
    Ok(ended(&api.get(&job_path(id, "")).await?))
}

/// Asks until the job has ended. The events stream would be quicker by a little, and would need a second way to find out
/// that it ended when the stream breaks.
async fn wait(api: &Url, id: &str, timeout: Option<Duration>, out: &Output) -> Result<Exit, Failure> {
    const PAUSE: Duration = Duration::from_millis(250);
    let api = Api::new(api)?;
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let bar = out.is_live().then(|| output::bar("{pos:>3}% {msg:20} {wide_bar}"));
    loop {
        let job = api.get(&job_path(id, "")).await?;
        let state = text(&job, "state");
        if let Some(bar) = &bar {
            bar.set_position(job.get("progress").and_then(Value::as_f64).unwrap_or_default() as u64);
            bar.set_message(printable(&text(&job, "status")));
        }
        if job.get("finished_at").is_some_and(|at| !at.is_null()) || state == "uncertain" {
            drop(bar);
            if out.is_json() {
                out.json(&job);
            } else {
                print(&job, out);
            }
            return Ok(ended(&job));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            out.note(format!("still {state}; look again with: emp job wait {id}"));
            return Ok(Exit::TimedOut);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The exit code that a job's end gives.
fn ended(job: &Value) -> Exit {
    match text(job, "status").as_str() {
        "completed" => Exit::Ok,
        "unknown" => Exit::Uncertain,
        _ => Exit::No,
    }
}

fn print(job: &Value, out: &Output) {
    let rows = job.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    out.table(&["", ""], rows.map(|(name, _)| vec![name.clone(), text(job, name)]).collect());
}

fn job_path(id: &str, rest: &str) -> String {
    // Anything but an id's own characters would change the path.
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("/api/jobs/{id}{rest}")
}

/// A member as text: strings as they are, everything else as JSON, absent and null as nothing.
fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The payload from `--input`: whole JSON values are merged in order, `key=value` sets one member.
fn payload(inputs: &[String]) -> Result<Value, Failure> {
    let mut payload = Map::new();
    for input in inputs {
        let source = if input == "-" {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Failure::io("cannot read stdin", &error))?;
            text
        } else if let Some(file) = input.strip_prefix('@') {
            std::fs::read_to_string(file)
                .map_err(|error| Failure::io(&format!("cannot read {file}"), &error))?
        } else if input.trim_start().starts_with('{') {
            input.clone()
        } else {
            let (key, value) = pair(input)?;
            payload.insert(key, value);
            continue;
        };
        match serde_json::from_str(&source) {
            Ok(Value::Object(members)) => payload.extend(members),
            Ok(_) => return Err(usage("the payload is not a JSON object", "--input '{\"input\": \"..\"}'")),
            Err(error) => {
                return Err(usage(
                    &format!("the payload is not JSON: {error}"),
                    "--input '{\"input\": \"..\"}'",
                ));
            }
        }
    }
    Ok(Value::Object(payload))
}

/// `key=value`; the value is JSON when it is valid JSON, else text.
fn pair(text: &str) -> Result<(String, Value), Failure> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| usage(&format!("`{text}` is not key=value"), "--input key=value"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((key.to_owned(), value))
}

fn usage(message: &str, help: &str) -> Failure {
    Failure::new(Exit::Usage, "E_USAGE", message).help(help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{job_path, payload};

    #[test]
    fn inputs_are_merged_in_order_and_values_keep_their_types() {
        let inputs =
            ["{\"input\": \"a\", \"n\": 1}", "n=2", "text=two words", "list=[1,2]"].map(str::to_owned);
        let merged = payload(&inputs).unwrap();
        assert_eq!(merged, json!({ "input": "a", "n": 2, "text": "two words", "list": [1, 2] }));
    }

    #[test]
    fn a_payload_that_is_no_object_is_a_usage_error() {
        assert!(payload(&["{oops".to_owned()]).is_err());
        assert!(payload(&["nothing".to_owned()]).is_err());
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        assert_eq!(job_path("../workers?x", ""), "/api/jobs/workersx");
    }
}
