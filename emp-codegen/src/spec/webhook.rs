//! `#[webhook]`, checked.

use std::time::Duration;

use emp_syntax::jsonpath::JsonPath;

/// What is believed of the calls of a service.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// How a call shows that it is the service's.
    pub verify: Option<Verify>,
    /// What a call carries.
    pub body: CallBody,
    /// The events that are asked for.
    pub events: Vec<String>,
    /// Where a call names its event.
    pub event: Option<EventAt>,
}

/// How a call shows that it is the service's.
#[derive(Clone, Debug)]
pub enum Verify {
    /// Standard Webhooks, by a field.
    Standard(String),
    /// An HMAC in a header.
    Hmac(HmacSignature),
    /// A header (lower case) with the secret of a field.
    Header(String, String),
}

impl Verify {
    /// The field of the secret.
    pub fn secret(&self) -> &str {
        match self {
            Self::Standard(secret) | Self::Header(_, secret) => secret,
            Self::Hmac(hmac) => &hmac.secret,
        }
    }
}

/// An HMAC in a header.
#[derive(Clone, Debug)]
pub struct HmacSignature {
    /// The field of the key.
    pub secret: String,
    /// The header, lower case.
    pub header: String,
    /// What stands before a signature.
    pub prefix: String,
    /// By SHA-512; else by SHA-256.
    pub sha512: bool,
    /// In base64; else in hex.
    pub base64: bool,
    /// What is signed.
    pub signed: Vec<SignedPart>,
    /// Where the moment of signing stands.
    pub timestamp: Option<StampAt>,
    /// How old a signature may be.
    pub tolerance: Option<Duration>,
}

/// A piece of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedPart {
    /// Text.
    Text(String),
    /// The body.
    Body,
    /// The moment of signing.
    Timestamp,
    /// A header, lower case.
    Header(String),
}

/// Where the moment of signing stands.
#[derive(Clone, Debug)]
pub enum StampAt {
    /// A header, lower case.
    Header(String),
    /// Beside the signature, behind this text.
    Member(String),
}

/// What a call carries.
#[derive(Clone, Debug)]
pub enum CallBody {
    /// Nothing that is read.
    Hint,
    /// What a poll's answer has.
    SameAsPoll,
    /// The same, at a place.
    At(JsonPath),
}

/// Where a call names its event.
#[derive(Clone, Debug)]
pub enum EventAt {
    /// In the body.
    Path(JsonPath),
    /// In a header, lower case.
    Header(String),
}
