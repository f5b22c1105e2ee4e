//! What goes wrong and when: a pure function of the seed.

use std::time::Duration;

use emp_testkit::NetFaults;

use crate::StoreKind;

/// How many worker processes there are.
pub(crate) const WORKERS: usize = 3;
/// How many services; the cast has as many.
pub(crate) const SERVICES: usize = 6;
/// A worker that is silent for so long has lost its jobs.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// Something that is hit by one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A worker process.
    Worker(usize),
    /// The API's process.
    Api,
    /// The store's servers.
    Store,
    /// The network between the workers and a service.
    ServiceNet(usize),
    /// The network between a worker and the store.
    WorkerStoreNet(usize),
    /// The network between the API and the store.
    ApiStoreNet,
}

/// What happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// SIGKILL; started again after a while.
    Kill(Duration),
    /// SIGSTOP for a while, then SIGCONT.
    Freeze(Duration),
    /// SIGTERM; started again when it has ended.
    Stop,
    /// SIGKILL, and started again with what it has on its disk.
    Restart,
    /// The replica takes the primary's place.
    FailOver,
    /// The network is bad for a while.
    Net(NetFaults, Duration),
}

/// An act and how long after the one before it on the same target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) after: Duration,
    pub(crate) act: Act,
}

/// Everything that happens to one target, in order.
pub(crate) type Track = (Target, Vec<Step>);

/// The schedule of a run of this length.
pub(crate) fn plan(seed: u64, length: Duration, store: StoreKind) -> Vec<Track> {
    let mut all = fastrand::Rng::with_seed(seed);
    targets(store)
        .into_iter()
        .map(|target| {
            // One stream of chance for each target, so that none depends on how much another has drawn.
            let mut chance = all.fork();
            (target, track(target, length, &mut chance))
        })
        .collect()
}

fn targets(store: StoreKind) -> Vec<Target> {
    let mut targets: Vec<Target> = (0..WORKERS).map(Target::Worker).collect();
    targets.push(Target::Api);
    targets.extend((0..SERVICES).map(Target::ServiceNet));
    if store == StoreKind::Redis {
        targets.push(Target::Store);
        targets.extend((0..WORKERS).map(Target::WorkerStoreNet));
        targets.push(Target::ApiStoreNet);
    }
    targets
}

fn track(target: Target, length: Duration, chance: &mut fastrand::Rng) -> Vec<Step> {
    let pause = match target {
        Target::Worker(_) => 7.0,
        Target::Api => 12.0,
        Target::Store => 9.0,
        Target::ServiceNet(_) => 6.0,
        Target::WorkerStoreNet(_) | Target::ApiStoreNet => 10.0,
    };
    let (mut steps, mut at) = (Vec::new(), Duration::ZERO);
    loop {
        let after = seconds(chance, pause * 0.3, pause * 1.7);
        let act = act(target, chance);
        at += after + act.lasts();
        if at >= length {
            return steps;
        }
        steps.push(Step { after, act });
    }
}

fn act(target: Target, chance: &mut fastrand::Rng) -> Act {
    match target {
        Target::Worker(_) => match chance.u8(0..10) {
            0..=4 => Act::Kill(seconds(chance, 0.0, 2.0)),
            5..=7 => Act::Freeze(LEASE.mul_f64(0.3 + 1.7 * chance.f64())),
            _ => Act::Stop,
        },
        Target::Api => match chance.u8(0..4) {
            0 => Act::Freeze(seconds(chance, 0.5, 2.0)),
            _ => Act::Kill(seconds(chance, 0.0, 1.0)),
        },
        Target::Store => match chance.u8(0..5) {
            0..=1 => Act::Restart,
            2 => Act::Freeze(seconds(chance, 0.5, 4.0)),
            _ => Act::FailOver,
        },
        Target::ServiceNet(_) | Target::WorkerStoreNet(_) | Target::ApiStoreNet => {
            Act::Net(net(chance), seconds(chance, 0.2, 3.5))
        }
    }
}

fn net(chance: &mut fastrand::Rng) -> NetFaults {
    let none = NetFaults { reset: chance.bool(), ..NetFaults::default() };
    match chance.u8(0..10) {
        0 => NetFaults { latency: seconds(chance, 0.05, 0.4), jitter: seconds(chance, 0.0, 0.05), ..none },
        1 => NetFaults { bandwidth: Some(chance.u32(500..20_000)), ..none },
        2 => NetFaults { slice: Some(chance.usize(1..64)), ..none },
        3 => NetFaults { limit_data: Some(chance.u64(1..600)), ..none },
        4 => NetFaults { blackhole: true, ..none },
        5 => NetFaults { refuse: true, ..none },
        6 => NetFaults { slow_close: seconds(chance, 0.1, 1.0), limit_data: Some(2000), ..none },
        // The costliest fault of all.
        _ => NetFaults { cut_replies: true, ..none },
    }
}

fn seconds(chance: &mut fastrand::Rng, from: f64, to: f64) -> Duration {
    Duration::from_millis(((from + (to - from) * chance.f64()) * 1000.0) as u64)
}

impl Target {
    /// What it is, for the report.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Worker(_) => "worker",
            Self::Api => "API",
            Self::Store => "store",
            Self::ServiceNet(_) => "to a service",
            Self::WorkerStoreNet(_) => "from a worker to the store",
            Self::ApiStoreNet => "from the API to the store",
        }
    }
}

impl Act {
    fn lasts(&self) -> Duration {
        match self {
            Self::Kill(time) | Self::Freeze(time) | Self::Net(_, time) => *time,
            Self::Stop | Self::Restart | Self::FailOver => Duration::ZERO,
        }
    }

    /// One word for the report.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Kill(_) => "kill",
            Self::Freeze(_) => "freeze",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::FailOver => "fail over",
            Self::Net(..) => "bad network",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_seed_decides_everything() {
        let of = |seed| plan(seed, MINUTE, StoreKind::Redis);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn nothing_lasts_longer_than_the_run() {
        for seed in 0..50 {
            for (target, steps) in plan(seed, MINUTE, StoreKind::Redis) {
                let lasts: Duration = steps.iter().map(|step| step.after + step.act.lasts()).sum();
                assert!(lasts < MINUTE, "{seed}: {target:?}");
            }
        }
    }

    #[test]
    fn a_file_has_no_server_that_could_be_hit() {
        let plan = plan(7, MINUTE, StoreKind::File);
        assert!(plan.iter().all(|(target, _)| !matches!(target, Target::Store | Target::WorkerStoreNet(_))));
    }

    #[test]
    fn among_a_few_seeds_everything_happens_to_everybody() {
        let plans: Vec<Track> = (0..20).flat_map(|seed| plan(seed, MINUTE, StoreKind::Redis)).collect();
        for target in targets(StoreKind::Redis) {
            let mut words: Vec<&str> = plans
                .iter()
                .filter(|(hit, _)| *hit == target)
                .flat_map(|(_, steps)| steps.iter().map(|step| step.act.word()))
                .collect();
            words.sort_unstable();
            words.dedup();
            let wanted = match target {
                Target::Worker(_) | Target::Store => 3,
                Target::Api => 2,
                _ => 1,
            };
            assert_eq!(words.len(), wanted, "{target:?}: {words:?}");
        }
    }
}
