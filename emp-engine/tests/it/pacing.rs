//! When to poll: pure functions of the declared pace, the service's advice, and what is expected of the job.

use std::time::Duration;

use emp_core::spec::Pace;
use emp_engine::learn::Expectation;
use emp_engine::memory::Stage;
use emp_engine::pace::{self, Clock, Clocks};
use emp_engine::run::Next;
use emp_syntax::selector::{Reducer, Selector};

use crate::support::{MemoryPort, Server, at, declared, engine, header, list, reply_with, run, submitted};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn reduced(selector: Selector, reducer: Reducer) -> Selector {
    Selector { reducers: vec![reducer].into(), ..selector }
}

#[tokio::test]
async fn m31_advice_comes_in_any_form() {
    let body = r#"{"status":"running","next":"6m0s","at":"Tue, 14 Nov 2023 22:13:40 GMT","secs":7}"#;
    for (advice, wait) in [
        (header("retry-after"), secs(9)),
        (reduced(header("retry-after-ms"), Reducer::Millis), Duration::from_millis(4500)),
        (reduced(at("$.next"), Reducer::Duration), secs(360)),
        (reduced(at("$.at"), Reducer::HttpDate), secs(20)),
        (at("$.secs"), secs(7)),
        (header("x-absent"), secs(9)),
    ] {
        let server =
            Server::start(move |_| reply_with(200, "Retry-After: 9\r\nretry-after-ms: 4500\r\n", body)).await;
        let mut declared = declared();
        declared.pace.advice = list(vec![advice.clone()]);
        let connector = declared.loaded(&server.url());
        let (engine, port) = (engine(), MemoryPort::new(std::sync::Arc::clone(&server.log)));
        let mut run = run(&engine, &connector, submitted("j1"), &port);
        let Next::Wait(found) = engine.step(&mut run).await else { panic!("{advice:?}") };
        assert_eq!(found, wait, "{advice:?}");
    }
}

#[test]
fn x6_polls_are_rare_before_the_expected_time_and_often_in_it() {
    let pace = Pace { min: secs(1), max: secs(60), jitter: 0.0, ..Pace::DEFAULT };
    let expected = Expectation { early: secs(100), late: secs(180) };
    let wait = |age| pace::towards(&pace, expected, secs(age), Stage::Running, 0.5);
    assert_eq!(wait(0), Some(secs(60)), "never later than `max`");
    assert_eq!(wait(70), Some(secs(30)), "to the beginning of the time in which it ends");
    assert_eq!((wait(100), wait(179)), (Some(secs(10)), Some(secs(10))));
    assert_eq!(wait(180), None, "it is late, and waits grow again");
    let near = Expectation { early: secs(10), late: secs(11) };
    assert_eq!(
        pace::towards(&pace, near, secs(10), Stage::Running, 0.5),
        Some(secs(1)),
        "never sooner than `min`"
    );
    let slow = Pace { while_queued: Some(secs(20)), ..pace };
    assert_eq!(pace::towards(&slow, near, secs(10), Stage::Queued, 0.5), Some(secs(20)), "slow while queued");
}

#[test]
fn x16_the_clock_that_runs_out_first_is_the_one_that_ends_the_job() {
    let clocks = Clocks { total: secs(100), queued: Some(secs(20)), running: Some(secs(50)) };
    let left = |since, stage| pace::left(clocks, secs(since), stage);
    assert_eq!(left(30, None), Ok(secs(70)), "before a state is told only the whole counts");
    assert_eq!(left(15, Some((Stage::Queued, secs(15)))), Ok(secs(5)));
    assert_eq!(left(20, Some((Stage::Queued, secs(20)))), Err(Clock::Queued));
    assert_eq!(left(60, Some((Stage::Running, secs(40)))), Ok(secs(10)));
    assert_eq!(left(70, Some((Stage::Running, secs(50)))), Err(Clock::Running));
    assert_eq!(left(100, Some((Stage::Running, secs(10)))), Err(Clock::Total));
}

#[test]
fn m32_the_time_of_a_held_answer_is_waited_already() {
    assert_eq!(pace::after_hold(secs(5), secs(25)), Duration::from_millis(10));
    assert_eq!(pace::after_hold(secs(5), secs(2)), secs(3));
    assert_eq!(
        pace::after_hold(secs(5), Duration::ZERO),
        secs(5),
        "a service that did not hold is not asked in a loop"
    );
}

#[test]
fn x5_waits_of_any_length_end_together() {
    let due = |wait, now| now + pace::aligned(secs(wait), secs(2), secs(now)).as_secs();
    assert_eq!((due(30, 3), due(22, 7), due(17, 14)), (32, 32, 32), "a tick of 16 s");
    assert_eq!((due(2, 3), due(3, 2)), (6, 6), "a tick of 2 s");
    for (wait, now) in [(1, 0), (30, 1), (30, 16), (7, 100_000), (100_000, 5)] {
        let aligned = pace::aligned(secs(wait), secs(2), secs(now));
        assert!(
            aligned >= secs(wait) / 2 && aligned <= secs(wait) * 2 + secs(2),
            "{wait} at {now}: {aligned:?}"
        );
    }
}
