//! What all jobs of one service and credential share: rate, places in flight, a pause that the service asked for, a breaker.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emp_core::connector::Loaded;
use emp_core::spec::{HttpProtocol, Rate};
use emp_core::{Clock, JobError};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};

use crate::context;
use crate::gateway::{Credential, Gateway, GatewayError};
use crate::learn::Durations;
use crate::pace;
use crate::request::{self, Base};
use crate::scrub::Scrubber;
use crate::token::{Issued, Issuer, Tokens};

mod board;
mod breaker;

pub(crate) use board::{Board, Seat};
pub use breaker::{Breaker, Trip};

/// How long a job without a place in flight stays away.
const NO_PLACE: Duration = Duration::from_secs(1);

/// Why a submit may not be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// For how long.
    pub after: Duration,
    /// Why, for the job's event.
    pub reason: String,
}

/// What all jobs of one connector, base and credential share.
#[derive(Debug)]
pub struct Service {
    pub(crate) base: Result<Base, JobError>,
    credential: Credential,
    tokens: Option<Tokens>,
    /// A declaration may say that a submit is accepted by a 401; then it is never sent again because of one.
    accepts_401: bool,
    pub(crate) scrubber: Scrubber,
    /// Stops submits while the service cannot take any.
    pub breaker: Breaker,
    /// How long its jobs take.
    pub(crate) durations: Durations,
    /// Its jobs that wait.
    pub(crate) board: Arc<Board>,
    rate: Option<DefaultDirectRateLimiter>,
    most: Option<u32>,
    in_flight: Arc<AtomicU32>,
    clock: Arc<dyn Clock>,
    /// By the clock's elapsed time.
    quiet_until: Mutex<Option<Duration>>,
    throttled: AtomicU32,
}

/// A job's place among those in flight; given back when dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicU32>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Service {
    fn new(connector: &Loaded, base: Result<Base, JobError>, pass: Pass, clock: Arc<dyn Clock>) -> Self {
        let limits = &connector.spec.limits;
        let scrubber = Scrubber::new(connector.settings.secrets());
        let (credential, tokens) = match pass {
            Pass::Fixed(credential) => (credential, None),
            Pass::Made(issuer) => {
                (Credential::None, Some(Tokens::new(issuer, Arc::clone(&clock), scrubber.clone())))
            }
        };
        Self {
            base,
            credential,
            tokens,
            accepts_401: connector.spec.http().is_some_and(accepts_401),
            scrubber,
            breaker: Breaker::new(Arc::clone(&clock)),
            clock,
            durations: Durations::default(),
            board: Arc::default(),
            rate: limits.rate.and_then(limiter),
            most: limits.in_flight.as_ref().and_then(|setting| context::count(setting, connector)),
            in_flight: Arc::default(),
            quiet_until: Mutex::default(),
            throttled: AtomicU32::new(0),
        }
    }

    /// The credential for a request that is about to be sent, made first where it is one that is made.
    pub(crate) async fn authorize(&self, gateway: &Gateway) -> Result<Authorization<'_>, GatewayError> {
        match &self.tokens {
            None => Ok(Authorization::Fixed(&self.credential)),
            Some(tokens) => tokens.current(gateway).await.map(Authorization::Made),
        }
    }

    /// Another credential than the one that was refused with 401; `None` when there can be no other.
    pub(crate) async fn renew(
        &self,
        refused: &Authorization<'_>,
        submit: bool,
        gateway: &Gateway,
    ) -> Option<Result<Authorization<'_>, GatewayError>> {
        match (&self.tokens, refused) {
            (Some(tokens), Authorization::Made(issued)) if !(submit && self.accepts_401) => {
                Some(tokens.renewed(issued, gateway).await.map(Authorization::Made))
            }
            _ => None,
        }
    }

    /// Asks for everything that a submit needs, and takes a place in flight.
    pub(crate) fn admit(&self) -> Result<Place, Held> {
        if let Some((after, reason)) = self.breaker.closed_for() {
            return Err(Held { after, reason });
        }
        if let Some(after) = self.quiet() {
            return Err(Held { after, reason: "the service asked to come again later".to_owned() });
        }
        let Some(place) = self.place() else {
            return Err(Held {
                after: NO_PLACE,
                reason: "all places in flight are taken (`in_flight`)".to_owned(),
            });
        };
        if let Some(after) = self.rate_wait() {
            return Err(Held { after, reason: "the connector's rate limit is reached (`rate`)".to_owned() });
        }
        if !self.breaker.enter() {
            let reason = "another job probes the service after a pause".to_owned();
            return Err(Held { after: NO_PLACE, reason });
        }
        Ok(place)
    }

    /// A place for a job that is in flight at the service already, whatever the limit says.
    pub(crate) fn occupy(&self) -> Place {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Place(Arc::clone(&self.in_flight))
    }

    fn place(&self) -> Option<Place> {
        let most = self.most.unwrap_or(u32::MAX);
        self.in_flight
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| (taken < most).then(|| taken + 1))
            .ok()
            .map(|_| Place(Arc::clone(&self.in_flight)))
    }

    /// For how long a poll has to wait.
    pub(crate) fn poll_wait(&self) -> Option<Duration> {
        self.quiet().or_else(|| self.rate_wait())
    }

    /// The service has too many requests: nothing is sent for as long as it says, or ever longer when it does not say.
    pub(crate) fn throttled(&self, advice: Option<Duration>, random: f64) -> Duration {
        let times = self.throttled.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let wait = advice.unwrap_or_else(|| pace::backoff(times, pace::LONGEST_POLL_BACKOFF, random));
        self.pause(wait);
        wait
    }

    /// The service takes requests again.
    pub(crate) fn took(&self) {
        self.throttled.store(0, Ordering::Release);
    }

    /// The time by which its pauses and batches are measured.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn pause(&self, duration: Duration) {
        let until = self.clock.elapsed().saturating_add(duration);
        let mut quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        if quiet.is_none_or(|current| current < until) {
            *quiet = Some(until);
        }
    }

    /// For how long nothing should be claimed, and why.
    pub(crate) fn paused(&self) -> Option<(Duration, String)> {
        self.breaker
            .closed_for()
            .or_else(|| self.quiet().map(|after| (after, "the service asked to come again later".to_owned())))
    }

    fn quiet(&self) -> Option<Duration> {
        let until = (*self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(until.saturating_sub(self.clock.elapsed())).filter(|left| !left.is_zero())
    }

    fn rate_wait(&self) -> Option<Duration> {
        self.rate.as_ref()?.check().err().map(|denied| denied.wait_time_from(DefaultClock::default().now()))
    }
}

