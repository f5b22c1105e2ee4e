//! Bodies of requests: required and unknown members, legal values.

use emp_codegen::spec::{KeyPlace, Settle};
use emp_openapi::{Kinds, Schema};
use emp_syntax::hole::{Hole, HoleDefault, Literal};
use emp_syntax::json::{Json, Member};
use emp_syntax::template::{Part, Template};

use super::request::Sent;
use crate::check::names::quoted;
use crate::codes;

impl Sent<'_, '_> {
    /// A value and all that is in it.
    pub(super) fn value(&self, value: &Json, schema: &Schema<'_>, path: &str) {
        match value {
            Json::Object(members) => self.object(members, schema, path),
            Json::Array(items) => {
                self.kind(schema, Kinds::ARRAY, path, &|_| false);
                for item in items.iter() {
                    if let Some(schema) = schema.item() {
                        self.value(item, &schema, &format!("{path}[*]"));
                    }
                }
            }
            Json::Literal(literal) => self.literal(literal, schema, path),
            Json::Text(template) => match plain(template) {
                Some(text) => self.literal(&Literal::Text(text.into()), schema, path),
                None => self.kind(schema, Kinds::TEXT, path, &|text| {
                    Template::parse(text).is_ok_and(|found| found == *template)
                }),
            },
            // What a hole holds is not known here; what it holds otherwise is.
            other => {
                if let Json::Hole(Hole { default: Some(HoleDefault::Literal(literal)), .. }) = other {
                    self.literal(literal, schema, path);
                }
            }
        }
    }

    fn object(&self, members: &[Member], schema: &Schema<'_>, path: &str) {
        self.kind(schema, Kinds::OBJECT, path, &|_| false);
        self.members(members, schema, path);
        for member in members {
            if let Member::Field { name, value } = member
                && let Some(inside) = schema.part(name)
            {
                self.value(value, &inside, &format!("{path}.{name}"));
            }
        }
    }

    /// The names of members: those that are required, and those that there are.
    pub(super) fn members(&self, members: &[Member], schema: &Schema<'_>, path: &str) {
        let case = self.case;
        let names = members.iter().filter_map(|member| match member {
            Member::Field { name, .. } => Some(name.as_ref()),
            // Whatever is spread may have any name.
            _ => None,
        });
        let names: Vec<&str> = names.collect();
        let spread = names.len() < members.len();
        let key = match (self.settle, path) {
            (Some(Settle::Idempotent { key: KeyPlace::Field(field), .. }), "$") => Some(field.as_str()),
            _ => None,
        };
        let strange = names.iter().filter(|name| schema.closed_to(name) && !case.allows(name));
        let meant: Vec<&str> = strange.filter_map(|name| self.unknown(name, &names, schema, path)).collect();
        for required in schema.required() {
            // What a misspelt member was meant for is not reported again.
            let comes = names.contains(&required) || key == Some(required) || meant.contains(&required);
            if spread || comes || case.allows(required) {
                continue;
            }
            let message = format!("`{}` requires the member {} of `{path}`", self.name, quoted(required));
            self.say(
                self.at_request(codes::REQUIRED, message)
                    .label(format!("sends no {}", quoted(required)))
                    .help(format!("\"{required}\": payload.{required}")),
            );
        }
    }

    /// A member that the description does not have; gives the one that was probably meant.
    fn unknown<'d>(&self, name: &str, names: &[&str], schema: &Schema<'d>, path: &str) -> Option<&'d str> {
        let message = format!("`{}` takes no member {} in `{path}`", self.name, quoted(name));
        let finding = self.case.at_text(codes::ILLEGAL, self.spot, message, |text| text == name);
        let free = schema.names().into_iter().filter(|known| !names.contains(known));
        let near = emp_syntax::nearest(name, free);
        self.say(match near {
            Some(near) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\": ..")),
            None => finding
                .label("is not in the description")
                .help(format!("take it out, or allow = [\"{name}\"] in #[openapi]")),
        });
        near
    }

    fn literal(&self, literal: &Literal, schema: &Schema<'_>, path: &str) {
        if schema.can_be(literal) {
            return;
        }
        if let Literal::Text(text) = literal
            && self.case.allows(text)
        {
            return;
        }
        let wanted = |text: &str| matches!(literal, Literal::Text(written) if written == text);
        let message = format!("`{path}` of `{}` cannot be {literal}", self.name);
        let finding = self.case.at_text(codes::ILLEGAL, self.spot, message, wanted);
        let words = schema.words().filter(|words| !words.is_empty());
        let near = match (literal, &words) {
            (Literal::Text(text), Some(words)) => emp_syntax::nearest(text, words.iter().copied()),
            _ => None,
        };
        self.say(match (near, words) {
            (Some(near), _) => finding.label(format!("did you mean `{near}`?")).help(format!("\"{near}\"")),
            (None, Some(words)) => finding
                .label("is not in the description")
                .help(format!("write one of `{}`", words.join("`, `"))),
            (None, None) => {
                finding.label(format!("must be {}", schema.kinds())).help("write a value of that kind")
            }
        });
    }

    fn kind(&self, schema: &Schema<'_>, is: Kinds, path: &str, wanted: &dyn Fn(&str) -> bool) {
        let kinds = schema.kinds();
        if kinds.meets(is) {
            return;
        }
        let message = format!("`{path}` of `{}` cannot be {is}", self.name);
        self.say(
            self.case
                .at_text(codes::ILLEGAL, self.spot, message, wanted)
                .label(format!("must be {kinds}"))
                .help("write a value of that kind"),
        );
    }
}

/// The text of a template without holes.
fn plain(template: &Template) -> Option<String> {
    template
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Some(text.as_ref()),
            Part::Hole { .. } => None,
        })
        .collect()
}
