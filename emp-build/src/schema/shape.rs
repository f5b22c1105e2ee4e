//! Reading our own schema: which part of it speaks of a value, and what that part asks for, in words.

use serde_json::Value;

use crate::json::tokens;

/// A part of a schema, without references and alternatives that are only `null`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a> {
    root: &'a Value,
    part: &'a Value,
    /// The definition that was referred to: `PortTemplate`.
    name: Option<&'a str>,
}

impl<'a> Shape<'a> {
    /// The shape of a whole document.
    pub(crate) fn root(root: &'a Value) -> Self {
        Self { root, part: root, name: None }
    }

    /// The shape of the value at a JSON pointer; `None` where nothing is allowed.
    pub(crate) fn at(root: &'a Value, pointer: &str) -> Option<Self> {
        tokens(pointer).try_fold(Self::root(root), |shape, token| shape.inside(&token))
    }

    /// The shape of a member or an entry.
    pub(crate) fn inside(&self, token: &str) -> Option<Self> {
        let inside = |shape: &Self| {
            let member = shape.part.get("properties").and_then(|properties| properties.get(token));
            let other = || shape.part.get("additionalProperties").or_else(|| shape.part.get("items"));
            member.or_else(other).filter(|part| part.is_object())
        };
        let alternatives = self.alternatives();
        let part = if alternatives.is_empty() { inside(self) } else { alternatives.iter().find_map(inside) };
        part.map(|part| self.resolved(part))
    }

    /// The definition's name, when the shape is one of the schema's definitions.
    pub(crate) fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// The keys that an object may have.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.part
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
    }

    /// The words that a text may be.
    pub(crate) fn words(&self) -> Vec<&'a str> {
        let choices =
            ["enum", "oneOf"].into_iter().filter_map(|key| self.part.get(key)?.as_array()).flatten();
        choices.filter_map(|choice| choice.get("const").unwrap_or(choice).as_str()).collect()
    }

    /// What the shape asks for, as a phrase: `a list of objects`.
    pub(crate) fn expected(&self) -> String {
        if self.name.is_some_and(|name| name.ends_with("Template")) {
            return self.template();
        }
        let words = self.words();
        if !words.is_empty() {
            return format!("`{}`", words.join("` or `"));
        }
        let alternatives = self.alternatives();
        if !alternatives.is_empty() {
            return alternatives.iter().map(Self::expected).collect::<Vec<_>>().join(" or ");
        }
        let types = match self.part.get("type") {
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let phrases: Vec<String> = types
            .into_iter()
            .filter(|kind| *kind != "null")
            .map(|kind| match (kind, self.part.get("items")) {
                ("array", Some(items)) => match self.resolved(items).part.get("type").and_then(Value::as_str)
                {
                    Some("string") => "a list of texts".to_owned(),
                    Some("object") => "a list of objects".to_owned(),
                    _ => format!("a list, each entry {}", self.resolved(items).expected()),
                },
                ("array", None) => "a list".to_owned(),
                ("object", _) => "an object".to_owned(),
                ("string", _) => "a text".to_owned(),
                ("integer", _) => "a whole number".to_owned(),
                ("number", _) => "a number".to_owned(),
                ("boolean", _) => "`true` or `false`".to_owned(),
                (other, _) => format!("`{other}`"),
            })
            .collect();
        if phrases.is_empty() { "something else".to_owned() } else { phrases.join(" or ") }
    }

    /// The first part of a template's description: `A port from 1 to 65535; may be a template ..`.
    fn template(&self) -> String {
        let description = self.part.get("description").and_then(Value::as_str).unwrap_or_default();
        let phrase = description.split(';').next().unwrap_or_default();
        let mut letters = phrase.chars();
        letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
    }

    /// The choices of an `anyOf`.
    fn alternatives(&self) -> Vec<Self> {
        let choices = self.part.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        choices.map(|choice| self.resolved(choice)).collect()
    }

    /// Follows a reference, and an `anyOf` of which all but one are `null`.
    fn resolved(&self, part: &'a Value) -> Self {
        if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
            let name = reference.strip_prefix("#/$defs/");
            let target = name.and_then(|name| self.root.get("$defs")?.get(name));
            return Self { root: self.root, part: target.unwrap_or(&Value::Null), name };
        }
        let choices = part.get("anyOf").and_then(Value::as_array);
        let mut real = choices.into_iter().flatten().filter(|choice| choice["type"] != "null");
        match (real.next(), real.next()) {
            (Some(only), None) => self.resolved(only),
            _ => Self { root: self.root, part, name: None },
        }
    }
}
