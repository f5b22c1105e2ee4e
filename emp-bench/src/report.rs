//! What was measured, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::process;
use crate::series::Series;

/// All that a run measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    schema_version: u32,
    quick: bool,
    machine: Machine,
    versions: BTreeMap<&'static str, String>,
    measures: BTreeMap<&'static str, Vec<Row>>,
    ratios: BTreeMap<String, f64>,
    goals: Vec<Goal>,
}

#[derive(Debug, Serialize)]
struct Machine {
    system: &'static str,
    processors: usize,
    model: Option<String>,
}

/// What one measure gives.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    rows: Vec<Row>,
    ratios: BTreeMap<String, f64>,
    goals: Vec<Goal>,
    versions: BTreeMap<&'static str, String>,
}

/// One contender of one case.
#[derive(Debug, Serialize)]
struct Row {
    case: String,
    contender: String,
    unit: &'static str,
    median: f64,
    min: f64,
    max: f64,
    rounds: usize,
}

#[derive(Debug, Serialize)]
struct Goal {
    name: String,
    #[serde(flatten)]
    bound: Bound,
    measured: f64,
    met: bool,
}

/// What a number is held to.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// The goal is met up to this.
    AtMost(f64),
    /// The goal is met from this on.
    AtLeast(f64),
}

impl Bound {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtMost(most) => measured <= most,
            Self::AtLeast(least) => measured >= least,
        }
    }

    fn describe(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most}"),
            Self::AtLeast(least) => format!(">= {least}"),
        }
    }
}

impl Taken {
    /// Adds what a contender needed.
    pub(crate) fn row(&mut self, case: &str, contender: &str, unit: &'static str, series: &Series) {
        self.rows.push(Row {
            case: case.to_owned(),
            contender: contender.to_owned(),
            unit,
            median: series.median(),
            min: series.min(),
            max: series.max(),
            rounds: series.rounds(),
        });
    }

    /// Adds a ratio between two contenders of this run.
    pub(crate) fn ratio(&mut self, name: &str, ours: &Series, theirs: &Series) -> f64 {
        let ratio = ours.over(theirs);
        self.ratios.insert(name.to_owned(), ratio);
        ratio
    }

    /// Holds a number to a goal of the design.
    pub(crate) fn goal(&mut self, name: &str, bound: Bound, measured: f64) {
        self.goals.push(Goal { name: name.to_owned(), bound, measured, met: bound.holds(measured) });
    }

    /// Says which version of something was measured.
    pub(crate) fn version(&mut self, of: &'static str, version: Option<String>) {
        self.versions.insert(of, version.unwrap_or_else(|| "unknown".to_owned()));
    }
}

impl Report {
    /// A report on this machine.
    pub(crate) fn new(quick: bool) -> Self {
        let versions = BTreeMap::from([
            ("emp", env!("CARGO_PKG_VERSION").to_owned()),
            ("rustc", process::version("rustc").unwrap_or_else(|| "unknown".to_owned())),
        ]);
        Self {
            schema_version: 1,
            quick,
            machine: Machine::this(),
            versions,
            measures: BTreeMap::new(),
            ratios: BTreeMap::new(),
            goals: Vec::new(),
        }
    }

    /// Adds what a measure gave.
    pub(crate) fn add(&mut self, measure: &'static str, taken: Taken) {
        self.measures.insert(measure, taken.rows);
        self.ratios.extend(taken.ratios);
        self.goals.extend(taken.goals);
        self.versions.extend(taken.versions);
    }

    /// All of it, for programs.
    pub(crate) fn json(&self) -> String {
        // Texts and numbers always serialise; a number that is none becomes `null`.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The tables of `docs/benchmarks.md`.
    pub(crate) fn table(&self) -> String {
        let mut out = String::new();
        for (measure, rows) in &self.measures {
            let _ = writeln!(out, "### {measure}\n\n| case | contender | median | least | most | rounds |");
            let _ = writeln!(out, "|---|---|--:|--:|--:|--:|");
            for Row { case, contender, unit, median, min, max, rounds } in rows {
                let [median, min, max] = [median, min, max].map(|number| digits(*number));
                let _ =
                    writeln!(out, "| {case} | {contender} | {median} {unit} | {min} | {max} | {rounds} |");
            }
            out.push('\n');
        }
        out.push_str("### Ratios of this run\n\n| ratio | |\n|---|--:|\n");
        for (name, ratio) in &self.ratios {
            let _ = writeln!(out, "| {name} | {ratio:.2} |");
        }
        out.push_str("\n### Goals\n\n| goal | bound | measured | |\n|---|--:|--:|---|\n");
        for Goal { name, bound, measured, met } in &self.goals {
            let (bound, met) = (bound.describe(), if *met { "met" } else { "**missed**" });
            let _ = writeln!(out, "| {name} | {bound} | {measured:.2} | {met} |");
        }
        let versions: Vec<String> =
            self.versions.iter().map(|(of, version)| format!("{of} {version}")).collect();
        let _ = write!(out, "\n{}; {}", self.machine.describe(), versions.join(", "));
        if self.quick {
            out.push_str("; quick: few rounds, so an order of magnitude and no more");
        }
        out
    }
}

/// A number with as many digits as mean something.
fn digits(number: f64) -> String {
    match number.abs() {
        0.0..1.0 => format!("{number:.3}"),
        1.0..10.0 => format!("{number:.2}"),
        10.0..1000.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

impl Machine {
    fn this() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = known.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        Self { system: std::env::consts::OS, processors, model: model.map(str::to_owned) }
    }

    fn describe(&self) -> String {
        let model = self.model.as_deref().unwrap_or("unknown processor");
        format!("{}, {} processors, {model}", self.system, self.processors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_ratios_by_name_and_says_which_goals_are_missed() {
        let mut taken = Taken::default();
        let (ours, theirs) = (Series::new(vec![3.0]), Series::new(vec![2.0]));
        taken.row("check", "emp", "ms", &ours);
        let ratio = taken.ratio("derive_check_vs_serde", &ours, &theirs);
        taken.goal("derive_check_vs_serde", Bound::AtMost(1.5), ratio);
        taken.goal("build", Bound::AtMost(1.0), ratio);
        taken.goal("process", Bound::AtLeast(1.0), ratio);
        let mut report = Report::new(true);
        report.add("derive", taken);
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["ratios"]["derive_check_vs_serde"], 1.5);
        assert_eq!(json["goals"][0]["met"], true);
        assert_eq!(
            json["goals"][1],
            serde_json::json!({ "name": "build", "at_most": 1.0, "measured": 1.5, "met": false })
        );
        let table = report.table();
        assert!(table.contains("| check | emp | 3.00 ms | 3.00 | 3.00 | 1 |"), "{table}");
        assert!(table.contains("| build | <= 1 | 1.50 | **missed** |"), "{table}");
        assert!(table.contains("| process | >= 1 | 1.50 | met |"), "{table}");
    }
}
