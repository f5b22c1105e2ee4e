//! Any text comes out of each format as it went in, read by the format's own rules.

use std::process::Command;

use emp_machine::MachinePlan;
use emp_machine::export::Target;
use proptest::prelude::*;
use serde_json::Value;

use crate::export::{both, text};

/// Texts that one format or another would take for something else.
const NASTY: &[&str] = &[
    "$HOME",
    "$$",
    "${X:-y}",
    "$(X)",
    "a'b",
    "a\"b",
    "a\\b",
    "a\\\\",
    "line\nline\n",
    "\ttab",
    "%d %% %",
    "#not a comment",
    "a: b",
    "yes",
    "0123",
    "1e3",
    "~",
    "null",
    "- a",
    "{}",
    "}",
    "`id`",
    "!x",
    "é 漢 🙂",
    " spaces ",
    "a\\n",
    "2026-11-27",
    "*a",
    "&a",
    "|",
    ">",
    "\u{7f}",
    "\u{85}\u{2028}",
    "a\r\nb",
    "=",
    "'",
    "\"",
    "\\",
];

/// A plan with a text wherever a text can stand.
fn with(nasty: &str) -> MachinePlan {
    let mut plan = both(&[("MY_SERVICE_API_KEY", "k"), ("MY_SERVICE_REGION", "eu")]);
    for service in &mut plan.services {
        service.command = vec!["serve".to_owned(), nasty.to_owned()];
        service.environment.insert("NASTY".to_owned(), nasty.to_owned());
    }
    for install in &mut plan.installs {
        install.environment.insert("NASTY".to_owned(), nasty.to_owned());
        install.command.push(nasty.to_owned());
    }
    for process in &mut plan.workers {
        for variable in process.variables.iter_mut().filter(|variable| variable.name == "MY_SERVICE_GREETING")
        {
            variable.value = Some(nasty.to_owned());
            variable.default = Some(nasty.to_owned());
        }
    }
    plan
}

fn check(nasty: &str) {
    let plan = with(nasty);
    pm2(&plan, nasty);
    compose(&plan, nasty);
    k8s(&plan, nasty);
    systemd(&plan, nasty);
    dockerfile(&plan, nasty);
}

fn pm2(plan: &MachinePlan, nasty: &str) {
    let file: Value = serde_json::from_str(&text(plan, Target::Pm2)).unwrap();
    assert_eq!(file["apps"][0]["args"][0], nasty);
    assert_eq!(file["apps"][0]["env"]["NASTY"], nasty);
    assert_eq!(file["apps"][4]["env"]["MY_SERVICE_GREETING"], nasty);
}

fn compose(plan: &MachinePlan, nasty: &str) {
    let text = text(plan, Target::Compose);
    let file: Value = serde_saphyr::from_str(&text).unwrap();
    let service = &file["services"]["comfyui-0-service"];
    assert_eq!(interpolated(&service["entrypoint"][1]), nasty, "{text}");
    assert_eq!(interpolated(&service["environment"]["NASTY"]), nasty, "{text}");
    // A default that would end the reference is left to the process, which has the same one.
    let greeting = &file["services"]["my-service-api"]["environment"]["MY_SERVICE_GREETING"];
    match greeting.as_str() {
        None => assert!(nasty.contains(['$', '{', '}']) || nasty.chars().any(char::is_control), "{nasty:?}"),
        Some(reference) => assert_eq!(reference, format!("${{MY_SERVICE_GREETING:-{nasty}}}")),
    }
}

fn k8s(plan: &MachinePlan, nasty: &str) {
    let text = text(plan, Target::K8s);
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let pod = &documents[0]["spec"]["template"]["spec"]["containers"];
    assert_eq!(interpolated(&pod[1]["command"][1]), nasty, "{text}");
    let value = pod[1]["env"].as_array().unwrap().iter().find(|one| one["name"] == "NASTY").unwrap();
    assert_eq!(interpolated(&value["value"]), nasty, "{text}");
}

