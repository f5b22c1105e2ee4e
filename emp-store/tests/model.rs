//! The stores against a model: the same random wishes, the same answers and the same jobs after each of them.
//!
//! The model is written from the promises and shares no code with the stores: a list of jobs, searched from end to end.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use emp_core::error::Billed;
use emp_core::job::{
    Intent, Job, JobId, JobState, Lease, Nonce, Phase, Progress, ServiceJob, UpstreamCancel, WorkerId,
};
use emp_core::time::ManualClock;
use emp_core::{ErrorCode, JobError, Timestamp};
use emp_store::conformance::{clock, options};
use emp_store::{
    Answer, CancelAnswer, Change, ClaimKey, ClaimRequest, EmbeddedStore, Enqueued, Finish, MemoryStore,
    NewJob, RedisStore, Release, Store, Write,
};
use emp_testkit::redis::RedisBox;
use proptest::prelude::*;
use serde_json::{Map, json};

#[derive(Clone, Debug)]
enum Wish {
    Enqueue {
        service: u8,
        priority: u8,
        gpu: bool,
    },
    Claim {
        first: usize,
        second: usize,
        gpu: bool,
        max: usize,
    },
    /// By the claim with a number, counted over all claims ever: most of them are zombies.
    Write {
        claim: usize,
        verb: Verb,
    },
    Cancel {
        job: usize,
    },
    Pass {
        millis: i64,
    },
    Reap,
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Renew,
    Intent(u8),
    NotSent,
    Submitted(u8),
    Progress(u8),
    Succeed,
    Fail,
    Cancelled,
    Uncertain,
    Retry(u16),
    Release(u16),
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        2 => Just(Verb::Renew),
        4 => (0..3u8).prop_map(Verb::Intent),
        1 => Just(Verb::NotSent),
        4 => (0..3u8).prop_map(Verb::Submitted),
        2 => (0..10u8).prop_map(Verb::Progress),
        1 => Just(Verb::Succeed),
        1 => Just(Verb::Fail),
        1 => Just(Verb::Cancelled),
        1 => Just(Verb::Uncertain),
        1 => (0..3u16).prop_map(|secs| Verb::Retry(secs * 7)),
        1 => (0..3u16).prop_map(|secs| Verb::Release(secs * 7)),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        3 => (0..2u8, prop_oneof![Just(0u8), Just(5), Just(9)], any::<bool>())
            .prop_map(|(service, priority, gpu)| Wish::Enqueue { service, priority, gpu }),
        4 => (0..3usize, 0..3usize, any::<bool>(), 0..4usize)
            .prop_map(|(first, second, gpu, max)| Wish::Claim { first, second, gpu, max }),
        // Mostly the latest claims, or nearly every write would be a zombie's.
        10 => (prop_oneof![3 => 0..2usize, 1 => 0..12usize], verb()).prop_map(|(claim, verb)| Wish::Write { claim, verb }),
        1 => (0..8usize).prop_map(|job| Wish::Cancel { job }),
        3 => prop_oneof![Just(1i64), Just(4_000), Just(31_000), Just(400_000), Just(-5_000)]
            .prop_map(|millis| Wish::Pass { millis }),
        2 => Just(Wish::Reap),
    ]
}

/// What the model knows of a job: the part of the record that promises speak of.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    service: u8,
    priority: u8,
    gpu: bool,
    state: JobState,
    phase: Option<Phase>,
    numbers: (u32, u32, u32),
    owner: Option<(usize, i64)>,
    lapsed: Option<usize>,
    closed: Option<(usize, &'static str)>,
    key: Option<(u8, usize)>,
    far: Option<u8>,
    orphans: Vec<u8>,
    progress: Option<u8>,
    cancel: bool,
    since: i64,
    ready: i64,
    result: (bool, bool),
}

#[derive(Default)]
struct Model {
    now: i64,
    jobs: Vec<Known>,
    claims: Vec<usize>,
}

