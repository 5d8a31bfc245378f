//! One scrape: everything as text.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text},
    registry::Registry,
};

use super::{Metrics, PoolGauges, families::Families, process::Process};

/// The media type of [`Scrape::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What comes before the names of the gateway's own metrics.
const PREFIX: &str = "boltgate";

/// Renders the metrics.
pub struct Scrape {
    metrics: Arc<Metrics>,
    pool: Box<dyn Fn() -> PoolGauges + Send + Sync>,
    process: Process,
}

impl Scrape {
    /// Renders `metrics`, together with what `pool` says at that moment.
    pub fn new(metrics: Arc<Metrics>, pool: impl Fn() -> PoolGauges + Send + Sync + 'static) -> Self {
        Self { metrics, pool: Box::new(pool), process: Process::started_now() }
    }

    /// The metrics in the text format of OpenMetrics 1.0. Reads a few files of `/proc`, and holds no lock for long.
    #[must_use]
    pub fn render(&self) -> String {
        let mut registry = Registry::default();
        let own = Box::new(Own { metrics: Arc::clone(&self.metrics), pool: (self.pool)() });
        registry.sub_registry_with_prefix(PREFIX).register_collector(own);
        registry.register_collector(Box::new(self.process));
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrape").finish_non_exhaustive()
    }
}

/// The gateway's own metrics at one moment.
#[derive(Debug)]
struct Own {
    metrics: Arc<Metrics>,
    pool: PoolGauges,
}

impl Collector for Own {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let out = &mut Families(encoder);
        let Metrics { requests, connections, websockets, pool, statements, transactions, gateway } = &*self.metrics;
        requests.encode(out)?;
        connections.encode(out)?;
        websockets.encode(out)?;
        pool.encode(&self.pool, out)?;
        statements.encode(out)?;
        transactions.encode(out)?;
        gateway.encode(out)
    }
}
