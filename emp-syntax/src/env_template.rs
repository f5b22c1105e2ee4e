//! Templates over the environment, as bash reads them, in one parser for everything that has one.
//!
//! | template | value |
//! |---|---|
//! | `${X}` | X; empty when unset |
//! | `${X:-d}` | X, or d when X is unset or empty |
//! | `${X-d}` | X, or d when X is unset |
//! | `${X:?msg}` | X, or an error when X is unset or empty |
//! | `${X?msg}` | X, or an error when X is unset |
//! | `$$` | a dollar sign |
//!
//! Defaults and messages may hold templates. Anything else after a `$` is an error: what bash would make of `$X`, `${X:+y}` or `${#X}` is
//! not what a mapping means. A value is never expanded a second time.

use std::fmt;

use crate::SyntaxError;

/// Templates inside defaults of templates; more is no template that a person wrote.
const DEEPEST: usize = 16;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

/// A variable that a template reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Byte offset of its `$` in the template's text.
    pub offset: usize,
    /// An empty value counts as unset: the `:` of `:-` and `:?`.
    pub empty_is_unset: bool,
    /// What happens when it is unset.
    pub otherwise: Otherwise,
}

/// What a template does when its variable is unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// `${X}`: nothing.
    Nothing,
    /// `${X:-d}`: the default.
    Default(EnvTemplate),
    /// `${X:?msg}`: an error with the message.
    Required(EnvTemplate),
}

/// The variables that a template requires and that are unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub Vec<MissingVariable>);

/// A variable that a template requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingVariable {
    /// Its name.
    pub name: String,
    /// The template's own words about it; may be empty.
    pub message: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, MissingVariable { name, message }) in self.0.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let message = if message.is_empty() { "is not set" } else { message };
            write!(f, "{separator}{name}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Missing {}

impl EnvTemplate {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser { text, at: 0 };
        parser.pieces(0)
    }

    /// The template's text, when it reads no variable.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The variable and its default, when the template is nothing but one variable.
    pub fn as_variable(&self) -> Option<&Variable> {
        match self.0.as_slice() {
            [Piece::Variable(variable)] => Some(variable),
            _ => None,
        }
    }

    /// Every variable, in order, those inside defaults after the one that they stand in for.
    pub fn variables(&self) -> Vec<&Variable> {
        let mut all = Vec::new();
        for piece in &self.0 {
            if let Piece::Variable(variable) = piece {
                all.push(variable);
                if let Otherwise::Default(inner) | Otherwise::Required(inner) = &variable.otherwise {
                    all.extend(inner.variables());
                }
            }
        }
        all
    }

    /// The text with every variable's value, or all the required variables that are unset.
    pub fn expand(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Missing> {
        let mut text = String::new();
        let mut missing = Vec::new();
        self.expand_into(lookup, &mut text, &mut missing);
        if missing.is_empty() { Ok(text) } else { Err(Missing(missing)) }
    }

    fn expand_into(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
        text: &mut String,
        missing: &mut Vec<MissingVariable>,
    ) {
        for piece in &self.0 {
            let variable = match piece {
                Piece::Text(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Piece::Variable(variable) => variable,
            };
            match lookup(&variable.name).filter(|value| !(variable.empty_is_unset && value.is_empty())) {
                Some(value) => text.push_str(&value),
                None => match &variable.otherwise {
                    Otherwise::Nothing => {}
                    Otherwise::Default(default) => default.expand_into(lookup, text, missing),
                    Otherwise::Required(message) => {
                        let mut words = String::new();
                        message.expand_into(lookup, &mut words, missing);
                        missing.push(MissingVariable { name: variable.name.clone(), message: words });
                    }
                },
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Text and variables up to the end, or inside a default up to its `}`.
    fn pieces(&mut self, depth: usize) -> Result<EnvTemplate, SyntaxError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        while let Some(c) = self.rest().chars().next() {
            if c == '}' && depth > 0 {
                break;
            }
            if depth > 0 && matches!(c, '\\' | '"' | '`') {
                return Err(SyntaxError::new(
                    self.at,
                    format!("bash would not read `{c}` in a default as text"),
                )
                .help(format!("leave `{c}` out; put the value into the variable instead")));
            }
            if c != '$' {
                literal.push(c);
                self.at += c.len_utf8();
                continue;
            }
            if self.eat("$$") {
                literal.push('$');
                continue;
            }
            let variable = self.variable(depth)?;
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Variable(variable));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(EnvTemplate(pieces))
    }

    fn variable(&mut self, depth: usize) -> Result<Variable, SyntaxError> {
        let offset = self.at;
        if depth == DEEPEST {
            return Err(SyntaxError::new(
                offset,
                format!("more than {DEEPEST} templates inside one another"),
            ));
        }
        if !self.eat("${") {
            let name: String =
                self.rest().chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let help = if name.is_empty() {
                "write `$$` for a dollar sign".to_owned()
            } else {
                format!("write `${{{name}}}`")
            };
            return Err(SyntaxError::new(offset, "a `$` that begins no template").help(help));
        }
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(SyntaxError::new(self.at, "the name of a variable is missing after `${`")
                .help("a name has letters, digits and `_`, and does not begin with a digit"));
        }
        self.at += length;
        let empty_is_unset = self.eat(":");
        let otherwise = if self.eat("-") {
            Otherwise::Default(self.pieces(depth + 1)?)
        } else if self.eat("?") {
            Otherwise::Required(self.pieces(depth + 1)?)
        } else if empty_is_unset || !self.rest().starts_with('}') && !self.rest().is_empty() {
            return Err(SyntaxError::new(
                self.at,
                format!("`{}` is not understood here", self.rest().chars().next().unwrap_or(':')),
            )
            .help(format!("write `${{{name}}}`, `${{{name}:-default}}` or `${{{name}:?message}}`")));
        } else {
            Otherwise::Nothing
        };
        if !self.eat("}") {
            return Err(SyntaxError::new(offset, "this template is not closed").help("add `}`"));
        }
        Ok(Variable { name: name.to_owned(), offset, empty_is_unset, otherwise })
    }
}
