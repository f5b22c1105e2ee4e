//! The scripts: each is sent once by its text, and called by its hash after that.

use std::fmt::Write as _;
use std::sync::LazyLock;

use redis::Cmd;
use sha1::{Digest as _, Sha1};

/// A script and its hash.
#[derive(Debug)]
pub(super) struct Script {
    text: String,
    hash: String,
}

/// A script that brings something new: refused when there is no memory.
const TAKES_IN: &str = "#!lua\n";
/// A script that helps what is there to end: granted when there is no memory (P27).
const GOES_ON: &str = "#!lua flags=allow-oom\n";

/// Opens the store.
pub(super) static OPEN: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("lua/open.lua").to_owned()));
/// Takes a job in.
pub(super) static ENQUEUE: LazyLock<Script> =
    LazyLock::new(|| Script::with(TAKES_IN, include_str!("lua/enqueue.lua")));
/// Takes the best jobs out of their lanes.
pub(super) static TAKE: LazyLock<Script> =
    LazyLock::new(|| Script::with(GOES_ON, include_str!("lua/take.lua")));
/// Replaces jobs that are as they were read.
pub(super) static COMMIT: LazyLock<Script> =
    LazyLock::new(|| Script::with(GOES_ON, include_str!("lua/commit.lua")));
/// Jobs of some states by arrival.
pub(super) static ARRIVED: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("lua/arrived.lua").to_owned()));
/// Writes something after everything that was written of a job.
pub(super) static MARK: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("lua/mark.lua").to_owned()));
/// What the server says of its memory.
pub(super) static MEMORY: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("lua/memory.lua").to_owned()));
/// Says that a worker is alive.
pub(super) static ANNOUNCE: LazyLock<Script> =
    LazyLock::new(|| Script::with(GOES_ON, include_str!("lua/announce.lua")));
/// Forgets what nothing asks for any more.
pub(super) static TIDY: LazyLock<Script> =
    LazyLock::new(|| Script::with(GOES_ON, include_str!("lua/tidy.lua")));

impl Script {
    fn with(flags: &str, body: &str) -> Self {
        Self::of(format!("{flags}{}{body}", include_str!("lua/common.lua")))
    }

    fn of(text: String) -> Self {
        let hash = Sha1::digest(text.as_bytes()).iter().fold(String::with_capacity(40), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Self { text, hash }
    }

    /// Calls it by its hash. The key says where in a cluster.
    pub(super) fn by_hash(&self, key: &str, args: &[Vec<u8>]) -> Cmd {
        call("EVALSHA", &self.hash, key, args)
    }

    /// Calls it by its text, and has the server remember it.
    pub(super) fn by_text(&self, key: &str, args: &[Vec<u8>]) -> Cmd {
        call("EVAL", &self.text, key, args)
    }
}

fn call(command: &str, script: &str, key: &str, args: &[Vec<u8>]) -> Cmd {
    let mut cmd = redis::cmd(command);
    cmd.arg(script).arg(1).arg(key);
    for arg in args {
        cmd.arg(arg.as_slice());
    }
    cmd
}
