//! What becomes of a process that ought to run: when it is started, when it is told to end, and when it is started again.
//!
//! Pure: what happens is an [`Event`], what is to be done is an [`Action`], and the time is an argument. Whoever starts processes asks
//! [`Life::due`] when to call [`Life::tick`].

mod policy;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

pub use policy::Policy;
pub use words::{Action, Ending, Event, State};

/// A moment, as the time since the supervisor began. No clock that is set moves it.
pub type Moment = Duration;

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