impl Model {
    fn claim(&mut self, room: [usize; 2], gpu: bool, max: usize) -> Vec<usize> {
        self.promote();
        let band = options().max_wait.as_millis() as i64 / 9;
        let mut line: Vec<usize> = (0..self.jobs.len())
            .filter(|job| self.jobs[*job].state == JobState::Queued && (gpu || !self.jobs[*job].gpu))
            .collect();
        line.sort_by_key(|job| (self.jobs[*job].since - band * i64::from(self.jobs[*job].priority), *job));
        let mut room = room;
        let mut taken = Vec::new();
        for job in line {
            let room = &mut room[usize::from(self.jobs[job].service)];
            if taken.len() < max && *room > 0 {
                *room -= 1;
                taken.push(job);
            }
        }
        for job in &taken {
            let known = &mut self.jobs[*job];
            known.state = JobState::Running;
            known.phase.get_or_insert(Phase::Prepared);
            known.numbers.1 += 1;
            known.owner = Some((self.claims.len(), self.now + options().lease.as_millis() as i64));
            known.lapsed = None;
            self.claims.push(*job);
        }
        taken
    }

    fn promote(&mut self) {
        for job in &mut self.jobs {
            if job.state == JobState::Waiting && job.ready <= self.now {
                job.state = JobState::Queued;
            }
        }
    }

    fn reap(&mut self) -> usize {
        let mut reaped = 0;
        for job in &mut self.jobs {
            if let Some((claim, until)) = job.owner
                && until <= self.now
            {
                reaped += 1;
                job.owner = None;
                job.numbers.2 += 1;
                job.state = JobState::Queued;
                job.lapsed = Some(claim);
                if job.cancel && job.idle_here() || job.numbers.2 >= options().max_crashes {
                    job.end(if job.cancel { JobState::Cancelled } else { JobState::Quarantined });
                }
            }
        }
        self.promote();
        reaped
    }

    fn cancel(&mut self, job: usize) -> bool {
        let now = self.now;
        let job = &mut self.jobs[job];
        if job.state.terminal() {
            return job.state == JobState::Cancelled;
        }
        job.cancel = true;
        if job.state == JobState::Uncertain || job.owner.is_none() && job.idle_here() {
            job.end(JobState::Cancelled);
        } else if job.state == JobState::Waiting {
            (job.state, job.ready) = (JobState::Queued, now);
        }
        true
    }

    fn write(&mut self, claim: usize, verb: Verb) -> Answer {
        let now = self.now;
        let job = &mut self.jobs[self.claims[claim]];
        if job.owner.is_none_or(|(owner, _)| owner != claim) {
            return job.stranger(claim, verb, now);
        }
        let alive = if job.cancel { Answer::CancelRequested } else { Answer::Ok };
        let already = if job.cancel { Answer::CancelRequested } else { Answer::OkAlready };
        match (verb, job.phase) {
            (Verb::Renew, _) => {
                job.owner = Some((claim, now + options().lease.as_millis() as i64));
                alive
            }
            (Verb::Intent(key), Some(Phase::Prepared)) => {
                job.phase = Some(Phase::Submitting);
                job.numbers.0 += 1;
                job.key = Some((key, claim));
                job.progress = None;
                alive
            }
            (Verb::Intent(key), Some(Phase::Submitting))
                if job.key.is_some_and(|(known, _)| known == key) =>
            {
                already
            }
            (Verb::NotSent, Some(Phase::Submitting)) => {
                job.phase = Some(Phase::Prepared);
                job.numbers.0 -= 1;
                job.key = None;
                alive
            }
            (Verb::NotSent, Some(Phase::Prepared)) => already,
            (Verb::Submitted(far), Some(Phase::Submitted)) if job.far == Some(far) => already,
            (Verb::Submitted(far), Some(Phase::Submitted)) => {
                if !job.orphans.contains(&far) {
                    job.orphans.push(far);
                }
                Answer::Conflict
            }
            (Verb::Submitted(far), phase) => {
                job.numbers.0 += u32::from(phase != Some(Phase::Submitting));
                (job.phase, job.far) = (Some(Phase::Submitted), Some(far));
                alive
            }
            (Verb::Progress(tenths), _) => {
                let before = job.progress;
                job.progress = before.max(Some(tenths));
                if job.progress == before { already } else { alive }
            }
            (Verb::Cancelled, _) if !job.cancel => Answer::Conflict,
            (Verb::Uncertain, phase) if phase != Some(Phase::Submitting) => Answer::Conflict,
            (Verb::Intent(_) | Verb::NotSent, _) => Answer::Conflict,
            (end, _) => {
                job.close(claim, end, now);
                Answer::Ok
            }
        }
    }
}

