//! What a path finds in answers of a schema.

use emp_syntax::hole::Literal;
use emp_syntax::jsonpath::{Filter, JsonPath, Operand, PathSelector, Query, Segment};
use emp_syntax::rule::Comparison;
use emp_syntax::{List, nearest};

use crate::kinds::Kinds;
use crate::schema::{Inside, Schema};

/// How far descendants are looked for.
const DEEPEST: usize = 6;

/// A name that no schema lists: what is said of it is said of all that are not listed.
const NOBODYS: &str = "\u{0}";

/// What a path finds.
#[derive(Clone, Debug)]
pub enum Reach<'d> {
    /// Values of this schema.
    Found(Schema<'d>),
    /// The description does not say: something may be there.
    Open,
    /// By the description nothing is there.
    Missing(Missing),
}

/// Where a path leaves the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The part of the path that finds something: `$.urls`.
    pub parent: String,
    /// What is not there: `.stop`.
    pub step: String,
    /// What is at `parent`: the names of members, or the kinds.
    pub there: String,
    /// The nearest path that finds something.
    pub nearest: Option<String>,
}

impl<'d> Schema<'d> {
    /// What a path finds in a value of this schema.
    pub fn reach(&self, path: &JsonPath) -> Reach<'d> {
        self.walk(&path.segments)
    }

    fn walk(&self, segments: &[Segment]) -> Reach<'d> {
        let mut here = self.clone();
        for (index, segment) in segments.iter().enumerate() {
            here = match here.step(segment) {
                Reach::Found(next) => next,
                Reach::Open => return Reach::Open,
                Reach::Missing(found) => {
                    let (before, behind) = (shown(&segments[..index]), shown(&segments[index + 1..]));
                    let nearest = found.nearest.map(|step| format!("${before}{step}{behind}"));
                    let nearest = nearest
                        .filter(|path| self.exists(path))
                        .or_else(|| self.elsewhere(segment))
                        .filter(|path| self.exists(path));
                    return Reach::Missing(Missing { parent: format!("${before}"), nearest, ..found });
                }
            };
        }
        Reach::Found(here)
    }

    fn exists(&self, path: &str) -> bool {
        JsonPath::parse(path).is_ok_and(|path| matches!(self.reach(&path), Reach::Found(_)))
    }

    /// One step of a path. A missing one has the nearest *step* in place of the nearest path.
    fn step(&self, segment: &Segment) -> Reach<'d> {
        match segment {
            Segment::Child(selectors) => {
                self.union(segment, selectors.iter().map(|selector| self.select(selector)))
            }
            Segment::Descendant(selectors) => {
                let (mut all, mut open) = (Vec::new(), false);
                self.descend("$", 0, &mut |_, schema| all.push(schema.clone()), &mut open);
                let found =
                    all.iter().flat_map(|schema| selectors.iter().map(|selector| schema.select(selector)));
                // A descendant without the name is none of those that are asked for.
                let found: Vec<_> = found.filter(|inside| matches!(inside, Inside::Found(_))).collect();
                match (found.is_empty(), open) {
                    (true, true) => Reach::Open,
                    _ => self.union(segment, found.into_iter()),
                }
            }
        }
    }

    fn union(&self, segment: &Segment, parts: impl Iterator<Item = Inside<'d>>) -> Reach<'d> {
        let (mut found, mut open) = (Vec::new(), false);
        for part in parts {
            match part {
                Inside::Found(schema) => found.push(schema),
                Inside::Open => open = true,
                Inside::Closed => {}
            }
        }
        match (Self::any(found), open) {
            (Some(schema), _) => Reach::Found(schema),
            (None, true) => Reach::Open,
            (None, false) => Reach::Missing(self.missing(segment)),
        }
    }

    fn select(&self, selector: &PathSelector) -> Inside<'d> {
        match selector {
            PathSelector::Name(name) => self.member(name),
            PathSelector::Index(index) => self.element(usize::try_from(*index).ok()),
            PathSelector::Slice { .. } => self.element(None),
            // A name that is known when the job runs is some member.
            PathSelector::Wildcard | PathSelector::Filled(_) => self.anything_in(),
            PathSelector::Filter(filter) => match self.anything_in() {
                Inside::Found(inside) => {
                    let kept = inside.alternatives().into_iter().filter(|schema| schema.can(filter));
                    Self::any(kept).map_or(Inside::Closed, Inside::Found)
                }
                inside => inside,
            },
        }
    }

    /// Whether a value of this schema can pass a filter.
    fn can(&self, filter: &Filter) -> bool {
        match filter {
            Filter::And(all) => all.iter().all(|filter| self.can(filter)),
            Filter::Or(any) => any.iter().any(|filter| self.can(filter)),
            // What a value is not says little of what it can be.
            Filter::Not(_) => true,
            Filter::Exists(query) => self.has(query),
            Filter::Compare { left, op, right } => {
                self.has_operand(left)
                    && self.has_operand(right)
                    && match (left, op, right) {
                        (Operand::Query(query), Comparison::Eq, Operand::Literal(literal))
                        | (Operand::Literal(literal), Comparison::Eq, Operand::Query(query)) => {
                            self.can_equal(query, literal)
                        }
                        _ => true,
                    }
            }
            Filter::Match { value, .. } => self.has_operand(value),
        }
    }

    fn has_operand(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Literal(_) | Operand::Filled(_) => true,
            Operand::Query(query) | Operand::Length(query) | Operand::Count(query) => self.has(query),
        }
    }

    fn has(&self, query: &Query) -> bool {
        !query.relative || !matches!(self.walk(&query.segments), Reach::Missing(_))
    }

    fn can_equal(&self, query: &Query, literal: &Literal) -> bool {
        if !query.relative {
            return true;
        }
        match self.walk(&query.segments) {
            Reach::Found(schema) => schema.can_be(literal),
            Reach::Open => true,
            Reach::Missing(_) => false,
        }
    }

    /// Whether a value of this schema can be a literal.
    pub fn can_be(&self, literal: &Literal) -> bool {
        let kind = Kinds::of(&literal.to_json());
        match literal {
            Literal::Text(text) => match self.words() {
                Some(words) => words.contains(&text.as_ref()),
                None => self.kinds().meets(kind),
            },
            _ => self.kinds().meets(kind),
        }
    }

    /// Calls `each` for this schema and all that are in it, with their paths; `open` is set where it does not say what is.
    fn descend(&self, path: &str, depth: usize, each: &mut dyn FnMut(&str, &Self), open: &mut bool) {
        each(path, self);
        if depth == DEEPEST {
            *open = true;
            return;
        }
        for name in self.names() {
            if let Inside::Found(schema) = self.member(name) {
                schema.descend(&format!("{path}{}", step(name)), depth + 1, each, open);
            }
        }
        let kinds = self.kinds();
        if kinds.meets(Kinds::ARRAY) {
            match self.element(None) {
                Inside::Found(schema) => schema.descend(&format!("{path}[*]"), depth + 1, each, open),
                Inside::Open => *open = true,
                Inside::Closed => {}
            }
        }
        if kinds.meets(Kinds::OBJECT) {
            match self.member(NOBODYS) {
                Inside::Found(schema) => schema.descend(&format!("{path}.*"), depth + 1, each, open),
                Inside::Open => *open = true,
                Inside::Closed => {}
            }
        }
    }

    fn missing(&self, segment: &Segment) -> Missing {
        let names = self.names();
        let step_of = |schema: &Self, name: &str| nearest(name, schema.names()).map(step);
        let wanted = name(segment);
        let elements = match self.element(None) {
            Inside::Found(inside) if self.kinds().meets(Kinds::ARRAY) => Some(inside),
            _ => None,
        };
        let near = wanted.and_then(|name| step_of(self, name)).or_else(|| {
            let inside = elements?;
            match wanted {
                Some(name) => Some(format!("[*]{}", step_of(&inside, name)?)),
                None => Some("[*]".to_owned()),
            }
        });
        let there =
            if names.is_empty() { self.kinds().to_string() } else { format!("`{}`", names.join("`, `")) };
        Missing { parent: String::new(), step: shown(std::slice::from_ref(segment)), there, nearest: near }
    }

    /// The path to a member of the same name in another place.
    fn elsewhere(&self, segment: &Segment) -> Option<String> {
        let wanted = name(segment)?;
        let mut found: Option<String> = None;
        self.descend(
            "$",
            DEEPEST - 3,
            &mut |path, schema| {
                if found.is_none() && schema.names().contains(&wanted) {
                    found = Some(format!("{path}{}", step(wanted)));
                }
            },
            &mut false,
        );
        found
    }
}

/// The name that a segment asks for.
fn name(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Child(selectors) | Segment::Descendant(selectors) => match selectors.as_ref() {
            [PathSelector::Name(name)] => Some(name),
            _ => None,
        },
    }
}

/// Segments as they are written, without the `$`.
fn shown(segments: &[Segment]) -> String {
    let path = JsonPath { segments: List::Owned(segments.to_vec()) };
    path.to_string().trim_start_matches('$').to_owned()
}

/// `.name`, in brackets where the name needs them.
pub(crate) fn step(name: &str) -> String {
    let selector = PathSelector::Name(name.to_owned().into());
    shown(&[Segment::Child(vec![selector].into())])
}
