//! Whole lives of workers on one store, in one thread, by one number: time is not waited for, and chance is drawn from the seed.
//!
//! Real workers run over the real store in memory, with a network between them that delays, loses and repeats, and a service that may
//! accept without its answer coming back. Workers are killed, frozen in the middle of a call, and stopped. Then
//! [`emp_testkit::history::check`] says whether what was promised holds.
//!
//! A seed that breaks something is printed, and is the same every time: `EMP_SIM_SEED=123 cargo test -p emp-worker --test simulation`.
//! `EMP_SIM_SEEDS=100000` looks at more of them.

#![allow(clippy::expect_used, clippy::panic, reason = "clippy knows only test functions, not their helpers")]

mod chance;
mod fleet;
mod link;
mod service;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use emp_testkit::history::{JobHistory, Violation, check};

/// Seeds that are looked at when nobody says how many.
const SEEDS: u64 = 1000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// What is wrong with the lives that a seed makes.
fn faults(seed: u64) -> Option<String> {
    let lives = world::live(seed);
    let broken = check(&lives);
    (!broken.is_empty()).then(|| tell(seed, &lives, &broken))
}

fn tell(seed: u64, lives: &[JobHistory], broken: &[Violation]) -> String {
    let mut told = vec![format!("EMP_SIM_SEED={seed} cargo test -p emp-worker --test simulation")];
    for violation in broken {
        told.push(violation.to_string());
        let events =
            lives.iter().filter(|life| life.id == violation.job).filter_map(|life| life.fate.as_ref());
        for event in events.flat_map(|fate| &fate.events) {
            let (detail, worker) = (event.detail.as_deref().unwrap_or_default(), event.worker.as_ref());
            told.push(format!(
                "  {:>4} {:>8} ms {:<16} {worker:?} {detail}",
                event.seq,
                event.at.0 - world::BEGINNING.0,
                event.kind.as_str()
            ));
        }
    }
    told.join("\n")
}

#[test]
fn a_thousand_seeds_break_no_promise() {
    if let Some(seed) = number("EMP_SIM_SEED") {
        if let Some(faults) = faults(seed) {
            panic!("{faults}");
        }
        return;
    }
    let (seeds, next) = (number("EMP_SIM_SEEDS").unwrap_or(SEEDS), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if let Some(faults) = faults(seed) {
                        panic!("{faults}");
                    }
                }
            });
        }
    });
}

/// What happened to each job, and when.
fn trace(seed: u64) -> Vec<String> {
    let lives = world::live(seed);
    let events = lives.iter().enumerate().flat_map(|(number, life)| {
        life.fate.iter().flat_map(move |fate| fate.events.iter().map(move |event| (number, event)))
    });
    events
        .map(|(number, event)| format!("{number} {} {:?} {:?}", event.at.0, event.kind, event.state))
        .collect()
}

#[test]
fn a_seed_makes_the_same_lives_every_time() {
    for seed in 0..20 {
        let first = trace(seed);
        assert!(first.len() > world::JOBS, "{seed}: something happens: {first:?}");
        assert_eq!(first, trace(seed), "{seed}");
    }
    assert_ne!(trace(1), trace(2));
}

/// The simulation would see it: a service that forgets its keys is paid twice by somebody.
#[test]
fn a_service_that_breaks_its_word_is_found_out() {
    let found = (0..50).any(|seed| {
        let broken = check(&world::live_with(seed, service::Word::Broken));
        broken.iter().any(|violation| violation.rule == emp_testkit::history::Rule::PaidTwice)
    });
    assert!(found, "nobody was paid twice in fifty lives");
}
