//! The calls of a fake, brought to the job at a moment of our choice, and as somebody else would send them.

use std::sync::{Mutex, PoisonError};

use emp_core::job::JobId;
use emp_core::spec::{ConnectorSpec, Verify};
use emp_core::{Secret, Timestamp};
use emp_engine::webhook::{Heard, Prover, Receiver, Webhooks, is_token};
use emp_store::{MemoryStore, Store as _, StoreError};
use url::Url;

use crate::fake_env::fake_env;
use crate::server::{Shared, lock};
use crate::webhooks::{FakeCall, prover};

/// The key of the URLs that are given out.
const KEY: &str = "the key of a rig's webhooks";
/// So long ago a stale call was signed.
const LONG_AGO: i64 = 3_600_000;

/// How calls come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calling {
    /// When they are due.
    Due,
    /// When they are due, and once more; and again when the job has ended.
    Twice,
    /// Before the submit's answer is stored.
    First,
    /// Signed with another secret.
    Forged,
    /// Signed long ago.
    Stale,
}

/// What became of the calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Believed, or taken for a hint.
    pub(crate) taken: usize,
    /// Not the service's.
    pub(crate) refused: usize,
}

/// Where the calls of a fake come in.
pub(crate) struct Ear {
    pub(super) calling: Calling,
    fake: Shared,
    spec: &'static ConnectorSpec,
    receiver: Receiver,
    seen: Mutex<(Calls, Vec<FakeCall>)>,
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ear").field("calling", &self.calling).finish_non_exhaustive()
    }
}

impl Ear {
    /// For the calls of a fake to the jobs of a connector, with the secrets of the environment of fakes.
    pub(crate) fn new(calling: Calling, fake: Shared, spec: &'static ConnectorSpec) -> Result<Self, String> {
        let receiver = Receiver::of(spec, &fake_env(spec)).map_err(|error| error.to_string())?;
        Ok(Self { calling, fake, spec, receiver, seen: Mutex::default() })
    }

    /// Makes the URLs at which it is called. Nothing listens there: the calls are brought.
    pub(super) fn webhooks() -> Option<Webhooks> {
        Some(Webhooks::new(Url::parse("https://queue.invalid").ok()?, Secret::new(KEY)))
    }

    /// Takes the calls that are due.
    pub(super) async fn listen(&self, store: &MemoryStore) -> Result<(), StoreError> {
        let due = lock(&self.fake).calls();
        for call in due {
            let call = self.altered(call, store.now());
            self.take(&call, store).await?;
            if self.calling == Calling::Twice {
                self.take(&call, store).await?;
            }
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.push(call);
        }
        Ok(())
    }

    /// Takes the calls that have come once more.
    pub(super) async fn listen_again(&self, store: &MemoryStore) -> Result<(), StoreError> {
        let again = self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.clone();
        for call in &again {
            self.take(call, store).await?;
        }
        Ok(())
    }

    /// What became of them.
    pub(super) fn calls(&self) -> Calls {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    async fn take(&self, call: &FakeCall, store: &MemoryStore) -> Result<(), StoreError> {
        let job =
            job_of(&call.url).ok_or_else(|| StoreError::Url(format!("nobody gave out {}", call.url)))?;
        let heard = self.receiver.hear(&call.headers, &call.body, store.now());
        {
            let calls = &mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).0;
            *if heard.is_ok() { &mut calls.taken } else { &mut calls.refused } += 1;
        }
        match heard {
            Ok(Heard::Call(call)) => store.nudge(&job, Some(call)).await.map(|_| ()),
            Ok(Heard::News) => store.nudge(&job, None).await.map(|_| ()),
            Ok(Heard::PassedOver) | Err(_) => Ok(()),
        }
    }

    /// The call as somebody else would send it.
    fn altered(&self, call: FakeCall, now: Timestamp) -> FakeCall {
        let verify = self.spec.http().and_then(|http| http.webhook.as_ref()?.verify.as_ref());
        let (signer, at) = match self.calling {
            Calling::Forged => (verify.and_then(stranger), now),
            Calling::Stale => (
                self.spec.http().and_then(|http| prover(self.spec, http)),
                Timestamp(now.0.saturating_sub(LONG_AGO)),
            ),
            _ => return call,
        };
        let Some(signer) = signer else { return call };
        let mut headers = call.headers;
        headers.extend(signer.sign("msg_forged", &call.body, at));
        FakeCall { headers, ..call }
    }
}

/// Signs with a secret that nobody else has.
fn stranger(verify: &'static Verify) -> Option<Prover> {
    // Base64, so that it can be a secret of Standard Webhooks.
    Prover::new(verify, &Secret::new("YW5vdGhlciBzZWNyZXQ=")).ok()
}

/// Whose call it is, by a URL that was given out.
fn job_of(url: &str) -> Option<JobId> {
    let (rest, token) = url.rsplit_once('/')?;
    let job: JobId = rest.rsplit_once('/')?.1.parse().ok()?;
    is_token(&Secret::new(KEY), &job, token).then_some(job)
}
