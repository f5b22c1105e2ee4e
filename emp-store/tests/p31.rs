//! P31: what the embedded store answered is there, whatever dies; and what is not a store of ours is refused.
//!
//! Cases that need a process of their own start this test binary again with [`ROLE`] and [`DIR`] set.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, and say what was not tested"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use emp_core::job::{Job, JobId, JobState, WorkerId};
use emp_core::time::ManualClock;
use emp_core::{Clock as _, SystemClock};
use emp_store::{
    Answer, Change, ClaimKey, ClaimRequest, EmbeddedStore, Enqueued, Finish, ListQuery, NewJob, Store as _,
    StoreError, StoreOptions, Write,
};
use serde_json::{Map, json};

const ROLE: &str = "EMP_STORE_TEST_ROLE";
const DIR: &str = "EMP_STORE_TEST_DIR";

fn open(dir: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(dir, StoreOptions::default(), Arc::new(SystemClock))
}

fn new(payload: &str) -> NewJob {
    NewJob {
        service: "svc".to_owned(),
        payload: json!({ "text": payload }),
        priority: 5,
        labels: BTreeMap::new(),
        idempotency_key: None,
    }
}

async fn add(store: &EmbeddedStore, payload: &str) -> Result<Job, StoreError> {
    match store.enqueue(new(payload)).await? {
        Enqueued::New(job) => Ok(job),
        other => panic!("expected a new job, got {other:?}"),
    }
}

async fn claim(store: &EmbeddedStore, count: usize) -> Vec<Job> {
    let services = BTreeMap::from([("svc".to_owned(), count)]);
    let worker = WorkerId::start("w");
    let request = ClaimRequest {
        worker,
        services,
        labels: BTreeMap::new(),
        connectors: BTreeSet::from(["Fake".to_owned()]),
        max: count,
    };
    store.claim(request).await.expect("claim")
}

async fn finish(store: &EmbeddedStore, jobs: &[Job]) {
    let writes = jobs.iter().map(|job| Write {
        claim: ClaimKey { job: job.id.clone(), nonce: job.lease.as_ref().expect("a lease").nonce.clone() },
        change: Change::Finish(Finish::Succeeded { result: json!("done"), meta: Map::new() }),
    });
    let answers = store.write(writes.collect()).await.expect("write");
    assert!(answers.iter().all(|answer| answer.holds()), "{answers:?}");
}

/// This test binary again, as a role.
fn role(program: &[&str], role: &str, dir: &Path) -> Command {
    let this = std::env::current_exe().expect("this binary");
    let mut words: Vec<PathBuf> = program.iter().map(PathBuf::from).collect();
    words.push(this);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", "a_role_for_another_process", "--nocapture"]);
    command.env(ROLE, role).env(DIR, dir);
    command
}

#[tokio::test]
async fn a_role_for_another_process() {
    let (Ok(role), Ok(dir)) = (std::env::var(ROLE), std::env::var(DIR)) else { return };
    let dir = PathBuf::from(dir).join("jobs");
    match role.as_str() {
        "work until killed" => work_until_killed(&dir).await,
        "take half" => take_half(&dir).await,
        "fill the disk" => fill_the_disk(&dir).await,
        other => panic!("no such role: {other}"),
    }
}

fn acknowledge(word: &str, id: &JobId) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word} {id}").and_then(|()| out.flush()).expect("a pipe to the parent");
}

async fn work_until_killed(dir: &Path) {
    let store = open(dir).expect("a store");
    loop {
        for _ in 0..3 {
            acknowledge("came", &add(&store, "x").await.expect("enqueue").id);
        }
        for job in claim(&store, 1).await {
            finish(&store, std::slice::from_ref(&job)).await;
            acknowledge("ended", &job.id);
        }
    }
}

/// Kills a working process again and again: all that it was answered is there.
#[tokio::test]
async fn p31_what_was_answered_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut expected = BTreeMap::<JobId, bool>::new();
    for round in 0..40 {
        let mut child = role(&[], "work until killed", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        let mut heard = 0;
        while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
            // A line that the kill cut short was not heard.
            if let Some((word, id)) = line.strip_suffix('\n').and_then(|line| line.split_once(' '))
                && let Ok(id) = id.parse::<JobId>()
            {
                heard += 1;
                let ended = expected.entry(id).or_default();
                *ended |= word == "ended";
            }
            if heard == 1 + round % 13 {
                child.kill().expect("kill");
            }
            line.clear();
        }
        child.wait().expect("the process");
        assert!(heard > round % 13, "round {round} was killed too early: {heard}");
    }
    let store = open(&dir.path().join("jobs")).expect("a store");
    for (id, ended) in &expected {
        let job = store.get(id).await.expect("get").unwrap_or_else(|| panic!("{id} is lost"));
        assert!(!ended || job.state == JobState::Succeeded, "the end of {id} is lost");
    }
    assert!(expected.len() > 200 && expected.values().any(|ended| *ended));
}

