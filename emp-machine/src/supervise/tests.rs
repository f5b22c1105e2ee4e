//! Lives of processes, by hand and at random.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: f64) -> Moment {
    Duration::from_secs_f64(seconds)
}

fn up() -> Life {
    let mut life = Life::new(Policy::WORKER, at(0.0));
    assert_eq!(life.on(Event::Go, at(1.0)), Some(Action::Start));
    assert_eq!(life.on(Event::Asked(Ok(())), at(2.0)), None);
    assert_eq!(life.state(), State::Up);
    life
}

#[test]
fn one_that_dies_again_and_again_is_started_ever_later_and_forgiven_once_it_stays() {
    let mut life = up();
    let (mut now, mut waits) = (at(2.0), Vec::new());
    for _ in 0..10 {
        assert_eq!(life.on(Event::Ended(Ending::Signal(9)), now), None);
        assert_eq!(life.state(), State::Delayed);
        let due = life.due().expect("it is started again");
        assert_eq!(life.tick(due.checked_sub(Duration::from_millis(1)).expect("later")), None);
        assert_eq!(life.tick(due), Some(Action::Start));
        waits.push(due.saturating_sub(now).as_millis());
        now = due;
    }
    assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    assert_eq!(life.restarts(), 10);
    life.on(Event::Asked(Ok(())), now);
    assert_eq!(life.reason(), None);
    now = life.due().expect("it must prove itself");
    assert_eq!((life.tick(now), life.due()), (None, None));
    life.on(Event::Ended(Ending::Code(0)), now);
    assert_eq!(life.due(), Some(now + Duration::from_millis(200)), "as after the first failure");
    assert_eq!(life.reason(), Some("it ended with exit code 0"));
}

#[test]
fn wrong_configuration_is_not_tried_again_until_somebody_asks() {
    let mut life = up();
    assert_eq!(life.on(Event::Ended(Ending::Code(3)), at(3.0)), None);
    assert_eq!((life.state(), life.due()), (State::Failed, None));
    assert_eq!(life.on(Event::Restart, at(4.0)), Some(Action::Start));
    let mut service = Life::new(Policy::SERVICE, at(0.0));
    service.on(Event::Go, at(0.0));
    service.on(Event::Ended(Ending::Code(3)), at(1.0));
    assert_eq!(service.state(), State::Delayed, "its codes are its own");
}

#[test]
fn one_that_never_answers_is_ended_and_tried_again() {
    let mut life = Life::new(Policy::SERVICE, at(0.0));
    life.on(Event::Go, at(0.0));
    life.on(Event::Asked(Err("connection refused".to_owned())), at(1.0));
    assert_eq!(life.state(), State::Starting);
    let due = at(0.0) + Policy::SERVICE.starts_within;
    assert_eq!(life.tick(due), Some(Action::Kill));
    assert_eq!(life.reason(), Some("it was not ready within 300 s: connection refused"));
    assert_eq!(life.on(Event::Ended(Ending::Signal(9)), due), None);
    assert_eq!(life.state(), State::Delayed);
    assert_eq!(life.reason(), Some("it was not ready within 300 s: connection refused"));
}

#[test]
fn one_that_stops_answering_is_told_first_and_started_again_when_that_lasts() {
    let mut life = up();
    life.on(Event::Asked(Err("timed out".to_owned())), at(10.0));
    assert_eq!((life.state(), life.reason()), (State::Sick, Some("timed out")));
    life.on(Event::Asked(Ok(())), at(20.0));
    assert_eq!(life.state(), State::Up);
    life.on(Event::Asked(Err("timed out".to_owned())), at(30.0));
    life.on(Event::Asked(Err("timed out still".to_owned())), at(149.0));
    assert_eq!(life.tick(at(149.9)), None);
    assert_eq!(life.tick(at(150.0)), Some(Action::Terminate));
    assert_eq!(life.tick(at(160.0)), Some(Action::Kill), "it did not end in time");
    assert_eq!(life.tick(at(161.0)), None, "once");
    life.on(Event::Ended(Ending::Signal(9)), at(161.0));
    assert_eq!((life.state(), life.reason()), (State::Delayed, Some("timed out still")));
}

#[test]
fn a_stop_is_final_and_a_restart_starts_at_once() {
    let mut life = up();
    assert_eq!(life.on(Event::Restart, at(3.0)), Some(Action::Terminate));
    assert_eq!(life.on(Event::Ended(Ending::Code(0)), at(4.0)), Some(Action::Start));
    assert_eq!(life.on(Event::Restart, at(5.0)), Some(Action::Terminate));
    assert_eq!(life.on(Event::Stop, at(5.5)), None);
    assert_eq!(life.on(Event::Ended(Ending::Code(0)), at(6.0)), None);
    assert_eq!((life.state(), life.due()), (State::Stopped, None));
    let mut waiting = Life::new(Policy::WORKER, at(0.0));
    assert_eq!(waiting.on(Event::Stop, at(1.0)), None);
    assert_eq!(waiting.on(Event::Go, at(2.0)), None, "it is stopped");
}

fn event() -> impl Strategy<Value = Option<Event>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Event::Go)),
        1 => Just(Some(Event::NotStarted("no such file".to_owned()))),
        2 => any::<bool>().prop_map(|well| Some(Event::Asked(if well { Ok(()) } else { Err("no".to_owned()) }))),
        3 => (0..5_i32).prop_map(|code| Some(Event::Ended(Ending::Code(code)))),
        1 => Just(Some(Event::Restart)),
        1 => Just(Some(Event::Stop)),
        1 => Just(Some(Event::Kill)),
    ]
}

proptest! {
    /// Whatever happens in whatever order: never two at once, none after a stop, and never stuck.
    #[test]
    fn there_is_never_a_second_process_and_none_is_forgotten(
        steps in proptest::collection::vec((event(), 0..400_u32), 1..60)
    ) {
        let mut life = Life::new(Policy::WORKER, Duration::ZERO);
        let (mut now, mut runs) = (Duration::ZERO, false);
        for (event, seconds) in steps {
            now += SECOND * seconds;
            // Only what can happen: a process that is not there does not end, and one that is was started.
            let possible = match &event {
                Some(Event::Ended(_) | Event::Asked(_)) => runs,
                Some(Event::NotStarted(_)) => runs && life.state() == State::Starting,
                _ => true,
            };
            if !possible {
                continue;
            }
            let stopped = matches!(event, Some(Event::Stop | Event::Kill));
            runs &= !matches!(event, Some(Event::Ended(_) | Event::NotStarted(_)));
            let action = match event {
                Some(event) => life.on(event, now),
                None => life.tick(now),
            };
            match action {
                Some(Action::Start) => {
                    prop_assert!(!runs, "a second one");
                    runs = true;
                }
                Some(Action::Terminate | Action::Kill) => prop_assert!(runs, "nobody is there"),
                None => {}
            }
            prop_assert_eq!(runs, life.state().runs());
            if stopped {
                prop_assert!(action != Some(Action::Start));
                prop_assert!(life.state() == State::Stopping || life.state().rests());
            }
            let waits = life.state() == State::Waiting || life.state() == State::Up || life.state().rests();
            prop_assert!(waits || life.due().is_some() || life.killed, "{:?} waits for nothing", life.state());
        }
    }
}
