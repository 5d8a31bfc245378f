//! Named queries in the description of the API: a path for each.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{
    http::routes::description::openapi,
    named::{Queries, Query},
};

/// Where paths begin in the description.
const PATHS: &str = "\"paths\": {";
/// The parameters that every call has.
const PARAMETERS: [&str; 11] = [
    "Database",
    "Realm",
    "IdToken",
    "AuthScheme",
    "Statuses",
    "AjaxBrowserAuth",
    "RequestId",
    "Traceparent",
    "Timing",
    "ImpersonatedUser",
    "Bookmarks",
];
/// The errors that a call can have, besides faulty parameters.
const ERRORS: [(&str, &str); 15] = [
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("404", "NotFound"),
    ("405", "MethodNotAllowed"),
    ("406", "NotAcceptable"),
    ("408", "Timeout"),
    ("409", "Conflict"),
    ("413", "TooLarge"),
    ("415", "UnsupportedMediaType"),
    ("421", "HostNotAllowed"),
    ("429", "TooManyAttempts"),
    ("500", "ServerError"),
    ("502", "BadGateway"),
    ("503", "Unavailable"),
    ("504", "GatewayTimeout"),
];

/// The description with a path for each of these queries.
pub(in crate::http::routes) fn described<'a>(queries: impl Iterator<Item = &'a Query>) -> Cow<'static, str> {
    let paths: String = queries
        .map(|query| format!("\n    {}: {},", json!(format!("/db/{{db}}/named/{}", query.name)), path(query)))
        .collect();
    match openapi().split_once(PATHS) {
        Some((before, after)) if !paths.is_empty() => format!("{before}{PATHS}{paths}{after}").into(),
        _ => openapi().into(),
    }
}

/// The description with all queries, including those that only some callers may call.
#[must_use]
pub fn openapi_with(queries: &Queries) -> Cow<'static, str> {
    described(queries.all().map(|query| &**query))
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn path(query: &Query) -> Value {
    let mut path = Map::new();
    path.insert("parameters".to_owned(), PARAMETERS.iter().map(|name| reference("parameters", name)).collect());
    let id = format!("named_{}", query.name.replace('-', "_"));
    if query.is_read() {
        let mut parameters: Vec<_> = query
            .each_parameter()
            .filter(|(.., in_query)| *in_query)
            .map(|(name, required, schema, _)| {
                json!({ "name": name, "in": "query", "required": required, "schema": schema })
            })
            .collect();
        parameters.push(reference("parameters", "IfNoneMatch"));
        path.insert("get".to_owned(), operation(query, &id, parameters));
    }
    let id = if query.is_read() { format!("{id}_post") } else { id };
    let mut post = operation(query, &id, vec![reference("parameters", "IdempotencyKey")]);
    if let Some(operation) = post.as_object_mut() {
        let schema = json!(query.parameters_schema());
        let required = schema.get("required").is_some();
        let body = json!({ "required": required, "content": { "application/json": { "schema": schema } } });
        operation.insert("requestBody".to_owned(), body);
    }
    path.insert("post".to_owned(), post);
    path.into()
}

fn operation(query: &Query, id: &str, parameters: Vec<Value>) -> Value {
    let schema = query.result_schema().unwrap_or_else(|| reference("schemas", "Result"));
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The result.",
            "headers": {
                "ETag": reference("headers", "ETag"),
                "Cache-Control": reference("headers", "CacheControl"),
                "X-Request-Id": reference("headers", "RequestId"),
            },
            "content": {
                "application/json": { "schema": schema },
                "text/csv": { "schema": { "type": "string" } },
                "application/x-ndjson": { "schema": { "type": "object" } },
            },
        }),
    );
    if query.is_read() {
        responses.insert("304".to_owned(), reference("responses", "NotModified"));
    }
    responses.insert("400".to_owned(), reference("responses", "ParameterFaults"));
    responses.extend(ERRORS.iter().map(|(status, name)| ((*status).to_owned(), reference("responses", name))));
    responses.insert("422".to_owned(), reference("responses", "KeyReused"));
    json!({
        "operationId": id,
        "summary": if query.summary.is_empty() { &query.name } else { &query.summary },
        "description": query.description,
        "deprecated": query.deprecated,
        "tags": ["named"],
        "security": [{ "basic": [] }, { "bearer": [] }, {}],
        "parameters": parameters,
        "responses": responses,
    })
}
