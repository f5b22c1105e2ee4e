//! Generated code means the same whatever an author shadows, renames or forbids.

#![no_implicit_prelude]
#![deny(missing_docs, warnings)]
#![forbid(unsafe_code)]

/// What an author may have in scope.
#[allow(dead_code, non_camel_case_types, missing_docs)]
pub mod shadows {
    pub struct Option;
    pub struct Some;
    pub struct Result;
    pub struct Vec;
    pub struct String;
    pub struct u32;
    pub struct bool;
    pub struct str;
    pub struct f64;
    pub mod core {}
    pub mod std {}
    pub mod emp_core {}
    pub mod spec {}
    pub fn settings() {}
    pub fn errors() {}
    pub trait Connector {}
    pub trait Registered {}
}

/// A payload.
pub struct Payload {
    /// A prompt.
    pub prompt: ::std::string::String,
}

// The derive of schemars needs the prelude.
impl ::schemars::JsonSchema for Payload {
    fn schema_name() -> ::std::borrow::Cow<'static, str> {
        ::std::borrow::Cow::Borrowed("Payload")
    }

    fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
        ::std::default::Default::default()
    }
}

// So does the derive of serde.
impl<'de> ::serde::Deserialize<'de> for Payload {
    fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::std::result::Result<Self, D::Error> {
        let prompt = <::std::string::String as ::serde::Deserialize<'de>>::deserialize(from)?;
        ::std::result::Result::Ok(Self { prompt })
    }
}

/// Declared where every name means something else.
pub mod inner {
    #[allow(unused_imports)]
    use crate::shadows::*;

    /// Makes things.
    #[derive(::emp_core::Connector)]
    #[connector(service = "things", version = "1.0.0", payload = crate::Payload, output = crate::Payload, unregistered)]
    #[http(base = "https://api.example.com")]
    #[auth(bearer = settings)]
    #[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
    #[poll(get = "/jobs/{job.id}")]
    #[states(at = "$.status", succeeded = ["done"], failed = ["error"], unknown = running(warn))]
    pub struct Things {
        /// Named as a parameter of the generated function.
        #[env("THINGS_KEY")]
        pub settings: ::emp_core::secret::Secret,
        /// Likewise.
        #[env("THINGS_ERRORS", default = 1)]
        pub errors: ::std::primitive::u32,
        /// Likewise.
        #[env("THINGS_FIELDS", optional)]
        pub fields: ::std::option::Option<::std::string::String>,
    }

    use ::emp_core as renamed;

    /// Through another path.
    #[derive(renamed::Connector)]
    #[connector(service = "renamed", version = "1.0.0", custom, unregistered, crate = renamed)]
    pub struct Renamed {}

    impl renamed::CustomConnector for Renamed {
        async fn run(
            &self,
            _job: renamed::JobContext<'_>,
        ) -> ::std::result::Result<::serde_json::Value, renamed::JobError> {
            ::std::result::Result::Ok(::serde_json::Value::Null)
        }
    }
}

fn main() {
    ::std::assert_eq!(<inner::Things as ::emp_core::Connector>::SPEC.env.len(), 3);
    ::std::assert_eq!(<inner::Renamed as ::emp_core::Connector>::SPEC.name, "Renamed");
}
