//! References: what they name exists, has a value where they stand, and is no secret.

use emp_syntax::hole::{Root, Step};

use super::prepare;
use crate::catalogue::derive::{
    CREDENTIAL, NOT_CAPTURED, NOT_HERE, SECRET_PLACE, SETTING_TYPE, UNKNOWN_FIELD, UNKNOWN_WORD,
};
use crate::catalogue::life::WEBHOOK_URL;
use crate::catalogue::polling::NO_HOLD;
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawField, RawSettle, RawSpec, RawSubmit};
use crate::spec::{Auth, AuthPart, EnvKind, Need, Place, Use};

/// What `queue.` has.
const QUEUE: [&str; 7] =
    ["job_id", "attempt", "budget_secs", "budget_millis", "hold_secs", "hold_millis", "ids"];

pub(super) fn check(raw: &RawSpec, sink: &Sink) {
    for used in &raw.uses {
        match used.reference.root {
            Root::Env => env(raw, used, sink),
            Root::Job => job(raw, used, sink),
            Root::Queue => queue(raw, used, sink),
            Root::Payload => payload(used, sink),
            Root::Item if used.place == Place::Item => {}
            Root::Item | Root::Prepared => prepare::used(raw, used, sink),
            Root::Webhook => webhook(raw, used, sink),
        }
    }
    credential(raw, sink);
}

fn env(raw: &RawSpec, used: &Use, sink: &Sink) {
    let Some(name) = used.first() else { return };
    let Some(field) = raw.fields.iter().find(|field| field.field == name) else {
        let names: Vec<String> = raw.fields.iter().map(|field| field.field.to_string()).collect();
        let help = match emp_syntax::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => {
                format!("add a field: `#[env(\"{}\")] {name}: String,`", name.to_ascii_uppercase())
            }
            None => format!("the fields are {}", names.join(", ")),
        };
        sink.report(
            Diagnostic::new(UNKNOWN_FIELD, used.span, format!("`{}` has no field `{name}`", raw.name))
                .help(help),
        );
        return;
    };
    if used.need != Need::Credential && field.kind == EnvKind::Secret {
        sink.report(
            Diagnostic::new(SECRET_PLACE, used.span, format!("`{name}` is a secret and cannot stand here"))
                .help(format!("write `#[auth(bearer = {name})]`, `#[auth(header(\"x-key\") = \"{{{name}}}\")]` or `#[auth(query(\"key\") = \"{{{name}}}\")]`, and remove it here"))
                .related(field.field.span(), "the secret is declared here"),
        );
        return;
    }
    if let Some(wanted) = mistyped(used.need, field) {
        sink.report(
            Diagnostic::new(SETTING_TYPE, used.span, format!("`{name}` is not {wanted}"))
                .help(format!("declare `{name}` as {wanted}"))
                .related(field.field.span(), "the field is declared here"),
        );
    }
}

fn mistyped(need: Need, field: &RawField) -> Option<&'static str> {
    let integer = matches!(field.kind, EnvKind::Integer { .. });
    match need {
        Need::Duration if field.kind != EnvKind::Duration && !integer => {
            Some("a `Duration` or a whole number of seconds")
        }
        Need::Count if !integer => Some("a whole number, such as `u32`"),
        Need::Url if field.kind != EnvKind::Url => Some("a `Url`"),
        _ => None,
    }
}

