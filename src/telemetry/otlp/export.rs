//! The task that exports spans.

use std::{sync::Arc, time::Duration};

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SpanExporter as _};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{OtlpError, Settings, client::Client, convert::span_data};
use crate::telemetry::{
    observer::{Observer, SpanOutcome},
    spans::{Span, SpanQueue},
};

/// How long the first span of a batch waits for others.
const GATHERING: Duration = Duration::from_secs(1);

/// Exports batches of spans to one collector.
pub(super) struct Exporter {
    exporter: OtlpExporter,
    scope: InstrumentationScope,
    timeout: Duration,
    url: String,
    /// Whether the last export failed.
    is_failing: bool,
}

impl Exporter {
    pub(super) fn new(settings: Settings) -> Result<Self, OtlpError> {
        let exporter = OtlpExporter::builder()
            .with_http()
            .with_http_client(Client::new(&settings)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&settings.url)
            .with_timeout(settings.timeout)
            .build();
        let mut exporter = exporter.map_err(|error| OtlpError::Exporter(error.to_string()))?;
        let version = env!("CARGO_PKG_VERSION");
        // Takes further attributes from OTEL_RESOURCE_ATTRIBUTES.
        let mut resource = Resource::builder()
            .with_service_name(settings.service_name)
            .with_attribute(KeyValue::new("service.version", version));
        if let Some(instance) = settings.instance {
            resource = resource.with_attribute(KeyValue::new("service.instance.id", instance));
        }
        exporter.set_resource(&resource.build());
        let scope = InstrumentationScope::builder("boltgate").with_version(version).build();
        Ok(Self { exporter, scope, timeout: settings.timeout, url: settings.url, is_failing: false })
    }

    /// Exports a batch, which is retried as OTLP asks for, and counts what became of it.
    async fn export(&mut self, batch: Vec<Span>, observer: &dyn Observer) {
        let count = batch.len();
        let spans = batch.into_iter().map(|span| span_data(span, &self.scope)).collect();
        let exported = match timeout(self.timeout, self.exporter.export(spans)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {:?} (telemetry.otlp.timeout)", self.timeout)),
        };
        let outcome = if exported.is_ok() { SpanOutcome::Exported } else { SpanOutcome::Failed };
        observer.spans_ended(outcome, count);
        match exported {
            Ok(()) if self.is_failing => tracing::info!(collector = self.url, "the collector accepts spans again"),
            Err(reason) if !self.is_failing => {
                tracing::warn!(
                    collector = self.url,
                    reason,
                    "the collector does not accept spans; until it does, they are lost"
                );
            }
            Ok(()) | Err(_) => {}
        }
        self.is_failing = outcome == SpanOutcome::Failed;
    }

    /// Exports all that wait.
    async fn export_all(&mut self, queue: &SpanQueue) {
        loop {
            let batch = queue.take();
            if batch.is_empty() {
                return;
            }
            self.export(batch, &*queue.observer).await;
        }
    }
}

/// Exports what arrives in `queue` until `stop`.
pub(super) async fn run(mut exporter: Exporter, queue: Arc<SpanQueue>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = queue.arrived() => {}
            () = stop.cancelled() => {}
        }
        tokio::select! {
            () = queue.gathered() => {}
            () = sleep(GATHERING) => {}
            () = stop.cancelled() => {}
        }
        exporter.export_all(&queue).await;
    }
}
