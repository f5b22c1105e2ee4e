//! `#[connector]`, `#[pace]` and `#[limits]`.

use std::time::Duration;

use super::{missing_key, polling, value};
use crate::catalogue::derive::{MISSING_ATTRIBUTE, NOT_VISIBLE, RANGE, SERVICE_NAME, VERSION};
use crate::diag::{Diagnostic, Sink};
use crate::raw::{RawLimits, RawPace, RawSpec, Reach};
use crate::spec::{Limits, Pace, Setting, Spanned, TypeRef};

/// What `#[connector]` says.
pub(super) struct Head {
    pub(super) services: Vec<String>,
    pub(super) version: String,
    pub(super) unregistered: bool,
    pub(super) krate: Option<TypeRef>,
    pub(super) payload: Option<TypeRef>,
    pub(super) output: Option<TypeRef>,
}

pub(super) fn head(raw: &RawSpec, sink: &Sink) -> Option<Head> {
    let Some(given) = &raw.connector else {
        sink.report(
            Diagnostic::new(
                MISSING_ATTRIBUTE,
                raw.name.span(),
                format!("`{}` has no `#[connector]`", raw.name),
            )
            .help("add `#[connector(service = \"my-service\", version = \"1.0.0\")]`"),
        );
        return None;
    };
    let connector = &given.value;
    if raw.reach == Reach::Module && !connector.unregistered {
        sink.report(
            Diagnostic::new(
                NOT_VISIBLE,
                raw.name.span(),
                format!("the registry cannot name `{}`, which is private", raw.name),
            )
            .help(format!("write `pub struct {}`", raw.name)),
        );
    }
    match &connector.service {
        None => sink.report(missing_key("connector", given.key, "`service`", "service = \"my-service\"")),
        Some(services) => services.value.iter().for_each(|service| service_name(service, sink)),
    }
    match &connector.version {
        None => sink.report(missing_key("connector", given.key, "`version`", "version = \"1.0.0\"")),
        Some(version) if !semver(&version.value) => sink.report(
            Diagnostic::new(VERSION, version.span, format!("\"{}\" is not a semver version", version.value))
                .help("write `version = \"1.0.0\"`"),
        ),
        Some(_) => {}
    }
    Some(Head {
        services: value(connector.service.as_ref())?.into_iter().map(|service| service.value).collect(),
        version: value(connector.version.as_ref())?,
        unregistered: connector.unregistered,
        krate: connector.krate.clone(),
        payload: value(connector.payload.as_ref()),
        output: value(connector.output.as_ref()),
    })
}

fn service_name(service: &Spanned<String>, sink: &Sink) {
    let name = &service.value;
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return;
    }
    let better: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '_' => c,
            'A'..='Z' => c.to_ascii_lowercase(),
            _ => '-',
        })
        .take(64)
        .collect();
    sink.report(
        Diagnostic::new(SERVICE_NAME, service.span, format!("\"{name}\" is not a service's name"))
            .help(format!("write `\"{}\"`", if better.is_empty() { "my-service" } else { &better })),
    );
}