impl Known {
    /// Nothing of it is at the service.
    fn idle_here(&self) -> bool {
        matches!(self.phase, None | Some(Phase::Prepared))
    }

    fn end(&mut self, state: JobState) {
        self.state = state;
        self.lapsed = None;
    }

    fn stranger(&mut self, claim: usize, verb: Verb, now: i64) -> Answer {
        match verb {
            Verb::Renew if self.lapsed == Some(claim) && self.state == JobState::Queued => {
                self.lapsed = None;
                self.numbers.2 -= 1;
                self.state = JobState::Running;
                self.owner = Some((claim, now + options().lease.as_millis() as i64));
                return if self.cancel { Answer::CancelRequested } else { Answer::Ok };
            }
            Verb::Submitted(far) if self.far != Some(far) && !self.orphans.contains(&far) => {
                let asked =
                    self.phase == Some(Phase::Submitting) && self.key.is_some_and(|(_, by)| by == claim);
                if asked && !self.state.terminal() {
                    (self.phase, self.far) = (Some(Phase::Submitted), Some(far));
                    if self.state == JobState::Uncertain {
                        self.state = JobState::Queued;
                    }
                } else {
                    self.orphans.push(far);
                }
            }
            _ if self.closed == Some((claim, name(verb))) => return Answer::OkAlready,
            _ => {}
        }
        Answer::Fenced
    }

    fn close(&mut self, claim: usize, end: Verb, now: i64) {
        self.owner = None;
        self.closed = Some((claim, name(end)));
        if let Verb::Release(secs) = end {
            self.numbers.1 -= 1;
            self.ready = now + i64::from(secs) * 1000;
            self.state = if secs == 0 || self.cancel { JobState::Queued } else { JobState::Waiting };
            if self.cancel && self.idle_here() {
                self.end(JobState::Cancelled);
            }
            return;
        }
        if self.cancel {
            self.result.1 = matches!(end, Verb::Succeed);
            return self.end(JobState::Cancelled);
        }
        match end {
            Verb::Succeed => {
                self.result.0 = true;
                self.progress = Some(10);
                self.end(JobState::Succeeded);
            }
            Verb::Fail => self.end(JobState::Failed),
            Verb::Uncertain => self.state = JobState::Uncertain,
            Verb::Retry(secs) => {
                (self.phase, self.far, self.key, self.progress) = (Some(Phase::Prepared), None, None, None);
                self.ready = now + i64::from(secs) * 1000;
                self.since = self.ready;
                self.state = if secs == 0 { JobState::Queued } else { JobState::Waiting };
            }
            other => panic!("{other:?} ends no claim"),
        }
    }
}

fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Succeed => "succeed",
        Verb::Fail => "fail",
        Verb::Cancelled => "cancelled",
        Verb::Uncertain => "uncertain",
        Verb::Retry(_) => "retry",
        Verb::Release(_) => "release",
        _ => "goes on",
    }
}

fn far(id: u8) -> ServiceJob {
    let connector = "Fake".to_owned();
    ServiceJob {
        id: id.to_string(),
        captured: Map::new(),
        connector,
        fingerprint: 0,
        submitted_at: Timestamp(0),
    }
}

