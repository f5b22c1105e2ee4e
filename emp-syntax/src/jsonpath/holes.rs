//! Holes in a path: names and compared texts that are known only when the path is evaluated.
//!
//! A hole is filled as a value of the syntax tree. Nothing is parsed again, so a value can never become a step, a filter or a
//! quote: `'] || $.x` as an id is a member of that strange name, and no more.

use std::borrow::Cow;

use super::{Filter, JsonPath, Operand, PathSelector, Query, Segment, parse};
use crate::hole::{Hole, Literal};
use crate::rule::Comparison;
use crate::template::Template;
use crate::{List, SyntaxError};

/// Gives the text of a template; `None` when one of its holes has no value.
type Fill<'f> = &'f dyn Fn(&Template) -> Option<String>;

impl JsonPath {
    /// Parses a path of a declaration: texts in quotes may have holes, as in `$['{job.id}'].status` and
    /// `$.jobs[?@.id=='{job.id}']`. `{{` and `}}` are braces there. The pattern of a `match` is a text as it stands.
    ///
    /// # Errors
    /// What is no path, or no hole.
    pub fn parse_with_holes(text: &str) -> Result<Self, SyntaxError> {
        parse::path(text, true)
    }

    /// Every hole of the path, in order.
    pub fn holes(&self) -> Vec<&Hole> {
        let mut found = Vec::new();
        in_segments(&self.segments, &mut |template| found.extend(template.holes()));
        found
    }

    /// The path with its holes filled: itself when it has none, and `None` when a hole has no value, since such a path
    /// finds nothing.
    ///
    /// A filled text is also equal to the whole number that is written so: ids are text to us, whatever a service makes of them.
    pub fn fill(&self, text: Fill<'_>) -> Option<Cow<'_, Self>> {
        let mut holes = false;
        in_segments(&self.segments, &mut |_| holes = true);
        if !holes {
            return Some(Cow::Borrowed(self));
        }
        Some(Cow::Owned(Self { segments: segments(&self.segments, text)? }))
    }
}

fn in_segments<'p>(segments: &'p [Segment], each: &mut impl FnMut(&'p Template)) {
    for segment in segments {
        let (Segment::Child(selectors) | Segment::Descendant(selectors)) = segment;
        for selector in selectors.iter() {
            match selector {
                PathSelector::Filled(template) => each(template),
                PathSelector::Filter(filter) => in_filter(filter, each),
                _ => {}
            }
        }
    }
}

fn in_filter<'p>(filter: &'p Filter, each: &mut impl FnMut(&'p Template)) {
    match filter {
        Filter::And(filters) | Filter::Or(filters) | Filter::Not(filters) => {
            filters.iter().for_each(|filter| in_filter(filter, each));
        }
        Filter::Exists(query) => in_segments(&query.segments, each),
        Filter::Compare { left, right, .. } => {
            in_operand(left, each);
            in_operand(right, each);
        }
        Filter::Match { value, .. } => in_operand(value, each),
    }
}

fn in_operand<'p>(operand: &'p Operand, each: &mut impl FnMut(&'p Template)) {
    match operand {
        Operand::Literal(_) => {}
        Operand::Filled(template) => each(template),
        Operand::Query(query) | Operand::Length(query) | Operand::Count(query) => {
            in_segments(&query.segments, each);
        }
    }
}

fn segments(all: &[Segment], text: Fill<'_>) -> Option<List<Segment>> {
    all.iter()
        .map(|segment| {
            Some(match segment {
                Segment::Child(all) => Segment::Child(selectors(all, text)?),
                Segment::Descendant(all) => Segment::Descendant(selectors(all, text)?),
            })
        })
        .collect()
}

fn selectors(all: &[PathSelector], text: Fill<'_>) -> Option<List<PathSelector>> {
    all.iter()
        .map(|selector| {
            Some(match selector {
                PathSelector::Filled(template) => PathSelector::Name(text(template)?.into()),
                PathSelector::Filter(inner) => PathSelector::Filter(filter(inner, text)?),
                plain => plain.clone(),
            })
        })
        .collect()
}

fn filter(inner: &Filter, text: Fill<'_>) -> Option<Filter> {
    let all = |filters: &[Filter]| filters.iter().map(|inner| filter(inner, text)).collect::<Option<_>>();
    Some(match inner {
        Filter::And(filters) => Filter::And(all(filters)?),
        Filter::Or(filters) => Filter::Or(all(filters)?),
        Filter::Not(filters) => Filter::Not(all(filters)?),
        Filter::Exists(inner) => Filter::Exists(query(inner, text)?),
        Filter::Match { value, pattern, whole } => {
            Filter::Match { value: operand(value, text)?, pattern: pattern.clone(), whole: *whole }
        }
        Filter::Compare { left, op, right } => {
            let filled = matches!(left, Operand::Filled(_)) || matches!(right, Operand::Filled(_));
            let (left, right) = (operand(left, text)?, operand(right, text)?);
            if filled { compare(left, *op, right) } else { Filter::Compare { left, op: *op, right } }
        }
    })
}

/// A comparison with a filled text, which also stands for the whole number of that spelling.
fn compare(left: Operand, op: Comparison, right: Operand) -> Filter {
    let numbers = (as_number(&left), as_number(&right));
    let by_text = Filter::Compare { left: left.clone(), op, right: right.clone() };
    let by_number = match numbers {
        (Some(left), None) => Filter::Compare { left, op, right },
        (None, Some(right)) => Filter::Compare { left, op, right },
        _ => return by_text,
    };
    let both = vec![by_text, by_number].into();
    if op == Comparison::Ne { Filter::And(both) } else { Filter::Or(both) }
}

fn as_number(operand: &Operand) -> Option<Operand> {
    let Operand::Literal(Literal::Text(text)) = operand else { return None };
    let number: i64 = text.parse().ok()?;
    (number.to_string() == *text).then_some(Operand::Literal(Literal::Int(number)))
}

fn operand(inner: &Operand, text: Fill<'_>) -> Option<Operand> {
    Some(match inner {
        Operand::Literal(literal) => Operand::Literal(literal.clone()),
        Operand::Filled(template) => Operand::Literal(Literal::Text(text(template)?.into())),
        Operand::Query(inner) => Operand::Query(query(inner, text)?),
        Operand::Length(inner) => Operand::Length(query(inner, text)?),
        Operand::Count(inner) => Operand::Count(query(inner, text)?),
    })
}

fn query(inner: &Query, text: Fill<'_>) -> Option<Query> {
    Some(Query { relative: inner.relative, segments: segments(&inner.segments, text)? })
}
