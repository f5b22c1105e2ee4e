//! What a server or a connection says instead of an answer, and what is done about it: one table (P20).

use redis::{ErrorKind, RedisError};

use crate::store::StoreError;

/// What is done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    /// The server has forgotten the script: send its text.
    Reload,
    /// It will answer soon: ask again on the same connection.
    Wait,
    /// Ask again on a new connection, to whoever is the primary by then.
    Reconnect,
    /// No room: what brings something new is refused.
    Full,
    /// It will say so every time.
    Refuse(Refusal),
}

/// Why asking again does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The user or the password is not the right one.
    Login,
    /// The user may not do what the store does.
    Permission,
    /// A key holds something that is not ours.
    Foreign,
    /// Anything else.
    Other,
}

/// What is done about an error.
pub(super) fn conduct(error: &RedisError) -> Conduct {
    if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() {
        return Conduct::Reconnect;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => return Conduct::Refuse(Refusal::Login),
        ErrorKind::InvalidClientConfig | ErrorKind::UnexpectedReturnType => {
            return Conduct::Refuse(Refusal::Other);
        }
        // The connection is out of step, or there is nobody to talk to.
        ErrorKind::Parse
        | ErrorKind::Io
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::ClusterConnectionNotFound => return Conduct::Reconnect,
        _ => {}
    }
    word(error.code().unwrap_or_default(), &error.to_string())
}

/// What is done about the first word of an error, as Redis and Valkey write it, with the rest of it.
fn word(code: &str, text: &str) -> Conduct {
    match code {
        "NOSCRIPT" => Conduct::Reload,
        "LOADING" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" | "NOREPLICAS" => Conduct::Wait,
        // The one we talk to is not, or not any more, the one that takes writes; or it was made to let go of us.
        // In a cluster another server has the slot; who has which is asked anew with every connection, so that whoever follows knows that
        // it may be a server that has lost something.
        "READONLY" | "MASTERDOWN" | "UNBLOCKED" | "MOVED" | "ASK" => Conduct::Reconnect,
        "OOM" | "MISCONF" => Conduct::Full,
        "NOAUTH" | "WRONGPASS" => Conduct::Refuse(Refusal::Login),
        "NOPERM" => Conduct::Refuse(Refusal::Permission),
        "WRONGTYPE" => Conduct::Refuse(Refusal::Foreign),
        // An error within a script may have the word of what failed anywhere in its text.
        _ if text.contains("max number of clients") => Conduct::Reconnect,
        _ => ["READONLY", "MASTERDOWN", "UNBLOCKED", "OOM ", "MISCONF", "NOPERM", "WRONGTYPE", "LOADING"]
            .into_iter()
            .find(|inner| text.contains(inner))
            .map_or(Conduct::Refuse(Refusal::Other), |inner| word(inner.trim(), "")),
    }
}

/// An error in the store's words. `place` names the server without a password.
pub(super) fn told(error: &RedisError, place: &str) -> StoreError {
    let text = error.to_string();
    match conduct(error) {
        Conduct::Reconnect if matches!(error.code(), Some("MOVED" | "ASK")) => StoreError::Down(format!(
            "the slot of the store at {place} is at another server of its cluster, or on its way there ({text}); where the URL says \
             `redis://`, write `redis+cluster://`"
        )),
        Conduct::Reload | Conduct::Wait | Conduct::Reconnect => {
            StoreError::Down(format!("the store at {place} does not answer: {text}"))
        }
        Conduct::Full => StoreError::Full(format!(
            "the server of the store at {place} has no room: new jobs are refused, running ones can end ({text}). Give it more \
             memory or disk, and jobs are taken in again by themselves"
        )),
        Conduct::Refuse(Refusal::Login) => StoreError::Url(format!(
            "the store at {place} refuses the user or the password ({text}). Write them into the URL: `redis://USER:PASSWORD@HOST:PORT`"
        )),
        Conduct::Refuse(Refusal::Permission) => StoreError::Url(format!(
            "the user of the store at {place} may not do what the store does ({text}). `emp store doctor` prints the line that gives \
             the rights it needs, and no others"
        )),
        Conduct::Refuse(Refusal::Foreign) => StoreError::Corrupt(format!(
            "a key of the store at {place} holds something that emp did not put there ({text})"
        )),
        Conduct::Refuse(Refusal::Other) => {
            StoreError::Corrupt(format!("the store at {place} refused: {text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::{RedisError, ServerError, parse_redis_value};

    use super::*;

    fn said(line: &str) -> RedisError {
        let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        let redis::Value::ServerError(error) = value else { panic!("{value:?}") };
        let error: ServerError = error;
        error.into()
    }

    /// P20: as redis-server 7 writes them.
    #[test]
    fn p20_every_fault_has_its_conduct() {
        let table = [
            ("NOSCRIPT No matching script. Please use EVAL.", Conduct::Reload),
            ("LOADING Redis is loading the dataset in memory", Conduct::Wait),
            (
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
                Conduct::Wait,
            ),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Conduct::Wait),
            ("CLUSTERDOWN The cluster is down", Conduct::Wait),
            ("CLUSTERDOWN Hash slot not served", Conduct::Wait),
            ("NOREPLICAS Not enough good replicas to write.", Conduct::Wait),
            ("READONLY You can't write against a read only replica.", Conduct::Reconnect),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                Conduct::Reconnect,
            ),
            (
                "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
                Conduct::Reconnect,
            ),
            ("MOVED 3999 127.0.0.1:6381", Conduct::Reconnect),
            ("ASK 3999 127.0.0.1:6381", Conduct::Reconnect),
            ("ERR max number of clients reached", Conduct::Reconnect),
            ("ERR max number of clients + cluster connections reached", Conduct::Reconnect),
            ("OOM command not allowed when used memory > 'maxmemory'.", Conduct::Full),
            (
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
                Conduct::Full,
            ),
            ("MISCONF Errors writing to the AOF file: No space left on device", Conduct::Full),
            ("NOAUTH Authentication required.", Conduct::Refuse(Refusal::Login)),
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                Conduct::Refuse(Refusal::Login),
            ),
            (
                "NOPERM User emp has no permissions to run the 'evalsha' command",
                Conduct::Refuse(Refusal::Permission),
            ),
            (
                "WRONGTYPE Operation against a key holding the wrong kind of value",
                Conduct::Refuse(Refusal::Foreign),
            ),
            ("ERR unknown command 'EVALSHA'", Conduct::Refuse(Refusal::Other)),
            // Within a script.
            (
                "ERR WRONGTYPE Operation against a key holding the wrong kind of value script: abc, on @user_script:12.",
                Conduct::Refuse(Refusal::Foreign),
            ),
            (
                "ERR User emp has no permissions: NOPERM this user script: abc, on @user_script:12.",
                Conduct::Refuse(Refusal::Permission),
            ),
        ];
        for (line, expected) in table {
            assert_eq!(conduct(&said(line)), expected, "{line}");
        }
        let dropped = RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(conduct(&dropped), Conduct::Reconnect);
    }
}