fn change(verb: Verb) -> Change {
    let error = || JobError::new(ErrorCode::ETransient, "no").billed(Billed::Maybe);
    let after = |secs: u16| Duration::from_secs(secs.into());
    match verb {
        Verb::Renew => Change::Renew,
        Verb::Intent(key) => {
            let (connector, key) = ("Fake".to_owned(), key.to_string());
            Change::Intent(Intent {
                connector,
                fingerprint: 0,
                digest: key.clone(),
                key,
                prepared: Map::new(),
                at: Timestamp(0),
            })
        }
        Verb::NotSent => Change::NotSent { reason: "refused".to_owned() },
        Verb::Submitted(id) => Change::Submitted(far(id)),
        Verb::Progress(tenths) => {
            Change::Progress(Progress { fraction: Some(f64::from(tenths) / 10.0), ..Progress::default() })
        }
        Verb::Succeed => Change::Finish(Finish::Succeeded { result: json!(1), meta: Map::new() }),
        Verb::Fail => Change::Finish(Finish::Failed(error())),
        Verb::Cancelled => Change::Finish(Finish::Cancelled(UpstreamCancel::Confirmed)),
        Verb::Uncertain => Change::Finish(Finish::Uncertain(error())),
        Verb::Retry(secs) => Change::Finish(Finish::Retry { error: error(), after: after(secs) }),
        Verb::Release(secs) => Change::Release(Release { after: after(secs), reason: "drain".to_owned() }),
    }
}

/// A store and the model beside it.
struct Pair {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    model: Model,
    ids: Vec<JobId>,
    nonces: Vec<Nonce>,
    ended: BTreeMap<JobId, Job>,
}

