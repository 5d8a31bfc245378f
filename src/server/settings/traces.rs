//! Settings of traces.

use crate::{
    bolt::Endpoint,
    config::{self, Otlp, Secret},
    telemetry::{
        otlp::{self, OtlpError, Settings},
        spans::{DatabaseAddress, TraceSettings},
    },
};

/// The path at which collectors take spans.
const PATH: &str = "/v1/traces";

/// How spans are exported; `None` if they are not.
///
/// # Errors
/// [`OtlpError::Header`].
pub(in crate::server) fn settings(settings: &config::Settings) -> Result<Option<Settings>, OtlpError> {
    let Otlp { endpoint, headers, timeout, service_name, .. } = &settings.telemetry.otlp;
    let Some(endpoint) = endpoint else { return Ok(None) };
    Ok(Some(Settings {
        url: endpoint.join(PATH),
        headers: otlp::headers(headers.iter().map(Secret::expose))?,
        timeout: timeout.get(),
        service_name: service_name.clone(),
        instance: settings.server.instance.as_ref().map(ToString::to_string),
    }))
}

/// Which requests are traced, and what spans hold.
pub(in crate::server) fn sampling(otlp: &Otlp) -> TraceSettings {
    TraceSettings { sample: otlp.sample.get(), statements: otlp.statements }
}

/// Where the database is, for spans; `None` if it is not on the network.
pub(in crate::server) fn database(endpoint: &Endpoint) -> Option<DatabaseAddress> {
    match endpoint {
        Endpoint::Network { uri, .. } => Some(DatabaseAddress { host: uri.host.clone(), port: uri.port }),
        Endpoint::Memory(_) => None,
    }
}
