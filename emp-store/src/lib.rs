//! Where jobs live: one contract, [`Store`], and the stores that keep it.
//!
//! * [`memory`]: for tests, gone with the process.
//! * [`embedded`]: one SQLite file, shared by the processes of one machine; the default.
//! * [`redis`]: Redis or Valkey, for many machines.
//!
//! What a change does to a job is one pure function, [`transition`], that all of them apply in their transaction.

pub mod conformance;
pub mod embedded;
mod keys;
mod line;
pub mod memory;
mod moment;
pub mod open;
pub mod redis;
pub mod store;
pub mod transition;

pub use embedded::EmbeddedStore;
pub use memory::MemoryStore;
pub use open::{has_password, open, passwords, shown};
pub use redis::RedisStore;
pub use store::{
    Answer, Bounds, CancelAnswer, Change, ClaimKey, ClaimRequest, Enqueued, Finish, ListQuery, NewJob, Page,
    Release, Retention, ServiceStatus, Store, StoreError, StoreOptions, WorkerStatus, Write,
};
