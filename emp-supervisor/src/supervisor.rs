//! The loop of a supervisor: what happens goes into each process's [`Life`], and what that wants is done.

use std::time::{Duration, Instant};

use emp_core::{Clock as _, SystemClock};
use emp_engine::gateway::Gateway;
use emp_machine::supervise::{Event, Moment, Policy, State};
use emp_machine::{Launch, Role};
use tokio::sync::mpsc;

use crate::Error;
use crate::child::Guard;
use crate::control::{self, Reply, Request};
use crate::folder::Folder;
use crate::install::{Installation, install};
use crate::leftovers::Marked;
use crate::operator::{Questions, Signals};
use crate::process::{Ground, Heard, Process};
use crate::site::Site;
use crate::status::{MachineStatus, SCHEMA_VERSION};

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Our own program.
    pub program: String,
    /// Its command that calls [`crate::guard::run`] with a pid, `--`, a program and its arguments.
    pub guard: Vec<String>,
    /// What is installed first.
    pub installations: Vec<Installation>,
    /// Install also what is installed already.
    pub install_again: bool,
    /// What is started then.
    pub launches: Vec<Launch>,
    /// How long a service may take until it answers.
    pub starts_within: Duration,
    /// How long a worker may take to end.
    pub drain: Duration,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was told to.
    Stopped,
    /// Told twice: nobody was waited for.
    Killed,
    /// No worker can run.
    Failed,
}

/// Runs a machine until it is told to stop: by a signal, or by [`Request::Down`].
///
/// To be called on the thread that lasts longest, by `block_on` itself: see [`crate::guard`].
///
/// # Errors
/// When something cannot be installed, or when the folder cannot be written.
pub async fn up(site: Site, options: Options) -> Result<Outcome, Error> {
    let mut signals = Signals::listen()?;
    let (asks, questions) = mpsc::channel(16);
    let mut supervisor = Supervisor::new(site.folder.clone(), options);
    supervisor.write_down()?;
    control::listen(&supervisor.ground.folder, asks)?;
    let mut questions = Questions(questions);
    let outcome = match supervisor.install(&mut signals, &mut questions).await {
        Ok(None) => Ok(supervisor.run(&mut signals, &mut questions).await),
        Ok(Some(outcome)) => Ok(outcome),
        Err(error) => Err(error),
    };
    supervisor.farewell();
    outcome
}

struct Supervisor {
    ground: Ground,
    installations: Vec<Installation>,
    install_again: bool,
    began: Instant,
    processes: Vec<Process>,
    heard: mpsc::UnboundedReceiver<Heard>,
    ending: Option<Outcome>,
}

impl Supervisor {
    fn new(folder: Folder, options: Options) -> Self {
        let policy = |role: Role| match role {
            Role::Service => Policy { starts_within: options.starts_within, ..role.policy() },
            Role::Worker => Policy { stops_within: options.drain, ..role.policy() },
        };
        let processes = options.launches.into_iter().enumerate().map(|(index, launch)| {
            let policy = policy(launch.role);
            Process::new(index, launch, policy)
        });
        let (hear, heard) = mpsc::unbounded_channel();
        Self {
            processes: processes.collect(),
            ground: Ground {
                folder,
                guard: Guard { program: options.program, command: options.guard },
                run: uuid::Uuid::now_v7().to_string(),
                gateway: Gateway::default(),
                hear,
            },
            installations: options.installations,
            install_again: options.install_again,
            began: Instant::now(),
            heard,
            ending: None,
        }
    }

