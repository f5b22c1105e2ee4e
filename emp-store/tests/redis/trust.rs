//! Which servers are trusted, with which rights, over which connection (P19).

use std::process::Command;
use std::sync::Arc;

use emp_store::conformance::{Bench, clock, options};
use emp_store::redis::doctor;
use emp_store::{NewJob, RedisStore, Store as _, StoreError, StoreOptions};
use emp_testkit::redis::{Program, RedisBox, RedisCluster};

use crate::{add, new, open};

async fn refused(url: &str) -> String {
    match RedisStore::open(url, StoreOptions::default()).await {
        Err(StoreError::Unsafe(text)) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// P19: with the line to set; and all the same when somebody says so.
#[tokio::test]
async fn p19_a_server_that_would_lose_jobs_is_refused_with_the_line_to_set() {
    let evicting = ["--maxmemory-policy", "allkeys-lru"];
    let evicting = RedisBox::start_with(Program::Redis, &evicting).expect("a server");
    let text = refused(&evicting.url()).await;
    let line = "CONFIG SET maxmemory-policy noeviction";
    assert!(text.contains(line) && text.contains("--allow-unsafe-store"), "{text}");
    let allowed = StoreOptions { allow_unsafe: true, ..StoreOptions::default() };
    RedisStore::open(&evicting.url(), allowed).await.expect("allowed");
    evicting.command(&line.split(' ').collect::<Vec<_>>()).expect("set");
    open(&evicting).await;

    let primary = RedisBox::start().expect("a server");
    evicting.follow(&primary).expect("a replica");
    assert!(refused(&evicting.url()).await.contains("replica"));
    let mut cluster = RedisCluster::start(1).expect("a cluster");
    assert!(refused(&cluster.nodes()[0].url()).await.contains("redis+cluster://"));
}

/// P19: a user with the rights that the doctor prints can do all that the store does, and has none that it does not need.
#[tokio::test]
async fn p19_the_rights_that_the_doctor_prints_are_enough_and_no_more() {
    let server = Arc::new(RedisBox::start().expect("a server"));
    let line = doctor::examine(&format!("{}?queue=case", server.url())).await.expect("a report").acl;
    let line = line.replace("PASSWORD", "secret");
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(server.command(&words).expect("an answer").text(), "OK", "{line}");
    server.command(&["CONFIG", "RESETSTAT"]).expect("an answer");
    let url = format!("redis://emp:secret@127.0.0.1:{}?queue=case", server.port());
    emp_store::conformance::run(|| async {
        // One case after the other, in the one queue that the user may use.
        server.command(&["EVAL", "redis.call('FLUSHALL')", "0"]).expect("an answer");
        let clock = clock();
        let shared = Arc::<emp_core::time::ManualClock>::clone(&clock);
        let store = RedisStore::open_with_clock(&url, options(), shared).await.expect("a store");
        Bench::new(Arc::new(store), clock)
    })
    .await;
    // By the server's clock, and with so many lanes that the empty ones are forgotten.
    let timed = RedisStore::open(&url, StoreOptions::default()).await.expect("a store");
    for lane in 0..70 {
        let labels = std::collections::BTreeMap::from([("lane".to_owned(), lane.to_string())]);
        timed.enqueue(NewJob { labels, ..new() }).await.expect("enqueue");
    }
    timed.reap().await.expect("reap");
    let careful = StoreOptions { replicas: 1, ..StoreOptions::default() };
    let careful = RedisStore::open(&url, careful).await.expect("a store");
    assert!(matches!(careful.enqueue(new()).await, Err(StoreError::Unreplicated(_))), "there is no replica");
    let stats = server.command(&["INFO", "commandstats"]).expect("an answer").text();
    let used =
        |command: &str| stats.lines().any(|line| line.starts_with(&format!("cmdstat_{command}:calls=")));
    let unused: Vec<&str> =
        words.iter().filter_map(|word| word.strip_prefix('+')).filter(|command| !used(command)).collect();
    assert_eq!(unused, Vec::<&str>::new());
    let foreign = RedisStore::open(&url.replace("case", "other"), StoreOptions::default()).await;
    let Err(StoreError::Url(text)) = foreign else { panic!("another queue is not theirs: {foreign:?}") };
    assert!(text.contains("emp store doctor") && !text.contains("secret"), "{text}");
}

/// Over TLS, with an authority of one's own; and with no other.
#[tokio::test]
async fn a_store_over_tls_trusts_the_authority_that_it_was_given() {
    let dir = tempfile::tempdir().expect("a directory");
    let openssl = |args: &str| {
        let words = args.split(' ');
        let done = Command::new("openssl").args(words).current_dir(dir.path()).output().expect("openssl");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::write(dir.path().join("names"), "subjectAltName=IP:127.0.0.1").expect("a file");
    openssl("req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -keyout ca.key -out ca.pem");
    openssl("req -newkey rsa:2048 -nodes -subj /CN=store -keyout key.pem -out request");
    openssl("x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -extfile names");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    drop(listener);
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (cert, key, ca, tls_port) = (file("cert.pem"), file("key.pem"), file("ca.pem"), port.to_string());
    let files = ["--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let options = [&["--tls-port", &tls_port, "--tls-auth-clients", "no"], &files[..]].concat();
    let _server = RedisBox::start_with(Program::Redis, &options).expect("a server");
    let url = format!("rediss://127.0.0.1:{port}?ca={ca}");
    let store = RedisStore::open(&url, StoreOptions::default()).await.expect("a store");
    add(&store).await;
    let strange = RedisStore::open(&format!("rediss://127.0.0.1:{port}"), StoreOptions::default()).await;
    assert!(matches!(strange, Err(StoreError::Down(_))), "no public authority has signed it: {strange:?}");
}
