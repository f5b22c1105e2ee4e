//! Predicates over an answer, and the verdicts that they lead to.
//!
//! Predicates are data: no calls, no arithmetic, total. A missing value makes every comparison false and `absent` true.

use crate::hole::Literal;
use crate::selector::Selector;
use crate::{List, Text};

/// A condition on an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `selector op literal`; durations (`age > "24h"`) are literals in seconds by then.
    Compare {
        /// What is compared.
        selector: Selector,
        /// How.
        op: Comparison,
        /// With what.
        value: Literal,
    },
    /// `selector in [a, b]`
    In {
        /// What is looked for.
        selector: Selector,
        /// Where.
        values: List<Literal>,
    },
    /// `selector matches r".."`: the regular expression matches somewhere in the text.
    Matches {
        /// What is matched.
        selector: Selector,
        /// The expression, in the `regex` crate's syntax (linear time).
        pattern: Text,
    },
    /// `selector present`: there, and not null.
    Present(Selector),
    /// `selector absent`: not there, or null.
    Absent(Selector),
    /// `selector is url`: the text of an absolute http or https URL, or an object whose `url` is one.
    IsUrl(Selector),
    /// All of them.
    All(List<Predicate>),
    /// One of them.
    Any(List<Predicate>),
    /// Not this one. A list of exactly one, since a `static` needs the indirection.
    Not(List<Predicate>),
}

impl Predicate {
    /// Whether something is so of any selector in it.
    pub fn any(&self, so: &mut dyn FnMut(&Selector) -> bool) -> bool {
        let mut found = false;
        self.selectors(&mut |selector| found = found || so(selector));
        found
    }

    /// Calls `each` for every selector in it.
    pub fn selectors<'p>(&'p self, each: &mut dyn FnMut(&'p Selector)) {
        match self {
            Self::Compare { selector, .. }
            | Self::In { selector, .. }
            | Self::Matches { selector, .. }
            | Self::Present(selector)
            | Self::Absent(selector)
            | Self::IsUrl(selector) => each(selector),
            Self::All(inner) | Self::Any(inner) | Self::Not(inner) => {
                for inner in inner.iter() {
                    inner.selectors(each);
                }
            }
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Eq,
    /// `!=`; false when the value is missing.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// Why a service job failed, in the words by which the queue decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The payload was refused. Never retried.
    InvalidInput,
    /// The credential was refused. Never retried; opens the credential's breaker.
    Auth,
    /// No credit. Never retried; opens the credential's breaker.
    Billing,
    /// Too many requests. Retried after the service's own advice; not an attempt when nothing was accepted.
    RateLimited,
    /// Refused for its content. Never retried.
    Moderated,
    /// The service has no room. Retried.
    Capacity,
    /// Something that passes. Retried.
    Transient,
    /// The service failed at the job.
    Service,
    /// The result or the job is too old to be had.
    Expired,
    /// The service gave up in time.
    Timeout,
    /// The service or the declaration is wrong: an answer that should not be.
    Bug,
}

impl FailureKind {
    /// Every kind with its word.
    pub const ALL: [(&'static str, Self); 11] = [
        ("auth", Self::Auth),
        ("billing", Self::Billing),
        ("bug", Self::Bug),
        ("capacity", Self::Capacity),
        ("expired", Self::Expired),
        ("invalid_input", Self::InvalidInput),
        ("moderated", Self::Moderated),
        ("rate_limited", Self::RateLimited),
        ("service", Self::Service),
        ("timeout", Self::Timeout),
        ("transient", Self::Transient),
    ];

    /// The kind that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(name, kind)| (name == word).then_some(kind))
    }

    /// The word that names this kind.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(name, kind)| (kind == self).then_some(name)).unwrap_or("bug")
    }

    /// Whether a later attempt can end better.
    pub fn retriable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Capacity | Self::Transient | Self::Timeout)
    }
}

/// What an answer says of the service job.
#[derive(Clone, Debug, PartialEq)]
pub enum StateVerdict {
    /// Accepted, not started.
    Queued,
    /// Being worked on.
    Running,
    /// Done.
    Succeeded,
    /// Ended by a cancel.
    Canceled,
    /// The service does not know the job any more.
    Lost,
    /// Failed.
    Failed {
        /// Why.
        kind: FailureKind,
        /// A text of the declaration's own, for answers that have none.
        message: Option<Text>,
    },
}

/// `predicate => verdict`
#[derive(Clone, Debug, PartialEq)]
pub struct StateRule {
    /// When it applies.
    pub when: Predicate,
    /// What it says.
    pub then: StateVerdict,
}

/// A set of HTTP status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePattern {
    /// One code.
    Exact(u16),
    /// `4xx`, `5xx`: the hundreds digit.
    Class(u8),
}

impl CodePattern {
    /// Whether a status code is in the set.
    pub fn matches(self, code: u16) -> bool {
        match self {
            Self::Exact(exact) => exact == code,
            Self::Class(class) => code / 100 == u16::from(class),
        }
    }
}

/// `429 if "$.error.code" == "insufficient_quota" => billing`
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRule {
    /// The codes to which it applies.
    pub codes: List<CodePattern>,
    /// A further condition.
    pub when: Option<Predicate>,
    /// What such an answer means for the queue.
    pub kind: FailureKind,
    /// `rate_limited(wait = ..)`: for how long to stay away, in seconds, an HTTP date or a duration.
    pub wait: List<Selector>,
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        })
    }
}
