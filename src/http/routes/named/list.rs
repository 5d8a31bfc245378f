//! The list of the named queries that a caller may call.

use axum::{
    body::Body,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::cached;
use crate::{
    http::{
        authenticated::Authenticated,
        exchange::Exchange,
        media::JSON,
        refusal::{Refusal, respond},
    },
    named::{Access, ParametersSchema, Query, Shape},
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
    let named = gateway.named.open_to(caller, database).map(|query| entry(query, database, shows)).collect();
    let text = serde_json::to_vec(&List { named }).map_err(|_| Refusal::internal())?;
    Ok(respond(StatusCode::OK, JSON, Body::from(text)))
}

#[derive(Serialize)]
struct List<'a> {
    named: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    summary: &'a str,
    description: &'a str,
    access: &'static str,
    methods: &'static [&'static str],
    parameters: ParametersSchema<'a>,
    result: &'static str,
    href: String,
    deprecated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a str>,
}

fn entry<'a>(query: &'a Query, database: &str, shows_statement: bool) -> Entry<'a> {
    let database: String = percent_encoding::utf8_percent_encode(database, crate::http::path::RESERVED).collect();
    let (access, methods): (_, &[_]) = match query.access {
        Access::Read => ("read", &["GET", "HEAD", "POST"]),
        Access::Write => ("write", &["POST"]),
    };
    Entry {
        name: &query.name,
        summary: &query.summary,
        description: &query.description,
        access,
        methods,
        parameters: query.parameters_schema(),
        result: match query.result {
            Shape::Records => "records",
            Shape::Record => "record",
            Shape::Value => "value",
            Shape::Document => "document",
        },
        href: format!("/db/{database}/named/{}", query.name),
        deprecated: query.deprecated,
        statement: shows_statement.then_some(&*query.text),
    }
}
