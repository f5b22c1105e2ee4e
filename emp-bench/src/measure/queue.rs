//! Jobs through Redis: taken in, claimed and completed, and picked up by an idle worker, beside other queues on the same server.
//!
//! A job does nothing. Ours is all that `emp worker` is: fenced claims, durable completion, a history of each job, logs and counters.

use std::time::Duration;

use super::Measure;
use crate::Failure;
use crate::actor::Actor;
use crate::peers::{self, Contender};
use crate::plan::Plan;
use crate::report::{Bound, Taken};
use crate::series::{Series, in_turns};
use crate::server::Server;

const PEERS: &[&str] = &["bullmq", "bare"];

pub(super) const ENQUEUE: Measure = Measure {
    name: "enqueue",
    about: "jobs taken in per second, one after another and in bulk",
    peers: PEERS,
    take: |plan| Bench::new(plan)?.enqueue(),
};

pub(super) const PROCESS: Measure = Measure {
    name: "process",
    about: "jobs claimed and completed per second with 1, 10, 50 and 100 slots, and what one takes",
    peers: PEERS,
    take: |plan| Bench::new(plan)?.process(),
};

pub(super) const PICKUP: Measure = Measure {
    name: "pickup",
    about: "how long a lone job waits for an idle worker",
    peers: PEERS,
    take: |plan| Bench::new(plan)?.pickup(),
};

/// What the ratios of DESIGN section 9 are held to.
const GOALS: [(&str, Bound); 3] = [
    ("process_c50_vs_bullmq", Bound::AtLeast(5.0)),
    ("process_c50_vs_bare", Bound::AtLeast(0.6)),
    // As late as the machine is.
    ("pickup_p99_vs_bare", Bound::AtMost(1.0)),
];

/// How long anything may take before it counts as broken.
const PATIENCE: Duration = Duration::from_mins(2);
/// Jobs of the round that does not count; it tells how many the others need.
const FIRST: u64 = 2000;

struct Bench<'a> {
    plan: &'a Plan,
    server: Server,
    contenders: Vec<Contender>,
}

/// What a run of a worker gave.
#[derive(Clone, Debug)]
struct Run {
    per_second: f64,
    /// Microseconds of processor a job, of the worker and of the server.
    worker_cpu: f64,
    server_cpu: f64,
    commands: f64,
    reads: f64,
    bytes: f64,
    /// Mebibytes.
    peak: f64,
}

/// One number of a [`Run`]: its name in ratios, its unit, and where it is.
type Column = (&'static str, &'static str, fn(&Run) -> f64);

const COLUMNS: [Column; 7] = [
    ("process", "jobs/s", |run| run.per_second),
    ("worker_cpu", "us of the worker's processor a job", |run| run.worker_cpu),
    ("server_cpu", "us of the server's processor a job", |run| run.server_cpu),
    ("commands", "commands of the server a job", |run| run.commands),
    ("round_trips", "reads of the server a job", |run| run.reads),
    ("bytes", "bytes to and from the server a job", |run| run.bytes),
    ("peak_memory", "MiB at most", |run| run.peak),
];

impl<'a> Bench<'a> {
    fn new(plan: &'a Plan) -> Result<Self, Failure> {
        let names = PEERS.iter().copied().filter(|peer| plan.against(peer));
        let contenders = ["emp"].into_iter().chain(names).map(peers::contender).collect::<Result<_, _>>()?;
        Ok(Self { plan, server: Server::start()?, contenders })
    }

    fn taken(&self) -> Taken {
        let mut taken = Taken::default();
        taken.version("redis-server", self.server.version());
        for (of, version) in self.contenders.iter().flat_map(|contender| contender.versions.clone()) {
            taken.version(of, version);
        }
        taken
    }

    /// For about how long a run is to last.
    fn seconds(&self) -> f64 {
        if self.plan.quick { 1.0 } else { 2.0 }
    }

    /// Runs all contenders in turns: each run is given how many jobs, and gives what was measured and at which rate jobs went through.
    fn rounds<T>(
        &self,
        run: impl Fn(&Contender, u64) -> Result<(T, f64), Failure>,
    ) -> Result<Vec<Vec<T>>, Failure> {
        let mut jobs = vec![FIRST; self.contenders.len()];
        in_turns(self.plan.rounds(5), self.contenders.len(), |index| {
            let (sample, per_second) = run(&self.contenders[index], jobs[index])?;
            jobs[index] = ((per_second * self.seconds()) as u64).clamp(1000, 200_000);
            Ok(sample)
        })
    }

    /// Rows of one number, and its ratios: ours over each peer's.
    fn compare(&self, taken: &mut Taken, case: &str, name: &str, unit: &'static str, series: &[Series]) {
        for (contender, series) in self.contenders.iter().zip(series) {
            taken.row(case, contender.name, unit, series);
        }
        for (peer, theirs) in self.contenders.iter().zip(series).skip(1) {
            let name = format!("{name}_vs_{}", peer.name);
            let ratio = taken.ratio(&name, &series[0], theirs);
            for (_, bound) in GOALS.iter().filter(|(goal, _)| *goal == name) {
                taken.goal(&name, *bound, ratio);
            }
        }
    }