/// `1.2.3`, `1.2.3-rc.1+build`
fn semver(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let tail = |tail: &str| {
        tail.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(tail)
        && build.is_none_or(tail)
}

pub(super) fn pace(given: Option<&Spanned<RawPace>>, sink: &Sink) -> Pace {
    let Some(Spanned { value: raw, .. }) = given else { return Pace::default() };
    if let Some(factor) = raw.factor.filter(|factor| !(1.0..=100.0).contains(&factor.value)) {
        out_of_range(
            sink,
            factor.span,
            &format!("a factor is from 1 to 100, not {}", factor.value),
            "factor = 1.5",
        );
    }
    if let Some(jitter) = raw.jitter.filter(|jitter| !(0.0..=1.0).contains(&jitter.value)) {
        out_of_range(
            sink,
            jitter.span,
            &format!("a jitter is a fraction from 0 to 1, not {}", jitter.value),
            "jitter = 0.2",
        );
    }
    if let Some(max_unknown) = raw.max_unknown.filter(|count| count.value == 0) {
        out_of_range(sink, max_unknown.span, "`max_unknown` is at least 1", "max_unknown = 5");
    }
    for (name, max) in [("max", &raw.max), ("deadline", &fixed(raw))] {
        if let Some(max) = max.filter(|max| max.value.is_zero()) {
            out_of_range(
                sink,
                max.span,
                &format!("`{name}` is longer than nothing"),
                &format!("{name} = \"30s\""),
            );
        }
    }
    // What is not written has the engine's default (`Pace::DEFAULT` of emp-core), and the two must fit as well.
    let (min, max) = (or(raw.min, 1), or(raw.max, 30));
    if let Some(at) = raw.max.as_ref().or(raw.min.as_ref()).filter(|_| min > max) {
        out_of_range(
            sink,
            at.span,
            &format!("the shortest wait ({}) is longer than the longest ({})", text(min), text(max)),
            &format!("min = \"{}\", max = \"{}\"", text(max), text(min)),
        );
    }
    Pace {
        first: value(raw.first.as_ref()),
        min: value(raw.min.as_ref()),
        max: value(raw.max.as_ref()),
        factor: value(raw.factor.as_ref()),
        jitter: value(raw.jitter.as_ref()),
        while_queued: value(raw.while_queued.as_ref()),
        advice: raw.advice.clone(),
        deadline: polling::deadline(raw, sink),
        queued: value(raw.queued.as_ref()),
        running: value(raw.running.as_ref()),
        eta: polling::eta(raw, sink),
        learn: value(raw.learn.as_ref()),
        max_unknown: value(raw.max_unknown.as_ref()),
    }
}

fn or(given: Option<Spanned<Duration>>, seconds: u64) -> Duration {
    given.map_or(Duration::from_secs(seconds), |given| given.value)
}

fn text(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

fn fixed(raw: &RawPace) -> Option<Spanned<Duration>> {
    let given = raw.deadline.as_ref()?;
    match given.value {
        Setting::Fixed(value) => Some(Spanned { value, key: given.key, span: given.span }),
        Setting::Env(_) => None,
    }
}

fn out_of_range(sink: &Sink, span: proc_macro2::Span, what: &str, example: &str) {
    sink.report(Diagnostic::new(RANGE, span, what).help(format!("write `{example}`")));
}

pub(super) fn limits(given: Option<&Spanned<RawLimits>>, sink: &Sink) -> Limits {
    let Some(Spanned { value: raw, .. }) = given else { return Limits::default() };
    for (name, count) in [("attempts", &raw.attempts), ("in_flight", &raw.in_flight)] {
        if let Some(count) = count.as_ref().filter(|count| count.value == Setting::Fixed(0)) {
            out_of_range(sink, count.span, &format!("`{name}` is at least 1"), &format!("{name} = 1"));
        }
    }
    let sizes = [
        ("max_body", &raw.max_body),
        ("max_response", &raw.max_response),
        ("max_file", &raw.max_file),
        ("max_total", &raw.max_total),
    ];
    for (name, size) in sizes {
        if let Some(size) = size.filter(|size| size.value == 0) {
            out_of_range(
                sink,
                size.span,
                &format!("`{name}` is at least 1 byte"),
                &format!("{name} = \"10MB\""),
            );
        }
    }
    Limits {
        rate: value(raw.rate.as_ref()),
        in_flight: value(raw.in_flight.as_ref()),
        attempts: value(raw.attempts.as_ref()),
        max_body: value(raw.max_body.as_ref()),
        max_response: value(raw.max_response.as_ref()),
        max_file: value(raw.max_file.as_ref()),
        max_total: value(raw.max_total.as_ref()),
    }
}
