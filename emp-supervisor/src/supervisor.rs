//! The loop of a supervisor: what happens goes into each process's [`Life`], and what that wants is done.

use std::time::{Duration, Instant};

use emp_core::{Clock as _, SystemClock};
use emp_engine::gateway::Gateway;
use emp_machine::supervise::{Action, Event, Life, Moment, Policy, State};
use emp_machine::{Launch, Role};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::child::{self, Guard, Start};
use crate::control::{self, Question, Reply, Request};
use crate::folder::{Folder, Lock};
use crate::install::{Installation, install};
use crate::leftovers::{self, Marked};
use crate::status::{Health, MachineStatus, ProcessStatus, SCHEMA_VERSION};
use crate::{Error, log, probe};

/// Between two questions to a process that has not answered yet.
const ASK_SOON: Duration = Duration::from_millis(250);
/// Between two questions to one that is well.
const ASK_LATER: Duration = Duration::from_secs(5);
/// How long what an earlier supervisor left behind may take to end.
const LEFTOVERS_WITHIN: Duration = Duration::from_secs(10);
/// How many lines of a process that has ended before it was ready are told.
const TOLD: usize = 5;

/// A folder that is this process's alone, and in which nothing of an earlier run goes on.
#[derive(Debug)]
pub struct Site {
    folder: Folder,
    _lock: Lock,
}

impl Site {
    /// Takes a folder, and ends what an earlier supervisor left behind.
    ///
    /// # Errors
    /// When another supervisor runs in it, or it cannot be written.
    pub async fn take(folder: Folder) -> Result<Self, Error> {
        let lock = folder.lock()?;
        clear(&folder).await;
        Ok(Self { folder, _lock: lock })
    }
}

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
    control::listen(&supervisor.folder, asks)?;
    let mut questions = Questions(questions);
    let outcome = match supervisor.install(&mut signals, &mut questions).await {
        Ok(None) => Ok(supervisor.run(&mut signals, &mut questions).await),
        Ok(Some(outcome)) => Ok(outcome),
        Err(error) => Err(error),
    };
    supervisor.farewell();
    outcome
}

/// Ends what an earlier supervisor left behind.
async fn clear(folder: &Folder) {
    let Some(last) = folder.recorded() else { return };
    let ended = tokio::task::spawn_blocking(move || Marked::run(&last).end(LEFTOVERS_WITHIN)).await;
    if let Ok((count, left)) = ended
        && count > 0
    {
        tracing::warn!(count, still = left.len(), "processes of an earlier run were ended");
    }
}

/// How an operator speaks to this process itself.
struct Signals([tokio::signal::unix::Signal; 3]);

impl Signals {
    fn listen() -> Result<Self, Error> {
        let on = |kind| signal(kind).map_err(Error::io("cannot listen to signals"));
        Ok(Self([on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?]))
    }

