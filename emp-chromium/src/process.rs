//! The process of Chromium, and the guard that ends it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chromiumoxide::Browser;
use chromiumoxide::cdp::browser_protocol::browser::{SetDownloadBehaviorBehavior, SetDownloadBehaviorParams};
use chromiumoxide::handler::HandlerConfig;
use emp_core::{ErrorCode, JobError};
use futures_util::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStderr, ChildStdin, Command};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::fault;

/// For how long a start may take on a busy machine.
const START: Duration = Duration::from_secs(30);
/// So many last lines of what it says tell why it did not start.
const LAST_WORDS: usize = 6;

/// Runs Chromium, and ends it when its own standard input ends: when whoever started it lets go of the pipe, or is no more. It leads a
/// process group of its own, and takes all of that with it. Only Chromium holds the standard error, so that its end is seen.
const GUARD: &str = r#"
profile=$1; shift
exec 3>&2 2>/dev/null
"$@" </dev/null 2>&3 3>&- &
chromium=$!
exec 3>&-
cat >/dev/null
kill -KILL "$chromium"
rm -rf -- "$profile" || { sleep 1; rm -rf -- "$profile"; }
kill -KILL 0
"#;

/// The variables that Chromium gets of ours: where programs, fonts and the language are.
const KEPT: [&str; 6] = ["PATH", "LANG", "LC_ALL", "TZ", "FONTCONFIG_PATH", "FONTCONFIG_FILE"];

/// How it is always started: without windows, without calls home, and with no way around the proxy.
const ARGUMENTS: [&str; 23] = [
    "--headless",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--block-new-web-contents",
    "--deny-permission-prompts",
    "--disable-background-networking",
    // Its crash handler would outlive it, and write beside the profile.
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-features=DialMediaRouteProvider,MediaRouter,OptimizationHints,Translate",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
    // Loopback is not let past the proxy, as it would be by default.
    "--proxy-bypass-list=<-loopback>",
];

/// How Chromium is started.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The program.
    pub program: &'a Path,
    /// The proxy that everything goes through.
    pub proxy: &'a Url,
    /// Whether its renderers are kept in the system's sandbox. Chromium does not start with it as root.
    pub sandbox: bool,
}

impl Launch<'_> {
    /// Whether this process may have a sandbox: anybody but root.
    pub fn sandbox_works() -> bool {
        !rustix::process::geteuid().is_root()
    }
}

/// A Chromium that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Chromium {
    pub(crate) browser: Browser,
    _speaking: AbortOnDropHandle<()>,
    _listening: AbortOnDropHandle<()>,
    profile: PathBuf,
    /// The guard reads the other end.
    _lifeline: ChildStdin,
}

impl Chromium {
    /// Starts one.
    ///
    /// # Errors
    /// It cannot be run, ends at once, or does not listen in time; with what it said last.
    pub async fn launch(launch: Launch<'_>) -> Result<Self, JobError> {
        let Started { profile, lifeline, mut said } = spawn(launch)?;
        let mut last = VecDeque::new();
        let address = timeout(START, address(&mut said, &mut last)).await;
        let Ok(Some(address)) = address else {
            let why = if address.is_err() { "was not ready in time" } else { "did not start" };
            let words = Vec::from(last).join("\n");
            let message = format!("Chromium ({}) {why}", launch.program.display());
            return Err(JobError::new(ErrorCode::EEnvironment, message).detail(words));
        };
        // It stops when nobody reads what it says.
        let listening = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                tracing::trace!(line, "chromium");
            }
        }));
        let config = HandlerConfig {
            ignore_https_errors: false,
            viewport: None,
            // The caller has a deadline for all of it.
            request_timeout: Duration::from_hours(1),
            ..HandlerConfig::default()
        };
        let connected = Browser::connect_with_config(address, config).await;
        let (browser, mut handler) = connected.map_err(|error| fault("answer", &error))?;
        let speaking = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(heard) = handler.next().await {
                if let Err(error) = heard {
                    tracing::debug!(%error, "chromium: a message that nobody understands");
                }
            }
        }));
        let deny = SetDownloadBehaviorParams {
            events_enabled: Some(true),
            ..SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny)
        };
        browser.execute(deny).await.map_err(|error| fault("refuse downloads", &error))?;
        Ok(Self { browser, _speaking: speaking, _listening: listening, profile, _lifeline: lifeline })
    }

    /// Where its profile is: a directory of its own, which is deleted with it.
    pub fn profile(&self) -> &Path {
        &self.profile
    }
}

/// A guard and its Chromium, gone with the lifeline.
struct Started {
    profile: PathBuf,
    lifeline: ChildStdin,
    said: Lines<BufReader<ChildStderr>>,
}

fn spawn(launch: Launch<'_>) -> Result<Started, JobError> {
    let cannot = |what: &str, error: &std::io::Error| {
        JobError::new(ErrorCode::EEnvironment, format!("Chromium cannot be started: {what}: {error}"))
    };
    let profile = tempfile::Builder::new().prefix("emp-chromium-").tempdir();
    let profile = profile.map_err(|error| cannot("no directory for its profile", &error))?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", GUARD, "emp-chromium-guard"]).arg(profile.path()).arg(launch.program);
    command.args(ARGUMENTS).arg(format!("--proxy-server={}", launch.proxy.as_str().trim_end_matches('/')));
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    if !launch.sandbox {
        command.arg("--no-sandbox");
    }
    command.arg("about:blank");
    // What it puts beside its profile is not deleted by a Chromium that is killed.
    command.env_clear().env("HOME", profile.path()).env("TMPDIR", profile.path());
    command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut guard = command.spawn().map_err(|error| cannot("/bin/sh", &error))?;
    // From here on the guard deletes it.
    let profile = profile.keep();
    match (guard.stdin.take(), guard.stderr.take()) {
        (Some(lifeline), Some(said)) => Ok(Started { profile, lifeline, said: BufReader::new(said).lines() }),
        _ => Err(JobError::new(ErrorCode::EInternal, "the guard of Chromium has no pipes")),
    }
}

/// Where it listens for us, when it says so.
async fn address(said: &mut Lines<BufReader<ChildStderr>>, last: &mut VecDeque<String>) -> Option<String> {
    while let Ok(Some(line)) = said.next_line().await {
        if let Some(address) = line.strip_prefix("DevTools listening on ") {
            return Some(address.trim().to_owned());
        }
        if last.len() == LAST_WORDS {
            last.pop_front();
        }
        last.push_back(line);
    }
    None
}
