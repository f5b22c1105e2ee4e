//! What becomes of a process that ought to run: when it is started, when it is told to end, and when it is started again.
//!
//! Pure: what happens is an [`Event`], what is to be done is an [`Action`], and the time is an argument. Whoever starts processes asks
//! [`Life::due`] when to call [`Life::tick`].

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, as the time since the supervisor began. No clock that is set moves it.
pub type Moment = Duration;

/// How a process is treated.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long it may take until it answers.
    pub starts_within: Duration,
    /// How long it may take to end once it is told to.
    pub stops_within: Duration,
    /// The wait before the first start after a failure; each further one doubles it.
    pub first_delay: Duration,
    /// The wait is never longer.
    pub longest_delay: Duration,
    /// After so long without a failure, the earlier ones are forgotten.
    pub proven_after: Duration,
    /// Not answering for so long is a failure.
    pub sick_for: Duration,
    /// Exit codes after which a start would end the same way.
    pub final_exits: &'static [i32],
}

impl Policy {
    /// For the service of an internal worker.
    pub const SERVICE: Self = Self {
        starts_within: Duration::from_mins(5),
        stops_within: Duration::from_secs(10),
        first_delay: Duration::from_millis(200),
        longest_delay: Duration::from_secs(30),
        proven_after: Duration::from_mins(1),
        // A service that loads a model answers nobody meanwhile.
        sick_for: Duration::from_mins(2),
        final_exits: &[],
    };
    /// For a process of ours: wrong usage and wrong configuration are mended by no start.
    pub const WORKER: Self = Self { final_exits: &[2, 3], ..Self::SERVICE };

    fn delay(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
        self.first_delay.saturating_mul(doubled).min(self.longest_delay)
    }
}

/// Where a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// What it needs is not there yet.
    Waiting,
    /// It runs and does not answer yet.
    Starting,
    /// It runs and answers.
    Up,
    /// It runs and has stopped answering.
    Sick,
    /// It has ended by itself, and is started again after a while.
    Delayed,
    /// It has been told to end.
    Stopping,
    /// It has ended as it was told to.
    Stopped,
    /// It has ended, and starting it again would not help.
    Failed,
}

impl State {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Sick => "sick",
            Self::Delayed => "delayed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// There is a process.
    pub fn runs(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Sick | Self::Stopping)
    }

    /// Nothing will happen to it any more.
    pub fn rests(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with a code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "it ended with exit code {code}"),
            Self::Signal(signal) => write!(f, "it was ended by signal {signal}"),
        }
    }
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What it needs is there.
    Go,
    /// It could not be started.
    NotStarted(String),
    /// It was asked whether it is well, and answered or did not.
    Asked(Result<(), String>),
    /// It has ended.
    Ended(Ending),
    /// Somebody wants it started again.
    Restart,
    /// Somebody wants it ended.
    Stop,
    /// Somebody wants it ended at once.
    Kill,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start it.
    Start,
    /// Tell it to end.
    Terminate,
    /// End it.
    Kill,
}

/// What follows once a process that is told to end has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Rest,
    Start,
    /// It is started as after a failure.
    Delay,
}

/// One process that ought to run.
#[derive(Clone, Debug)]
pub struct Life {
    policy: Policy,
    state: State,
    since: Moment,
    starts: u32,
    failures: u32,
    delay: Duration,
    then: Then,
    killed: bool,
    reason: Option<String>,
}

impl Life {
    /// One that waits for what it needs.
    pub fn new(policy: Policy, now: Moment) -> Self {
        Self {
            policy,
            state: State::Waiting,
            since: now,
            starts: 0,
            failures: 0,
            delay: Duration::ZERO,
            then: Then::Rest,
            killed: false,
            reason: None,
        }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when.
    pub fn since(&self) -> Moment {
        self.since
    }

    /// How often it was started again.
    pub fn restarts(&self) -> u32 {
        self.starts.saturating_sub(1)
    }

    /// Why it is not up, or what last went wrong.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// When [`Self::tick`] has something to do.
    pub fn due(&self) -> Option<Moment> {
        let after = match self.state {
            State::Starting => self.policy.starts_within,
            State::Up if self.failures > 0 => self.policy.proven_after,
            State::Sick => self.policy.sick_for,
            State::Delayed => self.delay,
            State::Stopping if !self.killed => self.policy.stops_within,
            _ => return None,
        };
        Some(self.since.saturating_add(after))
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Option<Action> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            State::Starting => {
                let last = self.reason.take().map(|reason| format!(": {reason}")).unwrap_or_default();
                let within = self.policy.starts_within.as_secs();
                self.end(Then::Delay, Some(format!("it was not ready within {within} s{last}")), now);
                self.killed = true;
                Some(Action::Kill)
            }
            State::Sick => {
                self.end(Then::Delay, None, now);
                Some(Action::Terminate)
            }
            State::Delayed => Some(self.start(now)),
            State::Stopping => {
                self.killed = true;
                Some(Action::Kill)
            }
            // It has proven itself.
            _ => {
                self.failures = 0;
                None
            }
        }
    }

