//! Where services may call, and the key of the URLs that they are given.

use std::io::Write as _;
use std::path::Path;

use emp_core::env::EnvSource;
use emp_core::{Registry, Secret};
use emp_engine::webhook::{Receivers, Webhooks};

use crate::exit::{Exit, Failure};
use crate::runtime::Place;

/// The file of the key, in the directory of an embedded store.
const FILE: &str = "webhook.key";
/// The variable that has the key instead; the same for every machine of an installation.
const VARIABLE: &str = "EMP_WEBHOOK_KEY";
/// Shorter keys are guessed.
const SHORTEST: usize = 16;

/// The key of an installation that services can call, and what makes their URLs; `None` without a public URL.
pub(crate) fn of(place: &Place<'_>, env: &dyn EnvSource) -> Result<Option<(Secret, Webhooks)>, Failure> {
    let Some(public) = place.public_url() else { return Ok(None) };
    let wrong = |message: &str| {
        Failure::new(Exit::Config, "E_PUBLIC_URL", message.to_owned())
            .help("--public-url https://queue.example.com")
    };
    if !matches!(public.scheme(), "http" | "https") || public.host_str().is_none() {
        return Err(wrong("the public URL is not an absolute http or https URL"));
    }
    if !public.username().is_empty() || public.password().is_some() || public.query().is_some() {
        return Err(wrong("the public URL has a user, a password or a query"));
    }
    // Not a flag: what stands in a command line is seen by every process of the machine.
    let key = match env.get(VARIABLE).map(Secret::new) {
        Some(key) if key.expose().len() < SHORTEST => {
            let message = format!("EMP_WEBHOOK_KEY has fewer than {SHORTEST} characters");
            return Err(Failure::new(Exit::Config, "E_WEBHOOK_KEY", message)
                .help("export EMP_WEBHOOK_KEY=$(openssl rand -hex 32)"));
        }
        Some(key) => key,
        None => kept(place.url())?,
    };
    Ok(Some((key.clone(), Webhooks::new(public.clone(), key))))
}

/// What is believed of the calls to each connector's jobs, by the secrets of an environment.
pub(crate) fn receivers(registry: &Registry, source: &dyn EnvSource) -> Result<Receivers, Failure> {
    Receivers::of(registry.entries().iter().map(|entry| entry.spec), source).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Config, "E_ENVIRONMENT", lines.join("\n")).help("emp env check")
    })
}

/// The key beside an embedded store, made the first time; one for this process where nothing is kept.
fn kept(store: &str) -> Result<Secret, Failure> {
    if store.starts_with("redis") {
        let message =
            "the processes that share this store may be on several machines, and need one key for webhooks";
        return Err(Failure::new(Exit::Config, "E_WEBHOOK_KEY", message)
            .help("set the same on all of them: export EMP_WEBHOOK_KEY=$(openssl rand -hex 32)"));
    }
    let Some(dir) = store.strip_prefix("file:").filter(|dir| !dir.is_empty()) else { return Ok(random()) };
    let file = Path::new(dir).join(FILE);
    let failed = |error: &std::io::Error| {
        Failure::io(&format!("cannot keep the key of webhooks in {}", file.display()), error)
            .help("make the directory writable, or set EMP_WEBHOOK_KEY")
    };
    // Whole before it has its name, so that a process that starts at the same time reads all of it; tempfile makes it 0600.
    let key = random();
    let mut new = tempfile::NamedTempFile::new_in(dir).map_err(|error| failed(&error))?;
    new.write_all(key.expose().as_bytes())
        .and_then(|()| new.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    match new.persist_noclobber(&file).map_err(|error| error.error) {
        Ok(_) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = std::fs::read_to_string(&file).map_err(|error| failed(&error))?;
            let text = text.trim();
            if text.len() < SHORTEST {
                let message = format!("{} holds no key", file.display());
                return Err(Failure::new(Exit::Config, "E_WEBHOOK_KEY", message)
                    .help(format!("rm {}", file.display())));
            }
            Ok(Secret::new(text))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// For fakes on this machine, which reach the API at its own address.
pub(crate) fn local(address: std::net::SocketAddr) -> Option<(Secret, Webhooks)> {
    let public = format!("http://{address}").parse().ok()?;
    let key = random();
    Some((key.clone(), Webhooks::new(public, key)))
}

fn random() -> Secret {
    Secret::new(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()))
}
