//! `${}` templates against bash itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::collections::BTreeMap;
use std::process::Command;

use emp_syntax::env_template::EnvTemplate;
use proptest::prelude::*;

type Env = BTreeMap<String, String>;

/// What bash makes of a template between double quotes; `None` when it stops with an error.
fn bash(template: &str, env: &Env) -> Option<String> {
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", &format!("printf %s \"{template}\"")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(env)
        .output()
        .expect("bash is on every machine that runs these tests");
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn ours(template: &str, env: &Env) -> Option<String> {
    EnvTemplate::parse(template).unwrap().expand(&|name| env.get(name).cloned()).ok()
}

#[test]
fn the_cases_that_eleven_parsers_got_wrong() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("data/env-template-cases.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let template = case["template"].as_str().unwrap();
        let env: Env = serde_json::from_value(case["env"].clone()).unwrap();
        if template == "$X" {
            // Bash expands it; in a mapping it is refused, with the spelling that is meant.
            let error = EnvTemplate::parse(template).unwrap_err();
            assert_eq!((error.offset, error.help.as_deref()), (0, Some("write `${X}`")));
            continue;
        }
        assert_eq!(ours(template, &env), bash(template, &env), "{template} with {env:?}");
    }
}

#[test]
fn every_form_in_every_state_of_its_variable() {
    let forms = [
        "${X}",
        "${X:-d}",
        "${X-d}",
        "${X:-}",
        "${X-}",
        "${X:?m}",
        "${X?m}",
        "${X:?}",
        "${X?}",
        "a${X:-b}c",
        "${X:-${Y}}",
        "${X:-${Y:-e}}",
        "${X-${Y-e}}",
        "${X:-a${Y:-b}c}",
        "${X:-${Y:?gone}}",
        "${X:-http://h:8080/a?b=c}",
        "${X:-:-}",
        "${X:--1}",
        "${X:-?}",
        "${X}${Y}",
        "${X:-a b  c}",
        "${X:-{}",
        "${_9a:-u}",
    ];
    let states = [None, Some(""), Some("v"), Some("a ${Y} b"), Some("$$"), Some("x}y")];
    let mut checked = 0;
    for template in forms {
        for (x, y) in states.iter().flat_map(|x| states.iter().map(move |y| (x, y))) {
            let env: Env = [("X", x), ("Y", y)]
                .into_iter()
                .filter_map(|(n, v)| Some((n.into(), (*v)?.into())))
                .collect();
            assert_eq!(ours(template, &env), bash(template, &env), "{template} with {env:?}");
            checked += 1;
        }
    }
    assert!(checked >= 40);
}

#[test]
fn i26_a_value_is_never_expanded_again() {
    let env = Env::from([("X".into(), "${API_KEY} $(id) `id`".into()), ("API_KEY".into(), "secret".into())]);
    assert_eq!(ours("${X}", &env).unwrap(), "${API_KEY} $(id) `id`");
}

#[test]
fn a_double_dollar_is_a_dollar() {
    // In bash `$$` is the process id: the one place where a mapping differs on purpose, as Compose files do.
    assert_eq!(ours("a$$b$${X}", &Env::new()).unwrap(), "a$b${X}");
}

#[test]
fn i27_what_is_not_a_template_says_where_and_what_to_write() {
    for (template, offset) in [
        ("$X", 0),
        ("a$", 1),
        ("${", 2),
        ("${}", 2),
        ("${9X}", 2),
        ("x${X", 1),
        ("${X:-d", 0),
        ("${X:+y}", 4),
        ("${X+y}", 3),
        ("${X:d}", 4),
        ("${#X}", 2),
        ("${X:-${Y}", 0),
        ("${X-Y-Z}${", 10),
        ("$(id)", 0),
        ("${X Y}", 3),
        ("${X:-\"q\"}", 5),
        ("${X:-a\\}b}", 6),
        ("${X:-`id`}", 5),
    ] {
        let error = EnvTemplate::parse(template).expect_err(template);
        assert_eq!(error.offset, offset, "{template}: {error}");
        assert!(error.help.is_some(), "{template}: {error}");
    }
}

#[test]
fn all_missing_variables_are_told_at_once() {
    let template = EnvTemplate::parse("${A:?set A}-${B?}-${C:-${D:?set D}}").unwrap();
    let missing = template.expand(&|_| None).unwrap_err();
    assert_eq!(missing.to_string(), "A: set A, B: is not set, D: set D");
    let names: Vec<_> = template.variables().into_iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["A", "B", "C", "D"]);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    assert!(EnvTemplate::parse(&"${X:-".repeat(100_000)).is_err());
}

fn template() -> impl Strategy<Value = String> {
    let text = "[a-z:./ -]{0,4}";
    let leaf = text.prop_map(|text| text);
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let operator = prop_oneof![Just(":-"), Just("-"), Just(":?"), Just("?")];
        prop_oneof![
            ("[XYZ]", operator, inner.clone())
                .prop_map(|(name, operator, inner)| format!("${{{name}{operator}{inner}}}")),
            "[XYZ]".prop_map(|name| format!("${{{name}}}")),
            prop::collection::vec(inner, 1..3).prop_map(|all| all.concat()),
        ]
    })
}

fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some(String::new())), "[a-z ]{1,3}".prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn bash_agrees_on_generated_templates(template in template(), x in value(), y in value(), z in value()) {
        let env: Env = [("X", x), ("Y", y), ("Z", z)].into_iter().filter_map(|(n, v)| Some((n.into(), v?))).collect();
        prop_assert_eq!(ours(&template, &env), bash(&template, &env), "{} with {:?}", template, env);
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,60}") {
        let _ = EnvTemplate::parse(&text);
        let _ = EnvTemplate::parse(&format!("${{{text}"));
        let _ = emp_syntax::template::Template::parse(&text);
        let _ = emp_syntax::template::Template::parse(&format!("{{{text}"));
        let _ = emp_syntax::hole::Hole::parse(&text);
        let _ = emp_syntax::hole::Reference::parse(&text);
        if let Err(error) = emp_syntax::size::parse(&text) {
            prop_assert!(text.is_char_boundary(error.offset));
        }
        let _ = emp_syntax::duration::parse(&text);
    }
}
