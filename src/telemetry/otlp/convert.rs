//! Spans in the form of OpenTelemetry, named and described by its semantic conventions.

use opentelemetry::{
    InstrumentationScope, KeyValue, Value,
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::telemetry::spans::{DatabaseSpan, Failure, ServerSpan, Span, What};

/// The methods that the conventions know.
const METHODS: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// What depends on what a span is about.
struct Described {
    name: String,
    kind: SpanKind,
    attributes: Attributes,
    status: Status,
}

/// The attributes of a span.
#[derive(Default)]
struct Attributes(Vec<KeyValue>);

impl Attributes {
    fn add(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.push(KeyValue::new(key, value));
    }

    fn add_some(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }
}

pub(super) fn span_data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let Span { trace, id, parent, started, ended, what } = span;
    let Described { name, kind, attributes, status } = match what {
        What::Server(server) => of_request(*server),
        What::Database(database) => of_exchange(*database),
        What::Internal(name) => Described {
            name: name.to_owned(),
            kind: SpanKind::Internal,
            attributes: Attributes::default(),
            status: Status::Unset,
        },
    };
    let trace = TraceId::from_bytes(trace.0.to_be_bytes());
    let id = SpanId::from_bytes(id.0.to_be_bytes());
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: parent.map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.id.0.to_be_bytes())),
        parent_span_is_remote: parent.is_some_and(|parent| parent.is_remote),
        span_kind: kind,
        name: name.into(),
        start_time: started,
        end_time: ended,
        attributes: attributes.0,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status,
        instrumentation_scope: scope.clone(),
    }
}

fn of_request(span: ServerSpan) -> Described {
    let ServerSpan { head, request_id, caller, route, status, is_gone } = span;
    let mut attributes = Attributes::default();
    let is_known = METHODS.contains(&head.method.as_str());
    // A method that somebody made up must not make up names of spans.
    let method = if is_known { head.method.as_str() } else { "HTTP" };
    let name = route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    if is_known {
        attributes.add("http.request.method", head.method);
    } else {
        attributes.add("http.request.method", "_OTHER");
        attributes.add("http.request.method_original", head.method);
    }
    attributes.add_some("http.route", route);
    attributes.add("url.path", head.path);
    attributes.add("url.scheme", head.scheme);
    attributes.add_some("http.response.status_code", status.map(i64::from));
    attributes.add_some("server.address", head.host);
    attributes.add_some("server.port", head.port.map(i64::from));
    attributes.add_some("client.address", head.client.map(|address| address.to_string()));
    attributes.add("network.protocol.version", head.version);
    attributes.add_some("user_agent.original", head.user_agent);
    let failed = status.filter(|status| *status >= 500);
    let error = match failed {
        Some(status) => Some(status.to_string()),
        None => is_gone.then(|| "client_gone".to_owned()),
    };
    attributes.add_some("error.type", error);
    attributes.add("boltgate.request_id", request_id);
    attributes.add_some("boltgate.caller", caller.map(|label| format!("{label:016x}")));
    let status = if failed.is_some() { Status::error("") } else { Status::Unset };
    Described { name, kind: SpanKind::Server, attributes, status }
}

fn of_exchange(span: DatabaseSpan) -> Described {
    let DatabaseSpan { operation, system, namespace, address, statement, rows, failure } = span;
    let operation = operation.as_str();
    let name = format!("{operation} {namespace}");
    let mut attributes = Attributes::default();
    attributes.add("db.system.name", system);
    attributes.add("db.namespace", namespace);
    attributes.add("db.operation.name", operation);
    if let Some(address) = address {
        attributes.add("server.address", address.host.clone());
        attributes.add("server.port", i64::from(address.port));
    }
    attributes.add_some("db.query.text", statement);
    attributes.add_some("db.response.returned_rows", rows.and_then(|rows| i64::try_from(rows).ok()));
    let status = if failure.is_some() { Status::error("") } else { Status::Unset };
    match failure {
        Some(Failure::Code(code)) => {
            // The gateway's own codes are no answers of the database.
            if !code.starts_with("Boltgate.") {
                attributes.add("db.response.status_code", code.clone());
            }
            attributes.add("error.type", code);
        }
        Some(Failure::Abandoned) => attributes.add("error.type", "cancelled"),
        None => {}
    }
    Described { name, kind: SpanKind::Client, attributes, status }
}
