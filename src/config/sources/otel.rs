//! Owns the variables of OpenTelemetry as a source: which of them sets which key.
//!
//! Promises to show no value in an error, since headers hold credentials. May not know which values are in range.

use std::ffi::OsString;

use percent_encoding::percent_decode_str;
use toml::Value;

use super::assignment::{Assignment, Written};
use crate::config::{error::ConfigError, findings::Findings, origin::Origin};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// The path of traces below an endpoint.
const TRACES: &str = "/v1/traces";
/// Stands at the end of an address to which nothing is added.
const WHOLE: &str = "#";

/// Returns what the variables set, the weaker ones first. A variable that is empty counts as unset.
pub(super) fn assignments(env: &[(OsString, OsString)], findings: &mut Findings) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    for (variable, key) in [
        (ENDPOINT, "telemetry.otlp.endpoint"),
        (TRACES_ENDPOINT, "telemetry.otlp.endpoint"),
        (HEADERS, "telemetry.otlp.headers"),
        (RESOURCE_ATTRIBUTES, "telemetry.otlp.service_name"),
        (SERVICE_NAME, "telemetry.otlp.service_name"),
    ] {
        let Some((_, text)) = env.iter().find(|(name, text)| name == variable && !text.is_empty()) else {
            continue;
        };
        let Some(text) = text.to_str() else {
            findings.add(ConfigError::NotText { variable: variable.to_owned() });
            continue;
        };
        let origin = Origin::Env(variable.to_owned());
        let value = match variable {
            TRACES_ENDPOINT => Value::String(match text.trim_end_matches('/').strip_suffix(TRACES) {
                Some(endpoint) => endpoint.to_owned(),
                None => format!("{text}{WHOLE}"),
            }),
            HEADERS => match pairs(text) {
                Some(pairs) => {
                    let headers = pairs.into_iter().map(|(name, value)| Value::String(format!("{name}={value}")));
                    Value::Array(headers.collect())
                }
                None => {
                    findings.add(malformed(key, origin));
                    continue;
                }
            },
            RESOURCE_ATTRIBUTES => match pairs(text) {
                Some(pairs) => match pairs.into_iter().find(|(name, _)| name == "service.name") {
                    Some((_, name)) => Value::String(name),
                    None => continue,
                },
                None => {
                    findings.add(malformed(key, origin));
                    continue;
                }
            },
            _ => Value::String(text.to_owned()),
        };
        assignments.push(Assignment { key: key.to_owned(), value: Written::Toml(value), origin });
    }
    assignments
}

fn malformed(key: &str, origin: Origin) -> ConfigError {
    let message = "is not a list of pairs; write name=value,name=value, with %2C for a comma in a value".to_owned();
    ConfigError::Value { key: key.to_owned(), origin, message }
}

/// Splits `a=1,b=2`, whose values are percent-encoded (the form of W3C Baggage).
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim().to_owned(), value.into_owned()))
    };
    pairs.map(pair).collect()
}