/// Cuts the log within its last commit: everything before it is there, and the store goes on.
#[tokio::test]
async fn p31_a_torn_tail_is_cut_back_to_the_last_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("a store");
    for _ in 0..20 {
        add(&store, "kept").await.expect("enqueue");
    }
    let log = dir.path().join("emp.db-wal");
    let before = std::fs::metadata(&log).expect("the log").len();
    let torn = add(&store, "torn").await.expect("enqueue");
    let whole = std::fs::read(&log).expect("the log");
    let database = std::fs::read(dir.path().join("emp.db")).expect("the file");
    let cut = usize::try_from(before).expect("a size") + 100;
    let mut scribbled = whole.clone();
    scribbled[cut..].fill(0xA5);
    for tail in [&whole[..cut], &whole[..whole.len() - 1], &scribbled] {
        let copy = tempfile::tempdir().expect("a directory");
        std::fs::write(copy.path().join("emp.db"), &database).expect("a copy");
        std::fs::write(copy.path().join("emp.db-wal"), tail).expect("a copy");
        let store = open(copy.path()).expect("a store");
        let left = std::fs::metadata(copy.path().join("emp.db-wal")).expect("the log").len();
        assert_eq!(left, 0, "what is torn is gone from the log");
        assert_eq!(store.get(&torn.id).await.expect("get"), None);
        let page = store.list(ListQuery { limit: 50, ..ListQuery::default() }).await.expect("list");
        assert_eq!(page.jobs.len(), 20);
        add(&store, "after").await.expect("enqueue");
    }
}

/// A full disk, for real: a small tmpfs in a mount namespace of its own.
#[test]
fn p31_a_full_disk_refuses_new_jobs_and_lets_the_others_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let mount = format!("mount -t tmpfs -o size=24m tmpfs {} && exec \"$@\"", dir.path().display());
    for unshare in [&["unshare", "-m"][..], &["unshare", "-rm"]] {
        let possible = Command::new(unshare[0]).args(&unshare[1..]).arg("true").output();
        if !possible.is_ok_and(|output| output.status.success()) {
            continue;
        }
        let program: Vec<&str> = [unshare, &["sh", "-c", &mount, "sh"]].concat();
        let output = role(&program, "fill the disk", dir.path()).output().expect("a process");
        let said = String::from_utf8_lossy(&output.stdout);
        let cried = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("all ended"), "{said}\n{cried}");
        return;
    }
    println!("not tested: no mount namespace on this machine");
}

