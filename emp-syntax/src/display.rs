//! Selectors, rules and bodies as a declaration writes them, for pages and reports.

use std::fmt::{Display, Formatter, Result, Write as _};

use crate::hole::Literal;
use crate::json::{Json, Member};
use crate::rule::{CodePattern, ErrorRule, Predicate, StateRule, StateVerdict};
use crate::selector::{Reducer, Selector, Source};

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.source.fmt(f)?;
        self.reducers.iter().try_for_each(|reducer| write!(f, " | {reducer}"))
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Path(path) => write!(f, "\"{path}\""),
            Self::Probe(name, path) => write!(f, "{name}.\"{path}\""),
            Self::Header(name) => write!(f, "header(\"{name}\")"),
            Self::Code => f.write_str("code"),
            Self::Raw => f.write_str("raw"),
            Self::Deltas => f.write_str("deltas"),
            Self::Age => f.write_str("age"),
            Self::State => f.write_str("state"),
            Self::AbsentFor => f.write_str("absent_for"),
            Self::Reference(reference) => reference.fmt(f),
            Self::Hook(hook) => write!(f, "{hook:?}"),
        }
    }
}

impl Display for Reducer {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.word())?;
        match self {
            Self::Join(separator) => write!(f, "({})", Literal::Text(separator.clone())),
            Self::At(path) | Self::Ratio(path) => write!(f, "(\"{path}\")"),
            Self::Between(from, to) => write!(f, "({from}, {to})"),
            Self::Tail(count) => write!(f, "({count})"),
            Self::LastMatch(pattern) => write!(f, "(r\"{pattern}\")"),
            _ => Ok(()),
        }
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Compare { selector, op, value } => write!(f, "{selector} {op} {value}"),
            Self::In { selector, values } => {
                write!(f, "{selector} in [")?;
                joined(values, ", ", f)?;
                f.write_char(']')
            }
            Self::Matches { selector, pattern } => write!(f, "{selector} matches r\"{pattern}\""),
            Self::Present(selector) => write!(f, "{selector} present"),
            Self::Absent(selector) => write!(f, "{selector} absent"),
            Self::IsUrl(selector) => write!(f, "{selector} is url"),
            Self::All(all) => operands(all, " && ", f),
            Self::Any(any) => operands(any, " || ", f),
            Self::Not(one) => {
                f.write_char('!')?;
                one.iter().try_for_each(|predicate| write!(f, "({predicate})"))
            }
        }
    }
}

/// Predicates with an operator between them; those that are compound themselves stand in parentheses.
fn operands(predicates: &[Predicate], operator: &str, f: &mut Formatter<'_>) -> Result {
    for (index, predicate) in predicates.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        match predicate {
            Predicate::All(_) | Predicate::Any(_) => write!(f, "({predicate})")?,
            simple => simple.fmt(f)?,
        }
    }
    Ok(())
}

fn joined<T: Display>(items: &[T], separator: &str, f: &mut Formatter<'_>) -> Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl Display for StateVerdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Queued => f.write_str("queued"),
            Self::Running => f.write_str("running"),
            Self::Succeeded => f.write_str("succeeded"),
            Self::Canceled => f.write_str("canceled"),
            Self::Lost => f.write_str("lost"),
            Self::Failed { kind, message: None } => write!(f, "failed({})", kind.word()),
            Self::Failed { kind, message: Some(message) } => {
                write!(f, "failed({}, {})", kind.word(), Literal::Text(message.clone()))
            }
        }
    }
}

impl Display for StateRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} => {}", self.when, self.then)
    }
}

impl Display for CodePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Exact(code) => code.fmt(f),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

impl Display for ErrorRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        joined(&self.codes, " | ", f)?;
        if let Some(when) = &self.when {
            write!(f, " if {when}")?;
        }
        write!(f, " => {}", self.kind.word())?;
        match self.wait.as_ref() {
            [] => Ok(()),
            wait => {
                f.write_str("(wait = [")?;
                joined(wait, ", ", f)?;
                f.write_str("])")
            }
        }
    }
}

/// `{json}` stands on one line; `{json:#}` has a line for each member.
impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        print(self, 0, f)
    }
}