    fn enqueue(&self) -> Result<Taken, Failure> {
        let mut taken = self.taken();
        for how in ["single", "bulk"] {
            let samples = self.rounds(|contender, jobs| {
                self.server.empty()?;
                let per_second = self.fill(contender, how, jobs)?;
                Ok((per_second, per_second))
            })?;
            let series: Vec<Series> = samples.into_iter().map(Series::new).collect();
            self.compare(&mut taken, how, &format!("enqueue_{how}"), "jobs/s", &series);
        }
        Ok(taken)
    }

    /// Takes jobs in; says how many a second.
    fn fill(&self, contender: &Contender, how: &str, jobs: u64) -> Result<f64, Failure> {
        let words = ["enqueue", how, &jobs.to_string()];
        let actor = Actor::start(&mut contender.command(&self.server.url(), words), contender.name)?;
        let took = actor.hear("TOOK", PATIENCE)?;
        actor.end()?;
        Ok(jobs as f64 / took.first().copied().unwrap_or(f64::NAN))
    }

    fn process(&self) -> Result<Taken, Failure> {
        let mut taken = self.taken();
        for slots in [1_u32, 10, 50, 100] {
            let samples = self.rounds(|contender, jobs| {
                let run = self.run(contender, slots, jobs)?;
                Ok((run.clone(), run.per_second))
            })?;
            for (name, unit, of) in COLUMNS {
                let series: Vec<Series> =
                    samples.iter().map(|runs| Series::new(runs.iter().map(of).collect())).collect();
                let name = format!("{name}_c{slots}");
                self.compare(&mut taken, &format!("c{slots}"), &name, unit, &series);
                match name.as_str() {
                    "commands_c50" => taken.goal(&name, Bound::AtMost(10.0), series[0].median()),
                    "round_trips_c50" => taken.goal(&name, Bound::AtMost(0.15), series[0].median()),
                    _ => {}
                }
            }
        }
        Ok(taken)
    }

    /// Claims and completes jobs that are all there before the worker is.
    fn run(&self, contender: &Contender, slots: u32, jobs: u64) -> Result<Run, Failure> {
        self.server.empty()?;
        self.fill(contender, "bulk", jobs)?;
        let mut command = contender.command(&self.server.url(), ["worker", &slots.to_string()]);
        let before = self.server.work()?;
        let actor = Actor::start(command.env("EXPECT", jobs.to_string()), contender.name)?;
        actor.hear("READY", PATIENCE)?;
        let ready = actor.usage();
        let done = actor.hear("DONE", PATIENCE)?;
        let (usage, work) = (actor.usage(), self.server.work()?.since(&before));
        let [first, last] = done[..] else {
            return Err(Failure::Ran("`DONE` without its moments".to_owned()));
        };
        let each = jobs as f64;
        Ok(Run {
            per_second: (each - 1.0) / ((last - first) / 1e9),
            worker_cpu: (usage.cpu - ready.cpu) / each * 1e6,
            server_cpu: work.cpu / each * 1e6,
            commands: work.commands / each,
            reads: work.reads / each,
            bytes: work.bytes / each,
            peak: usage.peak / f64::from(1 << 20),
        })
    }

    fn pickup(&self) -> Result<Taken, Failure> {
        let jobs = if self.plan.quick { 100 } else { 200 };
        let samples = in_turns(self.plan.rounds(5), self.contenders.len(), |index| {
            self.late(&self.contenders[index], jobs)
        })?;
        let mut taken = self.taken();
        for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
            let series: Vec<Series> = samples
                .iter()
                .map(|rounds| Series::new(rounds.iter().map(|late| quantile(late, part)).collect()))
                .collect();
            self.compare(&mut taken, name, &format!("pickup_{name}"), "ms", &series);
            if name == "p50" {
                taken.goal("pickup_p50_ms", Bound::AtMost(1.0), series[0].median());
            }
        }
        Ok(taken)
    }

    /// Milliseconds from a lone job's enqueue to its start, sorted.
    fn late(&self, contender: &Contender, jobs: u32) -> Result<Vec<f64>, Failure> {
        self.server.empty()?;
        let mut command = contender.command(&self.server.url(), ["worker", "10"]);
        let worker = Actor::start(command.env("LATE", "1"), contender.name)?;
        worker.hear("READY", PATIENCE)?;
        std::thread::sleep(Duration::from_secs(1));
        let words = ["lone", &jobs.to_string()];
        Actor::start(&mut contender.command(&self.server.url(), words), "lone")?.end()?;
        let late = (0..jobs).map(|_| worker.hear("LATE", PATIENCE));
        let late: Result<Vec<Vec<f64>>, Failure> = late.collect();
        let mut late: Vec<f64> = late?.concat().into_iter().map(|nanos| nanos / 1e6).collect();
        late.sort_by(f64::total_cmp);
        Ok(late)
    }
}

/// The value below which a part of the sorted ones lies.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
