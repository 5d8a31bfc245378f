//! The list of the named queries that a caller may call.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::cached;
use crate::{
    http::{
        authenticated::Authenticated,
        exchange::Exchange,
        media::JSON,
        refusal::{Refusal, respond},
    },
    named::{Access, Query, Shape},
};

/// Lists the queries that the caller may call, sorted by name.
pub(in crate::http::routes) async fn list(Path(database): Path<String>, request: Authenticated) -> Response {
    cached::complete(listed(&database, request).await.unwrap_or_else(Refusal::into_response))
}

async fn listed(database: &str, request: Authenticated) -> Result<Response, Refusal> {
    let exchange = request.without_body().await?;
    let Exchange { gateway, caller, .. } = &exchange;
    gateway.engine.verify(caller).await.map_err(|error| exchange.refusal(error))?;
    let shows = gateway.named_statements;
    let named: Vec<_> = gateway.named.open_to(caller, database).map(|query| entry(query, database, shows)).collect();
    Ok(respond(StatusCode::OK, JSON, Body::from(json!({ "named": named }).to_string())))
}

fn entry(query: &Arc<Query>, database: &str, shows_statement: bool) -> Value {
    let database: String = percent_encoding::utf8_percent_encode(database, crate::http::path::RESERVED).collect();
    let mut entry = json!({
        "name": query.name,
        "summary": query.summary,
        "description": query.description,
        "access": match query.access { Access::Read => "read", Access::Write => "write" },
        "methods": if query.is_read() { vec!["GET", "HEAD", "POST"] } else { vec!["POST"] },
        "parameters": query.parameters_schema(),
        "result": match query.result {
            Shape::Records => "records",
            Shape::Record => "record",
            Shape::Value => "value",
            Shape::Document => "document",
        },
        "href": format!("/db/{database}/named/{}", query.name),
        "deprecated": query.deprecated,
    });
    if shows_statement && let Some(entry) = entry.as_object_mut() {
        entry.insert("statement".to_owned(), json!(&*query.text));
    }
    entry
}
