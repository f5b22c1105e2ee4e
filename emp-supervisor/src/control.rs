//! How other processes ask a supervisor: one line of JSON on its socket, and one line back. The folder is its owner's, and so is the
//! socket in it.

use std::io::ErrorKind;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::Error;
use crate::folder::Folder;
use crate::status::MachineStatus;

/// No question is longer.
const LONGEST: u64 = 64 << 10;
/// A supervisor answers at once, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Until the next try where there will be an answer soon.
const SOON: Duration = Duration::from_millis(50);

/// What a supervisor is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// What runs.
    Status,
    /// To start a process, or all processes of a worker, again; everything when not named.
    Restart {
        /// Its name.
        name: Option<String>,
    },
    /// To end everything.
    Down {
        /// Without waiting for anybody.
        now: bool,
    },
}

/// What it answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What runs now.
    Status(MachineStatus),
    /// Nobody is called so; there are these.
    Unknown(String),
}

/// A question, and where the answer goes.
pub(crate) type Question = (Request, oneshot::Sender<Reply>);

/// Listens on the socket of a folder, which is this process's alone.
pub(crate) fn listen(folder: &Folder, questions: mpsc::Sender<Question>) -> Result<(), Error> {
    let path = folder.socket();
    // That of a supervisor that was killed.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).map_err(Error::io(format!(
        "cannot listen on {} (a socket's path has at most about 100 letters: a shorter --dir helps)",
        path.display()
    )))?;
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // No file is free for it, for the moment.
                sleep(SOON).await;
                continue;
            };
            let questions = questions.clone();
            tokio::spawn(async move {
                // Who goes away without an answer wants none.
                let _ = timeout(PATIENCE, answer(stream, questions)).await;
            });
        }
    });
    Ok(())
}

async fn answer(stream: UnixStream, questions: mpsc::Sender<Question>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST)).read_line(&mut line).await.ok()?;
    let request = serde_json::from_str(&line).ok()?;
    let (send, reply) = oneshot::channel();
    questions.send((request, send)).await.ok()?;
    let mut text = serde_json::to_vec(&reply.await.ok()?).ok()?;
    text.push(b'\n');
    write.write_all(&text).await.ok()
}

/// Asks the supervisor of a folder.
///
/// # Errors
/// When none runs, or it does not answer.
pub async fn ask(folder: &Folder, request: &Request) -> Result<Reply, Error> {
    let what = format!("the supervisor in {} does not answer", folder.path().display());
    let until = Instant::now() + PATIENCE;
    let mut stream = loop {
        match UnixStream::connect(folder.socket()).await {
            Ok(stream) => break stream,
            // Nobody has made the socket, or nobody is behind it any more.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                if !folder.runs() {
                    return Err(Error::Rests { folder: folder.path().display().to_string() });
                }
                // One that comes up ends what an earlier one left behind, and listens then.
                if Instant::now() > until {
                    return Err(Error::Io { what, error });
                }
                sleep(SOON).await;
            }
            Err(error) => return Err(Error::Io { what, error }),
        }
    };
    let asked = async {
        let mut text = serde_json::to_vec(request)?;
        text.push(b'\n');
        stream.write_all(&text).await?;
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).await?;
        Ok(serde_json::from_str(&reply)?)
    };
    let late = |_| Err(std::io::Error::from(ErrorKind::TimedOut));
    timeout(PATIENCE, asked).await.unwrap_or_else(late).map_err(Error::io(what))
}
