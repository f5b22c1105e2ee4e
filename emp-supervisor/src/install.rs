//! Installing a service: once for each version, with a log, within a time.

use std::time::{Duration, Instant};

use emp_core::{Clock as _, SystemClock};
use emp_machine::supervise::Ending;
use emp_machine::{Environment, Install};
use rustix::process::Signal;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::child::{self, Guard, Start};
use crate::folder::{Folder, replace};
use crate::{Error, log};

/// How many lines of a failed installer's log are told.
const TOLD: usize = 10;

/// An installation, and the environment that its installer runs in.
#[derive(Clone, Debug)]
pub struct Installation {
    /// What is installed, and how.
    pub install: Install,
    /// How the environment differs from the machine's.
    pub environment: Environment,
}

impl Installation {
    /// The name of its log.
    pub fn log(&self) -> String {
        format!("{}-install", self.install.worker)
    }

    /// Another installer, another version or another setting is another installation.
    fn fingerprint(&self) -> String {
        let install = &self.install;
        let said = json!([install.installer, install.command, install.environment]).to_string();
        Sha256::digest(said.as_bytes()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// Installs what is not installed yet.
pub(crate) async fn install(
    one: &Installation,
    folder: &Folder,
    guard: &Guard,
    run: &str,
    again: bool,
) -> Result<(), Error> {
    let Install { worker, installer, command, .. } = &one.install;
    if command.is_empty() {
        tracing::info!(worker, installer, "nothing to install: the mapping has no `install_command`");
        return Ok(());
    }
    let marker = folder.installed(worker);
    let fingerprint = one.fingerprint();
    let known =
        std::fs::read(&marker).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    if !again && known.is_some_and(|known| known["fingerprint"] == fingerprint.as_str()) {
        tracing::info!(worker, installer, "installed already");
        return Ok(());
    }
    let path = folder.log(&one.log());
    tracing::info!(worker, installer, log = %path.display(), "installing");
    let mark = format!("{run}/{}", one.log());
    let start = Start { command, environment: &one.environment, mark: &mark, log: &path };
    let begun = Instant::now();
    let child = child::start(guard, &start);
    let child = child
        .map_err(Error::io(format!("installer `{installer}` of worker `{worker}` cannot be started")))?;
    let pid = child.id();
    let ended = child::ended(child, mark);
    tokio::pin!(ended);
    let within = one.install.timeout();
    let problem = match timeout(within, &mut ended).await {
        Ok(Ending::Code(0)) => None,
        Ok(ending) => Some(ending.to_string()),
        Err(_) => {
            pid.inspect(|pid| child::signal(*pid, Signal::KILL));
            // Its end is waited for, so that it changes nothing any more.
            let _ = timeout(Duration::from_secs(10), ended).await;
            Some(format!("it had not ended after {} s, and was ended (`install_timeout`)", within.as_secs()))
        }
    };
    if let Some(problem) = problem {
        let lines = log::tail(&path, TOLD).unwrap_or_default();
        let lines = lines.iter().fold(String::new(), |text, line| text + "\n    " + line);
        return Err(Error::Install(format!(
            "installer `{installer}` of worker `{worker}` failed: {problem}; the end of {}:{lines}",
            path.display()
        )));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let said = json!({ "installer": installer, "fingerprint": fingerprint, "installed_at": SystemClock.now().to_rfc3339() });
    replace(&marker, &serde_json::to_vec_pretty(&said).unwrap_or_default())
        .map_err(Error::io(format!("cannot write {}", marker.display())))?;
    tracing::info!(worker, installer, seconds, "installed");
    Ok(())
}
