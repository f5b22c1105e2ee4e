//! What the stock connectors declare: short, whole, and in step with the mapping.

use std::collections::{BTreeMap, BTreeSet};

use emp::REGISTRY;
use emp_core::mapping::Mapping;
use emp_core::spec::{Body, ConnectorSpec, EnvKind, KeyPlace, Pair, PairValue, RequestSpec, Settle, UrlSpec};
use emp_core::syntax::hole::{Hole, HoleDefault, Reference, Root, Step};
use emp_core::syntax::json::{Json, Member};
use emp_core::syntax::template::{Part, Template};
use emp_testkit::fake_env;
use serde_json::{Value, json};

#[test]
fn a_stock_connector_is_at_most_60_lines_and_half_of_them_at_most_35() {
    let mut lines: Vec<_> =
        REGISTRY.entries().iter().map(|entry| (entry.spec.source.lines, entry.spec.name)).collect();
    lines.sort_unstable();
    assert!(lines.iter().all(|(lines, _)| (1..=60).contains(lines)), "{lines:?}");
    assert!(lines[lines.len() / 2].0 <= 35, "{lines:?}");
}

#[test]
fn every_file_of_connectors_is_registered_and_says_what_it_is() {
    let sources: BTreeSet<_> =
        REGISTRY.entries().iter().filter_map(|entry| file_name(entry.spec.source.file)).collect();
    let folder =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/connectors")).expect("the folder is there");
    let files: BTreeSet<_> =
        folder.flatten().filter_map(|file| file_name(&file.file_name().to_string_lossy())).collect();
    assert_eq!(sources, files);
    assert!(REGISTRY.entries().iter().all(|entry| !entry.spec.description.is_empty()));
}

fn file_name(path: &str) -> Option<String> {
    Some(std::path::Path::new(path).file_name()?.to_string_lossy().into_owned())
}

#[test]
fn capabilities_follow_from_the_declaration() {
    let entry = REGISTRY.get("MyServiceConnector").expect("registered");
    assert_eq!(
        serde_json::to_value(entry.spec.capabilities()).expect("JSON"),
        json!({
            "supportsBasicHealthCheck": true,
            "supportsJobStatusQuery": true,
            "supportsJobCancellation": true,
            "supportsServiceRestart": false,
            "supportsQueueIntrospection": false,
        })
    );
}

#[test]
fn a_submit_is_sent_twice_only_where_the_service_merges_it() {
    // Connectors whose service merges a second submit, with where that is written; every other one never repeats a lost submit.
    let merging = BTreeMap::from([("MyServiceConnector", KeyPlace::Header("idempotency-key"))]);
    for entry in REGISTRY.entries() {
        let (name, Some(http)) = (entry.spec.name, entry.spec.http()) else { continue };
        for submit in http.submits() {
            match (merging.get(name), &submit.settle) {
                (Some(expected), Settle::Idempotent { key, .. }) => assert_eq!(key, expected, "{name}"),
                // A lost submit under an id of ours is looked up, and not sent again.
                (None, Settle::AtMostOnce | Settle::AssignId { resend: false, .. }) => {}
                (None, Settle::AtLeastOnce) => assert!(!submit.billable, "{name}"),
                (_, settle) => panic!("{name}: {settle:?}"),
            }
        }
    }
}

#[test]
fn every_hole_of_a_payload_is_in_its_schema() {
    for entry in REGISTRY.entries() {
        let schema = entry.spec.payload.to_json_schema();
        let members = schema["properties"].as_object().expect("typed payloads");
        for (name, required) in payload_holes(entry.spec) {
            assert!(
                members.contains_key(&name),
                "{}: the hole `payload.{name}` finds nothing: JSON knows the members {:?}. Does `#[serde(rename)]` or \
                 `rename_all` rename the field? Holes read the payload as it was sent: give the field its JSON name",
                entry.spec.name,
                members.keys().collect::<Vec<_>>()
            );
            let listed = schema["required"].as_array().is_some_and(|list| list.contains(&json!(name)));
            assert!(!required || listed, "{}: payload.{name} is needed and not required", entry.spec.name);
        }
    }
}

/// The payload's members that a connector reads, with whether it needs them.
fn payload_holes(spec: &ConnectorSpec) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    let Some(http) = spec.http() else { return found };
    let submits = http.submits().map(|submit| &submit.request);
    let polls = http.polls().map(|poll| &poll.request);
    for request in submits
        .chain(polls)
        .chain(http.cancel.iter().flat_map(|cancel| cancel.requests().map(|(_, request)| request)))
    {
        of_request(request, &mut found);
    }
    // What one operation needs is not needed of the jobs of another.
    if !http.operations.is_empty() {
        for required in found.values_mut() {
            *required = false;
        }
    }
    for step in http.prepare {
        let mut needed = BTreeMap::new();
        of_request(&step.request, &mut needed);
        let always = step.when.is_none() && step.each.is_none();
        for (name, required) in needed {
            *found.entry(name).or_default() |= required && always;
        }
    }
    found
}

