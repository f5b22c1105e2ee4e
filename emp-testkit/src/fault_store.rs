//! A store that fails on demand: before it does what it was asked, after it has done it, or late.
//!
//! ```
//! # use std::sync::Arc;
//! use emp_store::Change;
//! use emp_testkit::{FaultStore, StoreFault, Verb, When};
//!
//! # fn example(inner: Arc<dyn emp_store::Store>) {
//! let store = FaultStore::new(inner);
//! // The next two claims are made, and nobody hears of them.
//! store.fault(Verb::Claim, StoreFault::After, When::First(2));
//! // No renewal arrives.
//! store.fault_writes(|change| *change == Change::Renew, StoreFault::Before, When::Always);
//! # }
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use emp_core::Timestamp;
use emp_core::job::{Call, Event, Job, JobId, JobState, WorkerId};
use emp_store::{
    Answer, CancelAnswer, Change, ClaimRequest, Enqueued, ListQuery, NewJob, Page, Store, StoreError,
    WorkerStatus, Write,
};

use crate::fault::When;

/// How a call of a store goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// It fails, and nothing was done.
    Before,
    /// It fails, and it was done: the answer is lost.
    After,
    /// It is done so much later.
    Delay(Duration),
}

/// Which writes a fault is for.
type Filter = fn(&Change) -> bool;

/// A fault with the number of calls that it has seen.
struct Armed {
    verb: Verb,
    filter: Option<Filter>,
    fault: StoreFault,
    when: When,
    seen: u32,
}

/// A store with faults; whoever is to be spared them uses the inner one directly.
pub struct FaultStore {
    inner: Arc<dyn Store>,
    armed: Mutex<Vec<Armed>>,
    calls: Mutex<HashMap<Verb, usize>>,
    written: Mutex<Vec<Vec<Write>>>,
    down: AtomicBool,
    deaf: AtomicBool,
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl FaultStore {
    /// A store without faults so far.
    pub fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            armed: Mutex::default(),
            calls: Mutex::default(),
            written: Mutex::default(),
            down: AtomicBool::default(),
            deaf: AtomicBool::default(),
        })
    }

    /// Sets a fault; it counts calls from now on. Of several that hit one call, the first set one wins.
    pub fn fault(&self, verb: Verb, fault: StoreFault, when: When) {
        lock(&self.armed).push(Armed { verb, filter: None, fault, when, seen: 0 });
    }

    /// Sets a fault of the [`Store::write`]s that have a change of this kind among them.
    pub fn fault_writes(&self, filter: Filter, fault: StoreFault, when: When) {
        lock(&self.armed).push(Armed { verb: Verb::Write, filter: Some(filter), fault, when, seen: 0 });
    }

    /// Takes all faults back.
    pub fn clear(&self) {
        lock(&self.armed).clear();
    }

    /// Nothing is answered any more, or everything again.
    pub fn down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// No hint is heard any more, or all of them again.
    pub fn deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::SeqCst);
    }

    /// How often a method was called.
    pub fn calls(&self, verb: Verb) -> usize {
        lock(&self.calls).get(&verb).copied().unwrap_or(0)
    }

    /// What every [`Store::write`] was asked to do, in order.
    pub fn written(&self) -> Vec<Vec<Write>> {
        lock(&self.written).clone()
    }

    /// Counts a call, and says what goes wrong with it.
    fn come_to(&self, verb: Verb, writes: &[Write]) -> Option<StoreFault> {
        *lock(&self.calls).entry(verb).or_default() += 1;
        let mut hit = None;
        for armed in lock(&self.armed).iter_mut().filter(|armed| armed.verb == verb) {
            if armed.filter.is_some_and(|filter| !writes.iter().any(|write| filter(&write.change))) {
                continue;
            }
            armed.seen += 1;
            if hit.is_none() && armed.when.hits(armed.seen) {
                hit = Some(armed.fault);
            }
        }
        if self.down.load(Ordering::SeqCst) { Some(StoreFault::Before) } else { hit }
    }
}

/// Makes a call, with what goes wrong with it.
async fn with<T>(
    fault: Option<StoreFault>,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let failed = || StoreError::Down("a fault of the test".to_owned());
    match fault {
        None => call.await,
        Some(StoreFault::Before) => Err(failed()),
        Some(StoreFault::After) => call.await.and(Err(failed())),
        Some(StoreFault::Delay(time)) => {
            tokio::time::sleep(time).await;
            call.await
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The store's methods that can fail: the enum of them and the wrapper come from one list, and the compiler holds it against the trait.
macro_rules! verbs {
    ($($verb:ident = fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {
        /// A method of [`Store`] that can fail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the methods have docs")]
        pub enum Verb {
            Write,
            $($verb,)+
        }

        impl Verb {
            /// Every method that can fail.
            pub const ALL: &[Self] = &[Self::Write, $(Self::$verb,)+];
        }

        #[async_trait]
        impl Store for FaultStore {
            async fn write(&self, writes: Vec<Write>) -> Result<Vec<Answer>, StoreError> {
                let fault = self.come_to(Verb::Write, &writes);
                lock(&self.written).push(writes.clone());
                with(fault, self.inner.write(writes)).await
            }

            $(
                async fn $name(&self, $($argument: $kind),*) -> Result<$answer, StoreError> {
                    with(self.come_to(Verb::$verb, &[]), self.inner.$name($($argument),*)).await
                }
            )+

            async fn changed(&self) {
                if self.deaf.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                // A store that is down cannot listen: the hint comes at once, again and again.
                if !self.down.load(Ordering::SeqCst) {
                    self.inner.changed().await;
                }
            }

            fn now(&self) -> Timestamp {
                self.inner.now()
            }
        }
    };
}

verbs! {
    Enqueue = fn enqueue(job: NewJob) -> Enqueued;
    Claim = fn claim(request: ClaimRequest) -> Vec<Job>;
    Cancel = fn cancel(id: &JobId, by: &str, reason: Option<&str>) -> CancelAnswer;
    Nudge = fn nudge(id: &JobId, call: Option<Call>) -> bool;
    Reap = fn reap() -> usize;
    Get = fn get(id: &JobId) -> Option<Job>;
    List = fn list(query: ListQuery) -> Page;
    Events = fn events(id: &JobId, after: u64) -> Option<Vec<Event>>;
    Announce = fn announce(worker: WorkerStatus) -> ();
    Retire = fn retire(worker: &WorkerId) -> ();
    Workers = fn workers() -> Vec<WorkerStatus>;
    Counts = fn counts() -> BTreeMap<String, BTreeMap<JobState, u64>>;
}
