//! A Chromium lives exactly as long as whoever started it.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "clippy knows only test functions, not their helpers"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use emp_chromium::{Chromium, Launch, find};

/// Says that this process is the one that is to be killed.
const ROLE: &str = "EMP_CHROMIUM_TEST_ROLE";

async fn start() -> Chromium {
    let program =
        find(None, std::env::var_os("PATH").as_deref()).expect("Chromium: `cargo xtask test` installs it");
    let proxy = "http://127.0.0.1:9/".parse().expect("a URL");
    let launch = Launch { program: &program, proxy: &proxy, sandbox: Launch::sandbox_works() };
    Chromium::launch(launch).await.expect("it starts")
}

fn running_with(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("a Linux");
    let lines = processes.flatten().filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).any(|line| line.contains(word))
}

fn gone(profile: &str) {
    let begun = Instant::now();
    while Path::new(profile).exists() || running_with(profile) {
        assert!(begun.elapsed() < Duration::from_secs(30), "Chromium is still there: {profile}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_chromium_that_is_dropped_leaves_neither_process_nor_profile() {
    let chromium = start().await;
    let profile = chromium.profile().display().to_string();
    assert!(running_with(&profile));
    drop(chromium);
    gone(&profile);
}

/// Not a test by itself: the worker of the next one.
#[tokio::test]
async fn a_role_for_another_process() {
    if std::env::var_os(ROLE).is_some() {
        let chromium = start().await;
        println!("\nprofile={}", chromium.profile().display());
        std::future::pending::<()>().await;
    }
}

#[test]
fn f02_a_worker_that_is_killed_leaves_no_chromium() {
    let mut worker = Command::new(std::env::current_exe().expect("this test"))
        .args(["a_role_for_another_process", "--exact", "--nocapture"])
        .env(ROLE, "worker")
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let said = BufReader::new(worker.stdout.take().expect("a pipe")).lines();
    let profile = said
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("profile=").map(str::to_owned))
        .expect("it started Chromium");
    assert!(running_with(&profile));
    worker.kill().expect("SIGKILL");
    worker.wait().expect("it is dead");
    gone(&profile);
}
