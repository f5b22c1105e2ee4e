//! What the kit found of one connector, and its grade.

use schemars::JsonSchema;
use serde::Serialize;

use super::scenario::{Group, Judged, Outcome, Scenario};

/// How one scenario went.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Which.
    #[serde(flatten)]
    pub scenario: Scenario,
    /// How it went.
    pub outcome: Outcome,
    /// Why; empty for a pass that needs no words.
    pub reason: String,
    /// How long it took, milliseconds.
    pub millis: u64,
}

impl Finding {
    pub(crate) fn new(scenario: Scenario, judged: Judged, millis: u64) -> Self {
        Self { scenario, outcome: judged.outcome, reason: judged.reason, millis }
    }
}

/// How good a connector is. Each grade needs everything that the ones below it need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Grade {
    /// A job does not go through.
    F,
    /// A job goes through, from its submit to its result.
    E,
    /// The declaration has no contradiction, every status means what it should, and a cancel cancels.
    D,
    /// It does right under every fault of its service.
    C,
    /// It does right when its worker dies, at every phase.
    B,
    /// A recorded description of the service agrees with it, and the kit has no advice.
    A,
}

impl Grade {
    fn next(self) -> Option<Self> {
        match self {
            Self::F => Some(Self::E),
            Self::E => Some(Self::D),
            Self::D => Some(Self::C),
            Self::C => Some(Self::B),
            Self::B => Some(Self::A),
            Self::A => None,
        }
    }

    /// What a grade needs beside what the one below it needs.
    fn groups(self) -> &'static [Group] {
        match self {
            Self::F => &[],
            Self::E => &[Group::Happy],
            Self::D => &[Group::Static, Group::Record, Group::States, Group::Cancel],
            Self::C => &[Group::Conduct],
            Self::B | Self::A => &[Group::Crash],
        }
    }
}

impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What the kit found of one connector.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The connector.
    pub connector: String,
    /// Its own version.
    pub version: String,
    /// How good it is.
    pub grade: Grade,
    /// The next better grade; none for the best one.
    pub next: Option<Grade>,
    /// The scenarios that keep the next grade away.
    pub missing: Vec<String>,
    /// How every scenario went, in the order of their groups.
    pub findings: Vec<Finding>,
    /// How long it took in all, milliseconds.
    pub millis: u64,
}

impl Report {
    pub(crate) fn new(connector: &str, version: &str, findings: Vec<Finding>, millis: u64) -> Self {
        let (grade, missing) = grade(&findings);
        Self {
            connector: connector.to_owned(),
            version: version.to_owned(),
            grade,
            next: grade.next(),
            missing,
            findings,
            millis,
        }
    }

    /// The scenarios that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.outcome == Outcome::Fail)
    }

    /// Nothing failed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// How many scenarios went like this.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

/// What the kit found of several connectors: what `emp connector test --format json` prints. Fields are only ever added.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Reports {
    /// The version of this shape.
    pub schema_version: u32,
    /// Nothing failed.
    pub passed: bool,
    /// One report for each connector, sorted by name.
    pub reports: Vec<Report>,
}

impl Reports {
    /// Reports together.
    pub fn new(reports: Vec<Report>) -> Self {
        Self { schema_version: 1, passed: reports.iter().all(Report::passed), reports }
    }
}

/// The grade, and what keeps the next one away.
fn grade(findings: &[Finding]) -> (Grade, Vec<String>) {
    let ids = |keep: &dyn Fn(&Finding) -> bool| -> Vec<String> {
        findings.iter().filter(|finding| keep(finding)).map(|finding| finding.scenario.id.clone()).collect()
    };
    let mut reached = Grade::F;
    while let Some(next) = reached.next().filter(|next| *next != Grade::A) {
        let missing = ids(&|finding| {
            next.groups().contains(&finding.scenario.group) && finding.outcome == Outcome::Fail
        });
        if !missing.is_empty() {
            return (reached, missing);
        }
        reached = next;
    }
    let missing = ids(&|finding| finding.outcome == Outcome::Advice);
    if missing.is_empty() { (Grade::A, missing) } else { (reached, missing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(group: Group, outcome: Outcome) -> Finding {
        Finding::new(Scenario::new(group, "x", ""), Judged { outcome, reason: String::new() }, 0)
    }

    #[test]
    fn a_grade_needs_all_that_the_ones_below_it_need() {
        let of = |findings: &[(Group, Outcome)]| {
            let findings: Vec<Finding> =
                findings.iter().map(|(group, outcome)| finding(*group, *outcome)).collect();
            grade(&findings)
        };
        let fail = |group| (group, Outcome::Fail);
        assert_eq!(of(&[fail(Group::Happy), fail(Group::Crash)]), (Grade::F, vec!["happy.x".to_owned()]));
        assert_eq!(of(&[fail(Group::Cancel), fail(Group::Conduct)]).0, Grade::E);
        assert_eq!(of(&[fail(Group::Conduct)]).0, Grade::D);
        assert_eq!(of(&[fail(Group::Crash)]).0, Grade::C);
        assert_eq!(of(&[(Group::Static, Outcome::Advice)]), (Grade::B, vec!["static.x".to_owned()]));
        assert_eq!(of(&[(Group::Crash, Outcome::NotApplicable)]), (Grade::A, vec![]));
    }
}
