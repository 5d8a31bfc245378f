//! What a person sees while a statement takes its time.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

/// How long a statement may take before anything is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is renewed.
pub(super) const EVERY: Duration = Duration::from_millis(250);
/// Goes to the beginning of the line and erases it.
const ERASE: &str = "\r\x1b[K";

/// A line on standard error that says how far it is.
#[derive(Debug)]
pub(super) struct Progress {
    /// Whether somebody is there to see it.
    wanted: bool,
    began: Instant,
    shown: bool,
}

impl Progress {
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, began: Instant::now(), shown: false }
    }

    /// How long it takes already.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Starts to count again: the person at the terminal has answered.
    pub(super) fn restart(&mut self) {
        self.began = Instant::now();
    }

    /// Shows `what` there is so far, if it takes long.
    pub(super) fn show(&mut self, what: &str) {
        if self.wanted && self.elapsed() >= PATIENCE {
            self.shown = true;
            // The rows do not depend on it.
            let _ = write!(io::stderr().lock(), "{ERASE}{what}, {} s", self.elapsed().as_secs());
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr().lock(), "{ERASE}");
        }
    }
}
