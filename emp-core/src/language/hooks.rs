//! A function of one's own at one place.
//!
//! Where the language has no word for a value, `with(Self::f)` names a function of the connector's type, and everything else stays
//! declared. It is pure: it is given the [`Answer`](crate::hook::Answer) or what is [`Known`](crate::hook::Known) of the job, and has no
//! clock, no network and no secret. rustc checks its type where it is named.
//!
//! ```
//! use emp_core::hook::{Answer, FailureKind, Known, StateVerdict, Value};
//! use emp_core::Connector;
//!
//! /// A service with habits of its own.
//! #[derive(Connector)]
//! #[connector(service = "odd", version = "1.0.0", unregistered)]
//! #[http(base = "https://api.example.com")]
//! #[auth(none)]
//! #[submit(
//!     post = "/jobs",
//!     json { "graph": with(Self::graph), ..with(Self::options) },
//!     capture(id = with(Self::id)),
//!     at_most_once,
//! )]
//! #[poll(get = "/jobs/{job.id}", progress = with(Self::steps) | percent)]
//! #[states(
//!     at = "$.status", running = ["working"], succeeded = ["done"], unknown = running(warn),
//!     rules(with(Self::judge), code == 404 => lost),
//! )]
//! #[outcome(json = [with(Self::result), "$.result"])]
//! #[errors(message = "$.error", with(Self::classify), 5xx => transient)]
//! pub struct Odd {}
//!
//! impl Odd {
//!     /// A value of the body; `None` leaves the member out.
//!     fn graph(known: &Known<'_>) -> Option<Value> {
//!         Some(Value::from(known.get("payload.prompt")?.as_str()?.to_uppercase()))
//!     }
//!
//!     /// Members of the body.
//!     fn options(known: &Known<'_>) -> Option<Value> {
//!         known.get("payload.options")
//!     }
//!
//!     /// A value of the answer; `None` is an absent one.
//!     fn id(answer: &Answer<'_>) -> Option<Value> {
//!         answer.header("location")?.rsplit('/').next().map(Value::from)
//!     }
//!
//!     fn steps(answer: &Answer<'_>) -> Option<Value> {
//!         let (done, all) = answer.pointer("/step")?.as_str()?.split_once('/')?;
//!         Some(Value::from(100.0 * done.parse::<f64>().ok()? / all.parse::<f64>().ok()?))
//!     }
//!
//!     /// What an answer means; `None` leaves it to the rules and words that follow.
//!     fn judge(answer: &Answer<'_>) -> Option<StateVerdict> {
//!         let errors = answer.pointer("/errors")?.as_array()?;
//!         (!errors.is_empty()).then_some(StateVerdict::Failed { kind: FailureKind::Service, message: None })
//!     }
//!
//!     fn result(answer: &Answer<'_>) -> Option<Value> {
//!         answer.pointer("/files").cloned()
//!     }
//!
//!     /// What a refusal means; `None` leaves it to the rules that follow.
//!     fn classify(answer: &Answer<'_>) -> Option<FailureKind> {
//!         answer.text.contains("out of credit").then_some(FailureKind::Billing)
//!     }
//! }
//!
//! assert!(Odd::SPEC.http().is_some_and(|http| http.states.judge.is_some()));
//! ```
