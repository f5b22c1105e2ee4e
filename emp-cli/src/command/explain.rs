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

/// Codes that belong to no job and no declaration.
const OTHERS: [(&str, &str, &str); 9] = [
    (
        "E_STORE_DOWN",
        "the store does not answer",
        "Look at the file or the server that `--store` names; the same call may be repeated.",
    ),
    (
        "E_STORE_FULL",
        "the store's disk is full",
        "Free some space. Nothing new is taken in; jobs that run can still finish.",
    ),
    (
        "E_STORE_CORRUPT",
        "the store holds what it should not",
        "Restore a backup, or move the store's folder away and start with an empty one.",
    ),
    (
        "E_STORE_VERSION",
        "the store was made by another version",
        "Use the version that made it, or another folder with `--store file:PATH`.",
    ),
    ("E_STORE_URL", "the value of --store names no store", "Write `--store memory:` or `--store file:PATH`."),
    (
        "E_NO_AUTH",
        "the API would listen on another address than loopback without a token",
        "Set EMP_API_TOKEN, or listen on 127.0.0.1.",
    ),
    ("E_MAPPING", "service-mapping.json is not valid", "Run `emp check`: it shows each line and its fix."),
    ("E_NO_MAPPING", "there is no service-mapping.json", "Name one with `--mapping FILE`."),
    ("E_IO", "a file or a socket of this process failed", "The message names it and says why."),
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
        Explanation {
            code: code.as_str().to_owned(),
            title: title.trim_end_matches('.').to_owned(),
            why: String::new(),
            help: help.to_owned(),
            example: None,
        }
    });
    let others = OTHERS.into_iter().map(|(code, title, help)| Explanation {
        code: code.to_owned(),
        title: title.to_owned(),
        why: String::new(),
        help: help.to_owned(),
        example: None,
    });
    diagnostics.chain(jobs).chain(others).collect()
}
