//! Runs that wait for their next poll: no task and no socket each, one timer for all.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use emp_core::job::Nonce;
use emp_engine::run::Run;
use emp_engine::wheel::Wheel;
use emp_store::store::ClaimKey;
use tokio::sync::mpsc;

use crate::claims::Tenure;
use crate::sync::lock;

/// A run with the claim and the slot that it has.
pub(crate) struct Held {
    pub(crate) run: Run,
    pub(crate) tenure: Tenure,
}

/// A run's place on the wheel. One that was woken before its time leaves a ticket behind that fits no run any more.
struct Ticket {
    nonce: Nonce,
    number: u64,
}

/// Runs that wait.
pub(crate) struct Parking {
    waiting: Mutex<HashMap<Nonce, (u64, Held)>>,
    wheel: Wheel<Ticket>,
    next: AtomicU64,
    woken: mpsc::UnboundedSender<ClaimKey>,
}

impl Parking {
    /// Runs that wait, told through `woken` which of them must not wait longer.
    pub(crate) fn new(woken: mpsc::UnboundedSender<ClaimKey>) -> Self {
        Self { waiting: Mutex::default(), wheel: Wheel::new(), next: AtomicU64::new(0), woken }
    }

    /// How a claim wakes its run.
    pub(crate) fn waker(&self) -> mpsc::UnboundedSender<ClaimKey> {
        self.woken.clone()
    }

    /// Puts a run aside for a while.
    pub(crate) fn park(&self, held: Held, after: Duration) {
        let claim = std::sync::Arc::clone(&held.tenure.claim);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.waiting).insert(claim.key.nonce.clone(), (number, held));
        self.wheel.insert(Ticket { nonce: claim.key.nonce.clone(), number }, after);
        if claim.stop().is_some() || claim.take_nudge() {
            // The stop, or the service's call, may have come before there was a waiting run to wake.
            let _ = self.woken.send(claim.key.clone());
        }
    }

    /// The next run whose wait is over, or that must stop waiting.
    pub(crate) async fn next(&self, wakes: &mut mpsc::UnboundedReceiver<ClaimKey>) -> Held {
        loop {
            let held = tokio::select! {
                biased;
                ticket = self.wheel.next() => self.take(&ticket.nonce, Some(ticket.number)),
                Some(key) = wakes.recv() => self.take(&key.nonce, None),
            };
            if let Some(held) = held {
                return held;
            }
        }
    }

    fn take(&self, nonce: &Nonce, number: Option<u64>) -> Option<Held> {
        let mut waiting = lock(&self.waiting);
        let (current, _) = waiting.get(nonce)?;
        if number.is_some_and(|number| number != *current) {
            return None;
        }
        let (_, held) = waiting.remove(nonce)?;
        // It looks now, whatever it was woken for.
        held.tenure.claim.take_nudge();
        Some(held)
    }
}
