//! What is to be known of a store's server before it is trusted: findings, and the rights that the store needs there.

use redis::Value;
use serde::Serialize;

use crate::redis::address::{Address, Shape};
use crate::redis::link::Link;
use crate::redis::preflight::{self, Finding, Severity};
use crate::redis::reply;
use crate::store::{StoreError, StoreOptions};

/// The commands that the store calls, by itself and in its scripts.
const COMMANDS: [&str; 27] = [
    "info",
    "eval",
    "evalsha",
    "subscribe",
    "publish",
    "time",
    "wait",
    "get",
    "set",
    "incr",
    "exists",
    "del",
    "hget",
    "hmget",
    "hgetall",
    "hkeys",
    "hexists",
    "hset",
    "hsetnx",
    "hdel",
    "hincrby",
    "lrange",
    "ltrim",
    "rpush",
    "zadd",
    "zrange",
    "zrem",
];
/// And in a cluster.
const IN_A_CLUSTER: [&str; 3] = ["cluster|slots", "cluster|shards", "asking"];

/// What was found out about a store's server.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The server, without a password.
    pub store: String,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// The line that makes a user with the rights that the store needs, and no others.
    pub acl: String,
}

/// Looks at the server of a store, and changes nothing there.
pub async fn examine(url: &str) -> Result<Report, StoreError> {
    let address = Address::parse(url)?;
    let link = Link::to(&address, StoreOptions::default().lease)?;
    let findings = findings(&link, &address).await?;
    Ok(Report { store: address.shown(), findings, acl: acl(&address) })
}

/// What `INFO` of the server, or of each server of the cluster, says.
pub(super) async fn findings(link: &Link, address: &Address) -> Result<Vec<Finding>, StoreError> {
    let cluster = matches!(address.shape, Shape::Cluster(_));
    let answer = link.command(&redis::cmd("INFO")).await?;
    let servers: Vec<String> = match answer {
        Value::Map(servers) => {
            servers.iter().filter_map(|(_, info)| reply::text(info)).map(str::to_owned).collect()
        }
        one => reply::text(&one).map(str::to_owned).into_iter().collect(),
    };
    let mut all: Vec<Finding> = Vec::new();
    for finding in servers.iter().flat_map(|info| preflight::judge(info, cluster)) {
        if !all.contains(&finding) {
            all.push(finding);
        }
    }
    all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(all)
}

/// Refuses a server in which jobs would be lost, unless that is allowed. Says the rest to the log.
pub(super) async fn admit(link: &Link, address: &Address, allowed: bool) -> Result<(), StoreError> {
    let findings = findings(link, address).await?;
    let (fatal, rest): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Unsafe);
    for finding in rest.iter().filter(|finding| finding.severity == Severity::Warning) {
        tracing::warn!(store = address.shown(), id = finding.id, fix = finding.fix, "{}", finding.what);
    }
    if fatal.is_empty() {
        return Ok(());
    }
    let told: Vec<String> =
        fatal.iter().map(|finding| format!("{}; to mend it: `{}`", finding.what, finding.fix)).collect();
    let told = format!("the store at {} is not safe: {}", address.shown(), told.join("; "));
    if allowed {
        tracing::error!("{told}; it is used all the same, because `--allow-unsafe-store` says so");
        return Ok(());
    }
    Err(StoreError::Unsafe(format!("{told}. For development: `--allow-unsafe-store`")))
}

/// The line that makes a user of the store.
fn acl(address: &Address) -> String {
    let queue = &address.queue;
    let more = if matches!(address.shape, Shape::Cluster(_)) { &IN_A_CLUSTER[..] } else { &[] };
    let select = (address.db != 0).then_some("select");
    let commands: Vec<String> =
        COMMANDS.iter().chain(more).copied().chain(select).map(|command| format!("+{command}")).collect();
    format!(
        "ACL SETUSER emp on >PASSWORD resetkeys ~emp:{{{queue}}}:* resetchannels &emp:{{{queue}}}:news nocommands {}",
        commands.join(" ")
    )
}
