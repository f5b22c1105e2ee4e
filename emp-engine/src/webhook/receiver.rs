//! What is believed of the calls to the jobs of one connector.

use std::collections::BTreeMap;

use emp_core::env::{EnvSource, Settings};
use emp_core::job::Call;
use emp_core::spec::{CallBody, ConnectorSpec, EventAt, Verify, Webhook};
use emp_core::{EnvError, Secret, Timestamp};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::signature::{Prover, Unproven};
use crate::key::hex;
use crate::strict_json;

/// A larger body is not kept: the job is asked after instead.
const LARGEST_KEPT: usize = 256 * 1024;
/// Bytes of a call's id; two calls never have the same.
const ID: usize = 16;

/// What a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The service's own, with what it says.
    Call(Call),
    /// Nobody can tell whose it is: the job is asked after.
    News,
    /// About an event that nobody asked for.
    PassedOver,
}

/// Takes the calls to the jobs of one connector.
#[derive(Clone, Debug)]
pub struct Receiver {
    declared: Option<&'static Webhook>,
    prover: Option<Prover>,
    secret: Option<Secret>,
}

/// Takes the calls to the jobs of many connectors.
#[derive(Clone, Debug, Default)]
pub struct Receivers(BTreeMap<&'static str, Receiver>);

impl Receivers {
    /// One for each declaration, with the secrets of an environment.
    ///
    /// # Errors
    /// All secrets that can be none.
    pub fn of(
        specs: impl IntoIterator<Item = &'static ConnectorSpec>,
        source: &dyn EnvSource,
    ) -> Result<Self, Vec<EnvError>> {
        let (mut receivers, mut errors) = (BTreeMap::new(), Vec::new());
        for spec in specs {
            match Receiver::of(spec, source) {
                Ok(receiver) => {
                    receivers.insert(spec.name, receiver);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self(receivers)) } else { Err(errors) }
    }

    /// The one of a connector.
    pub fn get(&self, connector: &str) -> Option<&Receiver> {
        self.0.get(connector)
    }

    /// The secrets by which calls are proven, to be kept out of every text.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.values().filter_map(|receiver| receiver.secret.as_ref())
    }
}

impl Receiver {
    /// By a declaration, with its secret from the environment. A process without the secret can prove no call, so that it believes
    /// none: each is a hint.
    ///
    /// # Errors
    /// When there is a secret, and it can be none.
    pub fn of(spec: &'static ConnectorSpec, source: &dyn EnvSource) -> Result<Self, EnvError> {
        let declared = spec.http().and_then(|http| http.webhook.as_ref());
        let Some(verify) = declared.and_then(|webhook| webhook.verify.as_ref()) else {
            return Ok(Self { declared, prover: None, secret: None });
        };
        let Some((variable, secret)) = secret(spec, verify, source) else {
            return Ok(Self { declared, prover: None, secret: None });
        };
        let prover = Prover::new(verify, &secret).map_err(|problem| EnvError {
            variable: variable.to_owned(),
            problem: problem.to_string(),
            expected: "the secret as the service shows it".to_owned(),
        })?;
        Ok(Self { declared, prover: Some(prover), secret: Some(secret) })
    }

    /// Whether it can tell the service's calls from others.
    pub fn proves(&self) -> bool {
        self.prover.is_some()
    }

    /// What a call is, by its headers and its body as they came.
    ///
    /// # Errors
    /// When the declaration says how calls are proven, and this one is not.
    pub fn hear(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Heard, Unproven> {
        if let Some(prover) = &self.prover {
            prover.prove(headers, body, now)?;
        }
        let Some(declared) = self.declared else { return Ok(Heard::News) };
        if !wanted(declared, headers, body) {
            return Ok(Heard::PassedOver);
        }
        if self.prover.is_none() {
            return Ok(Heard::News);
        }
        let kept = !matches!(declared.body, CallBody::Hint) && body.len() <= LARGEST_KEPT;
        let text = std::str::from_utf8(body).ok().filter(|_| kept);
        Ok(Heard::Call(Call { id: id(headers, body), body: text.map(str::to_owned) }))
    }
}

fn secret(
    spec: &'static ConnectorSpec,
    verify: &Verify,
    source: &dyn EnvSource,
) -> Option<(&'static str, Secret)> {
    let field = spec.env_field(verify.secret())?;
    let (settings, _) = Settings::load(std::slice::from_ref(field), source);
    settings.credential(field.field).map(|secret| (field.variable, secret))
}

/// Whether a call is about an event that was asked for. One that names none is.
fn wanted(declared: &Webhook, headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(at) = &declared.event else { return true };
    let event = match at {
        EventAt::Header(name) => headers.get(*name).and_then(|value| value.to_str().ok()).map(str::to_owned),
        EventAt::Path(path) => strict_json::parse(body)
            .ok()
            .and_then(|body| path.first(&body).and_then(|event| event.as_str().map(str::to_owned))),
    };
    event.is_none_or(|event| declared.events.contains(&event.as_str()))
}

/// What tells a call from every other: the message's id where the service gives one, else what it says.
fn id(headers: &HeaderMap, body: &[u8]) -> String {
    let message = headers.get("webhook-id").map(http::HeaderValue::as_bytes);
    hex(&Sha256::digest(message.unwrap_or(body))[..ID])
}

#[cfg(test)]
mod tests {
    use emp_core::Connector;

    use super::*;

    /// Calls about events of two kinds.
    #[derive(Connector)]
    #[connector(service = "events", version = "1.0.0", unregistered)]
    #[http(base = "https://api.example.com")]
    #[auth(none)]
    #[submit(post = "/jobs", json { "webhook": webhook.url?, "events": webhook.events? }, capture(id = "$.id"), at_most_once)]
    #[poll(get = "/jobs/{job.id}", echo = "$.id")]
    #[states(at = "$.status", succeeded = ["done"], unknown = running(warn))]
    #[webhook(verify = header("X-Token", token), body = same_as_poll, events = ["end"], event = "$.type")]
    struct Events {
        #[env("EVENTS_TOKEN", optional)]
        token: Option<Secret>,
    }

    fn receiver(token: Option<&str>) -> Receiver {
        let env = token.map(|token| ("EVENTS_TOKEN".to_owned(), token.to_owned()));
        Receiver::of(Events::SPEC, &BTreeMap::from_iter(env)).expect("an environment")
    }

    fn headers(token: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static("x-token"), token.parse().expect("a value"))])
    }

    #[test]
    fn m58_a_proven_call_says_what_it_says_and_a_wrong_one_nothing() {
        let receiver = receiver(Some("shared"));
        let hear = |token: &str, body: &str| receiver.hear(&headers(token), body.as_bytes(), Timestamp(0));
        let body = r#"{"type":"end","status":"done"}"#;
        match hear("shared", body) {
            Ok(Heard::Call(call)) => {
                assert_eq!(call.body.as_deref(), Some(body));
                assert_eq!(hear("shared", body), Ok(Heard::Call(call)), "the same when it comes again");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(hear("shared", r#"{"type":"start"}"#), Ok(Heard::PassedOver));
        assert_eq!(hear("other", body), Err(Unproven::Signature));
        let huge = format!(r#"{{"type":"end","x":"{}"}}"#, "x".repeat(LARGEST_KEPT));
        assert!(matches!(hear("shared", &huge), Ok(Heard::Call(Call { body: None, .. }))));
    }

    #[test]
    fn m58_without_its_secret_a_process_takes_a_call_for_a_hint() {
        let receiver = receiver(None);
        assert!(!receiver.proves());
        assert_eq!(receiver.hear(&HeaderMap::new(), br#"{"type":"end"}"#, Timestamp(0)), Ok(Heard::News));
    }
}
