//! Typed-hole JSON: the body of a request.
//!
//! A hole keeps the JSON type of its value: nothing is pasted into text. `"key": payload.x?` leaves the member out when the
//! value is absent, `payload.x ?? 20` has a default, `..payload.input` spreads an object (later members win), and a
//! string literal is a [`Template`].

use crate::List;
use crate::Text;
use crate::asset::Asset;
use crate::hole::{Hole, Literal, Reference};
use crate::hook::{Hook, Make};
use crate::template::Template;

/// A JSON value with holes.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`, a boolean or a number. Strings are [`Json::Text`].
    Literal(Literal),
    /// A string, possibly with holes inside.
    Text(Template),
    /// A typed hole.
    Hole(Hole),
    /// An asset of the payload, as the service takes it.
    Asset(Asset),
    /// `prepared.url ?? url(payload.image)`: the first that has a value.
    First(List<Json>),
    /// What a function of the author's makes: `with(Self::workflow)`.
    Hook(Hook<Make>),
    /// An array.
    Array(List<Json>),
    /// An object.
    Object(List<Member>),
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    /// `"name": value`
    Field {
        /// The member's name.
        name: Text,
        /// Its value.
        value: Json,
    },
    /// `..payload.input`: all members of the object there; absent or null spreads nothing.
    Spread(Reference),
    /// `..with(Self::members)`: all members of the object that a function of the author's makes.
    SpreadHook(Hook<Make>),
}
