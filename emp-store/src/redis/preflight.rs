//! Whether a server is one that a store may live in (P19): what `INFO` says, which every provider permits, judged by one pure function.

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something can be lost that need not be.
    Warning,
    /// Jobs would be lost, or the store cannot work: it is not opened.
    Unsafe,
}

/// Something found out about a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable name.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    pub what: String,
    /// The line to set, or what to write instead.
    pub fix: String,
}

/// What `INFO` says, by name.
struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}

/// What of `INFO` is worth telling, the worst first. `cluster`: the URL says that it is one.
pub(super) fn judge(info: &str, cluster: bool) -> Vec<Finding> {
    let info = Info(info);
    let mut findings = Vec::new();
    let mut find = |severity, id, what: String, fix: &str| {
        findings.push(Finding { id, severity, what, fix: fix.to_owned() });
    };
    let version = info.get("redis_version").unwrap_or("unknown");
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < 7 {
        let what = format!("the server is version {version}: scripts with flags need 7");
        find(Severity::Unsafe, "version", what, "install Redis 7 or newer, or Valkey");
    }
    if info.get("role") == Some("slave") {
        let what = "the server is a replica, which takes no writes".to_owned();
        let fix = "name the primary, or the sentinels: `redis+sentinel://HOST:26379/PRIMARY`";
        find(Severity::Unsafe, "replica", what, fix);
    }
    if let Some(policy) = info.get("maxmemory_policy").filter(|policy| *policy != "noeviction") {
        let what =
            format!("the server throws keys away when its memory is full (`{policy}`): that loses jobs");
        find(Severity::Unsafe, "eviction", what, "CONFIG SET maxmemory-policy noeviction");
    }
    match (info.get("cluster_enabled"), cluster) {
        (Some("1"), false) => {
            let what = "the server is part of a cluster, and the URL says that it is not".to_owned();
            find(Severity::Unsafe, "cluster", what, "write `redis+cluster://` instead of `redis://`");
        }
        (Some("0"), true) => {
            let what = "the server is not part of a cluster, and the URL says that it is".to_owned();
            find(Severity::Unsafe, "cluster", what, "write `redis://` instead of `redis+cluster://`");
        }
        _ => {}
    }
    if info.get("aof_enabled") == Some("0") {
        let what = "the server keeps no append-only file: jobs since its last snapshot are lost when it dies"
            .to_owned();
        find(Severity::Warning, "aof", what, "CONFIG SET appendonly yes");
    }
    for (id, name) in [("aof_write", "aof_last_write_status"), ("snapshot", "rdb_last_bgsave_status")] {
        if let Some(status) = info.get(name).filter(|status| *status != "ok") {
            let what = format!("the server could not write to its disk (`{name}:{status}`)");
            find(Severity::Warning, id, what, "make room on the server's disk");
        }
    }
    let (used, most) = (info.number("used_memory"), info.number("maxmemory"));
    if most > 0 && used.saturating_mul(10) > most.saturating_mul(8) {
        let what = format!("{} of {} MiB of the server's memory are used", used >> 20, most >> 20);
        find(Severity::Warning, "memory", what, "CONFIG SET maxmemory BYTES");
    }
    let replicas = info.number("connected_slaves");
    if replicas == 0 && info.get("role") == Some("master") {
        let what = "nobody has a copy: what the disk loses is lost".to_owned();
        find(Severity::Note, "copies", what, "add a replica where the disk is not trusted");
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "redis_version:7.0.15\r\nrole:master\r\nconnected_slaves:1\r\nmaxmemory_policy:noeviction\r\n\
        maxmemory:0\r\nused_memory:1\r\naof_enabled:1\r\naof_last_write_status:ok\r\nrdb_last_bgsave_status:ok\r\ncluster_enabled:0\r\n";

    fn found(change: (&str, &str), cluster: bool) -> Vec<(&'static str, Severity)> {
        assert!(GOOD.contains(change.0));
        let info = GOOD.replace(change.0, change.1);
        judge(&info, cluster).into_iter().map(|finding| (finding.id, finding.severity)).collect()
    }

    #[test]
    fn p19_every_way_to_lose_jobs_is_found() {
        assert_eq!(judge(GOOD, false), []);
        let table = [
            (("7.0.15", "6.2.14"), ("version", Severity::Unsafe)),
            (("7.0.15", "strange"), ("version", Severity::Unsafe)),
            (("role:master", "role:slave"), ("replica", Severity::Unsafe)),
            (("noeviction", "volatile-lru"), ("eviction", Severity::Unsafe)),
            (("noeviction", "allkeys-lru"), ("eviction", Severity::Unsafe)),
            (("cluster_enabled:0", "cluster_enabled:1"), ("cluster", Severity::Unsafe)),
            (("aof_enabled:1", "aof_enabled:0"), ("aof", Severity::Warning)),
            (("aof_last_write_status:ok", "aof_last_write_status:err"), ("aof_write", Severity::Warning)),
            (("rdb_last_bgsave_status:ok", "rdb_last_bgsave_status:err"), ("snapshot", Severity::Warning)),
            (
                ("maxmemory:0\r\nused_memory:1", "maxmemory:100\r\nused_memory:81"),
                ("memory", Severity::Warning),
            ),
            (("connected_slaves:1", "connected_slaves:0"), ("copies", Severity::Note)),
        ];
        for (change, expected) in table {
            assert_eq!(found(change, false), [expected], "{change:?}");
        }
        assert_eq!(found(("cluster_enabled:0", "cluster_enabled:0"), true), [("cluster", Severity::Unsafe)]);
        assert_eq!(found(("cluster_enabled:0", "cluster_enabled:1"), true), []);
    }
}