    /// Says what has happened.
    pub fn on(&mut self, event: Event, now: Moment) -> Option<Action> {
        use State::{Delayed, Failed, Sick, Starting, Stopped, Stopping, Up, Waiting};
        match (self.state, event) {
            (Waiting, Event::Go) | (Delayed | Stopped | Failed, Event::Restart) => Some(self.start(now)),
            (Starting, Event::NotStarted(reason)) => {
                self.fail(reason, now);
                None
            }
            (Starting | Sick, Event::Asked(Ok(()))) => {
                self.go(Up, now);
                self.reason = None;
                None
            }
            (Starting | Sick, Event::Asked(Err(reason))) => {
                self.reason = Some(reason);
                None
            }
            (Up, Event::Asked(Err(reason))) => {
                self.go(Sick, now);
                self.reason = Some(reason);
                None
            }
            (Starting | Up | Sick, Event::Ended(ending)) => {
                match ending {
                    Ending::Code(code) if self.policy.final_exits.contains(&code) => {
                        self.go(Failed, now);
                        self.reason = Some(ending.to_string());
                    }
                    _ => self.fail(ending.to_string(), now),
                }
                None
            }
            (Stopping, Event::Ended(_)) => match self.then {
                Then::Rest => {
                    self.go(Stopped, now);
                    None
                }
                Then::Start => Some(self.start(now)),
                Then::Delay => {
                    let reason = self.reason.take().unwrap_or_default();
                    self.fail(reason, now);
                    None
                }
            },
            (Starting | Up | Sick, Event::Restart) => {
                self.end(Then::Start, None, now);
                Some(Action::Terminate)
            }
            (Stopping, Event::Restart) => {
                self.then = Then::Start;
                None
            }
            (Starting | Up | Sick, Event::Stop) => {
                self.end(Then::Rest, None, now);
                Some(Action::Terminate)
            }
            (Stopping, Event::Stop) => {
                self.then = Then::Rest;
                None
            }
            (Starting | Up | Sick | Stopping, Event::Kill) => {
                self.end(Then::Rest, None, now);
                self.killed = true;
                Some(Action::Kill)
            }
            (Waiting | Delayed, Event::Stop | Event::Kill) => {
                self.go(Stopped, now);
                None
            }
            _ => None,
        }
    }

    fn go(&mut self, state: State, now: Moment) {
        (self.state, self.since) = (state, now);
    }

    fn start(&mut self, now: Moment) -> Action {
        self.go(State::Starting, now);
        self.starts = self.starts.saturating_add(1);
        self.killed = false;
        Action::Start
    }

    fn end(&mut self, then: Then, reason: Option<String>, now: Moment) {
        if self.state != State::Stopping {
            self.go(State::Stopping, now);
        }
        self.then = then;
        self.reason = reason.or_else(|| self.reason.take());
    }

    fn fail(&mut self, reason: String, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.delay = self.policy.delay(self.failures);
        self.go(State::Delayed, now);
        self.reason = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: f64) -> Moment {
        Duration::from_secs_f64(seconds)
    }

    fn up() -> Life {
        let mut life = Life::new(Policy::WORKER, at(0.0));
        assert_eq!(life.on(Event::Go, at(1.0)), Some(Action::Start));
        assert_eq!(life.on(Event::Asked(Ok(())), at(2.0)), None);
        assert_eq!(life.state(), State::Up);
        life
    }

    #[test]
    fn one_that_dies_again_and_again_is_started_ever_later_and_forgiven_once_it_stays() {
        let mut life = up();
        let (mut now, mut waits) = (at(2.0), Vec::new());
        for _ in 0..10 {
            assert_eq!(life.on(Event::Ended(Ending::Signal(9)), now), None);
            assert_eq!(life.state(), State::Delayed);
            let due = life.due().expect("it is started again");
            assert_eq!(life.tick(due.checked_sub(Duration::from_millis(1)).expect("later")), None);
            assert_eq!(life.tick(due), Some(Action::Start));
            waits.push(due.saturating_sub(now).as_millis());
            now = due;
        }
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(life.restarts(), 10);
        life.on(Event::Asked(Ok(())), now);
        assert_eq!(life.reason(), None);
        now = life.due().expect("it must prove itself");
        assert_eq!((life.tick(now), life.due()), (None, None));
        life.on(Event::Ended(Ending::Code(0)), now);
        assert_eq!(life.due(), Some(now + Duration::from_millis(200)), "as after the first failure");
        assert_eq!(life.reason(), Some("it ended with exit code 0"));
    }

    #[test]
    fn wrong_configuration_is_not_tried_again_until_somebody_asks() {
        let mut life = up();
        assert_eq!(life.on(Event::Ended(Ending::Code(3)), at(3.0)), None);
        assert_eq!((life.state(), life.due()), (State::Failed, None));
        assert_eq!(life.on(Event::Restart, at(4.0)), Some(Action::Start));
        let mut service = Life::new(Policy::SERVICE, at(0.0));
        service.on(Event::Go, at(0.0));
        service.on(Event::Ended(Ending::Code(3)), at(1.0));
        assert_eq!(service.state(), State::Delayed, "its codes are its own");
    }