fn job(raw: &RawSpec, used: &Use, sink: &Sink) {
    let Some(name) = used.first() else { return };
    // Every operation for which the reference is read must have the value.
    let submits = || {
        let all = raw.submits().enumerate();
        all.filter(|(number, _)| used.route.serves(*number, raw.polls_apart(*number)))
            .map(|(_, given)| &given.value)
    };
    let assigned = submits().next().is_some()
        && submits()
            .all(|submit| submit.settle.iter().any(|rule| matches!(rule.value, RawSettle::AssignId { .. })));
    let place = match used.place {
        Place::Prepare(_) | Place::Submit | Place::Captured | Place::Lookup | Place::Base => {
            "the service job is not known before the submit is answered"
        }
        Place::Health => "a health probe has no job",
        Place::Setting | Place::Auth => "a setting is the same for all jobs",
        Place::Batch => "a batch is about many jobs",
        Place::Job | Place::Poll | Place::Item => "",
    };
    if name == "assigned_id" {
        let early = matches!(
            used.place,
            Place::Prepare(_)
                | Place::Submit
                | Place::Captured
                | Place::Lookup
                | Place::Job
                | Place::Poll
                | Place::Item
        );
        if !early {
            sink.report(Diagnostic::new(
                NOT_HERE,
                used.span,
                format!("`job.assigned_id` has no value here: {place}"),
            ));
        } else if !assigned {
            sink.report(
                Diagnostic::new(
                    NOT_CAPTURED,
                    used.span,
                    "`job.assigned_id` needs the settle rule `assign_id`",
                )
                .help("add `assign_id = uuid` to `#[submit]`"),
            );
        }
        return;
    }
    if !place.is_empty() {
        sink.report(
            Diagnostic::new(NOT_HERE, used.span, format!("`job.{name}` has no value here: {place}"))
                .help("use `payload.`, `env.` or `queue.` here"),
        );
        return;
    }
    let sync = raw.connector.as_ref().and_then(|given| given.value.sync.as_ref());
    // A further request for the result of such a job is a mistake of its own (EMP0176).
    let asks = raw.outcome.as_ref().is_some_and(|outcome| outcome.value.request.target.is_some());
    if let Some(mode) = sync.filter(|mode| mode.value && raw.poll.is_none() && !asks) {
        let what = format!(
            "`job.{name}` has no value here: the answer to the submit is the end, so there is no service job"
        );
        sink.report(
            Diagnostic::new(NOT_HERE, used.span, what)
                .help("send an id of ours in `#[submit]` and use it here: `queue.job_id`")
                .related(mode.key, "the mode is said here"),
        );
        return;
    }
    let captures = |submit: &RawSubmit| submit.capture.iter().any(|capture| capture.name.value == name);
    // Without a capture of `id` the missing id is the mistake, not each use of it.
    if name == "id" || (submits().next().is_some() && submits().all(captures)) {
        return;
    }
    let names: Vec<&str> = submits()
        .filter(|submit| !captures(submit))
        .flat_map(|submit| submit.capture.iter().map(|capture| capture.name.value.as_str()))
        .chain(["id"])
        .collect();
    let help = match emp_syntax::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `job.{near}`?"),
        None => format!("add it to `#[submit]`: `capture({name} = \"$.{name}\")`"),
    };
    sink.report(
        Diagnostic::new(NOT_CAPTURED, used.span, format!("the submit does not capture `{name}`")).help(help),
    );
}

fn queue(raw: &RawSpec, used: &Use, sink: &Sink) {
    let Some(name) = used.first() else { return };
    if (used.place == Place::Batch) != (name == "ids") && QUEUE.contains(&name) {
        let why = if name == "ids" { "only a batch has many ids" } else { "a batch is about many jobs" };
        not_here(used, why, sink);
    } else if matches!(name, "hold_secs" | "hold_millis") && !holds(raw, used) {
        sink.report(
            Diagnostic::new(
                NO_HOLD,
                used.span,
                format!("`queue.{name}` has no value: no `hold` is declared"),
            )
            .help("add `hold = \"25s\"`"),
        );
    } else if matches!(used.place, Place::Health | Place::Base | Place::Auth) {
        not_here(used, "there is no job at that moment", sink);
    } else if !QUEUE.contains(&name) {
        let help = emp_syntax::nearest(name, QUEUE).map_or_else(
            || format!("there are {}", QUEUE.join(", ")),
            |near| format!("did you mean `queue.{near}`?"),
        );
        sink.report(
            Diagnostic::new(UNKNOWN_WORD, used.span, format!("the queue knows no `{name}`")).help(help),
        );
    }
}

