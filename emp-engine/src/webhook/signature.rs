//! Signatures of calls: made, and proven in constant time.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use emp_core::spec::{HmacAlgorithm, HmacSignature, SignatureEncoding, SignedPart, StampAt, Verify};
use emp_core::{Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Sha256, Sha512};

use crate::key::hex;

/// The headers of Standard Webhooks.
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// What stands before its secrets, and before the signatures that they make.
const SECRET_PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
/// Nobody needs more signatures at once than two while a secret is changed.
const MOST_SIGNATURES: usize = 16;
/// Longer ids tell nothing more.
const LONGEST_ID: usize = 256;

/// Why a call is not believed to be the service's. Says nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// A header that proves it is not there, or is there twice.
    #[error("the header `{0}` is missing, or there is more than one")]
    Header(&'static str),
    /// The moment of signing is no number.
    #[error("the moment of signing is no number of seconds")]
    Timestamp,
    /// It was signed too long ago, or in the future.
    #[error("it was signed too long ago, or by a clock that is ahead of ours")]
    Stale,
    /// The signature, or the secret, is another one.
    #[error("the signature is not that of the declared secret")]
    Signature,
}

/// A secret that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no secret of Standard Webhooks: `whsec_` and base64")]
pub struct NoSecret;

/// Proves calls: how they are signed, and with which key.
#[derive(Clone)]
pub struct Prover {
    verify: &'static Verify,
    key: Vec<u8>,
}

impl std::fmt::Debug for Prover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prover").field("verify", self.verify).finish_non_exhaustive()
    }
}

impl Prover {
    /// By a declared way and the secret that the environment has for it.
    pub fn new(verify: &'static Verify, secret: &Secret) -> Result<Self, NoSecret> {
        let text = secret.expose().trim();
        let key = match verify {
            Verify::StandardWebhooks { .. } => {
                let text = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
                BASE64_STANDARD.decode(text).ok().filter(|key| !key.is_empty()).ok_or(NoSecret)?
            }
            Verify::Hmac(_) | Verify::Header { .. } => text.as_bytes().to_vec(),
        };
        Ok(Self { verify, key })
    }

    /// Whether a call is the service's, and not an old one.
    pub fn prove(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Unproven> {
        match self.verify {
            Verify::StandardWebhooks { .. } => self.standard(headers, body, now),
            Verify::Hmac(declared) => self.hmac(declared, headers, body, now),
            Verify::Header { name, .. } => {
                let given = only(headers, name)?;
                // Two tags by the same key are compared, so that the time tells neither length nor content.
                let tag = |bytes: &[u8]| mac(HmacAlgorithm::Sha256, &self.key, &[bytes]);
                same(HmacAlgorithm::Sha256, &self.key, &[given.as_bytes()], &tag(&self.key))
            }
        }
    }

    /// `id.timestamp.body`, with one signature for each secret in use.
    fn standard(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Unproven> {
        let (id, stamp) = (only(headers, ID)?, only(headers, TIMESTAMP)?);
        if id.len() > LONGEST_ID {
            return Err(Unproven::Header(ID));
        }
        fresh(stamp, HmacSignature::TOLERANCE, now)?;
        let signed = [id.as_bytes(), b".", stamp.as_bytes(), b".", body];
        let mut result = Err(Unproven::Signature);
        for given in only(headers, SIGNATURE)?.split(' ').take(MOST_SIGNATURES) {
            let Some(tag) = given.strip_prefix(VERSION).and_then(|text| BASE64_STANDARD.decode(text).ok())
            else {
                continue;
            };
            result = result.or(same(HmacAlgorithm::Sha256, &self.key, &signed, &tag));
        }
        result
    }

    fn hmac(
        &self,
        declared: &HmacSignature,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Unproven> {
        let given = only(headers, declared.header)?;
        let members = || given.split(',').map(str::trim).take(MOST_SIGNATURES);
        let stamp = match declared.timestamp {
            None => "",
            Some(StampAt::Header(name)) => only(headers, name)?,
            Some(StampAt::Member(prefix)) => {
                members().find_map(|member| member.strip_prefix(prefix)).ok_or(Unproven::Timestamp)?
            }
        };
        if declared.timestamp.is_some() {
            fresh(stamp, declared.tolerance, now)?;
        }
        let signed = pieces(declared, headers, stamp, body)?;
        let mut result = Err(Unproven::Signature);
        for member in members() {
            let Some(tag) =
                member.strip_prefix(declared.prefix).and_then(|text| decode(declared.encoding, text))
            else {
                continue;
            };
            result = result.or(same(declared.algorithm, &self.key, &signed, &tag));
        }
        result
    }

    /// The headers by which a service proves a call: what [`prove`](Self::prove) accepts.
    pub fn sign(&self, id: &str, body: &[u8], now: Timestamp) -> HeaderMap {
        let seconds = (now.0 / 1000).to_string();
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value);
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                headers.insert(name, value);
            }
        };
        match self.verify {
            Verify::StandardWebhooks { .. } => {
                let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
                let tag = BASE64_STANDARD.encode(mac(HmacAlgorithm::Sha256, &self.key, &signed));
                set(ID, id);
                set(TIMESTAMP, &seconds);
                set(SIGNATURE, &format!("{VERSION}{tag}"));
            }
            Verify::Hmac(declared) => {
                for part in declared.signed {
                    if let SignedPart::Header(name) = part {
                        set(name, id);
                    }
                }
                if let Some(StampAt::Header(name)) = declared.timestamp {
                    set(name, &seconds);
                }
                let piece = |part: &SignedPart| match part {
                    SignedPart::Text(text) => text.as_bytes(),
                    SignedPart::Timestamp => seconds.as_bytes(),
                    SignedPart::Header(_) => id.as_bytes(),
                    SignedPart::Body => body,
                };
                let signed: Vec<&[u8]> = declared.signed.iter().map(piece).collect();
                let tag = encode(declared.encoding, &mac(declared.algorithm, &self.key, &signed));
                let stamp = match declared.timestamp {
                    Some(StampAt::Member(prefix)) => format!("{prefix}{seconds},"),
                    _ => String::new(),
                };
                set(declared.header, &format!("{stamp}{}{tag}", declared.prefix));
            }
            Verify::Header { name, .. } => set(name, &String::from_utf8_lossy(&self.key)),
        }
        headers
    }
}