async fn fill_the_disk(dir: &Path) {
    let ballast = dir.with_file_name("ballast");
    std::fs::write(&ballast, vec![1; 8 << 20]).expect("ballast");
    let store = open(dir).expect("a store");
    let text = "x".repeat(2000);
    let mut accepted = 0;
    let refused = loop {
        match add(&store, &text).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused}");
    assert!(refused.to_string().starts_with("E_STORE_FULL") && accepted > 100, "{accepted}: {refused}");
    let mut ended = 0;
    loop {
        let jobs = claim(&store, 10).await;
        if jobs.is_empty() {
            break;
        }
        finish(&store, &jobs).await;
        ended += jobs.len();
    }
    assert_eq!(ended, accepted, "every accepted job ends");
    assert!(matches!(add(&store, &text).await, Err(StoreError::Full(_))), "still no room");
    std::fs::remove_file(&ballast).expect("room");
    let freed = Instant::now();
    while let Err(error) = add(&store, &text).await {
        assert!(freed.elapsed() < Duration::from_secs(10), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("all ended");
}

async fn take_half(dir: &Path) {
    let store = open(dir).expect("a store");
    for _ in 0..20 {
        add(&store, "from the child").await.expect("enqueue");
        for job in claim(&store, 1).await {
            finish(&store, std::slice::from_ref(&job)).await;
            acknowledge("ended", &job.id);
        }
    }
}

/// API, worker and CLI are processes of one machine: what one writes, the other sees, and no job is claimed twice.
#[tokio::test]
async fn p31_two_processes_share_one_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(&dir.path().join("jobs")).expect("a store");
    let hint = store.changed();
    let child = role(&[], "take half", dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    tokio::time::timeout(Duration::from_secs(10), hint).await.expect("a hint from the other process");
    let mut mine = Vec::new();
    for _ in 0..20 {
        add(&store, "from the parent").await.expect("enqueue");
        let jobs = claim(&store, 1).await;
        finish(&store, &jobs).await;
        mine.extend(jobs.into_iter().map(|job| job.id));
    }
    let output =
        tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("wait").expect("output");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let theirs: Vec<JobId> =
        said.lines().filter_map(|line| line.strip_prefix("ended ")?.parse().ok()).collect();
    assert!(theirs.iter().all(|id| !mine.contains(id)), "one job, one owner");
    let counts = store.counts().await.expect("counts");
    let ended = (mine.len() + theirs.len()) as u64;
    assert_eq!(counts["svc"].get(&JobState::Succeeded), Some(&ended));
    assert_eq!(counts["svc"].values().sum::<u64>(), 40);
}

fn edit(dir: &Path, sql: &str) {
    rusqlite::Connection::open(dir.join("emp.db")).expect("the file").execute_batch(sql).expect("an edit");
}

/// Another version, or another program's file, is kept out unchanged.
#[tokio::test]
async fn p31_another_version_is_kept_out() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()).expect("a store"));
    edit(dir.path(), "PRAGMA user_version = 99");
    let error = open(dir.path()).expect_err("another version");
    assert!(matches!(&error, StoreError::Version(text) if text.contains("format 99")), "{error}");

    let dir = tempfile::tempdir().expect("a directory");
    edit(dir.path(), "CREATE TABLE songs (title TEXT)");
    let before = std::fs::read(dir.path().join("emp.db")).expect("the file");
    let error = open(dir.path()).expect_err("another program's");
    assert!(matches!(&error, StoreError::Version(text) if text.contains("not a store of emp")), "{error}");
    assert_eq!(std::fs::read(dir.path().join("emp.db")).expect("the file"), before);
}

/// A damaged file is an error with a code, never a panic.
#[tokio::test]
async fn p31_a_damaged_file_is_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("emp.db"), "this is not a database, ".repeat(400)).expect("a file");
    assert!(matches!(open(dir.path()), Err(StoreError::Corrupt(_))));

    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("a store");
    let job = add(&store, &"x".repeat(20_000)).await.expect("enqueue");
    drop(store);
    let mut bytes = std::fs::read(dir.path().join("emp.db")).expect("the file");
    bytes[4096..].fill(0xFF);
    std::fs::write(dir.path().join("emp.db"), bytes).expect("the file");
    let answers = match open(dir.path()) {
        Err(error) => vec![error],
        Ok(store) => {
            [store.get(&job.id).await.err(), add(&store, "x").await.err()].into_iter().flatten().collect()
        }
    };
    assert!(answers.iter().any(|error| matches!(error, StoreError::Corrupt(_))), "{answers:?}");
}

/// One record that cannot be read does not stop the line behind it.
#[tokio::test]
async fn f18_a_job_that_cannot_be_read_is_taken_out() {
    let spoils = |id: &JobId| {
        [
            format!("UPDATE jobs SET record = '{{' WHERE id = '{id}'"),
            format!(
                "UPDATE payloads SET payload = '{{' WHERE arrival = (SELECT arrival FROM jobs WHERE id = '{id}')"
            ),
            format!("DELETE FROM payloads WHERE arrival = (SELECT arrival FROM jobs WHERE id = '{id}')"),
        ]
    };
    for spoil in 0..3 {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path()).expect("a store");
        let broken = add(&store, "broken").await.expect("enqueue");
        let next = add(&store, "next").await.expect("enqueue");
        edit(dir.path(), &spoils(&broken.id)[spoil]);
        let claimed: Vec<JobId> = claim(&store, 2).await.into_iter().map(|job| job.id).collect();
        assert_eq!(claimed, std::slice::from_ref(&next.id));
        assert!(matches!(store.get(&broken.id).await, Err(StoreError::Corrupt(_))));
        assert_eq!(store.counts().await.expect("counts")["svc"].get(&JobState::Quarantined), Some(&1));
        let page = store.list(ListQuery { limit: 9, ..ListQuery::default() }).await.expect("list");
        assert_eq!(page.jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [&next.id]);
    }
}

