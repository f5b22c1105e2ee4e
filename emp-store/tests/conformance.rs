//! All stores keep the same promises.
#![allow(clippy::expect_used, reason = "a bench that cannot be made fails its test")]

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

mod redis {
    use std::sync::Arc;

    use emp_store::RedisStore;
    use emp_store::conformance::{Bench, clock, options};
    use emp_testkit::redis::RedisBox;

    emp_store::conformance!(|| async {
        let clock = clock();
        let server = RedisBox::start().expect("a server");
        let shared = Arc::<emp_core::time::ManualClock>::clone(&clock);
        let store = RedisStore::open_with_clock(&server.url(), options(), shared).await.expect("a store");
        Bench::new(Arc::new(store), clock).keeping(server)
    });
}