fn print(json: &Json, depth: usize, f: &mut Formatter<'_>) -> Result {
    match json {
        Json::Literal(literal) => literal.fmt(f),
        Json::Text(template) => write!(f, "{}", Literal::Text(template.to_string().into())),
        Json::Hole(hole) => hole.fmt(f),
        Json::Hook(hook) => write!(f, "{hook:?}"),
        Json::Asset(asset) => asset.fmt(f),
        Json::First(values) => {
            for (index, value) in values.iter().enumerate() {
                match (index, value) {
                    (0, Json::Hole(hole)) => hole.reference.fmt(f)?,
                    (0, first) => print(first, depth, f)?,
                    (_, other) => {
                        f.write_str(" ?? ")?;
                        print(other, depth, f)?;
                    }
                }
            }
            Ok(())
        }
        Json::Array(items) => {
            f.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    f.write_str(", ")?;
                }
                print(item, depth, f)?;
            }
            f.write_char(']')
        }
        Json::Object(members) if members.is_empty() => f.write_str("{}"),
        Json::Object(members) => {
            f.write_char('{')?;
            for (index, member) in members.iter().enumerate() {
                if index > 0 {
                    f.write_char(',')?;
                }
                break_line(depth + 1, f)?;
                match member {
                    Member::Field { name, value } => {
                        write!(f, "{}: ", Literal::Text(name.clone()))?;
                        print(value, depth + 1, f)?;
                    }
                    Member::Spread(reference) => write!(f, "..{reference}")?,
                    Member::SpreadHook(hook) => write!(f, "..{hook:?}")?,
                }
            }
            break_line(depth, f)?;
            f.write_char('}')
        }
    }
}

fn break_line(depth: usize, f: &mut Formatter<'_>) -> Result {
    if f.alternate() { write!(f, "\n{:width$}", "", width = depth * 2) } else { f.write_char(' ') }
}

#[cfg(test)]
mod tests {
    use crate::hole::{Hole, Reference};
    use crate::jsonpath::JsonPath;
    use crate::rule::{Comparison, FailureKind};
    use crate::template::Template;

    use super::*;

    fn at(path: &str) -> Selector {
        let path = JsonPath::parse(path).expect("a path");
        Selector { source: Source::Path(path), reducers: vec![].into() }
    }

    #[test]
    fn a_rule_is_printed_as_it_is_written() {
        let code = Selector { source: Source::Code, reducers: vec![].into() };
        let rule = StateRule {
            when: Predicate::All(
                vec![
                    Predicate::Compare { selector: code, op: Comparison::Eq, value: Literal::Int(200) },
                    Predicate::Any(
                        vec![
                            Predicate::Absent(at("$.id")),
                            Predicate::In {
                                selector: at("$.s"),
                                values: vec![Literal::Text("a".into()), Literal::Text("b".into())].into(),
                            },
                        ]
                        .into(),
                    ),
                ]
                .into(),
            ),
            then: StateVerdict::Failed { kind: FailureKind::Bug, message: Some("no id".into()) },
        };
        assert_eq!(
            rule.to_string(),
            r#"code == 200 && ("$.id" absent || "$.s" in ["a", "b"]) => failed(bug, "no id")"#
        );
    }

    #[test]
    fn reducers_have_their_arguments() {
        let mut selector = at("$.error");
        selector.reducers = vec![
            Reducer::ParseJson,
            Reducer::At(JsonPath::parse("$.message").expect("a path")),
            Reducer::Join("\n".into()),
            Reducer::LastMatch(r"(\d+)%".into()),
            Reducer::Between(0.3, 0.9),
        ]
        .into();
        assert_eq!(
            selector.to_string(),
            r#""$.error" | parse_json | at("$.message") | join("\n") | last_match(r"(\d+)%") | between(0.3, 0.9)"#
        );
    }

    #[test]
    fn an_error_rule_says_for_how_long_to_stay_away() {
        let rule = ErrorRule {
            codes: vec![CodePattern::Exact(429), CodePattern::Class(5)].into(),
            when: None,
            kind: FailureKind::RateLimited,
            wait: vec![Selector { source: Source::Header("retry-after".into()), reducers: vec![].into() }]
                .into(),
        };
        assert_eq!(rule.to_string(), r#"429 | 5xx => rate_limited(wait = [header("retry-after")])"#);
    }

    #[test]
    fn a_body_is_printed_on_one_line_or_on_many() {
        let hole = |text: &str| Json::Hole(Hole::parse(text).expect("a hole"));
        let field = |name: &'static str, value| Member::Field { name: name.into(), value };
        let inner = Json::Object(vec![field("prompt", hole("payload.prompt"))].into());
        let tag = Json::Text(Template::parse("emp-{queue.job_id}").expect("a template"));
        let body = Json::Object(
            vec![
                Member::Spread(Reference::parse("payload.params").expect("a reference")),
                field("model", hole("payload.model ?? env.model")),
                field("instances", Json::Array(vec![inner].into())),
                field("tag", tag),
                field("none", Json::Object(vec![].into())),
            ]
            .into(),
        );
        assert_eq!(
            body.to_string(),
            r#"{ ..payload.params, "model": payload.model ?? env.model, "instances": [{ "prompt": payload.prompt }], "tag": "emp-{queue.job_id}", "none": {} }"#
        );
        assert_eq!(
            format!("{body:#}"),
            "{\n  ..payload.params,\n  \"model\": payload.model ?? env.model,\n  \"instances\": [{\n    \"prompt\": payload.prompt\n  }],\n  \"tag\": \"emp-{queue.job_id}\",\n  \"none\": {}\n}"
        );
    }
}
