//! The binary, run as an operator runs it: a folder of its own, no variable of ours, free ports, and nothing left behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The binary in a folder, with nothing of this process's environment that it reads.
pub(crate) fn emp(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emp"));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            ["EMP_", "MY_SERVICE_", "OPENAI_", "REPLICATE_", "SIMULATION_", "RUST_"]
                .iter()
                .any(|start| name.starts_with(start))
                || ["WORKERS", "CARGO", "GITHUB_ACTIONS"].contains(&name)
        });
        if ours {
            command.env_remove(name);
        }
    }
    command.current_dir(home).stdin(Stdio::null());
    command
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What a failed command with `--json` says on stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let error: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        error["error"].clone()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs a command to its end in an empty folder.
pub(crate) fn run(args: &[&str]) -> Ran {
    let home = TempDir::new().expect("a folder");
    run_with(emp(home.path()).args(args))
}

pub(crate) fn run_with(command: &mut Command) -> Ran {
    command.output().expect("starts").into()
}

/// A command that goes on until it is told to stop.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Running {
    /// Starts it; both of its outputs are read.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let (send, lines) = channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for pipe in outputs.into_iter().flatten() {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self { child, lines, seen: String::new() }
    }

    /// The first line that has a text.
    #[track_caller]
    pub(crate) fn line(&mut self, with: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line with `{with}`:\n{}", self.seen)
            };
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(with) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// How it ends by itself.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().expect("a child"))
    }

    /// Everything that it printed; once it has ended.
    pub(crate) fn printed(&mut self) -> &str {
        for line in &self.lines {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        &self.seen
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// An API at a port of this machine.
#[derive(Clone, Copy)]
pub(crate) struct Api(pub(crate) u16);

impl Api {
    /// The API that a process announces.
    #[track_caller]
    pub(crate) fn of(running: &mut Running) -> Self {
        let line = running.line("http://127.0.0.1:");
        let port = line.split("http://127.0.0.1:").nth(1).unwrap_or_default();
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        Self(digits.parse().unwrap_or_else(|_| panic!("no port: {line}")))
    }

    pub(crate) fn url(self) -> String {
        format!("http://127.0.0.1:{}", self.0)
    }

    /// Something answers.
    #[track_caller]
    pub(crate) fn ready(self) -> Self {
        until("the API answers", || TcpStream::connect(("127.0.0.1", self.0)).ok());
        self
    }

    #[track_caller]
    pub(crate) fn get(self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Sends a body of a job; gives status and answer.
    pub(crate) fn submit(self, body: &str) -> (u16, Value) {
        self.call("POST", "/api/jobs", body)
    }

    /// The id of a job that is taken in.
    #[track_caller]
    pub(crate) fn job(self, body: &str) -> String {
        let (status, answer) = self.submit(body);
        assert_eq!(status, 202, "{answer}");
        answer["job_id"].as_str().expect("an id").to_owned()
    }

    /// Cancels a job that has not ended.
    #[track_caller]
    pub(crate) fn cancel(self, id: &str) {
        let (status, answer) = self.call("POST", &format!("/api/jobs/{id}/cancel"), "");
        assert_eq!(status, 202, "{answer}");
    }

    #[track_caller]
    pub(crate) fn until(self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/jobs/{id}");
        until(&format!("job {id}: {what}"), || Some(self.get(&path)).filter(&wanted))
    }

    #[track_caller]
    pub(crate) fn ended(self, id: &str) -> Value {
        self.until(id, "ended", |job| !job["finished_at"].is_null())
    }

    fn call(self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0)).expect("the API listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.0,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sends");
        // The API may refuse before all of it is sent.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

/// The guide's job.
pub(crate) const GUIDE: &str =
    r#"{"service":"my-service","payload":{"input":"test input","model":"my-model-v1"}}"#;

/// `emp dev --fake` in a folder of its own.
pub(crate) struct Dev {
    pub(crate) running: Running,
    pub(crate) api: Api,
    pub(crate) home: TempDir,
}

impl Dev {
    pub(crate) fn start() -> Self {
        let home = TempDir::new().expect("a folder");
        let port = free_port().to_string();
        let mut running = Running::start(emp(home.path()).args(["dev", "--fake", "--port", &port]));
        let api = Api::of(&mut running);
        Self { running, api, home }
    }

    /// A command that talks to it.
    pub(crate) fn emp(&self, args: &[&str]) -> Ran {
        run_with(emp(self.home.path()).args(args).env("EMP_API", self.api.url()))
    }
}