/// Where a connector's requests go and what they carry; a credential that cannot be sent makes the base unusable too.
fn place(connector: &Loaded) -> (Result<Base, JobError>, Pass) {
    let Some(http) = connector.spec.http() else {
        let message = "a custom connector has no base";
        return (Err(JobError::new(emp_core::ErrorCode::EInternal, message)), Pass::Fixed(Credential::None));
    };
    let pass = Issuer::of(http, connector).and_then(|issuer| match issuer {
        Some(issuer) => Ok(Pass::Made(issuer)),
        None => Credential::of(&http.auth, connector).map(Pass::Fixed),
    });
    match pass {
        Ok(pass) => (request::base(http, connector), pass),
        Err(error) => (Err(error), Pass::Fixed(Credential::None)),
    }
}

fn accepts_401(http: &HttpProtocol) -> bool {
    http.submits().any(|submit| submit.accept.iter().any(|pattern| pattern.matches(401)))
}

/// How a connector's requests are authorised.
enum Pass {
    Fixed(Credential),
    Made(Issuer),
}

impl Pass {
    fn identity(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Fixed(credential) => credential.identity(),
            Self::Made(issuer) => issuer.identity().into_bytes().into(),
        }
    }
}

/// The credential of one request.
#[derive(Debug)]
pub(crate) enum Authorization<'a> {
    Fixed(&'a Credential),
    Made(Issued),
}

impl Authorization<'_> {
    pub(crate) fn credential(&self) -> &Credential {
        match self {
            Self::Fixed(credential) => credential,
            Self::Made(issued) => &issued.credential,
        }
    }
}

/// A limiter that never lets more than `count` through in any window of `per`: half of them at once, the other half spread.
fn limiter(rate: Rate) -> Option<DefaultDirectRateLimiter> {
    let burst = NonZeroU32::new(rate.count.div_ceil(2))?;
    let spread = (rate.count - burst.get()).max(1);
    Some(RateLimiter::direct(Quota::with_period(rate.per / spread)?.allow_burst(burst)))
}

/// The services that this process talks to.
#[derive(Debug)]
pub struct Services {
    known: Mutex<HashMap<[u8; 32], Arc<Service>>>,
    clock: Arc<dyn Clock>,
}

impl Services {
    /// None yet; pauses are measured by the clock's elapsed time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { known: Mutex::default(), clock }
    }

    /// The shared side of a connector: the same for the same connector, base and credential.
    pub fn of(&self, connector: &Loaded) -> Arc<Service> {
        let (base, pass) = place(connector);
        let key = identity(connector, base.as_ref().ok(), &pass);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let service = known
            .entry(key)
            .or_insert_with(|| Arc::new(Service::new(connector, base, pass, Arc::clone(&self.clock))));
        Arc::clone(service)
    }
}

fn identity(connector: &Loaded, base: Option<&Base>, pass: &Pass) -> [u8; 32] {
    let base = base.map(|base| base.url().as_str());
    Sha256::new_with_prefix(connector.spec.name)
        .chain_update(b"\0")
        .chain_update(base.unwrap_or_default())
        .chain_update(b"\0")
        .chain_update(pass.identity())
        .finalize()
        .into()
}
