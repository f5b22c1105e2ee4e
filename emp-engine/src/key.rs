//! Keys that name one attempt of one job, and digests that say whether a resend is the same bytes (P3).

use emp_core::job::JobId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::request::OutboundRequest;

/// The idempotency key, and the id for `assign_id`, of one attempt: the same after any crash, another for a new attempt.
pub fn derive(job: &JobId, attempt: u32) -> String {
    let digest = Sha256::new_with_prefix(b"emp submit 1\0")
        .chain_update(job.as_str().as_bytes())
        .chain_update(b"\0")
        .chain_update(attempt.to_be_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .as_hyphenated()
        .encode_lower(&mut Uuid::encode_buffer())
        .to_owned()
}

/// SHA-256 of method, URL and body, in hex.
pub fn digest(request: &OutboundRequest) -> String {
    let digest = Sha256::new_with_prefix(request.method.as_str())
        .chain_update(b"\0")
        .chain_update(request.url.as_str())
        .chain_update(b"\0")
        .chain_update(request.body.as_deref().unwrap_or_default())
        .finalize();
    hex(&digest)
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
