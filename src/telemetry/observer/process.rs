//! Events of the gateway as a whole.

/// What was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// The settings, because of SIGHUP.
    Settings,
    /// The certificates of the listener for clients.
    Certificates,
}

/// What became of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanOutcome {
    /// The collector has taken them.
    Exported,
    /// Too many waited already.
    Dropped,
    /// The collector did not take them.
    Failed,
}