    #[test]
    fn one_that_never_answers_is_ended_and_tried_again() {
        let mut life = Life::new(Policy::SERVICE, at(0.0));
        life.on(Event::Go, at(0.0));
        life.on(Event::Asked(Err("connection refused".to_owned())), at(1.0));
        assert_eq!(life.state(), State::Starting);
        let due = at(0.0) + Policy::SERVICE.starts_within;
        assert_eq!(life.tick(due), Some(Action::Kill));
        assert_eq!(life.reason(), Some("it was not ready within 300 s: connection refused"));
        assert_eq!(life.on(Event::Ended(Ending::Signal(9)), due), None);
        assert_eq!(life.state(), State::Delayed);
        assert_eq!(life.reason(), Some("it was not ready within 300 s: connection refused"));
    }

    #[test]
    fn one_that_stops_answering_is_told_first_and_started_again_when_that_lasts() {
        let mut life = up();
        life.on(Event::Asked(Err("timed out".to_owned())), at(10.0));
        assert_eq!((life.state(), life.reason()), (State::Sick, Some("timed out")));
        life.on(Event::Asked(Ok(())), at(20.0));
        assert_eq!(life.state(), State::Up);
        life.on(Event::Asked(Err("timed out".to_owned())), at(30.0));
        life.on(Event::Asked(Err("timed out still".to_owned())), at(149.0));
        assert_eq!(life.tick(at(149.9)), None);
        assert_eq!(life.tick(at(150.0)), Some(Action::Terminate));
        assert_eq!(life.tick(at(160.0)), Some(Action::Kill), "it did not end in time");
        assert_eq!(life.tick(at(161.0)), None, "once");
        life.on(Event::Ended(Ending::Signal(9)), at(161.0));
        assert_eq!((life.state(), life.reason()), (State::Delayed, Some("timed out still")));
    }

    #[test]
    fn a_stop_is_final_and_a_restart_starts_at_once() {
        let mut life = up();
        assert_eq!(life.on(Event::Restart, at(3.0)), Some(Action::Terminate));
        assert_eq!(life.on(Event::Ended(Ending::Code(0)), at(4.0)), Some(Action::Start));
        assert_eq!(life.on(Event::Restart, at(5.0)), Some(Action::Terminate));
        assert_eq!(life.on(Event::Stop, at(5.5)), None);
        assert_eq!(life.on(Event::Ended(Ending::Code(0)), at(6.0)), None);
        assert_eq!((life.state(), life.due()), (State::Stopped, None));
        let mut waiting = Life::new(Policy::WORKER, at(0.0));
        assert_eq!(waiting.on(Event::Stop, at(1.0)), None);
        assert_eq!(waiting.on(Event::Go, at(2.0)), None, "it is stopped");
    }

    fn event() -> impl Strategy<Value = Option<Event>> {
        prop_oneof![
            3 => Just(None),
            1 => Just(Some(Event::Go)),
            1 => Just(Some(Event::NotStarted("no such file".to_owned()))),
            2 => any::<bool>().prop_map(|well| Some(Event::Asked(if well { Ok(()) } else { Err("no".to_owned()) }))),
            3 => (0..5_i32).prop_map(|code| Some(Event::Ended(Ending::Code(code)))),
            1 => Just(Some(Event::Restart)),
            1 => Just(Some(Event::Stop)),
            1 => Just(Some(Event::Kill)),
        ]
    }

    proptest! {
        /// Whatever happens in whatever order: never two at once, none after a stop, and never stuck.
        #[test]
        fn there_is_never_a_second_process_and_none_is_forgotten(
            steps in proptest::collection::vec((event(), 0..400_u32), 1..60)
        ) {
            let mut life = Life::new(Policy::WORKER, Duration::ZERO);
            let (mut now, mut runs) = (Duration::ZERO, false);
            for (event, seconds) in steps {
                now += SECOND * seconds;
                // Only what can happen: a process that is not there does not end, and one that is was started.
                let possible = match &event {
                    Some(Event::Ended(_) | Event::Asked(_)) => runs,
                    Some(Event::NotStarted(_)) => runs && life.state() == State::Starting,
                    _ => true,
                };
                if !possible {
                    continue;
                }
                let stopped = matches!(event, Some(Event::Stop | Event::Kill));
                runs &= !matches!(event, Some(Event::Ended(_) | Event::NotStarted(_)));
                let action = match event {
                    Some(event) => life.on(event, now),
                    None => life.tick(now),
                };
                match action {
                    Some(Action::Start) => {
                        prop_assert!(!runs, "a second one");
                        runs = true;
                    }
                    Some(Action::Terminate | Action::Kill) => prop_assert!(runs, "nobody is there"),
                    None => {}
                }
                prop_assert_eq!(runs, life.state().runs());
                if stopped {
                    prop_assert!(action != Some(Action::Start));
                    prop_assert!(life.state() == State::Stopping || life.state().rests());
                }
                let waits = life.state() == State::Waiting || life.state() == State::Up || life.state().rests();
                prop_assert!(waits || life.due().is_some() || life.killed, "{:?} waits for nothing", life.state());
            }
        }
    }
}
