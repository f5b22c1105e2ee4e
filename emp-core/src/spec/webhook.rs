//! The calls of a service: how they are known to be its own, and what they tell.

use std::time::Duration;

use emp_syntax::jsonpath::JsonPath;

/// `#[webhook(..)]`: what is believed of a call that comes to a job's URL.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// How a call shows that it is the service's. `None`: nobody can tell, and nothing in it is believed.
    pub verify: Option<Verify>,
    /// What a call carries.
    pub body: CallBody,
    /// The events that the service is asked for, `webhook.events?`; empty when nothing is said of them.
    pub events: &'static [&'static str],
    /// Where a call names its event: one that is not among `events` is passed over.
    pub event: Option<EventAt>,
}

/// How a call shows that it is the service's.
#[derive(Clone, Debug)]
pub enum Verify {
    /// Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`), by the secret `whsec_..` in a field.
    StandardWebhooks {
        /// The field that holds the secret.
        secret: &'static str,
    },
    /// An HMAC in a header.
    Hmac(HmacSignature),
    /// A secret that both know, in a header.
    Header {
        /// The header, in lower case.
        name: &'static str,
        /// The field that holds the secret.
        secret: &'static str,
    },
}

impl Verify {
    /// The field that holds the secret.
    pub fn secret(&self) -> &'static str {
        match self {
            Self::StandardWebhooks { secret } | Self::Header { secret, .. } => secret,
            Self::Hmac(hmac) => hmac.secret,
        }
    }
}

/// `hmac(..)`: which bytes are signed, and where the signature stands.
#[derive(Clone, Debug)]
pub struct HmacSignature {
    /// The field that holds the key, used as it stands.
    pub secret: &'static str,
    /// The header of the signature, in lower case. It may hold several, with commas between them.
    pub header: &'static str,
    /// What stands before a signature: `sha256=`, `v1=`. Members of the header without it are passed over.
    pub prefix: &'static str,
    /// The hash.
    pub algorithm: HmacAlgorithm,
    /// How the signature is written.
    pub encoding: SignatureEncoding,
    /// What is signed, piece by piece.
    pub signed: &'static [SignedPart],
    /// Where the moment of signing stands, in seconds since 1970.
    pub timestamp: Option<StampAt>,
    /// A call that was signed longer ago than this, or as far in the future, is refused.
    pub tolerance: Duration,
}

impl HmacSignature {
    /// The tolerance when none is declared; that of Standard Webhooks too.
    pub const TOLERANCE: Duration = Duration::from_mins(5);
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// Two digits a byte, in either case.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// A piece of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedPart {
    /// Text.
    Text(&'static str),
    /// The body, as it came.
    Body,
    /// The moment of signing, as it was written.
    Timestamp,
    /// A header's value; its name in lower case.
    Header(&'static str),
}

/// Where the moment of signing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampAt {
    /// In a header of its own; its name in lower case.
    Header(&'static str),
    /// Beside the signature, behind this text: `t=`.
    Member(&'static str),
}

/// What a call carries.
#[derive(Clone, Debug)]
pub enum CallBody {
    /// News that there is news: the job is asked after, and the body is not read.
    Hint,
    /// What a poll's answer has, and it is judged as one.
    SameAsPoll,
    /// The same, at a place in the body.
    At(JsonPath),
}

/// Where a call names its event.
#[derive(Clone, Debug)]
pub enum EventAt {
    /// In the body.
    Path(JsonPath),
    /// In a header; its name in lower case.
    Header(&'static str),
}