impl Pair {
    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Enqueue { service, priority, gpu } => self.enqueue(service, priority, gpu).await,
            Wish::Claim { first, second, gpu, max } => {
                let has = if gpu {
                    BTreeMap::from([("gpu".to_owned(), "yes".to_owned())])
                } else {
                    BTreeMap::new()
                };
                let services = BTreeMap::from([("s0".to_owned(), first), ("s1".to_owned(), second)]);
                let connectors = BTreeSet::from(["Fake".to_owned()]);
                let request =
                    ClaimRequest { worker: WorkerId::start("w"), services, labels: has, connectors, max };
                let claimed = self.store.claim(request).await.expect("claim");
                let expected = self.model.claim([first, second], gpu, max);
                let expected: Vec<&JobId> = expected.iter().map(|job| &self.ids[*job]).collect();
                assert_eq!(claimed.iter().map(|job| &job.id).collect::<Vec<_>>(), expected);
                self.nonces.extend(claimed.into_iter().filter_map(|job| job.lease).map(|lease| lease.nonce));
            }
            Wish::Write { claim, verb } if !self.nonces.is_empty() => {
                let claim = (self.nonces.len() - 1).saturating_sub(claim);
                let job = self.ids[self.model.claims[claim]].clone();
                let claim_key = ClaimKey { job, nonce: self.nonces[claim].clone() };
                let answers = self.store.write(vec![Write { claim: claim_key, change: change(verb) }]).await;
                assert_eq!(answers.expect("write"), [self.model.write(claim, verb)], "{verb:?}");
            }
            Wish::Cancel { job } if job < self.ids.len() => {
                let answer = self.store.cancel(&self.ids[job], "me", None).await.expect("cancel");
                assert_eq!(matches!(answer, CancelAnswer::Recorded(_)), self.model.cancel(job), "{answer:?}");
            }
            Wish::Pass { millis } => {
                self.clock.advance_millis(millis);
                // Set back, a clock only stops the store's for that moment.
                self.model.now += millis.max(0);
            }
            Wish::Reap => assert_eq!(self.store.reap().await.expect("reap"), self.model.reap()),
            Wish::Write { .. } | Wish::Cancel { .. } => {}
        }
        // Reading the clock after each step is what every caller does; a jump back is seen as one.
        self.store.now();
    }

    async fn enqueue(&mut self, service: u8, priority: u8, gpu: bool) {
        let labels =
            if gpu { BTreeMap::from([("gpu".to_owned(), "yes".to_owned())]) } else { BTreeMap::new() };
        let new = NewJob {
            service: format!("s{service}"),
            payload: json!(7),
            priority,
            labels,
            idempotency_key: None,
        };
        let Enqueued::New(job) = self.store.enqueue(new).await.expect("enqueue") else { panic!("a new job") };
        self.ids.push(job.id);
        self.model.jobs.push(Known {
            service,
            priority,
            gpu,
            state: JobState::Queued,
            phase: None,
            numbers: (0, 0, 0),
            owner: None,
            lapsed: None,
            closed: None,
            key: None,
            far: None,
            orphans: Vec::new(),
            progress: None,
            cancel: false,
            since: self.model.now,
            ready: self.model.now,
            result: (false, false),
        });
    }

    /// Every job is there and is as the model says; what has ended stays as it ended; the counts are the sums; one owner each.
    async fn agree(&mut self) {
        let mut sums = BTreeMap::<String, BTreeMap<JobState, u64>>::new();
        let mut owners = BTreeSet::new();
        for (id, known) in self.ids.iter().zip(&self.model.jobs) {
            let job = self.store.get(id).await.expect("get").expect("no job is lost");
            let owner = known.owner.map(|(claim, _)| &self.nonces[claim]);
            assert_eq!(job.lease.as_ref().map(|Lease { nonce, .. }| nonce), owner);
            assert!(owner.is_none_or(|nonce| owners.insert(nonce.as_str().to_owned())), "one job, one nonce");
            assert_eq!((job.state, job.phase), (known.state, known.phase));
            assert_eq!((job.attempt, job.deliveries, job.crashes), known.numbers);
            assert_eq!(
                job.service_job.as_ref().map(|far| far.id.clone()),
                known.far.map(|far| far.to_string())
            );
            assert_eq!(job.orphans.len(), known.orphans.len());
            assert_eq!(job.cancel.is_some(), known.cancel);
            assert_eq!((job.result.is_some(), job.discarded_result.is_some()), known.result);
            let progress = job.progress.as_ref().and_then(|progress| progress.fraction);
            assert_eq!(progress, known.progress.map(|tenths| f64::from(tenths) / 10.0));
            *sums.entry(job.service.clone()).or_default().entry(job.state).or_default() += 1;
            if job.state.terminal() {
                let lasting = Job { orphans: Vec::new(), updated_at: Timestamp(0), ..job };
                let before = self.ended.entry(id.clone()).or_insert_with(|| lasting.clone());
                assert_eq!(*before, lasting, "terminal is final");
            }
        }
        let counts = self.store.counts().await.expect("counts");
        let counts: BTreeMap<_, _> = counts.into_iter().filter(|(_, states)| !states.is_empty()).collect();
        assert_eq!(counts, sums);
    }
}

fn play(store: Arc<dyn Store>, clock: Arc<ManualClock>, wishes: Vec<Wish>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let (ids, nonces, ended) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut pair = Pair { store, clock, model: Model::default(), ids, nonces, ended };
        for wish in wishes {
            pair.grant(wish).await;
            pair.agree().await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_store_is_the_model(wishes in prop::collection::vec(wish(), 1..80)) {
        let clock = clock();
        play(Arc::new(MemoryStore::new(options(), Arc::<ManualClock>::clone(&clock))), clock, wishes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_store_is_the_model(wishes in prop::collection::vec(wish(), 1..80)) {
        let clock = clock();
        let dir = tempfile::tempdir().expect("a directory");
        let store = EmbeddedStore::open(dir.path(), options(), Arc::<ManualClock>::clone(&clock)).expect("a store");
        play(Arc::new(store), clock, wishes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_redis_store_is_the_model(wishes in prop::collection::vec(wish(), 1..80)) {
        let server = RedisBox::start().expect("a server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock = clock();
        let shared = Arc::<ManualClock>::clone(&clock);
        let store = runtime.block_on(RedisStore::open_with_clock(&server.url(), options(), shared)).expect("a store");
        play(Arc::new(store), clock, wishes);
    }
}