    /// The next one that means an end.
    async fn end(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

struct Questions(mpsc::Receiver<Question>);

impl Questions {
    async fn next(&mut self) -> Question {
        match self.0.recv().await {
            Some(question) => question,
            // The socket's task is gone: nobody asks any more.
            None => std::future::pending().await,
        }
    }
}

struct Supervisor {
    folder: Folder,
    options: Options,
    guard: Guard,
    run: String,
    began: Instant,
    gateway: Gateway,
    processes: Vec<Process>,
    heard: (mpsc::UnboundedSender<Heard>, mpsc::UnboundedReceiver<Heard>),
    ending: Option<Outcome>,
}

struct Process {
    launch: Launch,
    life: Life,
    /// What is heard of an earlier one is not believed of this one.
    turn: u32,
    pid: Option<u32>,
    began: Option<u64>,
    asker: Option<JoinHandle<()>>,
}

/// What is heard of a process.
struct Heard {
    index: usize,
    turn: u32,
    event: Event,
}

impl Supervisor {
    fn new(folder: Folder, options: Options) -> Self {
        let policy = |role: Role| match role {
            Role::Service => Policy { starts_within: options.starts_within, ..role.policy() },
            Role::Worker => Policy { stops_within: options.drain, ..role.policy() },
        };
        let processes = options.launches.iter().map(|launch| Process {
            life: Life::new(policy(launch.role), Duration::ZERO),
            launch: launch.clone(),
            turn: 0,
            pid: None,
            began: None,
            asker: None,
        });
        Self {
            processes: processes.collect(),
            guard: Guard { program: options.program.clone(), command: options.guard.clone() },
            folder,
            options,
            run: uuid::Uuid::now_v7().to_string(),
            began: Instant::now(),
            gateway: Gateway::default(),
            heard: mpsc::unbounded_channel(),
            ending: None,
        }
    }

    /// Installs one after the other; gives how it ended when it was told to stop meanwhile.
    async fn install(
        &self,
        signals: &mut Signals,
        questions: &mut Questions,
    ) -> Result<Option<Outcome>, Error> {
        let Options { installations, install_again, .. } = &self.options;
        for one in installations {
            let installing = install(one, &self.folder, &self.guard, &self.run, *install_again);
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
                heard = self.heard.1.recv() => {
                    if let Some(Heard { index, turn, event }) = heard
                        && self.processes[index].turn == turn
                    {
                        self.on(index, event);
                    }
                }
                () = signals.end() => self.told_to_end(false),
                (request, reply) = questions.next() => self.asked(request, reply),
                () = sleep(wait) => {}
            }
            let now = self.now();
            for index in 0..self.processes.len() {
                let action = self.processes[index].life.tick(now);
                self.act(index, action);
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
        let ended = matches!(event, Event::Ended(_));
        let now = self.now();
        let process = &mut self.processes[index];
        if ended {
            process.pid = None;
            process.began = None;
            process.asker.take().inspect(JoinHandle::abort);
        }
        let before = process.life.state();
        let action = process.life.on(event, now);
        self.act(index, action);
        if self.processes[index].life.state() != before {
            self.told(index, before);
        }
    }

    fn act(&mut self, index: usize, action: Option<Action>) {
        let pid = self.processes[index].pid;
        match action {
            None => {}
            Some(Action::Start) => self.start(index),
            Some(Action::Terminate) => {
                pid.inspect(|pid| child::signal(*pid, Signal::TERM));
            }
            Some(Action::Kill) => {
                pid.inspect(|pid| child::signal(*pid, Signal::KILL));
            }
        }
    }

    fn start(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.turn += 1;
        let (turn, launch) = (process.turn, &process.launch);
        let mark = format!("{}/{}", self.run, launch.name);
        let log = self.folder.log(&launch.name);
        let start =
            Start { command: &launch.command, environment: &launch.environment, mark: &mark, log: &log };
        let child = match child::start(&self.guard, &start) {
            Ok(child) => child,
            Err(error) => {
                self.on(index, Event::NotStarted(error.to_string()));
                return;
            }
        };
        process.pid = child.id();
        process.began = process.pid.and_then(leftovers::began);
        tracing::info!(process = launch.name, pid = process.pid, log = %log.display(), "started");
        let hear = self.heard.0.clone();
        let (gateway, probe) = (self.gateway.clone(), launch.probe.clone());
        let tell = hear.clone();
        process.asker = Some(tokio::spawn(async move {
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
    }

    /// Says what has become of a process.
    fn told(&self, index: usize, before: State) {
        let Process { launch, life, pid, .. } = &self.processes[index];
        let (process, state, reason) = (launch.name.as_str(), life.state().as_str(), life.reason());
        let log = || self.folder.log(&launch.name);
        match life.state() {
            State::Delayed | State::Failed => {
                let lines = if before == State::Starting { self.last_lines(index) } else { String::new() };
                tracing::warn!(process, state, reason, log = %log().display(), "{process}: {}{lines}", reason.unwrap_or("it has ended"));
            }
            State::Sick => tracing::warn!(process, state, pid, reason, "does not answer"),
            // Told when it was started.
            State::Starting => {}
            _ => tracing::info!(process, state, pid, restarts = life.restarts(), "{state}"),
        }
        if let Err(error) = self.write_down() {
            tracing::warn!(%error, "what runs cannot be written down");
        }
    }

    fn last_lines(&self, index: usize) -> String {
        let lines = log::tail(&self.folder.log(&self.processes[index].launch.name), TOLD);
        lines.unwrap_or_default().iter().fold(String::new(), |text, line| text + "\n    " + line)
    }

    fn status(&self) -> MachineStatus {
        let (now, moment) = (SystemClock.now(), self.now());
        let ago = |then: Moment| {
            let millis = i64::try_from(moment.saturating_sub(then).as_millis()).unwrap_or(i64::MAX);
            emp_core::Timestamp(now.0.saturating_sub(millis))
        };
        let processes = self.processes.iter().map(|Process { launch, life, pid, began, .. }| ProcessStatus {
            name: launch.name.clone(),
            role: launch.role.as_str().to_owned(),
            worker: launch.worker.clone(),
            state: life.state(),
            health: match life.state() {
                State::Up if launch.probe.is_some() => Health::Healthy,
                State::Up => Health::Unknown,
                _ => Health::Unhealthy,
            },
            pid: *pid,
            began: *began,
            restarts: life.restarts(),
            since: ago(life.since()),
            reason: life.reason().map(str::to_owned),
            ports: launch.ports.clone(),
            gpu: launch.gpu,
            slots: launch.slots,
        });
        MachineStatus {
            schema_version: SCHEMA_VERSION,
            run: self.run.clone(),
            pid: Some(std::process::id()),
            since: ago(Duration::ZERO),
            stopping: self.ending.is_some(),
            processes: processes.collect(),
        }
    }

    fn write_down(&self) -> Result<(), Error> {
        let written = self.folder.record(&self.status());
        written.map_err(Error::io(format!("cannot write into {}", self.folder.path().display())))
    }

    /// Nothing runs any more: what an installation or a process has left is ended, and that is written down.
    fn farewell(&self) {
        let status = self.status();
        let (count, left) = Marked::run(&status).end(Duration::ZERO);
        if count > 0 {
            tracing::warn!(count, still = left.len(), "processes that had been left behind were ended");
        }
        let last = MachineStatus { pid: None, ..status };
        if let Err(error) = self.folder.record(&last) {
            tracing::warn!(%error, "the end cannot be written down");
        }
        let _ = std::fs::remove_file(self.folder.socket());
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
