//! Traces for an OpenTelemetry collector, by OTLP over HTTP.
//!
//! Owns the export: the form of spans, the requests to the collector, what is counted. Promises that requests of clients
//! never wait for it. A build without the feature `otlp` has no exporter, and says so when one is asked for.

#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod convert;
#[cfg(feature = "otlp")]
mod export;

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    observer::Observer,
    spans::{DatabaseAddress, TraceSettings, Tracer},
};
use crate::live::Live;

/// How and where spans are exported.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL that spans are posted to.
    pub url: String,
    /// Headers of each export. They may hold credentials.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The time limit of an export, with its retries.
    pub timeout: Duration,
    /// The name of this service.
    pub service_name: String,
    /// The name of this gateway among several.
    pub instance: Option<String>,
}

/// Why spans cannot be exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The program was built without the exporter.
    #[error(
        "telemetry.otlp.endpoint is set, but this boltgate was built without traces; leave it empty, or use a build with \
         the cargo feature `otlp`, such as the container image"
    )]
    NotBuilt,
    /// A header is none.
    #[error("telemetry.otlp.headers: number {0} is not a header; write \"name=value\"")]
    Header(usize),
    /// The exporter refuses the settings, or the environment variables of OpenTelemetry that it reads itself.
    #[error("traces cannot be exported (telemetry.otlp): {0}")]
    Exporter(String),
}

/// The running export.
#[derive(Debug)]
pub struct Traces {
    tracer: Tracer,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Checks settings as [`start`] does, and starts nothing.
///
/// # Errors
/// [`OtlpError`].
#[cfg(feature = "otlp")]
pub fn check(settings: Settings) -> Result<(), OtlpError> {
    export::Exporter::new(settings).map(drop)
}

/// Refuses what was not built.
///
/// # Errors
/// [`OtlpError::NotBuilt`].
#[cfg(not(feature = "otlp"))]
pub fn check(_: Settings) -> Result<(), OtlpError> {
    Err(OtlpError::NotBuilt)
}

/// Starts the export of what a new tracer samples. Must be called inside a tokio runtime, on which the export then runs.
///
/// # Errors
/// [`OtlpError`].
#[cfg(feature = "otlp")]
pub fn start(
    settings: Settings,
    sampling: Live<TraceSettings>,
    database: Option<DatabaseAddress>,
    observer: Arc<dyn Observer>,
) -> Result<Traces, OtlpError> {
    let exporter = export::Exporter::new(settings)?;
    let tracer = Tracer::new(sampling, database, observer);
    let stop = CancellationToken::new();
    let task = tokio::spawn(export::run(exporter, Arc::clone(tracer.queue()), stop.clone()));
    Ok(Traces { tracer, stop, task })
}

/// Refuses to start what was not built.
///
/// # Errors
/// [`OtlpError::NotBuilt`].
#[cfg(not(feature = "otlp"))]
pub fn start(
    _: Settings,
    _: Live<TraceSettings>,
    _: Option<DatabaseAddress>,
    _: Arc<dyn Observer>,
) -> Result<Traces, OtlpError> {
    Err(OtlpError::NotBuilt)
}

impl Traces {
    /// The tracer whose spans are exported.
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Exports what still waits, for `limit` at most, and stops.
    pub async fn close(self, limit: Duration) {
        self.stop.cancel();
        let mut task = self.task;
        if tokio::time::timeout(limit, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// Reads headers that are written as `name=value`.
///
/// # Errors
/// [`OtlpError::Header`]: the number of the header, which may be a secret.
pub fn headers<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<(HeaderName, HeaderValue)>, OtlpError> {
    let header = |text: &str| {
        let (name, value) = text.split_once('=')?;
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((name.trim().parse().ok()?, value))
    };
    texts.into_iter().enumerate().map(|(at, text)| header(text).ok_or(OtlpError::Header(at + 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_names_and_values() {
        let read = headers(["Authorization=Basic a2V5OnZhbHVl==", " x-scope = a=b "]).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(read, [("authorization", "Basic a2V5OnZhbHVl=="), ("x-scope", "a=b")]);
    }

    #[test]
    fn a_header_that_is_none_is_refused_without_being_shown() {
        for bad in ["Bearer s3cret", "a b=s3cret", "x=s3\ncret", "=s3cret"] {
            let error = headers(["a=b", bad]).unwrap_err().to_string();
            assert_eq!(error, "telemetry.otlp.headers: number 2 is not a header; write \"name=value\"");
        }
        let shown = format!("{:?}", headers(["a=s3cret"]).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
