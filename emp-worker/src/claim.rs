//! One claim: whether it holds, what is asked of its holder, and when it was last renewed.
//!
//! The lease thread and the writers of a job tell a claim what the store answered; the run learns it through its port.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

use emp_core::job::{Phase, WorkerId};
use emp_engine::port::Stop;
use emp_store::store::{Answer, ClaimKey};
use tokio::sync::{Notify, mpsc, watch};

use crate::sync::lock;

/// Whether a claim holds, as far as this process can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Renewed within the lease.
    Sure,
    /// Not renewed for too long: somebody else may have the job. No effect until a renewal says otherwise.
    Doubt,
    /// The store says that it is not ours any more.
    Lost,
}

/// A claim's hold and what is asked of its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    hold: Hold,
    cancel: bool,
    hand_over: bool,
}

impl Standing {
    /// A lost claim goes before everything; a hand-over before a cancel, which the next owner finds in the record.
    fn stop(self) -> Option<Stop> {
        match self {
            Self { hold: Hold::Doubt | Hold::Lost, .. } => Some(Stop::Fenced),
            Self { hand_over: true, .. } => Some(Stop::HandOver),
            Self { cancel: true, .. } => Some(Stop::Cancel),
            _ => None,
        }
    }
}

/// A claim on one job.
#[derive(Debug)]
pub(crate) struct Claim {
    /// What every write of it carries.
    pub(crate) key: ClaimKey,
    /// The job's service, for the log.
    pub(crate) service: String,
    /// The connector that does it.
    pub(crate) connector: &'static str,
    /// Who has it, for the log.
    pub(crate) worker: WorkerId,
    standing: watch::Sender<Standing>,
    phase: Mutex<Phase>,
    /// The service has called, and the run has not looked since.
    nudged: AtomicBool,
    /// It has called, and what it said was not read since.
    unread: AtomicBool,
    /// A run that waits within a step hears of it here.
    called: Notify,
    renewed: Mutex<Instant>,
    /// Whoever keeps the waiting runs is told that this one must not wait any longer.
    woken: mpsc::UnboundedSender<ClaimKey>,
}

impl Claim {
    /// A claim that the store gave on a request sent at `sent`.
    pub(crate) fn new(
        key: ClaimKey,
        service: String,
        connector: &'static str,
        worker: WorkerId,
        phase: Phase,
        sent: Instant,
        woken: mpsc::UnboundedSender<ClaimKey>,
    ) -> Self {
        let standing = Standing { hold: Hold::Sure, cancel: false, hand_over: false };
        Self {
            key,
            service,
            connector,
            worker,
            standing: watch::Sender::new(standing),
            phase: Mutex::new(phase),
            nudged: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            called: Notify::new(),
            renewed: Mutex::new(sent),
            woken,
        }
    }

