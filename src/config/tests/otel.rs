//! The variables of OpenTelemetry: stronger than the file, weaker than the gateway's own variables.

use super::{auth::SECRET, env, file, refusal};
use crate::config::*;

fn from_env<const N: usize>(variables: [(&str, &str); N]) -> Effective {
    Effective::load(&env(variables)).expect("loads")
}

fn endpoint(effective: &Effective) -> Option<String> {
    effective.settings.telemetry.otlp.endpoint.as_ref().map(|endpoint| endpoint.join("/v1/traces"))
}

#[test]
fn they_stand_between_the_file_and_the_gateways_own_variables() {
    let mut sources = env([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318"),
        ("OTEL_SERVICE_NAME", "otel"),
        ("BOLTGATE_TELEMETRY__OTLP__SERVICE_NAME", "own"),
    ]);
    sources.file = file("[telemetry.otlp]\nendpoint = 'http://file:1'\nservice_name = 'file'").file;
    let effective = Effective::load(&sources).expect("loads");
    assert_eq!(endpoint(&effective).as_deref(), Some("http://otel:4318/v1/traces"));
    assert_eq!(effective.settings.telemetry.otlp.service_name, "own");
    let printed = effective.to_string();
    for line in [
        "endpoint = \"http://otel:4318\"  # env OTEL_EXPORTER_OTLP_ENDPOINT",
        "service_name = \"own\"  # env BOLTGATE_TELEMETRY__OTLP__SERVICE_NAME",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} is missing:\n{printed}");
    }
}

#[test]
fn the_endpoint_of_traces_is_a_whole_address_and_wins() {
    for (address, traces, shown) in [
        ("http://c:1/v1/traces", "http://c:1/v1/traces", "\"http://c:1\""),
        ("http://c:1/v1/traces/", "http://c:1/v1/traces", "\"http://c:1\""),
        ("http://c:1/spans", "http://c:1/spans", "\"http://c:1/spans#\""),
        ("http://c:1/", "http://c:1/", "\"http://c:1/#\""),
    ] {
        let effective =
            from_env([("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", address), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x")]);
        assert_eq!(endpoint(&effective).as_deref(), Some(traces));
        let printed = effective.to_string();
        let line = format!("endpoint = {shown}  # env OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        assert!(printed.lines().any(|printed| printed == line), "{line} is missing:\n{printed}");
        assert_eq!(endpoint(&Effective::load(&file(&printed)).expect("loads")).as_deref(), Some(traces));
    }
}

#[test]
fn headers_are_decoded_and_never_shown() {
    let text = format!("authorization=Bearer%20{SECRET}, x-tenant=a%2Cb%3D");
    let effective = from_env([("OTEL_EXPORTER_OTLP_HEADERS", &text)]);
    let headers: Vec<_> = effective.settings.telemetry.otlp.headers.iter().map(Secret::expose).collect();
    assert_eq!(headers, [&format!("authorization=Bearer {SECRET}"), "x-tenant=a,b="]);
    let printed = effective.to_string();
    assert!(
        printed.contains("headers = [\"(hidden)\", \"(hidden)\"]  # env OTEL_EXPORTER_OTLP_HEADERS\n"),
        "{printed}"
    );
    assert!(!printed.contains(SECRET) && !format!("{:?}", effective.settings).contains(SECRET));
    for wrong in [SECRET.to_owned(), format!("a={SECRET}%ff")] {
        let refusal = refusal(&env([("OTEL_EXPORTER_OTLP_HEADERS", &wrong)]));
        assert!(
            refusal.starts_with("env OTEL_EXPORTER_OTLP_HEADERS: telemetry.otlp.headers: is not a list"),
            "{refusal}"
        );
        assert!(!refusal.contains(SECRET), "{refusal}");
    }
}

#[test]
fn secrets_in_lists_are_not_shown_by_errors() {
    for wrong in [
        format!("headers = '{SECRET}'"),
        format!("headers = ['x', {{ a = '{SECRET}' }}]"),
        format!("headers = [['{SECRET}']]"),
        format!("headers = ['(hidden)', '{SECRET}']"),
        "headers = [3141592653589793]".to_owned(),
    ] {
        let refusal = refusal(&file(&format!("[telemetry.otlp]\n{wrong}")));
        assert!(refusal.starts_with("file b.toml:2: telemetry.otlp.headers: "), "{refusal}");
        assert!(!refusal.contains(SECRET) && !refusal.contains("31415"), "{refusal}");
    }
    let refusal = refusal(&env([("BOLTGATE_TELEMETRY__OTLP__HEADERS", &format!("['a={SECRET}'"))]));
    assert!(refusal.ends_with("expected a list in brackets, found a text that is none"), "{refusal}");
}

#[test]
fn the_service_has_the_name_among_its_attributes_unless_it_has_one_of_its_own() {
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test,service.name=graph%20gateway");
    let name = |effective: Effective| effective.settings.telemetry.otlp.service_name;
    assert_eq!(name(from_env([attributes])), "graph gateway");
    assert_eq!(name(from_env([("OTEL_SERVICE_NAME", "other"), attributes])), "other");
    assert_eq!(name(from_env([("OTEL_RESOURCE_ATTRIBUTES", "a=b"), ("OTEL_SERVICE_NAME", "")])), "boltgate");
}
