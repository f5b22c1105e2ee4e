//! What can be reached at most: priorities, leases, one script that finishes and claims for all slots, and nothing else. Nobody would
//! run it: it keeps no history, believes every worker, and loses what a script's lost answer had claimed.

use std::sync::Arc;
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd};
use tokio::sync::mpsc;

use super::{How, Payload, Result, Tally, Words, now, pause, say, took};

/// Where jobs wait.
const QUEUE: &str = "bare:queue";
/// What a worker without jobs waits on.
const MARK: &str = "bare:mark";
/// Jobs of one call in a bulk.
const BULK: u64 = 100;

const ENQUEUE: &str = "
for at = 2, #ARGV do
  local id = redis.call('INCR', 'bare:last')
  redis.call('HSET', 'bare:job:' .. id, 'payload', ARGV[at], 'state', 'pending', 'priority', ARGV[1])
  redis.call('ZADD', KEYS[1], -tonumber(ARGV[1]) * 1099511627776 + id, id)
end
return redis.call('ZADD', 'bare:mark', 0, '0')";

pub(super) async fn run(url: &str, words: Words) -> Result {
    let client = Client::open(url)?;
    let mut link = connect(&client).await?;
    let enqueue = load(&mut link, ENQUEUE).await?;
    match words {
        Words::Enqueue { how, jobs } => {
            let begun = Instant::now();
            let size = if how == How::Single { 1 } else { BULK };
            let mut number = 0;
            while number < jobs {
                let mut call = script(&enqueue);
                call.arg(50);
                for job in number..jobs.min(number + size) {
                    call.arg(serde_json::to_string(&Payload::of(job))?);
                }
                let () = call.query_async(&mut link).await?;
                number += size;
            }
            took(begun);
            Ok(())
        }
        Words::Worker { slots } => worker(link, connect(&client).await?, slots).await,
        Words::Lone { jobs } => {
            for number in 0..jobs {
                let payload = serde_json::to_string(&Payload::of(number))?;
                let () = script(&enqueue).arg(50).arg(payload).query_async(&mut link).await?;
                tokio::time::sleep(pause(number)).await;
            }
            Ok(())
        }
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}

/// Has the server remember a script; gives its hash.
async fn load(link: &mut MultiplexedConnection, text: &str) -> Result<String> {
    Ok(redis::cmd("SCRIPT").arg("LOAD").arg(text).query_async(link).await?)
}

/// A call of a script for the queue.
fn script(hash: &str) -> Cmd {
    let mut call = redis::cmd("EVALSHA");
    call.arg(hash).arg(1).arg(QUEUE);
    call
}

async fn worker(mut link: MultiplexedConnection, mut waiting: MultiplexedConnection, slots: usize) -> Result {
    let tally = Arc::new(Tally::from_env());
    let step = load(&mut link, include_str!("bare.lua")).await?;
    let (ended, mut ends) = mpsc::unbounded_channel::<String>();
    let (mut busy, mut done) = (0_usize, Vec::new());
    say("READY");
    loop {
        let mut call = script(&step);
        call.arg("w1").arg(now() / 1_000_000 + 30_000).arg(slots - busy).arg(&done);
        let taken: Vec<(String, String)> = pairs(call.query_async(&mut link).await?);
        done.clear();
        if busy == 0 && taken.is_empty() {
            let _: redis::Value = redis::cmd("BZPOPMIN").arg(MARK).arg(5).query_async(&mut waiting).await?;
            continue;
        }
        for (id, payload) in taken {
            busy += 1;
            let (ended, tally) = (ended.clone(), Arc::clone(&tally));
            tokio::spawn(async move {
                if let Ok(payload) = serde_json::from_str(&payload) {
                    tally.ran(&payload);
                }
                // The loop lives as long as the process.
                let _ = ended.send(id);
            });
        }
        busy -= ends.recv_many(&mut done, slots).await;
    }
}

fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    let mut items = flat.into_iter();
    std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
}