    /// Why the run must stop now, if it must.
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.standing.borrow().stop()
    }

    /// Completes when the run must stop.
    pub(crate) async fn stopped(&self) -> Stop {
        self.until(Standing::stop).await
    }

    /// Completes when the run must stop for another reason than a cancel.
    pub(crate) async fn stopped_but_for_cancel(&self) -> Stop {
        self.until(|standing| standing.stop().filter(|stop| *stop != Stop::Cancel)).await
    }

    /// Completes when a claim in doubt is sure again, with `true`, or lost.
    pub(crate) async fn resolved(&self) -> bool {
        self.until(|standing| match standing.hold {
            Hold::Sure => Some(true),
            Hold::Lost => Some(false),
            Hold::Doubt => None,
        })
        .await
    }

    async fn until<T>(&self, wanted: impl Fn(Standing) -> Option<T>) -> T {
        let mut standing = self.standing.subscribe();
        loop {
            if let Some(found) = wanted(*standing.borrow_and_update()) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail while somebody waits; if it did, nothing would ever change.
            if standing.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes note of what the store answered to a write of this claim.
    pub(crate) fn note(&self, answer: Answer) {
        match answer {
            Answer::Ok | Answer::OkAlready => {}
            Answer::CancelRequested => self.cancel(),
            Answer::Nudged => self.nudge(),
            Answer::Fenced | Answer::Gone | Answer::Conflict => {
                self.change(|standing| standing.hold = Hold::Lost);
            }
        }
    }

    /// A renewal sent at `sent` succeeded: the lease runs from then at least, and no doubt is left.
    pub(crate) fn renewed(&self, sent: Instant) {
        let mut renewed = lock(&self.renewed);
        *renewed = (*renewed).max(sent);
        drop(renewed);
        self.change(|standing| {
            if standing.hold == Hold::Doubt {
                standing.hold = Hold::Sure;
            }
        });
    }

    /// Begins to doubt the claim when its last renewal is older than `after`; says whether it began now.
    pub(crate) fn doubt(&self, now: Instant, after: Duration) -> bool {
        now >= self.fence_at(after)
            && self.change(|standing| {
                if standing.hold == Hold::Sure {
                    standing.hold = Hold::Doubt;
                }
            })
    }

    /// When the claim will be in doubt unless it is renewed.
    pub(crate) fn fence_at(&self, after: Duration) -> Instant {
        *lock(&self.renewed) + after
    }

    /// The claim is renewed and no doubt about it.
    pub(crate) fn sure(&self) -> bool {
        self.standing.borrow().hold == Hold::Sure
    }

    /// The job has a cancel recorded.
    pub(crate) fn cancel(&self) {
        self.change(|standing| standing.cancel = true);
    }

    /// The service has called: a run that waits is woken, and one that does not will not wait next time.
    fn nudge(&self) {
        self.unread.store(true, Ordering::SeqCst);
        self.nudged.store(true, Ordering::SeqCst);
        self.called.notify_one();
        let _ = self.woken.send(self.key.clone());
    }

    /// Completes when the service has called since this was asked last.
    pub(crate) async fn nudged(&self) {
        while !self.take_nudge() {
            self.called.notified().await;
        }
    }

    /// Whether the service has called since this was asked last.
    pub(crate) fn take_nudge(&self) -> bool {
        self.nudged.swap(false, Ordering::SeqCst)
    }

    /// Whether the service has called since what it says was read last.
    pub(crate) fn take_call(&self) -> bool {
        self.unread.swap(false, Ordering::SeqCst)
    }

    /// The worker stops: the job is to be given back.
    pub(crate) fn hand_over(&self) {
        self.change(|standing| standing.hand_over = true);
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) -> bool {
        let changed = self.standing.send_if_modified(|standing| {
            let before = *standing;
            change(standing);
            *standing != before
        });
        if changed && self.stop().is_some() {
            // Nobody listens any more only when the whole worker is gone.
            let _ = self.woken.send(self.key.clone());
        }
        changed
    }

    /// How far the attempt is.
    pub(crate) fn phase(&self) -> Phase {
        *lock(&self.phase)
    }

    /// The attempt came as far as this.
    pub(crate) fn set_phase(&self, phase: Phase) {
        *lock(&self.phase) = phase;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use emp_core::job::{JobId, Nonce};

    use super::*;

    pub(crate) fn claim(sent: Instant) -> (Claim, mpsc::UnboundedReceiver<ClaimKey>) {
        let (woken, wakes) = mpsc::unbounded_channel();
        let key = ClaimKey { job: JobId::random(), nonce: Nonce::random() };
        let worker = WorkerId::start("test");
        (Claim::new(key, "service".to_owned(), "C", worker, Phase::Prepared, sent, woken), wakes)
    }

    #[test]
    fn f04_a_claim_is_in_doubt_after_the_lease_less_the_margin_and_sure_again_after_a_renewal() {
        let start = Instant::now();
        let (claim, mut wakes) = claim(start);
        let after = Duration::from_secs(24);
        assert!(!claim.doubt(start + Duration::from_secs(23), after));
        assert_eq!(claim.stop(), None);
        assert!(claim.doubt(start + after, after));
        assert_eq!(claim.stop(), Some(Stop::Fenced));
        assert!(wakes.try_recv().is_ok(), "a waiting run must learn of it");
        claim.note(Answer::Ok);
        assert_eq!(claim.stop(), Some(Stop::Fenced), "only a renewal extends the lease");
        claim.renewed(start + Duration::from_secs(25));
        assert_eq!(claim.stop(), None);
        assert_eq!(claim.fence_at(after), start + Duration::from_secs(49));
    }

    #[tokio::test]
    async fn m58_a_run_that_waits_within_a_step_hears_of_a_call_once() {
        let (claim, _wakes) = claim(Instant::now());
        claim.note(Answer::Nudged);
        claim.nudged().await;
        assert!(!claim.take_nudge(), "it has been heard");
        let again = tokio::time::timeout(Duration::from_millis(20), claim.nudged()).await;
        assert!(again.is_err(), "nobody has called again");
    }

    #[test]
    fn p05_a_lost_claim_stays_lost() {
        let start = Instant::now();
        let (claim, _wakes) = claim(start);
        claim.note(Answer::Fenced);
        claim.renewed(start);
        assert_eq!(claim.stop(), Some(Stop::Fenced));
    }

    #[test]
    fn a_hand_over_goes_before_a_cancel_and_a_lost_claim_before_both() {
        let (claim, _wakes) = claim(Instant::now());
        claim.note(Answer::CancelRequested);
        assert_eq!(claim.stop(), Some(Stop::Cancel));
        claim.hand_over();
        assert_eq!(claim.stop(), Some(Stop::HandOver));
        claim.note(Answer::Gone);
        assert_eq!(claim.stop(), Some(Stop::Fenced));
    }
}
