//! Failovers that lose the last changes (P18, F10).

use std::collections::BTreeMap;

use emp_core::job::{EventKind, JobState};
use emp_store::{Answer, Change, RedisStore, Store as _, StoreOptions};
use emp_testkit::redis::{Program, RedisBox, RedisCluster};

use crate::failures::{by, soon};
use crate::proxy::Proxy;
use crate::{add, ask, claim, intent, new, open, submitted, success, write};

/// A server that goes back to what it had when it was last told to save.
pub(crate) fn forgetful() -> RedisBox {
    RedisBox::start_with(Program::Redis, &["--appendonly", "no"]).expect("a server")
}

/// What loses its last changes.
trait Forgets {
    /// What comes after this will be lost.
    fn remember(&mut self);
    /// It is lost.
    fn forget(&mut self);
}

impl Forgets for RedisBox {
    fn remember(&mut self) {
        self.command(&["SAVE"]).expect("saved");
    }

    fn forget(&mut self) {
        self.restart().expect("a restart");
    }
}

/// A primary and its replica, behind one address.
struct Pair {
    primary: RedisBox,
    replica: RedisBox,
    proxy: Proxy,
}

impl Forgets for Pair {
    fn remember(&mut self) {
        // It has everything so far, and is cut off from what comes.
        self.replica.follow(&self.primary).expect("a replica");
        self.replica.promote().expect("promoted");
    }

    fn forget(&mut self) {
        self.primary.kill().expect("killed");
        self.proxy.lead_to(&self.replica);
    }
}

/// P18, F10: the last changes are lost, as by a failover, and a worker lives that has the jobs: nobody submits them again.
#[tokio::test]
async fn p18_f10_a_job_whose_worker_lives_is_put_back_and_not_submitted_again() {
    let mut server = forgetful();
    let url = server.url();
    put_back(&url, &mut server).await;
}

/// P18, F10: a replica takes over that lacks the last changes.
#[tokio::test]
async fn p18_f10_a_job_whose_worker_lives_is_put_back_after_a_replica_took_over() {
    let (primary, replica) = (RedisBox::start().expect("a server"), RedisBox::start().expect("a server"));
    let proxy = Proxy::to(&primary).await;
    let url = proxy.url();
    put_back(&url, &mut Pair { primary, replica, proxy }).await;
}

/// P18, F10: the same in a cluster, of which one server loses them.
#[tokio::test]
async fn p18_f10_a_job_whose_worker_lives_is_put_back_in_a_cluster() {
    let mut cluster = RedisCluster::start_with(3, &["--appendonly", "no"]).expect("a cluster");
    let url = cluster.url();
    put_back(&url, cluster.node_of("emp:{emp}:clock").expect("a server")).await;
}

async fn put_back(url: &str, server: &mut impl Forgets) {
    let open = async || RedisStore::open(url, StoreOptions::default()).await.expect("a store");
    let (worker, other) = (open().await, open().await);
    let early = add(&worker).await;
    assert_eq!(claim(&other, 0).await, [], "it has a connection as well");
    server.remember();
    let late = add(&worker).await;
    let claimed = claim(&worker, 2).await;
    assert_eq!(claimed.len(), 2);
    for job in &claimed {
        assert_eq!(write(&worker, job, intent()).await, Answer::Ok);
        assert_eq!(write(&worker, job, submitted(job.id.as_str())).await, Answer::Ok);
        // Somebody else's change in between: the worker has to read the job again.
        assert!(other.nudge(&job.id, None).await.expect("nudge"));
        assert_eq!(write(&worker, job, Change::Renew).await, Answer::Nudged);
    }
    server.forget();
    let stolen = soon("a claim", async || other.claim(ask(5)).await).await;
    assert_eq!(stolen, [], "nobody claims before those who have jobs could say so");
    for job in &claimed {
        let renewed = soon("a renewal", async || worker.write(by(job, Change::Renew)).await).await;
        assert_eq!(renewed, [Answer::Ok]);
    }
    for id in [&early.id, &late.id] {
        let job = other.get(id).await.expect("get").expect("the job");
        assert_eq!(job.service_job.map(|far| far.id), Some(id.to_string()));
        assert_eq!((job.state, job.attempt, job.payload), (JobState::Running, 1, new().payload));
        let events = other.events(id, 0).await.expect("events").expect("the job's");
        assert_eq!(events.last().map(|event| event.kind), Some(EventKind::Reasserted));
    }
    let counts = other.counts().await.expect("counts");
    assert_eq!(counts["svc"], BTreeMap::from([(JobState::Running, 2)]));
    for job in &claimed {
        assert_eq!(write(&worker, job, success()).await, Answer::Ok);
    }
}

/// P5: as many changes later another worker has the job, and the count of them is the same: that is not the claim that was lost.
#[tokio::test]
async fn p05_f10_a_lost_claim_does_not_pass_for_the_next_one() {
    let mut server = forgetful();
    let zombie = open(&server).await;
    add(&zombie).await;
    server.command(&["SAVE"]).expect("saved");
    let lost = claim(&zombie, 1).await.pop().expect("the job");
    server.restart().expect("a restart");
    // A worker that starts just now knows nothing of an outage.
    let next = open(&server).await;
    let owned = claim(&next, 1).await.pop().expect("the job");
    let answer = soon("a write", async || zombie.write(by(&lost, success())).await).await;
    assert_eq!(answer, [Answer::Fenced]);
    assert_eq!(next.get(&owned.id).await.expect("get").as_ref(), Some(&owned));
    assert_eq!(write(&next, &owned, success()).await, Answer::Ok);
}
