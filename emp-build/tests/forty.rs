//! One mapping with forty different faults: all of them are found in one run, each at its own place, and mending one shows no other.

use std::collections::BTreeSet;

use emp_build::{Document, Folder, Inputs, Report, render, report};

const SOUND: &str = include_str!("data/nineteen-workers.json");

const DOCKERFILE: &str = "FROM debian:stable-slim AS base\nFROM base AS delta\n";

/// The code, what the sound mapping says, and what is wrong with it. Each text occurs once.
const FAULTS: [(&str, &str, &str); 40] = [
    ("EMP0212", "./connectors/alpha.rs", "./connectors/alfa.rs"),
    ("EMP0215", "./connectors/beta.rs", "./redis-direct-worker.js"),
    ("EMP0211", "\"GammaConnector\": {}", "\"GamaConnector\": {}"),
    ("EMP0204", "\"description\": \"Delta\"", "\"descripton\": \"Delta\""),
    ("EMP0203", "\"description\": \"Epsilon\"", "\"description\": 5"),
    ("EMP0220", "\"ALPHA_API_KEY\"", "\"${ALPHA_API_KEY}\""),
    ("EMP0223", "${ALPHA_BASE_URL:-", "${ALPHA_BASEURL:-"),
    ("EMP0224", "${ALPHA_TIMEOUT:-30}", "${ALPHA_TIMEOUT:-60}"),
    ("EMP0221", "\"BETA_API_KEY\"", "\"BETA_APIKEY\""),
    ("EMP0225", "${BETA_WAIT:-30}", "${BETA_WAIT_MS:-30}"),
    ("EMP0222", "[\"GAMMA_KEY\"]", "[]"),
    ("EMP0226", "${GAMMA_MODEL:-big}", "${GAMMA_KEY}"),
    ("EMP0230", "\"installDelta\"", "null"),
    ("EMP0240", "\"build_stage\": \"delta\"", "\"build_stage\": \"delt\""),
    ("EMP0301", "${DELTA_BRANCH:-main}", "${DELTA_BRANCH:-main"),
    ("EMP0302", "${DELTA_INSTALL:-300}", "${DELTA_INSTALL:-soon}"),
    ("EMP0235", "\"resource_binding\": \"gpu\"", "\"resource_binding\": \"${EPSILON_BINDING:-gpu}\""),
    ("EMP0251", "\"ports\": [8200]", "\"ports\": [3000]"),
    ("EMP0255", "\"8GiB\"", "\"800GiB\""),
    ("EMP0221", "[\"ZETA_KEY\"]", "[\"ZETA_KEY\", \"HOME\"]"),
    ("EMP0231", "\"description\": \"Zeta\"", "\"description\": \"Zeta\", \"installer\": \"installZeta\""),
    ("EMP0252", "\"ports\": [8300]", "\"ports\": [8400]"),
    ("EMP0253", "\"port_increment\": 1", "\"port_increment\": 0"),
    ("EMP0254", "\"ports\": [8500]", "\"ports\": [65535]"),
    ("EMP0250", "\"ports\": [8600]", "\"ports\": [86]"),
    ("EMP0227", "\"build_stage\": \"base\"", "\"build_stage\": \"${STAGE:-base}\""),
    ("EMP0232", "\"description\": \"Iota\"", "\"description\": \"Iota\", \"resource_binding\": \"shard\""),
    ("EMP0260", "[\"kappa\"]", "[\"kappa\", \"iota\"]"),
    ("EMP0204", "\"description\": \"Kappa\"", "\"describtion\": \"Kappa\""),
    ("EMP0261", "\"capability\": \"lambda\"", "\"capability\": \"lamda\""),
    ("EMP0262", "[\"mu\"]", "[]"),
    ("EMP0263", "\"nu-api\": {", "\"nu:api\": {"),
    ("EMP0210", "\"connector\": \"XiConnector\"", "\"connector\": \"XiConector\""),
    ("EMP0205", "\"description\": \"Omicron\"", "\"description\": \"Omicron\", \"description\": \"Omicron\""),
    (
        "EMP0203",
        "\"connector\": \"PiConnector\", \"type\": \"external\"",
        "\"connector\": \"PiConnector\", \"type\": \"extern\"",
    ),
    (
        "EMP0234",
        "\"big_gpu\": { \"scaling\"",
        "\"spare_gpu\": { \"scaling\": \"per_gpu\" }, \"big_gpu\": { \"scaling\"",
    ),
    ("EMP0203", "\"exclusive\": true", "\"exclusive\": \"yes\""),
    ("EMP0302", "\"cpus\": 8", "\"cpus\": \"eight\""),
    ("EMP0270", "\"the spare connector is for the next release\"", "\" \""),
    ("EMP0204", "\"service_types\"", "\"service_typs\""),
];

