//! One process of a machine: its [`Life`] says what is to be done, and here it is done to the process itself.

use std::time::Duration;

use emp_core::Timestamp;
use emp_engine::gateway::Gateway;
use emp_machine::Launch;
use emp_machine::supervise::{Action, Event, Life, Moment, Policy, State};
use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::child::{self, Guard, Start};
use crate::folder::Folder;
use crate::status::{Health, ProcessStatus};
use crate::{leftovers, log, probe};

/// Between two questions to a process that has not answered yet.
const ASK_SOON: Duration = Duration::from_millis(250);
/// Between two questions to one that is well.
const ASK_LATER: Duration = Duration::from_secs(5);
/// How many lines of a process that has ended before it was ready are told.
const TOLD: usize = 5;

/// What every process is started with.
pub(crate) struct Ground {
    pub(crate) folder: Folder,
    pub(crate) guard: Guard,
    /// The name of this run of the machine.
    pub(crate) run: String,
    pub(crate) gateway: Gateway,
    pub(crate) hear: mpsc::UnboundedSender<Heard>,
}

/// What is heard of a process.
pub(crate) struct Heard {
    pub(crate) index: usize,
    turn: u32,
    event: Event,
}

/// One process.
pub(crate) struct Process {
    index: usize,
    pub(crate) launch: Launch,
    pub(crate) life: Life,
    /// What is heard of an earlier one is not believed of this one.
    turn: u32,
    pid: Option<u32>,
    began: Option<u64>,
    asker: Option<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn new(index: usize, launch: Launch, policy: Policy) -> Self {
        let life = Life::new(policy, Duration::ZERO);
        Self { index, launch, life, turn: 0, pid: None, began: None, asker: None }
    }

    /// What was heard of it happens, unless it is of one that is gone. Gives whether anything has become of it, as the next two do.
    pub(crate) fn heard(&mut self, heard: Heard, now: Moment, ground: &Ground) -> bool {
        heard.turn == self.turn && self.on(heard.event, now, ground)
    }

    /// Something happens to it.
    pub(crate) fn on(&mut self, event: Event, now: Moment, ground: &Ground) -> bool {
        if matches!(event, Event::Ended(_)) {
            self.pid = None;
            self.began = None;
            self.asker.take().inspect(JoinHandle::abort);
        }
        self.step(now, ground, |life| life.on(event, now))
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Moment, ground: &Ground) -> bool {
        self.step(now, ground, |life| life.tick(now))
    }

    fn step(&mut self, now: Moment, ground: &Ground, step: impl FnOnce(&mut Life) -> Option<Action>) -> bool {
        let (state, since) = (self.life.state(), self.life.since());
        match step(&mut self.life) {
            None => {}
            Some(Action::Start) => {
                if let Err(error) = self.start(ground) {
                    self.life.on(Event::NotStarted(error.to_string()), now);
                }
            }
            Some(Action::Terminate) => self.signal(Signal::TERM),
            Some(Action::Kill) => self.signal(Signal::KILL),
        }
        let changed = (self.life.state(), self.life.since()) != (state, since);
        if changed {
            self.tell(state, ground);
        }
        changed
    }

    fn signal(&self, signal: Signal) {
        self.pid.inspect(|pid| child::signal(*pid, signal));
    }

    fn start(&mut self, ground: &Ground) -> std::io::Result<()> {
        self.turn += 1;
        let (index, turn, launch) = (self.index, self.turn, &self.launch);
        let mark = format!("{}/{}", ground.run, launch.name);
        let log = ground.folder.log(&launch.name);
        let start =
            Start { command: &launch.command, environment: &launch.environment, mark: &mark, log: &log };
        let child = child::start(&ground.guard, &start)?;
        self.pid = child.id();
        self.began = self.pid.and_then(leftovers::began);
        tracing::info!(process = launch.name, pid = self.pid, log = %log.display(), "started");
        let (hear, tell) = (ground.hear.clone(), ground.hear.clone());
        let (gateway, probe) = (ground.gateway.clone(), launch.probe.clone());
        self.asker = Some(tokio::spawn(async move {
            loop {
                let answer = match &probe {
                    Some(probe) => probe::ask(&gateway, probe).await,
                    None => Ok(()),
                };
                let pause = if answer.is_ok() { ASK_LATER } else { ASK_SOON };
                if tell.send(Heard { index, turn, event: Event::Asked(answer) }).is_err() || probe.is_none() {
                    return;
                }
                tokio::time::sleep(pause).await;
            }
        }));
        tokio::spawn(async move {
            let ending = child::ended(child, mark).await;
            // Nobody listens any more once the machine is down.
            let _ = hear.send(Heard { index, turn, event: Event::Ended(ending) });
        });
        Ok(())
    }

    /// Says what has become of it.
    fn tell(&self, before: State, ground: &Ground) {
        let Self { launch, life, pid, .. } = self;
        let (process, state, reason) = (launch.name.as_str(), life.state().as_str(), life.reason());
        let log = ground.folder.log(&launch.name);
        match life.state() {
            State::Delayed | State::Failed => {
                let lines = if before == State::Starting { last_lines(&log) } else { String::new() };
                tracing::warn!(process, state, reason, log = %log.display(), "{process}: {}{lines}", reason.unwrap_or("it has ended"));
            }
            State::Sick => tracing::warn!(process, state, pid, reason, "does not answer"),
            // Told when it was started.
            State::Starting => {}
            _ => tracing::info!(process, state, pid, restarts = life.restarts(), "{state}"),
        }
    }

    /// As others are shown it; `ago` turns a moment of the supervisor into one of the clock.
    pub(crate) fn status(&self, ago: impl Fn(Moment) -> Timestamp) -> ProcessStatus {
        let Self { launch, life, .. } = self;
        ProcessStatus {
            name: launch.name.clone(),
            role: launch.role.as_str().to_owned(),
            worker: launch.worker.clone(),
            state: life.state(),
            health: match life.state() {
                State::Up if launch.probe.is_some() => Health::Healthy,
                State::Up => Health::Unknown,
                _ => Health::Unhealthy,
            },
            pid: self.pid,
            began: self.began,
            restarts: life.restarts(),
            since: ago(life.since()),
            reason: life.reason().map(str::to_owned),
            ports: launch.ports.clone(),
            gpu: launch.gpu,
            slots: launch.slots,
        }
    }
}

fn last_lines(log: &std::path::Path) -> String {
    log::tail(log, TOLD).unwrap_or_default().iter().fold(String::new(), |text, line| text + "\n    " + line)
}
