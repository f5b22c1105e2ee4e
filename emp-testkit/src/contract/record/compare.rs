//! A declaration beside the record of its service.

use emp_core::spec::ConnectorSpec;

use super::{Paid, Record, Repeat};
use crate::contract::plan::Plan;
use crate::contract::scenario::{Group, Judged, Scenario};

/// The scenarios of the record.
pub(crate) fn plans(spec: &ConnectorSpec, record: Option<&Record>) -> Vec<Plan> {
    let row = |name: &str, about: &str, judged: Judged| {
        Plan::done(Scenario::new(Group::Record, name, about), judged)
    };
    let about = "the service is described by a record that was reviewed";
    let Some(now) = Record::of(spec) else {
        let reason = "a custom connector declares no service that could be recorded";
        return vec![row("present", about, Judged::not_applicable(reason))];
    };
    let Some(record) = record else {
        let reason = format!(
            "no record: the connector is only held against itself; review it, then `emp connector record {}`",
            spec.name
        );
        return vec![row("present", about, Judged::advice(reason))];
    };
    vec![
        row("present", about, Judged::pass()),
        row("words", "every recorded status word has its recorded meaning", words(&now, record)),
        row("rules", "every recorded rule of the states is still there", rules(&now, record)),
        row("routes", "every request goes where the record says", routes(&now, record)),
        row("credential", "the credential stands where the record says", credential(&now, record)),
        row("settle", "a lost submit is treated as the record allows", settle(&now, record)),
        row(
            "rejects",
            "no more codes are taken for a certain refusal than the record has",
            rejects(&now, record),
        ),
    ]
}

fn fresh(new: &[String], connector: &str) -> Judged {
    if new.is_empty() {
        return Judged::pass();
    }
    let new = new.join(", ");
    Judged::advice(format!("not in the record: {new}; review it, then `emp connector record {connector}`"))
}

fn words(now: &Record, record: &Record) -> Judged {
    let wrong: Vec<String> = record
        .words
        .iter()
        .filter_map(|(word, meaning)| match now.words.get(word) {
            Some(found) if found == meaning => None,
            Some(found) => Some(format!("`{word}` means {meaning}, and is declared {found}")),
            None => Some(format!("`{word}` ({meaning}) is not declared")),
        })
        .collect();
    if !wrong.is_empty() {
        return Judged::fail(wrong.join("; "));
    }
    let new: Vec<String> = now
        .words
        .keys()
        .filter(|word| !record.words.contains_key(*word))
        .map(|word| format!("`{word}`"))
        .collect();
    fresh(&new, &record.connector)
}

fn rules(now: &Record, record: &Record) -> Judged {
    let gone: Vec<&str> =
        record.rules.iter().filter(|rule| !now.rules.contains(rule)).map(String::as_str).collect();
    if !gone.is_empty() {
        return Judged::fail(format!("gone: {}", gone.join("; ")));
    }
    let new: Vec<String> = now.rules.iter().filter(|rule| !record.rules.contains(rule)).cloned().collect();
    fresh(&new, &record.connector)
}

fn routes(now: &Record, record: &Record) -> Judged {
    let wrong: Vec<String> = record
        .routes
        .iter()
        .filter_map(|(step, route)| match now.routes.get(step) {
            Some(found) if found == route => None,
            Some(found) => Some(format!("{step} is `{route}`, and is declared `{found}`")),
            None => Some(format!("{step} (`{route}`) is not declared")),
        })
        .collect();
    if !wrong.is_empty() {
        return Judged::fail(wrong.join("; "));
    }
    let new: Vec<String> =
        now.routes.keys().filter(|step| !record.routes.contains_key(*step)).cloned().collect();
    fresh(&new, &record.connector)
}

fn credential(now: &Record, record: &Record) -> Judged {
    if now.credential == record.credential {
        return Judged::pass();
    }
    Judged::fail(format!("it is {:?}, and is declared {:?}", record.credential, now.credential))
}

/// Every submit, as it is and as it was recorded; of one that is not in the record nothing is known.
fn submits<'r>(now: &'r Record, record: &'r Record) -> Vec<(&'r str, &'r Paid, Option<&'r Paid>)> {
    let others = now.submits.iter().map(|(step, paid)| (step.as_str(), paid, record.submits.get(step)));
    std::iter::once(("submit", &now.submit, Some(&record.submit))).chain(others).collect()
}

/// The worst of what was found of all submits.
fn worst(found: impl Iterator<Item = Judged>) -> Judged {
    found.max_by_key(|judged| judged.outcome).unwrap_or_else(Judged::pass)
}

fn settle(now: &Record, record: &Record) -> Judged {
    let unknown = |step: &str| {
        format!("not in the record: {step}; review it, then `emp connector record {}`", record.connector)
    };
    worst(submits(now, record).into_iter().map(|(step, now, record)| match record {
        None => Judged::advice(unknown(step)),
        Some(record) if record.billable && !now.billable => {
            Judged::fail(format!("{step} costs money, and is declared `billable = false`"))
        }
        Some(record) => match (&now.settle, &record.settle) {
            (found, right) if found == right => Judged::pass(),
            (Repeat::AtMostOnce, _) => {
                Judged::advice(format!("{step}: the record allows more than `at_most_once`"))
            }
            (found, right) => Judged::fail(format!("{step} is {right:?}, and is declared {found:?}")),
        },
    }))
}

fn rejects(now: &Record, record: &Record) -> Judged {
    worst(submits(now, record).into_iter().map(|(step, now, record)| {
        let known = |code: &&String| record.is_some_and(|record| !record.rejects.contains(code));
        let new: Vec<&str> = now.rejects.iter().filter(known).map(String::as_str).collect();
        if new.is_empty() {
            return Judged::pass();
        }
        Judged::fail(format!("declared of {step} and not recorded: {}", new.join(", ")))
    }))
}
