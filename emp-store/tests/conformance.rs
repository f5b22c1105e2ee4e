//! All stores keep the same promises.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that cannot be made fails its test, or says why it is none"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use emp_store::RedisStore;
use emp_store::conformance::{Bench, clock, options};
use emp_testkit::redis::{Program, RedisBox, RedisCluster, Sentinels};

mod memory {
    use std::sync::Arc;

    use emp_store::MemoryStore;
    use emp_store::conformance::{Bench, clock, options};

    emp_store::conformance!(|| async {
        let clock = clock();
        let store = MemoryStore::new(options(), Arc::<emp_core::time::ManualClock>::clone(&clock));
        Bench::new(Arc::new(store), clock)
    });
}

mod embedded {
    use std::sync::Arc;

    use emp_store::EmbeddedStore;
    use emp_store::conformance::{Bench, clock, options};

    emp_store::conformance!(|| async {
        let clock = clock();
        let dir = tempfile::tempdir().expect("a directory");
        let shared = Arc::<emp_core::time::ManualClock>::clone(&clock);
        let store = EmbeddedStore::open(&dir.path().join("jobs"), options(), shared).expect("a store");
        Bench::new(Arc::new(store), clock).keeping(dir)
    });
}

/// A bench for a store in a server that may be shared with other cases: each has a queue of its own.
async fn in_queue<S: Send + Sync + 'static>(url: &str, server: Arc<S>) -> Option<Bench> {
    static QUEUES: AtomicUsize = AtomicUsize::new(0);
    let queue = QUEUES.fetch_add(1, Ordering::Relaxed);
    let clock = clock();
    let shared = Arc::<emp_core::time::ManualClock>::clone(&clock);
    let url = format!("{url}?queue=case-{queue}");
    let store = RedisStore::open_with_clock(&url, options(), shared).await.expect("a store");
    Some(Bench::new(Arc::new(store), clock).keeping(server))
}

/// A server for the cases that run at the same time; gone with the last of them.
macro_rules! shared {
    ($kind:ty, $start:expr) => {{
        static SERVER: Mutex<Weak<$kind>> = Mutex::new(Weak::new());
        let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        server.upgrade().unwrap_or_else(|| {
            let started = Arc::new($start.expect("a server"));
            *server = Arc::downgrade(&started);
            started
        })
    }};
}

mod redis {
    use super::*;

    async fn bench() -> Option<Bench> {
        let server = shared!(RedisBox, RedisBox::start());
        in_queue(&server.url(), Arc::clone(&server)).await
    }

    emp_store::conformance!(bench);
}

mod valkey {
    use super::*;

    async fn bench() -> Option<Bench> {
        if !Program::Valkey.installed() {
            println!("not tested: valkey-server is not installed");
            return None;
        }
        let server = shared!(RedisBox, RedisBox::start_with(Program::Valkey, &["--appendonly", "yes"]));
        in_queue(&server.url(), Arc::clone(&server)).await
    }

    emp_store::conformance!(bench);
}

mod cluster {
    use super::*;

    async fn bench() -> Option<Bench> {
        let cluster = shared!(RedisCluster, RedisCluster::start(3));
        in_queue(&cluster.url(), Arc::clone(&cluster)).await
    }

    emp_store::conformance!(bench);
}

mod sentinel {
    use super::*;

    async fn bench() -> Option<Bench> {
        let sentinels = shared!(Sentinels, Sentinels::start());
        in_queue(&sentinels.url(), Arc::clone(&sentinels)).await
    }

    emp_store::conformance!(bench);
}