/// F18: nor does it keep the others from being renewed.
#[tokio::test]
async fn f18_an_unreadable_record_keeps_no_other_job_from_being_renewed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("a store");
    for key in ["broken", "next"] {
        add(&store, key).await.expect("enqueue");
    }
    let claimed = claim(&store, 2).await;
    edit(dir.path(), &format!("UPDATE jobs SET record = '{{' WHERE id = '{}'", claimed[0].id));
    let renewals = claimed.iter().map(|job| {
        let nonce = job.lease.as_ref().expect("a lease").nonce.clone();
        Write { claim: ClaimKey { job: job.id.clone(), nonce }, change: Change::Renew }
    });
    let answers = store.write(renewals.collect()).await.expect("write");
    assert_eq!(answers, [Answer::Gone, Answer::Ok]);
}

/// P29: a store of the version before is brought up to date, with what it knows of jobs that have ended.
#[tokio::test]
async fn p29_a_store_of_the_version_before_is_brought_up_to_date() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("a store");
    let job = add(&store, "old").await.expect("enqueue");
    store.cancel(&job.id, "me", None).await.expect("cancel");
    drop(store);
    edit(
        dir.path(),
        "DROP TRIGGER job_left; DROP INDEX jobs_ended; ALTER TABLE jobs DROP COLUMN expires; DROP TABLE lost; PRAGMA user_version = 2",
    );
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let shared = Arc::<ManualClock>::clone(&clock);
    let store = EmbeddedStore::open(dir.path(), StoreOptions::default(), shared).expect("a store");
    store.reap().await.expect("reap");
    assert!(store.get(&job.id).await.expect("get").is_some(), "its time is not over");
    clock.advance(Duration::from_hours(7 * 24));
    store.reap().await.expect("reap");
    assert_eq!(store.get(&job.id).await.expect("get"), None);
    assert!(store.counts().await.expect("counts").is_empty());
}

/// A directory that others can put there or write to is refused; ours is closed to them.
#[test]
fn i102_a_directory_that_is_not_ours_alone_is_refused() {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    let dir = tempfile::tempdir().expect("a directory");
    let refused = |name: &str, why: &str| {
        let error = open(&dir.path().join(name)).expect_err(name);
        assert!(matches!(&error, StoreError::Url(text) if text.contains(why)), "{error}");
    };
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
    };
    std::fs::create_dir(dir.path().join("real")).expect("a directory");
    symlink(dir.path().join("real"), dir.path().join("link")).expect("a link");
    refused("link", "symbolic link");
    std::fs::create_dir(dir.path().join("open")).expect("a directory");
    mode(&dir.path().join("open"), 0o777);
    refused("open", "chmod 700");
    std::fs::write(dir.path().join("file"), "").expect("a file");
    refused("file", "not a directory");
    std::fs::create_dir(dir.path().join("foreign")).expect("a directory");
    if chown(dir.path().join("foreign"), Some(12_345), None).is_ok() {
        refused("foreign", "another user");
    }
    drop(open(&dir.path().join("new/deep")).expect("a store"));
    for (path, expected) in [("new/deep", 0o700), ("new/deep/emp.db", 0o600)] {
        let found = std::fs::metadata(dir.path().join(path)).expect("there").permissions().mode() & 0o777;
        assert_eq!(found, expected, "{path}");
    }
}

/// What `--store` may say.
#[tokio::test]
async fn i102_a_url_that_names_no_store_is_refused_with_the_forms() {
    for url in ["", "emp-data", "file:", "postgres://user:hunter2@db/x", "FILE:x"] {
        let Err(StoreError::Url(text)) = emp_store::open(url, StoreOptions::default()).await else {
            panic!("{url} is no store");
        };
        assert!(text.contains("--store") && text.contains("memory:") && text.contains("file:PATH"), "{text}");
        assert!(!text.contains("hunter2") && !emp_store::shown(url).contains("hunter2"), "{text}");
    }
    assert!(emp_store::open("memory:", StoreOptions::default()).await.is_ok());
    let dir = tempfile::tempdir().expect("a directory");
    assert!(
        emp_store::open(&format!("file:{}", dir.path().display()), StoreOptions::default()).await.is_ok()
    );
}