/// A connector with the fields that are given.
fn connector(name: &str, services: &str, fields: &str) -> Document {
    let text = format!(
        "use emp_core::Connector;\n\n/// {name}.\n#[derive(Connector)]\n\
         #[connector(service = {services}, version = \"1.0.0\", custom)]\npub struct {name}Connector {{\n{fields}}}\n"
    );
    Document::new(format!("connectors/{}.rs", name.to_lowercase()), text)
}

fn connectors() -> Vec<Document> {
    let key = |name: &str| format!("    #[env(\"{name}\")]\n    key: emp_core::Secret,\n");
    let wait = "    #[env(\"BETA_WAIT\", default = \"30s\")]\n    wait: std::time::Duration,\n    \
        #[env(\"BETA_WAIT_MS\", default = \"30000\", unit = ms)]\n    wait_ms: std::time::Duration,\n";
    let base = "    #[env(\"ALPHA_BASE_URL\", default = \"https://api.alpha.com\")]\n    base_url: emp_core::Url,\n    \
        #[env(\"ALPHA_TIMEOUT\", default = \"30s\")]\n    timeout: std::time::Duration,\n";
    let model = "    #[env(\"GAMMA_MODEL\", default = \"big\")]\n    model: String,\n";
    let plain = [
        "Delta", "Epsilon", "Eta", "Theta", "Iota", "Lambda", "Mu", "Nu", "Xi", "Omicron", "Pi", "Rho",
        "Sigma", "Tau", "Spare",
    ];
    let plain = plain.into_iter().map(|name| connector(name, &format!("\"{}\"", name.to_lowercase()), ""));
    let mut all: Vec<_> = plain.collect();
    all.push(connector("Alpha", "\"alpha\"", &(key("ALPHA_API_KEY") + base)));
    all.push(connector("Beta", "\"beta\"", &(key("BETA_API_KEY") + wait)));
    all.push(connector("Gamma", "\"gamma\"", &(key("GAMMA_KEY") + model)));
    all.push(connector("Zeta", "\"zeta\"", &key("ZETA_KEY")));
    all.push(connector("Kappa", "[\"kappa\", \"iota\"]", ""));
    all
}

fn checked(mapping: &str) -> Report {
    report(&Inputs {
        mapping: Document::new("service-mapping.json", mapping),
        connectors: Folder { name: "connectors".to_owned(), files: Ok(connectors()), nested: Vec::new() },
        dockerfiles: vec![Document::new("Dockerfile", DOCKERFILE)],
        openapi: Vec::new(),
        target: emp_build::Target::default(),
    })
}

/// The sound mapping with the faults from a number on.
fn with_faults_from(first: usize) -> String {
    FAULTS.iter().skip(first).fold(SOUND.to_owned(), |text, (code, right, wrong)| {
        assert_eq!(text.matches(right).count(), 1, "{code}: {right} must stand once");
        text.replacen(right, wrong, 1)
    })
}

/// What makes a finding the same one after others are mended: all but its column, which moves with its line.
fn identities(report: &Report) -> BTreeSet<(String, usize, &'static str, String)> {
    let one = |finding: &emp_build::Finding| {
        (finding.file.clone(), finding.line, finding.code, finding.message.clone())
    };
    report.findings.iter().map(one).collect()
}

#[test]
fn the_sound_mapping_has_no_fault() {
    let report = checked(SOUND);
    assert!(report.findings.is_empty(), "{}", render::human(&report));
    assert_eq!(report.allowed.len(), 1);
}

#[test]
fn forty_faults_are_found_in_one_run_in_the_order_of_the_file_and_twenty_are_shown() {
    let report = checked(&with_faults_from(0));
    let found: Vec<_> =
        report.findings.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.code)).collect();
    assert_eq!(found.len(), 40, "{}", found.join("\n"));
    let mut codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    let mut wanted: Vec<_> = FAULTS.iter().map(|(code, ..)| *code).collect();
    codes.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(codes, wanted);
    let places: Vec<_> = report.findings.iter().map(|finding| (finding.line, finding.column)).collect();
    assert!(
        places.windows(2).all(|pair| pair[0] < pair[1]),
        "each at its own place, from top to bottom: {found:?}"
    );
    let text = render::human(&report);
    let shown = text.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
    assert_eq!(shown.count(), 20);
    assert!(text.contains("; 20 more are in `emp check --format json`"), "{text}");
}

#[test]
fn mending_one_after_another_takes_one_finding_away_each_time_and_never_shows_a_new_one() {
    let mut before = checked(&with_faults_from(0));
    for mended in 1..=FAULTS.len() {
        let after = checked(&with_faults_from(mended));
        let (code, _, wrong) = FAULTS.get(mended - 1).expect("in range");
        let (old, new) = (identities(&before), identities(&after));
        let fresh: Vec<_> = new.difference(&old).collect();
        assert!(fresh.is_empty(), "mending {wrong} shows {fresh:?}");
        let gone: Vec<_> = old.difference(&new).map(|(_, _, code, _)| *code).collect();
        assert_eq!(gone, [*code], "mending {wrong}");
        before = after;
    }
    assert!(before.findings.is_empty());
}
