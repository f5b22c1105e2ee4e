//! `emp explain`: what a code means, offline.

use emp_codegen::catalogue;
use emp_core::ErrorCode;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// A code of any part: a diagnostic, a job's error, a store's, the API's.
#[derive(Serialize)]
struct Explanation {
    code: String,
    title: String,
    why: String,
    help: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<String>,
}

/// The codes of the command line itself.
const OWN: [(&str, &str, &str); 18] = [
    (
        "E_API",
        "the API does not answer",
        "Start it with `emp dev --fake` or `emp serve`, or name it with `--api URL`.",
    ),
    ("E_DEMO", "the demo did not go as it should", "Please report it with what it printed."),
    ("E_IO", "a file or a socket of this process failed", "The message names it and says why."),
    (
        "E_MAPPING",
        "service-mapping.json is not valid, or names what this binary does not have",
        "Run `emp check`: it shows each line and its fix.",
    ),
    ("E_NO_CONNECTOR", "this binary has no such connector", "`emp connector list` shows those that it has."),
    ("E_NO_MAPPING", "there is no service-mapping.json", "Name one with `--mapping FILE`."),
    ("E_NO_VARIABLE", "no worker reads this variable", "`emp env explain` shows those that are read."),
    ("E_PLAN", "the workers cannot start", "Each line says what is missing and how to mend it."),
    ("E_STALE", "a generated file is not fresh", "Write it anew with `--write` and commit it."),
    (
        "E_STORE_CORRUPT",
        "the store holds what it should not",
        "Restore a backup, or move the store's folder away and start with an empty one.",
    ),
    (
        "E_STORE_RESET",
        "the store's server came back without its data",
        "Restore its data, or start one process with `--on-empty accept` to go on with an empty store.",
    ),
    (
        "E_STORE_UNSAFE",
        "the store's server would lose jobs",
        "`emp store doctor` shows each reason with the line to set; `--allow-unsafe-store` opens it all the same.",
    ),
    (
        "E_STORE_URL",
        "the value of --store names no store that can be opened",
        "Write `--store memory:`, `--store file:PATH` or `--store redis://HOST:PORT`; the message says what is wrong with yours.",
    ),
    (
        "E_STORE_VERSION",
        "the store was made by another version",
        "Use the version that made it, or another folder with `--store file:PATH`.",
    ),
    ("E_STREAM", "the stream of events broke", "Repeat the command: it goes on where it was."),
    ("E_UNKNOWN_CODE", "there is no such code", "`emp explain` lists all of them."),
    (
        "E_USAGE",
        "the command line is not understood",
        "`emp help` and the name of the command tell its grammar.",
    ),
    ("E_WORKERS", "WORKERS is not a list of workers", "Write `WORKERS=\"my-service-api:2,openai:4\"`."),
];

pub(super) fn run(code: Option<&str>, out: &Output) -> Result<Exit, Failure> {
    let all = everything();
    let Some(wanted) = code else {
        if out.is_json() {
            out.json(&all);
        } else {
            let rows = all.into_iter().map(|entry| vec![entry.code, entry.title]).collect();
            out.table(&["code", "meaning"], rows);
        }
        return Ok(Exit::Ok);
    };
    let wanted = wanted.to_ascii_uppercase();
    let Some(entry) = all.iter().find(|entry| entry.code == wanted) else {
        let nearest = emp_core::syntax::nearest(&wanted, all.iter().map(|entry| entry.code.as_str()));
        let failure = Failure::new(Exit::NotFound, "E_UNKNOWN_CODE", format!("there is no code `{wanted}`"));
        return Err(match nearest {
            Some(nearest) => failure.help(format!("emp explain {nearest}")),
            None => failure.help("emp explain    lists all codes"),
        });
    };
    if out.is_json() {
        out.json(entry);
    } else {
        out.line(format!("{}: {}\n", entry.code, entry.title));
        if !entry.why.is_empty() {
            out.line(format!("why:  {}", entry.why));
        }
        out.line(format!("help: {}", entry.help));
        if let Some(example) = &entry.example {
            out.line(format!("\n{example}"));
        }
    }
    Ok(Exit::Ok)
}

fn everything() -> Vec<Explanation> {
    let diagnostics = catalogue::all().map(|entry| Explanation {
        code: entry.code.to_string(),
        title: entry.title.to_owned(),
        why: entry.why.to_owned(),
        help: entry.help.to_owned(),
        example: Some(entry.example.to_owned()).filter(|example| !example.is_empty()),
    });
    let jobs = ErrorCode::ALL.into_iter().map(|code| {
        let (title, help) = code.explain().split_once(". ").unwrap_or((code.explain(), ""));
        plain(code.as_str(), title.trim_end_matches('.'), help)
    });
    let api = emp_api::Code::ALL.into_iter().map(|code| plain(code.as_str(), code.title(), code.explain()));
    let own = OWN.into_iter().map(|(code, title, help)| plain(code, title, help));
    let mut all: Vec<Explanation> = diagnostics.chain(jobs).chain(api).chain(own).collect();
    // A job and the API can both end in `E_INTERNAL`; the job's explanation stands first and says the same.
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|entry| seen.insert(entry.code.clone()));
    all
}

/// An explanation of a code that no declaration causes.
fn plain(code: &str, title: &str, help: &str) -> Explanation {
    Explanation {
        code: code.to_owned(),
        title: title.to_owned(),
        why: String::new(),
        help: help.to_owned(),
        example: None,
    }
}