/// The pieces that are signed.
fn pieces<'a>(
    declared: &HmacSignature,
    headers: &'a HeaderMap,
    stamp: &'a str,
    body: &'a [u8],
) -> Result<Vec<&'a [u8]>, Unproven> {
    let piece = |part: &SignedPart| {
        Ok(match part {
            SignedPart::Text(text) => text.as_bytes(),
            SignedPart::Timestamp => stamp.as_bytes(),
            SignedPart::Header(name) => only(headers, name)?.as_bytes(),
            SignedPart::Body => body,
        })
    };
    declared.signed.iter().map(piece).collect()
}

/// The value of a header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, Unproven> {
    let mut values = headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Unproven::Header(name)),
    }
}

/// Whether a moment, in seconds since 1970, is near enough to now.
fn fresh(stamp: &str, tolerance: Duration, now: Timestamp) -> Result<(), Unproven> {
    let stamp: i64 = stamp.parse().map_err(|_| Unproven::Timestamp)?;
    let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
    let now = now.0 / 1000;
    if now.saturating_sub(stamp).saturating_abs() <= tolerance { Ok(()) } else { Err(Unproven::Stale) }
}

/// Compared in constant time.
fn same(algorithm: HmacAlgorithm, key: &[u8], signed: &[&[u8]], tag: &[u8]) -> Result<(), Unproven> {
    fn proven<M: Mac + KeyInit>(key: &[u8], signed: &[&[u8]], tag: &[u8]) -> bool {
        fed::<M>(key, signed).is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }
    let proven = match algorithm {
        HmacAlgorithm::Sha512 => proven::<Hmac<Sha512>>(key, signed, tag),
        HmacAlgorithm::Sha256 => proven::<Hmac<Sha256>>(key, signed, tag),
    };
    if proven { Ok(()) } else { Err(Unproven::Signature) }
}

fn mac(algorithm: HmacAlgorithm, key: &[u8], signed: &[&[u8]]) -> Vec<u8> {
    fn tag<M: Mac + KeyInit>(key: &[u8], signed: &[&[u8]]) -> Vec<u8> {
        fed::<M>(key, signed).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    }
    match algorithm {
        HmacAlgorithm::Sha512 => tag::<Hmac<Sha512>>(key, signed),
        HmacAlgorithm::Sha256 => tag::<Hmac<Sha256>>(key, signed),
    }
}

fn fed<M: Mac + KeyInit>(key: &[u8], signed: &[&[u8]]) -> Option<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    for piece in signed {
        mac.update(piece);
    }
    Some(mac)
}

fn encode(encoding: SignatureEncoding, tag: &[u8]) -> String {
    match encoding {
        SignatureEncoding::Base64 => BASE64_STANDARD.encode(tag),
        SignatureEncoding::Hex => hex(tag),
    }
}

fn decode(encoding: SignatureEncoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        SignatureEncoding::Base64 => BASE64_STANDARD.decode(text).ok(),
        SignatureEncoding::Hex => unhex(text),
    }
}

/// The bytes of hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