fn of_request(request: &RequestSpec, found: &mut BTreeMap<String, bool>) {
    if let UrlSpec::Path(template) = &request.url {
        of_template(template, found);
    }
    for Pair { value, .. } in request.query.iter().chain(request.headers) {
        match value {
            PairValue::Text(template) => of_template(template, found),
            PairValue::Hole(hole) => of_hole(hole, found),
        }
    }
    match &request.body {
        Body::Json(value) | Body::Raw { value, .. } => of_json(value, found),
        Body::Form(members) | Body::Multipart(members) => of_members(members, found),
        _ => {}
    }
}

fn of_template(template: &Template, found: &mut BTreeMap<String, bool>) {
    for part in template.parts.iter() {
        if let Part::Hole { hole, .. } = part {
            of_hole(hole, found);
        }
    }
}

fn of_hole(hole: &Hole, found: &mut BTreeMap<String, bool>) {
    of_reference(&hole.reference, !hole.optional && hole.default.is_none(), found);
    if let Some(HoleDefault::Reference(reference)) = &hole.default {
        of_reference(reference, true, found);
    }
}

fn of_reference(reference: &Reference, required: bool, found: &mut BTreeMap<String, bool>) {
    if let (Root::Payload, Some(Step::Name(name))) = (reference.root, reference.path.first()) {
        *found.entry(name.to_string()).or_default() |= required;
    }
}

fn of_json(json: &Json, found: &mut BTreeMap<String, bool>) {
    match json {
        Json::Literal(_) | Json::Hook(_) => {}
        Json::Text(template) => of_template(template, found),
        Json::Hole(hole) => of_hole(hole, found),
        Json::Asset(asset) => of_hole(&asset.hole, found),
        Json::Array(items) | Json::First(items) => items.iter().for_each(|item| of_json(item, found)),
        Json::Object(members) => of_members(members, found),
    }
}

fn of_members(members: &[Member], found: &mut BTreeMap<String, bool>) {
    for member in members {
        match member {
            Member::Field { value, .. } => of_json(value, found),
            Member::Spread(reference) => of_reference(reference, false, found),
            Member::SpreadHook(_) => {}
        }
    }
}

#[test]
fn the_mapping_serves_every_connector_with_what_it_needs() {
    let mapping = Mapping::parse(REGISTRY.mapping_text().expect("a mapping")).expect("a good mapping");
    let served: BTreeSet<_> = mapping.capabilities().map(|offer| offer.connector).collect();
    let registered: BTreeSet<_> = REGISTRY.entries().iter().map(|entry| entry.spec.name).collect();
    assert_eq!(served, registered);
    for offer in mapping.capabilities() {
        let spec = REGISTRY.get(offer.connector).expect("registered").spec;
        assert!(spec.services.contains(&offer.capability), "{}: {}", spec.name, offer.capability);
        let required: Vec<_> =
            spec.env.iter().filter(|field| field.required).map(|field| field.variable).collect();
        assert_eq!(mapping.worker(offer.worker).expect("a worker").required_env, required, "{}", spec.name);
    }
}

#[test]
fn all_faults_of_an_environment_are_reported_at_once() {
    for entry in REGISTRY.entries() {
        // Whatever can be wrong is: numbers out of range, durations and URLs that are none, and nothing that is required.
        let wrong = entry.spec.env.iter().filter(|field| !takes_any_text(&field.kind));
        let env: BTreeMap<String, String> =
            wrong.map(|field| (field.variable.to_owned(), "not-a-value".to_owned())).collect();
        let missing = entry.spec.env.iter().filter(|field| field.required);
        let expected: BTreeSet<String> =
            env.keys().cloned().chain(missing.map(|field| field.variable.to_owned())).collect();
        let errors = entry.load(&env).expect_err("a bad environment");
        let reported: BTreeSet<String> = errors.into_iter().map(|error| error.variable).collect();
        assert_eq!(reported, expected, "{}", entry.spec.name);
    }
}

fn takes_any_text(kind: &EnvKind) -> bool {
    match kind {
        EnvKind::Text | EnvKind::Secret => true,
        EnvKind::List(kind) => takes_any_text(kind),
        _ => false,
    }
}

#[test]
fn the_guides_five_variables_have_the_guides_defaults() {
    let entry = REGISTRY.get("MyServiceConnector").expect("registered");
    let settings = entry.load(&fake_env(entry.spec)).expect("a whole environment").settings;
    assert_eq!(settings.json("base_url"), Some(json!("https://api.myservice.com")));
    assert_eq!(settings.json("max_concurrent"), Some(json!(3)));
    assert_eq!(settings.duration("timeout"), Some(std::time::Duration::from_secs(30)));
    assert_eq!(settings.json("retry_attempts"), Some(json!(3)));
    assert_eq!(settings.json("api_key"), None::<Value>, "a secret is never JSON");
    let required: Vec<_> =
        entry.spec.env.iter().filter(|field| field.required).map(|field| field.variable).collect();
    assert_eq!(required, ["MY_SERVICE_API_KEY"]);
}
