//! What the pool knows, as metrics.

use crate::{pool::Status, telemetry::metrics::PoolGauges};

pub(in crate::server) fn gauges(status: &Status) -> PoolGauges {
    let Status { max, idle, recovering, waiting, callers, sent_bytes, received_bytes, .. } = *status;
    PoolGauges { max, idle, recovering, waiting, callers, sent_bytes, received_bytes }
}
