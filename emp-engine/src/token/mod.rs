//! Credentials that are made: signed or fetched, shared by all jobs of a service, made again before they end.

use std::sync::Arc;
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::spec::{Auth, HttpProtocol};
use emp_core::{Clock, JobError, Secret};
use tokio::sync::Mutex;

use crate::gateway::{Credential, Gateway, GatewayError};
use crate::pace;
use crate::scrub::Scrubber;

mod jwt;
mod oauth2;

/// The longest pause after a token endpoint's failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How the tokens of a service are made.
#[derive(Debug)]
pub(crate) enum Issuer {
    Jwt(jwt::Signer),
    OAuth2(oauth2::Client),
}

impl Issuer {
    /// The issuer that a connector declares; `None` when its credential is not made, or is optional and not set.
    ///
    /// # Errors
    /// `E_ENVIRONMENT` when the environment does not allow any token.
    pub(crate) fn of(http: &HttpProtocol, connector: &Loaded) -> Result<Option<Self>, JobError> {
        Ok(match &http.auth {
            Auth::Jwt(jwt) => jwt::Signer::of(jwt, connector)?.map(Self::Jwt),
            Auth::OAuth2(oauth2) => oauth2::Client::of(oauth2, http, connector)?.map(Self::OAuth2),
            _ => None,
        })
    }

    /// The bytes by which two issuers are told apart; never kept, only hashed.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Jwt(signer) => signer.identity(),
            Self::OAuth2(client) => client.identity(),
        }
    }
}

/// A token, fresh from its issuer.
struct Minted {
    token: Secret,
    /// For how long it is good.
    lifetime: Duration,
    /// How much of that is not used.
    refresh_before: Duration,
}

/// A token in use.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// What goes into requests.
    pub(crate) credential: Credential,
    /// Counts the tokens of a service, so that one that was refused is told from its successor.
    number: u64,
    /// By the clock's elapsed time.
    refresh_at: Duration,
    ends_at: Duration,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Issued>,
    issued: u64,
    failures: u32,
    /// The last failure, and until when nobody asks again.
    failed: Option<(GatewayError, Duration)>,
}

/// The tokens of one service and credential. Whoever needs one waits for the lock, so that one request for a token is under way at most.
#[derive(Debug)]
pub(crate) struct Tokens {
    issuer: Issuer,
    clock: Arc<dyn Clock>,
    scrubber: Scrubber,
    state: Mutex<State>,
}

impl Tokens {
    pub(crate) fn new(issuer: Issuer, clock: Arc<dyn Clock>, scrubber: Scrubber) -> Self {
        Self { issuer, clock, scrubber, state: Mutex::default() }
    }

    /// A token that is good for a while yet.
    ///
    /// # Errors
    /// `E_AUTH` (refused) when the endpoint refuses the client; anything else passes, and nothing of the caller's request was sent.
    pub(crate) async fn current(&self, gateway: &Gateway) -> Result<Issued, GatewayError> {
        let mut state = self.state.lock().await;
        let now = self.clock.elapsed();
        if let Some(issued) = state.current.as_ref().filter(|issued| now < issued.refresh_at) {
            return Ok(issued.clone());
        }
        let made = self.make(&mut state, gateway).await;
        // What is good yet is better than nothing, while the endpoint is away.
        let good = state.current.clone().filter(|issued| self.clock.elapsed() < issued.ends_at);
        made.or_else(|error| good.ok_or(error))
    }

    /// Another token than the one that was refused; what somebody else has made meanwhile is another one.
    pub(crate) async fn renewed(&self, refused: &Issued, gateway: &Gateway) -> Result<Issued, GatewayError> {
        let mut state = self.state.lock().await;
        if let Some(issued) = state.current.as_ref().filter(|issued| issued.number != refused.number) {
            return Ok(issued.clone());
        }
        state.current = None;
        self.make(&mut state, gateway).await
    }

    async fn make(&self, state: &mut State, gateway: &Gateway) -> Result<Issued, GatewayError> {
        if let Some((error, until)) = &state.failed
            && self.clock.elapsed() < *until
        {
            return Err(error.clone());
        }
        let made = match &self.issuer {
            Issuer::Jwt(signer) => signer.sign(self.clock.now()),
            Issuer::OAuth2(client) => client.fetch(gateway).await,
        };
        let minted = made.and_then(|minted| Ok((Credential::bearer(&minted.token)?, minted)));
        let now = self.clock.elapsed();
        match minted {
            Ok((credential, minted)) => {
                self.scrubber.learn(&minted.token);
                let used = minted.lifetime.saturating_sub(minted.refresh_before).max(minted.lifetime / 2);
                let issued = Issued {
                    credential,
                    number: state.issued,
                    refresh_at: now.saturating_add(used),
                    ends_at: now.saturating_add(minted.lifetime),
                };
                *state =
                    State { current: Some(issued.clone()), issued: state.issued + 1, ..State::default() };
                Ok(issued)
            }
            Err(mut error) => {
                error.message = self.scrubber.text(&error.message);
                state.failures = state.failures.saturating_add(1);
                let pause = pace::backoff(state.failures, LONGEST_PAUSE, 1.0);
                state.failed = Some((error.clone(), now.saturating_add(pause)));
                Err(error)
            }
        }
    }
}
