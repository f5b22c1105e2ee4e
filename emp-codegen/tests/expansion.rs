//! What the derive writes, and what identifies a declaration.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

use emp_codegen::diag::{Diagnostic, Sink};
use emp_codegen::{Spec, check, parse};

const POLLED: &str = r#"
    /// Makes things.
    #[connector(service = "things", version = "1.0.0", payload = ThingsPayload)]
    #[http(base = "https://api.example.com")]
    #[auth(bearer = api_key)]
    #[submit(
        post = "/models/{payload.model}/jobs",
        json { "prompt": payload.prompt, "steps": payload.steps ?? 20 },
        capture(id = "$.id"),
        idempotent(header("Idempotency-Key"), ttl = "24h"),
    )]
    #[poll(get = "/jobs/{job.id}", progress = "$.progress" | percent)]
    #[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"],
        unknown = running(warn), rules(code == 404 && age > "30s" => lost))]
    #[errors(message = "$.error", 401 | 403 => auth, 5xx => transient)]
    #[pace(deadline = env.deadline)]
    pub struct Things {
        #[env("THINGS_KEY")]
        api_key: Secret,
        #[env("THINGS_DEADLINE", default = "30m")]
        deadline: Duration,
    }
"#;

const CUSTOM: &str = r#"
    /// Echoes.
    #[connector(service = "echo", version = "1.0.0", custom, unregistered)]
    struct Echo {
        #[env("ECHO_QUALITY", optional)]
        quality: Option<Quality>,
    }
"#;

fn pretty(source: &str) -> String {
    let tokens = emp_codegen::derive(source.parse().expect("tokens"));
    masked(&prettyplease::unparse(&syn::parse2(tokens).expect("items")))
}

/// The fingerprint changes with every new part of the language, and other tests say what it is made of.
fn masked(code: &str) -> String {
    let line = |line: &str| match line.split_once("fingerprint: ") {
        Some((indent, _)) => format!("{indent}fingerprint: 0,\n"),
        None => format!("{line}\n"),
    };
    code.lines().map(line).collect()
}

fn spec(source: &str) -> Spec {
    let sink = Sink::new();
    let input = syn::parse_str(source).expect("an item");
    let spec = parse::connector(&input, &sink).and_then(|raw| check::connector(raw, &sink));
    let errors: Vec<String> = sink.into_diagnostics().iter().map(Diagnostic::text).collect();
    spec.unwrap_or_else(|| panic!("{errors:#?}"))
}

#[test]
fn a_polled_connector_expands_to_tables_and_one_small_impl() {
    insta::assert_snapshot!(pretty(POLLED));
}

#[test]
fn a_custom_connector_expands_to_its_environment_and_its_runner() {
    insta::assert_snapshot!(pretty(CUSTOM));
}

#[test]
fn a_declaration_with_a_mistake_expands_to_it_and_a_stub() {
    insta::assert_snapshot!(pretty(&CUSTOM.replace("version", "verison")));
}

#[test]
fn the_fingerprint_does_not_see_layout_and_comments() {
    let flat = POLLED.replace('\n', " ").replace("/// Makes things.", "");
    let commented = format!("/// Other words.\n{flat}");
    assert_eq!(spec(POLLED).fingerprint(), spec(&commented).fingerprint());
}

#[test]
fn the_fingerprint_sees_every_change_of_meaning() {
    let original = spec(POLLED).fingerprint();
    for (from, to) in [
        ("\"done\"", "\"finished\""),
        ("24h", "23h"),
        ("?? 20", "?? 21"),
        ("THINGS_KEY", "THING_KEY"),
        ("default = \"30m\"", "default = \"31m\""),
        ("ThingsPayload", "OtherPayload"),
        ("5xx => transient", "5xx => capacity"),
        ("age > \"30s\"", "age >= \"30s\""),
        ("version = \"1.0.0\"", "version = \"1.0.1\""),
    ] {
        assert_ne!(original, spec(&POLLED.replace(from, to)).fingerprint(), "{from} -> {to}");
    }
}

#[test]
fn a_rustc_path_reads_like_a_source_path() {
    let tight = POLLED.replace("ThingsPayload", "crate::payload::Things");
    let loose = POLLED.replace("ThingsPayload", "crate :: payload :: Things");
    assert_eq!(spec(&tight).fingerprint(), spec(&loose).fingerprint());
}

#[test]
fn the_spec_tells_build_rs_what_it_needs() {
    let spec = spec(POLLED);
    assert_eq!(
        (spec.name.to_string().as_str(), spec.services.as_slice()),
        ("Things", &["things".to_owned()][..])
    );
    let env: Vec<_> = spec
        .env
        .iter()
        .map(|field| (field.variable.value.as_str(), field.required, field.secret()))
        .collect();
    assert_eq!(env, [("THINGS_KEY", true, true), ("THINGS_DEADLINE", false, false)]);
    assert_eq!(spec.payload.as_ref().map(|payload| payload.text.trim()), Some("ThingsPayload"));
    let members: Vec<_> =
        spec.payload_members().into_iter().map(|member| (member.name, member.required)).collect();
    assert_eq!(
        members,
        [("model".to_owned(), true), ("prompt".to_owned(), true), ("steps".to_owned(), false)]
    );
}

#[test]
fn a_panic_is_answered_as_a_bug_of_ours() {
    assert!(emp_codegen::bug().to_string().contains("EMP0199"));
}

#[test]
fn several_mistakes_are_reported_at_once() {
    let source =
        POLLED.replace("succeeded", "suceeded").replace("| percent", "| percentage").replace("5xx", "9xx");
    let text = emp_codegen::derive(source.parse().expect("tokens")).to_string();
    for code in ["EMP0106", "EMP0118", "EMP0141"] {
        assert!(text.contains(code), "{code} is missing");
    }
    assert_eq!(text.matches("compile_error").count(), 3);
}