/// What Compose and Kubernetes make of a text without references: a single dollar sign would begin one.
fn interpolated(value: &Value) -> String {
    let text = value.as_str().unwrap();
    let pairs = text.split("$$");
    assert!(pairs.clone().all(|piece| !piece.contains('$')), "a reference in {text:?}");
    pairs.collect::<Vec<_>>().join("$")
}

fn systemd(plan: &MachinePlan, nasty: &str) {
    let text = text(plan, Target::Systemd);
    let line = |start: &str| {
        text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("{start}: {text}"))
    };
    assert_eq!(unquoted(line("Environment=\"NASTY=")), nasty);
    let started = line("ExecStart=\"serve\" \"");
    assert_eq!(unquoted(started).replace("$$", "$"), nasty);
}

/// The rest of a text in double quotes, by systemd.syntax(7) and systemd.unit(5): C escapes, and `%%`.
fn unquoted(rest: &str) -> String {
    let mut bytes = Vec::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '%' => assert_eq!(chars.next(), Some('%'), "a specifier"),
            '\\' => match chars.next() {
                Some('n') => {
                    bytes.push(b'\n');
                    continue;
                }
                Some('t') => {
                    bytes.push(b'\t');
                    continue;
                }
                Some('r') => {
                    bytes.push(b'\r');
                    continue;
                }
                Some('x') => {
                    let code: String = chars.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&code, 16).unwrap());
                    continue;
                }
                Some(plain @ ('"' | '\\')) => {
                    bytes.push(plain as u8);
                    continue;
                }
                other => panic!("an escape that systemd does not know: {other:?}"),
            },
            _ => {}
        }
        bytes.extend(c.to_string().bytes());
    }
    String::from_utf8(bytes).unwrap()
}

fn dockerfile(plan: &MachinePlan, nasty: &str) {
    let text = text(plan, Target::Dockerfile);
    let run = text
        .lines()
        .find_map(|line| line.strip_prefix("RUN --mount=type=bind,target=/opt/install,rw "))
        .unwrap();
    let words: Vec<String> = serde_json::from_str(run).unwrap();
    assert!(words.contains(&format!("NASTY={nasty}")), "{words:?}");
    assert_eq!(words.last().map(String::as_str), Some(nasty));
}

#[test]
fn what_looks_like_something_else_stays_a_text() {
    for nasty in NASTY {
        check(nasty);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_comes_out_as_it_went_in(nasty in "[^\u{0}]{1,12}") {
        check(&nasty);
    }
}

/// A real shell reads the script: defaults are set, what is set stays, and a missing variable stops it with our sentence.
#[test]
fn a_shell_reads_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let shell = |plan: &MachinePlan, set: &[(&str, &str)], script: &str| {
        std::fs::write(folder.path().join("emp.env.sh"), text(plan, Target::Env)).unwrap();
        let mut command = Command::new("sh");
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).current_dir(&folder);
        command.envs(set.iter().copied()).args(["-c", script]).output().unwrap()
    };
    let set = [("MY_SERVICE_API_KEY", "k"), ("MY_SERVICE_REGION", "eu")];
    let print = ". ./emp.env.sh && exec printenv MY_SERVICE_GREETING";
    for nasty in NASTY {
        let out = shell(&with(nasty), &set, print);
        assert!(out.status.success(), "{nasty:?}: {out:?}");
        assert_eq!(String::from_utf8(out.stdout).unwrap(), format!("{nasty}\n"));
    }
    let own = [set[0], set[1], ("MY_SERVICE_GREETING", "mine")];
    assert_eq!(shell(&with("default"), &own, print).stdout, b"mine\n");
    let lacks = shell(&with("default"), &set[..1], ". ./emp.env.sh && echo goes on");
    let said = String::from_utf8(lacks.stderr).unwrap();
    assert!(said.contains("set MY_SERVICE_REGION: A region (MyServiceConnector)"), "{said}");
    assert_eq!(lacks.stdout, b"");
    let file = [("MY_SERVICE_API_KEY_FILE", "/run/key"), set[1]];
    assert!(shell(&with("default"), &file, ". ./emp.env.sh").status.success());
}
