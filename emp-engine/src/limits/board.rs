//! The service jobs that wait, and what the last batch told of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// The service jobs of one service that are asked after, and the last answer about all of them.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Ids, with how many runs wait for each.
    waiting: Mutex<BTreeMap<String, usize>>,
    /// Held while a batch is asked for, so that everybody else waits for its answer.
    pub(crate) last: tokio::sync::Mutex<Batch>,
}

/// What the last batch told.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Which batch it was, from 1.
    pub(crate) number: u64,
    /// When its answer came, by the service's clock.
    pub(crate) at: Duration,
    /// The elements, by service job id.
    pub(crate) told: HashMap<String, Value>,
    /// No batch is asked for until then: the last one failed.
    pub(crate) closed_until: Duration,
}

/// A run's place on the board; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    board: Arc<Board>,
    id: String,
}

impl Board {
    /// Notes that a run asks after a service job.
    pub(crate) fn sit(self: &Arc<Self>, id: &str) -> Seat {
        *self.waiting().entry(id.to_owned()).or_insert(0) += 1;
        Seat { board: Arc::clone(self), id: id.to_owned() }
    }

    /// The service jobs that are asked after.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.waiting().keys().cloned().collect()
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.waiting().len()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut waiting = self.board.waiting();
        if let Some(runs) = waiting.get_mut(&self.id) {
            *runs -= 1;
            if *runs == 0 {
                waiting.remove(&self.id);
            }
        }
    }
}
