//! The figures of one run of requests.

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is recorded exactly, in nanoseconds: ten minutes.
const LONGEST: u64 = 600_000_000_000;

/// Times and counts, while they are collected.
pub struct Tally {
    whole: Histogram<u64>,
    first_byte: Histogram<u64>,
    bytes: u64,
    rows: u64,
    errors: u64,
    first_error: Option<String>,
    unmeasured: u64,
    began: Option<Instant>,
    ended: Option<Instant>,
}

/// The summary of a run, printed as one line of JSON.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// The number of requests that were measured.
    pub requests: u64,
    /// The number of all requests, including the warm-up. The server's CPU time is divided by it.
    pub served: u64,
    /// The number of requests that failed or had a wrong answer.
    pub errors: u64,
    /// The error of the first of those.
    pub first_error: Option<String>,
    /// The duration of the measured part.
    pub seconds: f64,
    /// The number of requests per second.
    pub throughput: f64,
    /// The median time of a whole request, in microseconds.
    pub p50_us: f64,
    /// The 99th percentile of that time.
    pub p99_us: f64,
    /// The longest time.
    pub max_us: f64,
    /// The time to the first byte of the response body, in microseconds.
    pub first_byte_us: f64,
    /// The average number of bytes per response.
    pub bytes: f64,
    /// The average number of rows per response, if rows are counted.
    pub rows: f64,
}

impl Tally {
    /// Returns an empty tally.
    ///
    /// # Errors
    /// Never fails with the compiled-in bounds.
    pub fn new() -> Result<Self> {
        let histogram = Histogram::new_with_bounds(1, LONGEST, 3)?;
        Ok(Self {
            first_byte: histogram.clone(),
            whole: histogram,
            bytes: 0,
            rows: 0,
            errors: 0,
            first_error: None,
            unmeasured: 0,
            began: None,
            ended: None,
        })
    }

    /// Counts a request of the warm-up.
    pub fn warm_up(&mut self) {
        self.unmeasured += 1;
    }

    /// Records a request that was sent at `sent` and answered correctly.
    pub fn answered(&mut self, sent: Instant, first_byte: Duration, whole: Duration, bytes: u64, rows: u64) {
        self.began = self.began.into_iter().chain([sent]).min();
        self.ended = self.ended.into_iter().chain([sent + whole]).max();
        self.first_byte.saturating_record(nanoseconds(first_byte));
        self.whole.saturating_record(nanoseconds(whole));
        self.bytes += bytes;
        self.rows += rows;
    }

    /// Records a request that failed or was answered wrongly.
    pub fn failed(&mut self, error: impl ToString) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| error.to_string());
    }

    /// Whether there were errors.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.errors > 0
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// Returns an error if standard output is closed.
    pub fn print(&self) -> Result<()> {
        let requests = self.whole.len();
        let measured = self.began.zip(self.ended).map(|(began, ended)| ended - began);
        let seconds = measured.unwrap_or_default().as_secs_f64();
        let each = |sum: u64| if requests == 0 { 0.0 } else { sum as f64 / requests as f64 };
        let at = |histogram: &Histogram<u64>, quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        let figures = Figures {
            requests,
            served: requests + self.unmeasured + self.errors,
            errors: self.errors,
            first_error: self.first_error.clone(),
            seconds,
            throughput: if seconds > 0.0 { requests as f64 / seconds } else { 0.0 },
            p50_us: at(&self.whole, 0.5),
            p99_us: at(&self.whole, 0.99),
            max_us: self.whole.max() as f64 / 1000.0,
            first_byte_us: at(&self.first_byte, 0.5),
            bytes: each(self.bytes),
            rows: each(self.rows),
        };
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}
