//! Credentials that are made: one for all requests, again before it ends, once more after a 401.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use emp_core::job::JobState;
use emp_core::time::ManualClock;
use emp_core::{Clock, Connector, ErrorCode, Secret, Timestamp};
use emp_testkit::Ended;

use crate::derived::Derived;

/// Signs its own tokens, as Kling wants them.
#[derive(Connector)]
#[connector(service = "signed", version = "1.0.0", unregistered)]
#[http(base = "https://signed.example.com/v1")]
#[auth(jwt(alg = HS256, key = secret_key, claims { "iss": env.access_key, "exp": now + 1800, "nbf": now - 5, "aud": ["jobs"] }))]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
#[errors(message = "$.error")]
#[pace(deadline = "3h")]
struct Signed {
    #[env("SIGNED_ACCESS_KEY")]
    access_key: String,
    #[env("SIGNED_SECRET_KEY")]
    secret_key: Secret,
}

/// Has tokens given out to it.
#[derive(Connector)]
#[connector(service = "granted", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com/v1")]
#[auth(oauth2(
    token_url = "https://auth.example.com/oauth/token",
    client_id = client_id,
    client_secret = client_secret,
    scope = "jobs.write",
    params("audience" = "https://api.example.com"),
))]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
#[errors(message = "$.error")]
#[pace(deadline = "3h")]
struct Granted {
    #[env("GRANTED_CLIENT_ID")]
    client_id: String,
    #[env("GRANTED_CLIENT_SECRET")]
    client_secret: Secret,
}

/// As [`Granted`], with the secret in the form and the endpoint below the base.
#[derive(Connector)]
#[connector(service = "granted-by-form", version = "1.0.0", unregistered)]
#[http(base = "https://api.example.com/v1")]
#[auth(oauth2(
    token_url = "/token",
    client_id = client_id,
    client_secret = client_secret,
    client_auth = body,
    refresh_before = "2m",
))]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), at_most_once)]
#[poll(get = "/jobs/{job.id}")]
#[states(at = "$.status", running = ["working"], succeeded = ["done"], failed = ["error"], unknown = running(warn))]
struct GrantedByForm {
    #[env("FORM_CLIENT_ID")]
    client_id: Secret,
    #[env("FORM_CLIENT_SECRET")]
    client_secret: Secret,
}

/// A clock beside another one.
#[derive(Debug)]
struct Skewed {
    clock: Arc<ManualClock>,
    millis: AtomicI64,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now().0 + self.millis.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

async fn skewed<C: Connector>(hours: i64) -> (Derived, Arc<Skewed>) {
    let mut kept = None;
    let derived = Derived::with::<C>(&[], |options, clock| {
        let millis = AtomicI64::new(hours * 3_600_000);
        let skewed = Arc::new(Skewed { clock: Arc::clone(clock), millis });
        options.clock = Arc::<Skewed>::clone(&skewed);
        kept = Some(skewed);
    })
    .await;
    (derived, kept.expect("made"))
}

/// For how long the job runs at the fake.
async fn running<C: Connector>(hours: u64) -> Derived {
    Derived::with::<C>(&[], |options, _| options.running = Duration::from_hours(hours)).await
}

fn answers(derived: &Derived, code: u16) -> usize {
    derived.fake.requests().iter().filter(|request| request.answer == Some(code)).count()
}

fn no_secret(derived: &Derived, ended: &Ended, secrets: &[&str]) {
    let told = format!("{ended:?} {:?}", derived.lines());
    for secret in secrets {
        assert!(!told.contains(secret), "{secret} is in {told}");
    }
}

fn error_of(ended: &Ended) -> ErrorCode {
    ended.job.error.as_ref().expect("it failed").code
}

#[tokio::test]
async fn m46_a_signed_token_is_made_of_the_declared_claims_and_again_before_it_ends() {
    let derived = running::<Signed>(2).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(answers(&derived, 401), 0, "no request had a token that had ended");
    assert!(derived.fake.requests().iter().all(|request| request.authorized));
    no_secret(&derived, &ended, &["fake-secret-of"]);
}

#[tokio::test]
async fn m46_a_poll_that_is_refused_once_is_sent_once_more_with_a_new_token() {
    let derived = Derived::new::<Signed>(&["poll:401"]).await;
    let ended = derived.finish().await;
    assert_eq!((ended.job.state, answers(&derived, 401)), (JobState::Succeeded, 1));
    let twice = Derived::new::<Signed>(&["poll:401*2"]).await;
    let ended = twice.finish().await;
    assert_eq!((error_of(&ended), answers(&twice, 401)), (ErrorCode::EAuth, 2));
}

#[tokio::test]
async fn m46_a_submit_that_is_refused_with_401_was_not_accepted_and_is_sent_once_more() {
    let derived = Derived::new::<Granted>(&["submit:401"]).await;
    let ended = derived.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 1));
    assert_eq!((derived.fake.ledger().accepted(), derived.count("POST /v1/jobs")), (1, 2));
    let (late, _) = skewed::<Signed>(1).await;
    let ended = late.finish().await;
    assert_eq!(error_of(&ended), ErrorCode::EAuth, "by the service's clock every token has ended");
    assert_eq!((late.fake.ledger().accepted(), late.count("POST /v1/jobs")), (0, 2));
}

