//! The words by which logs and metrics know what events say.

use std::fmt::{self, Display};

use super::*;

/// A closed set of values, each with the word by which logs and metrics know it.
pub trait Word: Copy + 'static {
    /// All of them, in order.
    const ALL: &'static [Self];

    /// The word.
    fn word(self) -> &'static str;

    /// Its place in [`Word::ALL`].
    fn index(self) -> usize;
}

/// Gives each variant its word. The variants must be in the order of their declaration.
macro_rules! words {
    ($($name:ident { $($variant:ident => $word:literal),+ $(,)? })+) => {
        $(impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        })+

        #[cfg(test)]
        fn all_words() -> Vec<(usize, usize, &'static str)> {
            let mut all = Vec::new();
            $(all.extend($name::ALL.iter().enumerate().map(|(at, value)| (at, value.index(), value.word())));)+
            all
        }
    };
}

words! {
    Purpose { Pool => "pool", Verification => "verification", Termination => "termination", Relay => "relay" }
    ConnectFailure {
        Unreachable => "unreachable", Timeout => "timeout", Tls => "tls", Handshake => "handshake", Login => "login",
    }
    AcquireFailure {
        Exhausted => "exhausted", QueueFull => "queue_full", LoginLaneFull => "login_lane_full", Connection => "connection", Expired => "expired",
        Stopping => "stopping",
    }
    StatementState { Queued => "queued", Running => "running", Streaming => "streaming", Retrying => "retrying" }
    FailureClass {
        ClientError => "client_error", Transient => "transient", DatabaseError => "database_error",
        Cancelled => "cancelled", Timeout => "timeout", Lost => "lost",
    }
    CancelReason {
        Caller => "caller", SlowReader => "slow_reader", ClientGone => "client_gone", WriteStall => "write_stall",
        Deadline => "deadline", Operator => "operator", Limit => "limit", Shutdown => "shutdown",
    }
    HttpProtocol { Http1 => "http/1.1", Http2 => "http/2" }
    ClientClose {
        Done => "done", Idle => "idle", HeaderTimeout => "header_timeout", BodyTimeout => "body_timeout",
        WriteStall => "write_stall", Age => "age", Drain => "drain", Tls => "tls", Error => "error",
    }
    TlsOutcome { Ok => "ok", Error => "error", Timeout => "timeout" }
    RefusalReason {
        Requests => "requests", CallerRequests => "caller_requests", Waiting => "waiting",
        CallerWaiting => "caller_waiting", AcquireTimeout => "acquire_timeout", Transactions => "transactions",
        Body => "body", BodyMemory => "body_memory", DecompressedBody => "decompressed_body",
        Statement => "statement", Depth => "depth", ResultRows => "result_rows", ResultBytes => "result_bytes",
        Host => "host", Origin => "origin", WebSockets => "websockets",
    }
    WebSocketClose {
        Done => "done", Gone => "gone", Protocol => "protocol", Database => "database",
        DatabaseFailed => "database_failed", Silent => "silent", Idle => "idle", Age => "age", Off => "off",
        Shutdown => "shutdown",
    }
    AuthFailure {
        Malformed => "malformed", Scheme => "scheme", Refused => "refused", Expired => "expired", Token => "token",
        KeysUnavailable => "keys_unavailable", RateLimited => "rate_limited", Impersonation => "impersonation",
    }
    StatementKind { Explicit => "explicit", Statement => "statement", Batch => "batch", Load => "load" }
    RetryReason { Conflict => "conflict", Transient => "transient", Connection => "connection" }
    TransactionOutcome {
        Committed => "committed", RolledBack => "rolled_back", Failed => "failed", IdleTimeout => "idle_timeout",
        Lifetime => "lifetime", Expired => "expired", Operator => "operator", Shutdown => "shutdown", Lost => "lost",
    }
    SpanOutcome { Exported => "exported", Dropped => "dropped", Failed => "failed" }
    StatementOutcome { Abandoned => "abandoned", Failed => "failed", Completed => "completed" }
    Discard {
        Lifetime => "lifetime", Login => "login", Dead => "dead", Evicted => "evicted", Broken => "broken",
        Silent => "silent", Protocol => "protocol", Stale => "stale", Abandoned => "abandoned", Shutdown => "shutdown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_the_order_of_their_variants() {
        for (place, index, word) in all_words() {
            assert_eq!(place, index, "{word}");
        }
    }
}
