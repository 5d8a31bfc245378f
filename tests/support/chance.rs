//! Chance, from the system.

use std::time::Duration;

/// A number from 0 up to but not including `end`.
pub fn below(end: u32) -> u32 {
    getrandom::u32().expect("the system has random numbers") % end
}

/// Returns `true` with this probability, in percent.
pub fn percent(share: u32) -> bool {
    below(100) < share
}

/// A span of time from `least` up to `most`.
pub fn between(least: Duration, most: Duration) -> Duration {
    least + (most - least).mul_f64(f64::from(below(1 << 16)) / f64::from(1 << 16))
}