#[tokio::test]
async fn m46_one_fetched_token_serves_the_whole_job_and_is_fetched_again_before_it_ends() {
    let derived = Derived::new::<Granted>(&[]).await;
    let ended = derived.finish().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!(derived.count("POST /oauth/token"), 1);
    no_secret(&derived, &ended, &["fake-secret-of", "fake-token"]);
    let long = running::<Granted>(2).await;
    assert_eq!(long.finish().await.job.state, JobState::Succeeded);
    assert_eq!((long.count("POST /oauth/token"), answers(&long, 401)), (3, 0));
    let form = Derived::new::<GrantedByForm>(&[]).await;
    assert_eq!(form.finish().await.job.state, JobState::Succeeded);
    assert_eq!((form.count("POST /v1/token"), answers(&form, 401)), (1, 0));
}

#[tokio::test]
async fn m46_a_token_that_the_service_has_forgotten_is_fetched_again_after_its_401() {
    let (derived, clock) = skewed::<Granted>(0).await;
    // The fake's jobs age with its tokens: the job has ended by then as well.
    let mut attempt = Box::pin(derived.rig.attempt());
    while derived.count("GET /v1/jobs") == 0 {
        tokio::select! {
            ended = &mut attempt => { ended.expect("the store works"); }
            () = tokio::task::yield_now() => {}
        }
    }
    clock.millis.store(2 * 3_600_000, Ordering::SeqCst);
    attempt.await.expect("the store works");
    let ended = derived.rig.ended().await.expect("the store works");
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert_eq!((derived.count("POST /oauth/token"), answers(&derived, 401)), (2, 1));
}

#[tokio::test]
async fn m48_a_token_endpoint_that_is_down_gives_the_job_back_and_one_that_refuses_ends_it() {
    let derived = Derived::new::<Granted>(&["token:503*2"]).await;
    let ended = derived.finish().await;
    assert_eq!((ended.job.state, ended.job.attempt), (JobState::Succeeded, 1), "{:?}", ended.job.error);
    assert_eq!(derived.fake.ledger().accepted(), 1);
    let refused = Derived::new::<Granted>(&["token:401*"]).await;
    let ended = refused.finish().await;
    assert_eq!((error_of(&ended), refused.count("POST /v1/jobs")), (ErrorCode::EAuth, 0));
    no_secret(&refused, &ended, &["fake-secret-of"]);
}

#[tokio::test]
async fn i97_a_token_that_the_service_quotes_is_taken_out_as_a_secret_is() {
    for derived in [
        Derived::new::<Granted>(&["submit:quotes_credential"]).await,
        Derived::new::<Signed>(&["submit:quotes_credential"]).await,
    ] {
        let ended = derived.finish().await;
        let told = format!("{:?}", ended.job.error);
        assert!(
            told.contains("[redacted]") && !told.contains("fake-token") && !told.contains("eyJ"),
            "{told}"
        );
    }
}
