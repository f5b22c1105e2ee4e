//! The URL at which a service calls when a job of ours has news, and what is believed of a call.
//!
//! The URL has a token that fits its job alone. Without `#[webhook(verify = ..)]` a call says no more than: look now. What it carries is
//! not read; the job is polled, with our credential, at the service's own origin. Who knows a job's URL can do no more than that.
//! A call whose signature is proven may say what a poll's answer would, where the declaration says so.

mod receiver;
mod signature;

use emp_core::Secret;
use emp_core::job::JobId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use crate::key::hex;

pub use receiver::{Heard, Receiver, Receivers};
pub use signature::{NoSecret, Prover, Unproven};

/// Bytes of a token; as many as nobody guesses.
const TOKEN: usize = 16;

/// Where calls come in, and the key by which their tokens are made.
#[derive(Clone, Debug)]
pub struct Webhooks {
    public: Url,
    key: Secret,
}

impl Webhooks {
    /// Calls come in below the URL by which the job API is known outside.
    ///
    /// The key must be the same in every process that shares a store, and for as long as jobs of it run.
    pub fn new(public: Url, key: Secret) -> Self {
        Self { public, key }
    }

    /// The URL for one job: `<public>/api/webhooks/<job id>/<token>`. The same whenever it is asked for, so that a resend is the same bytes.
    pub fn url(&self, job: &JobId) -> String {
        let root = self.public.as_str().trim_end_matches('/');
        format!("{root}/api/webhooks/{job}/{}", token(&self.key, job))
    }
}

/// The token of a job: without the key nobody can make it.
fn token(key: &Secret, job: &JobId) -> String {
    mac(key, job).map(|mac| hex(&mac.finalize().into_bytes()[..TOKEN])).unwrap_or_default()
}

/// Whether a token is the one of a job; compared in constant time.
pub fn is_token(key: &Secret, job: &JobId, token: &str) -> bool {
    match (mac(key, job), signature::unhex(token)) {
        (Some(mac), Some(bytes)) if bytes.len() == TOKEN => mac.verify_truncated_left(&bytes).is_ok(),
        _ => false,
    }
}

fn mac(key: &Secret, job: &JobId) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    mac.update(b"emp webhook 1\0");
    mac.update(job.as_str().as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m58_a_url_is_the_same_whenever_it_is_asked_for_and_its_token_fits_its_job_alone() {
        let key = Secret::new("0123456789abcdef");
        let public = Url::parse("https://queue.example.com/base/").expect("a URL");
        let webhooks = Webhooks::new(public, key.clone());
        let (one, other) = (JobId::random(), JobId::random());
        let url = webhooks.url(&one);
        assert_eq!(url, webhooks.url(&one));
        let rest = url.strip_prefix(&format!("https://queue.example.com/base/api/webhooks/{one}/"));
        let token = rest.expect("below the public URL");
        assert!(is_token(&key, &one, token));
        assert!(!is_token(&key, &other, token) && !is_token(&Secret::new("another key"), &one, token));
        for forged in ["", "00", &token[..30], &format!("{token}00"), &token.replace('a', "é"), "zz"] {
            assert!(forged == token || !is_token(&key, &one, forged), "{forged}");
        }
        assert!(!format!("{webhooks:?}").contains("0123456789abcdef"));
    }
}
