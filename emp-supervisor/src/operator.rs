//! What an operator says: by signals to this process, and by the folder's socket.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::Error;
use crate::control::Question;

/// How an operator speaks to this process itself.
pub(crate) struct Signals([tokio::signal::unix::Signal; 3]);

impl Signals {
    pub(crate) fn listen() -> Result<Self, Error> {
        let on = |kind| signal(kind).map_err(Error::io("cannot listen to signals"));
        Ok(Self([on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?]))
    }

    /// The next one that means an end.
    pub(crate) async fn end(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// What is asked by the folder's socket.
pub(crate) struct Questions(pub(crate) mpsc::Receiver<Question>);

impl Questions {
    pub(crate) async fn next(&mut self) -> Question {
        match self.0.recv().await {
            Some(question) => question,
            // The socket's task is gone: nobody asks any more.
            None => std::future::pending().await,
        }
    }
}
