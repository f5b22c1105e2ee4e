//! Filters: what stands between `[?` and `]`.

use super::{Parsed, Parser};
use crate::SyntaxError;
use crate::hole::Literal;
use crate::jsonpath::{Filter, Operand, PathSelector, Query, Segment};
use crate::rule::Comparison;

impl Parser<'_> {
    pub(super) fn or(&mut self) -> Parsed<Filter> {
        self.chain("||", Self::and, |all| Filter::Or(all.into()))
    }

    fn and(&mut self) -> Parsed<Filter> {
        self.chain("&&", Self::basic, |all| Filter::And(all.into()))
    }

    fn chain(
        &mut self,
        operator: &str,
        part: fn(&mut Self) -> Parsed<Filter>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Parsed<Filter> {
        let first = part(self)?;
        let mut all = vec![first];
        loop {
            let before = self.at;
            self.blanks();
            if !self.eat(operator) {
                self.at = before;
                break;
            }
            self.blanks();
            all.push(part(self)?);
        }
        Ok(if all.len() > 1 { join(all) } else { all.remove(0) })
    }

    fn basic(&mut self) -> Parsed<Filter> {
        if self.rest().starts_with('!') {
            self.at += 1;
            self.blanks();
            let inside = self.nested(Self::tested)?;
            return Ok(Filter::Not(vec![inside].into()));
        }
        self.tested_or_compared()
    }

    /// What may stand behind `!`: parentheses or a test, no comparison.
    fn tested(&mut self) -> Parsed<Filter> {
        let start = self.at;
        match self.tested_or_compared()? {
            Filter::Compare { .. } => {
                Err(SyntaxError::new(start, "`!` before a comparison needs parentheses"))
            }
            filter => Ok(filter),
        }
    }

    fn tested_or_compared(&mut self) -> Parsed<Filter> {
        if self.eat("(") {
            self.blanks();
            let inside = self.nested(Self::or)?;
            self.blanks();
            self.expect(")")?;
            return Ok(match inside {
                // Kept apart from a bare comparison, so that `!(a == b)` is told from `!a == b`.
                compare @ Filter::Compare { .. } => Filter::And(vec![compare].into()),
                filter => filter,
            });
        }
        for (word, whole) in [("match(", true), ("search(", false)] {
            if self.eat(word) {
                return self.matches(whole);
            }
        }
        let start = self.at;
        let left = self.operand()?;
        let before = self.at;
        self.blanks();
        let Some(op) = self.comparison()? else {
            self.at = before;
            return match left {
                Operand::Query(query) => Ok(Filter::Exists(query)),
                _ => Err(self.error("a comparison is missing: `==`, `!=`, `<`, `<=`, `>` or `>=`")),
            };
        };
        self.blanks();
        let between = self.at;
        let right = self.operand()?;
        comparable(&left, start)?;
        comparable(&right, between)?;
        Ok(Filter::Compare { left, op, right })
    }

    fn comparison(&mut self) -> Parsed<Option<Comparison>> {
        const OPERATORS: [(&str, Comparison); 6] = [
            ("==", Comparison::Eq),
            ("!=", Comparison::Ne),
            ("<=", Comparison::Le),
            (">=", Comparison::Ge),
            ("<", Comparison::Lt),
            (">", Comparison::Gt),
        ];
        for (operator, comparison) in OPERATORS {
            if self.eat(operator) {
                return Ok(Some(comparison));
            }
        }
        if self.peek() == Some('=') {
            return Err(self.error("`=` is not a comparison").help("write `==`"));
        }
        Ok(None)
    }

    fn matches(&mut self, whole: bool) -> Parsed<Filter> {
        self.blanks();
        let start = self.at;
        let value = self.operand()?;
        comparable(&value, start)?;
        self.blanks();
        self.expect(",")?;
        self.blanks();
        let start = self.at;
        if !matches!(self.peek(), Some('\'' | '"')) {
            return Err(self.error("a pattern in quotes is missing"));
        }
        let pattern = self.string()?;
        if let Err(error) = crate::jsonpath::eval::regex(&pattern, whole) {
            return Err(SyntaxError::new(start, format!("the pattern is not valid: {error}")));
        }
        self.blanks();
        self.expect(")")?;
        Ok(Filter::Match { value, pattern: pattern.into(), whole })
    }

    fn operand(&mut self) -> Parsed<Operand> {
        for (word, make) in [
            ("length(", Operand::Length as fn(Query) -> Operand),
            ("count(", Operand::Count as fn(Query) -> Operand),
        ] {
            if self.eat(word) {
                self.blanks();
                let start = self.at;
                let query = self.nested(Self::query)?;
                if word == "length(" && !singular(&query.segments) {
                    return Err(SyntaxError::new(start, "`length` takes a path to one value"));
                }
                self.blanks();
                self.expect(")")?;
                return Ok(make(query));
            }
        }
        match self.peek() {
            Some('@' | '$') => Ok(Operand::Query(self.nested(Self::query)?)),
            Some('\'' | '"') => Ok(match self.text()? {
                Ok(text) => Operand::Literal(Literal::Text(text)),
                Err(template) => Operand::Filled(template),
            }),
            Some('-' | '0'..='9') => Ok(Operand::Literal(self.number()?)),
            _ => {
                for (word, literal) in
                    [("true", Literal::Bool(true)), ("false", Literal::Bool(false)), ("null", Literal::Null)]
                {
                    if self.eat(word) {
                        return Ok(Operand::Literal(literal));
                    }
                }
                Err(self.error(
                    "a value is missing: a path with `@` or `$`, a string, a number, true, false or null",
                ))
            }
        }
    }

    fn query(&mut self) -> Parsed<Query> {
        let relative = match self.peek() {
            Some('@') => true,
            Some('$') => false,
            _ => return Err(self.error("a path with `@` or `$` is missing")),
        };
        self.at += 1;
        Ok(Query { relative, segments: self.segments()?.into() })
    }

    fn number(&mut self) -> Parsed<Literal> {
        let start = self.at;
        let rest = self.rest();
        let length =
            rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        let number: serde_json::Number = serde_json::from_str(text)
            .map_err(|_| SyntaxError::new(start, format!("`{text}` is not a number")))?;
        self.at += length;
        Ok(match number.as_i64() {
            Some(int) => Literal::Int(int),
            None => Literal::Float(number.as_f64().unwrap_or_default()),
        })
    }
}

/// Only a path to at most one node can be compared.
fn comparable(operand: &Operand, start: usize) -> Parsed<()> {
    match operand {
        Operand::Query(query) if !singular(&query.segments) => {
            Err(SyntaxError::new(start, "a path that can find several values cannot be compared")
                .help("compare one value, such as @.type or @[0]"))
        }
        _ => Ok(()),
    }
}

fn singular(segments: &[Segment]) -> bool {
    segments.iter().all(|segment| match segment {
        Segment::Child(selectors) => {
            matches!(
                selectors.as_ref(),
                [PathSelector::Name(_) | PathSelector::Filled(_) | PathSelector::Index(_)]
            )
        }
        Segment::Descendant(_) => false,
    })
}