    /// Installs one after the other; gives how it ended when it was told to stop meanwhile.
    async fn install(
        &self,
        signals: &mut Signals,
        questions: &mut Questions,
    ) -> Result<Option<Outcome>, Error> {
        let Ground { folder, guard, run, .. } = &self.ground;
        for one in &self.installations {
            let installing = install(one, folder, guard, run, self.install_again);
            tokio::pin!(installing);
            loop {
                tokio::select! {
                    done = &mut installing => break done?,
                    () = signals.end() => return Ok(Some(Outcome::Stopped)),
                    (request, reply) = questions.next() => {
                        let down = matches!(request, Request::Down { .. });
                        // Nothing runs yet that could be started again.
                        let _ = reply.send(Reply::Status(self.status()));
                        if down {
                            return Ok(Some(Outcome::Stopped));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    async fn run(&mut self, signals: &mut Signals, questions: &mut Questions) -> Outcome {
        loop {
            self.go_on();
            if let Some(outcome) = self.ending
                && self.processes.iter().all(|process| process.life.state().rests())
            {
                return outcome;
            }
            let due = self.processes.iter().filter_map(|process| process.life.due()).min();
            let wait = due.map(|due| due.saturating_sub(self.now()));
            tokio::select! {
                Some(heard) = self.heard.recv() => {
                    let now = self.now();
                    if self.processes[heard.index].heard(heard, now, &self.ground) {
                        self.note();
                    }
                }
                () = signals.end() => self.told_to_end(false),
                (request, reply) = questions.next() => self.asked(request, reply),
                () = sleep(wait) => {}
            }
            let now = self.now();
            let changed = self.processes.iter_mut().map(|process| process.tick(now, &self.ground));
            if changed.fold(false, |any, changed| any | changed) {
                self.note();
            }
        }
    }

    /// Starts what waits for what has come up, ends services once no worker needs them, and sees when nothing is left to do.
    fn go_on(&mut self) {
        let rests = |process: &Process| process.launch.role == Role::Service || process.life.state().rests();
        let no_worker = self.processes.iter().all(rests);
        if no_worker && self.ending.is_none() {
            tracing::error!("no worker can run: everything is ended");
            self.ending = Some(Outcome::Failed);
        }
        for index in 0..self.processes.len() {
            let process = &self.processes[index];
            let is_up = |name: &String| {
                self.processes.iter().any(|one| one.launch.name == *name && one.life.state() == State::Up)
            };
            let event = match (self.ending.is_some(), process.life.state()) {
                (false, State::Waiting) if process.launch.after.as_ref().is_none_or(is_up) => Event::Go,
                (true, state)
                    if process.launch.role == Role::Service
                        && no_worker
                        && !state.rests()
                        && state != State::Stopping =>
                {
                    Event::Stop
                }
                _ => continue,
            };
            self.on(index, event);
        }
    }

    /// The first time workers end in order and services after them; the second time everything ends at once.
    fn told_to_end(&mut self, now: bool) {
        let again = self.ending.is_some();
        self.ending = Some(if again || now { Outcome::Killed } else { Outcome::Stopped });
        if again || now {
            tracing::warn!("everything is ended at once");
        } else {
            tracing::info!("stopping: workers first, then services");
        }
        for index in 0..self.processes.len() {
            let event = match self.processes[index].launch.role {
                _ if again || now => Event::Kill,
                Role::Worker => Event::Stop,
                Role::Service => continue,
            };
            self.on(index, event);
        }
    }

    fn asked(&mut self, request: Request, reply: tokio::sync::oneshot::Sender<Reply>) {
        let answer = match request {
            Request::Status => Reply::Status(self.status()),
            Request::Down { now } => {
                if now || self.ending.is_none() {
                    self.told_to_end(now);
                }
                Reply::Status(self.status())
            }
            Request::Restart { name } => self.restart(name.as_deref()),
        };
        // Who has gone away wants no answer.
        let _ = reply.send(answer);
    }

    fn restart(&mut self, name: Option<&str>) -> Reply {
        let meant = |launch: &Launch| name.is_none_or(|name| launch.name == name || launch.worker == name);
        let indices: Vec<usize> =
            (0..self.processes.len()).filter(|index| meant(&self.processes[*index].launch)).collect();
        if indices.is_empty() {
            let known: Vec<&str> =
                self.processes.iter().map(|process| process.launch.name.as_str()).collect();
            return Reply::Unknown(known.join(", "));
        }
        if self.ending.is_none() {
            for index in indices {
                self.on(index, Event::Restart);
            }
        }
        Reply::Status(self.status())
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    fn on(&mut self, index: usize, event: Event) {
        let now = self.now();
        if self.processes[index].on(event, now, &self.ground) {
            self.note();
        }
    }

    /// Writes down what has become of the processes.
    fn note(&self) {
        if let Err(error) = self.write_down() {
            tracing::warn!(%error, "what runs cannot be written down");
        }
    }

    fn status(&self) -> MachineStatus {
        let (now, moment) = (SystemClock.now(), self.now());
        let ago = |then: Moment| {
            let millis = i64::try_from(moment.saturating_sub(then).as_millis()).unwrap_or(i64::MAX);
            emp_core::Timestamp(now.0.saturating_sub(millis))
        };
        MachineStatus {
            schema_version: SCHEMA_VERSION,
            run: self.ground.run.clone(),
            pid: Some(std::process::id()),
            since: ago(Duration::ZERO),
            stopping: self.ending.is_some(),
            processes: self.processes.iter().map(|process| process.status(ago)).collect(),
        }
    }

    fn write_down(&self) -> Result<(), Error> {
        let written = self.ground.folder.record(&self.status());
        written.map_err(Error::io(format!("cannot write into {}", self.ground.folder.path().display())))
    }

    /// Nothing runs any more: what an installation or a process has left is ended, and that is written down.
    fn farewell(&self) {
        let status = self.status();
        let (count, left) = Marked::run(&status).end(Duration::ZERO);
        if count > 0 {
            tracing::warn!(count, still = left.len(), "processes that had been left behind were ended");
        }
        let last = MachineStatus { pid: None, ..status };
        if let Err(error) = self.ground.folder.record(&last) {
            tracing::warn!(%error, "the end cannot be written down");
        }
        let _ = std::fs::remove_file(self.ground.folder.socket());
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