/// Whether the attribute of a place says for how long an answer may be held back.
fn holds(raw: &RawSpec, used: &Use) -> bool {
    match used.place {
        // Of several submits, those for which the hole is read.
        Place::Submit => raw
            .submits()
            .enumerate()
            .filter(|(number, _)| used.route.serves(*number, raw.polls_apart(*number)))
            .all(|(_, submit)| submit.value.hold.is_some()),
        Place::Poll => raw.poll.iter().chain(&raw.polls).any(|poll| poll.value.hold.is_some()),
        _ => false,
    }
}

/// An installation that nobody can reach from outside has no URL, so the hole is an optional one.
fn webhook(raw: &RawSpec, used: &Use, sink: &Sink) {
    let report = |what: String, help: &str| {
        sink.report(Diagnostic::new(WEBHOOK_URL, used.span, what).help(help));
    };
    match used.first() {
        Some("url") if used.reference.path.len() == 1 => {}
        Some("events") if used.reference.path.len() == 1 => {
            let events = raw.webhook.as_ref().and_then(|webhook| webhook.value.events.as_ref());
            if events.is_none() {
                let help = "say which: `#[webhook(events = [\"completed\"])]`";
                return report("`webhook.events` has no value: no events are declared".to_owned(), help);
            }
        }
        _ => {
            let help = "write `webhook.url?` or `webhook.events?`";
            return report(format!("there is no `{}`", used.reference), help);
        }
    }
    if used.place != Place::Submit {
        report(
            format!("`{}` stands where no job is submitted", used.reference),
            "a service is told where to call when a job is submitted: write it into `#[submit]`",
        );
    } else if used.need != Need::Optional {
        let help = format!(
            "write `{}?`: without a public URL the member is left out, and the job is polled",
            used.reference
        );
        report(format!("`{}` may have no value", used.reference), &help);
    }
}

fn payload(used: &Use, sink: &Sink) {
    if matches!(used.place, Place::Health | Place::Base | Place::Auth | Place::Batch) {
        not_here(used, "it belongs to a job, and this is the same for all jobs", sink);
    } else if used.need != Need::Spread
        && !matches!(used.place, Place::Job | Place::Poll | Place::Item)
        && matches!(used.reference.path.first(), Some(Step::Index(_)))
    {
        not_here(used, "a payload is an object", sink);
    }
}

fn not_here(used: &Use, why: &str, sink: &Sink) {
    sink.report(
        Diagnostic::new(NOT_HERE, used.span, format!("`{}` has no value here: {why}", used.reference))
            .help("use `env.` and a field here, or a literal"),
    );
}

/// A credential names at least one secret.
fn credential(raw: &RawSpec, sink: &Sink) {
    if let Some(verify) = raw.webhook.as_ref().and_then(|webhook| webhook.value.verify.as_ref()) {
        secret(raw, verify.value.secret(), sink);
    }
    let Some(auth) = &raw.auth else { return };
    let parts: Vec<&AuthPart> = match &auth.value {
        Auth::None => return,
        Auth::Header(_, parts) | Auth::Query(_, parts) => parts.iter().collect(),
        Auth::Basic(_, password) => vec![password],
        Auth::Jwt(jwt) => return secret(raw, &jwt.key, sink),
        Auth::OAuth2(oauth2) => return secret(raw, &oauth2.client_secret, sink),
    };
    let fields: Vec<&RawField> = parts
        .into_iter()
        .filter_map(|part| match part {
            AuthPart::Field(name) => raw.fields.iter().find(|field| field.field == name),
            AuthPart::Literal(_) => None,
        })
        .collect();
    not_secret(&fields, sink);
}

/// A key or a secret of a credential that is made.
fn secret(raw: &RawSpec, name: &str, sink: &Sink) {
    let field: Vec<&RawField> = raw.fields.iter().filter(|field| field.field == name).collect();
    not_secret(&field, sink);
}

fn not_secret(fields: &[&RawField], sink: &Sink) {
    if let Some(field) = fields.first()
        && fields.iter().all(|field| field.kind != EnvKind::Secret)
    {
        sink.report(
            Diagnostic::new(
                CREDENTIAL,
                field.type_span,
                format!("`{}` is a credential, but not a `Secret`", field.field),
            )
            .help(format!("declare it as `{}: Secret`", field.field)),
        );
    }
}
