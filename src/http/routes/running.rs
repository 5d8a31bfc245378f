//! `/db/{db}/query/v2/running`: the caller's running statements.

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};
use bytes::BytesMut;

use crate::{
    http::{
        authenticated::Authenticated,
        encode::instant,
        media::JSON,
        refusal::{Refusal, respond},
    },
    json::output,
    query::{RunningStatement, StatementState},
};

/// Lists the statements that the caller has running in a database.
pub(super) async fn list(Path(database): Path<String>, request: Authenticated) -> Result<Response, Refusal> {
    let exchange = request.without_body().await?;
    let running = exchange.gateway.engine.running(&exchange.caller, &database).await;
    let running = running.map_err(|error| exchange.refusal(error))?;
    Ok(respond(StatusCode::OK, JSON, document(&running)))
}

/// Ends a running statement of the caller.
pub(super) async fn cancel(
    Path((database, id)): Path<(String, String)>,
    request: Authenticated,
) -> Result<Response, Refusal> {
    let exchange = request.without_body().await?;
    let cancelled = exchange.gateway.engine.cancel(&exchange.caller, &database, &id).await;
    cancelled.map_err(|error| exchange.refusal(error))?;
    Ok(respond(StatusCode::OK, JSON, "{}".into()))
}

/// Writes `{"running":[…]}`.
fn document(running: &[RunningStatement]) -> Body {
    let mut out = BytesMut::from("{\"running\":[".as_bytes());
    for (at, one) in running.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"{\"id\":".as_slice() } else { b",{\"id\":" });
        output::string(&mut out, &one.id);
        out.extend_from_slice(b",\"statement\":");
        output::string(&mut out, &one.statement);
        out.extend_from_slice(b",\"since\":");
        output::string(&mut out, &instant(one.since));
        out.extend_from_slice(b",\"elapsed\":");
        output::integer(&mut out, i64::try_from(one.elapsed.as_millis()).unwrap_or(i64::MAX));
        out.extend_from_slice(b",\"state\":");
        output::string(&mut out, name(one.state));
        out.extend_from_slice(b",\"transaction\":");
        match &one.transaction {
            Some(id) => output::string(&mut out, id),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}");
    }
    out.extend_from_slice(b"]}");
    Body::from(out.freeze())
}

fn name(state: StatementState) -> &'static str {
    match state {
        StatementState::Queued => "queued",
        StatementState::Running => "running",
        StatementState::Streaming => "streaming",
        StatementState::Retrying => "retrying",
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn statements_are_listed_as_objects() {
        let one = |id: &str, transaction: Option<&str>| RunningStatement {
            id: id.into(),
            statement: "RETURN \"x\"".into(),
            since: SystemTime::UNIX_EPOCH,
            elapsed: Duration::from_millis(1500),
            state: StatementState::Streaming,
            transaction: transaction.map(Into::into),
        };
        let text = async |running: &[RunningStatement]| document(running).collect().await.unwrap().to_bytes();
        assert_eq!(text(&[]).await, "{\"running\":[]}");
        let listed = text(&[one("a", None), one("b", Some("t"))]).await;
        let expected = r#"{"running":[{"id":"a","statement":"RETURN \"x\"","since":"1970-01-01T00:00:00Z","elapsed":1500,"state":"streaming","transaction":null},"#;
        assert!(listed.starts_with(expected.as_bytes()), "{listed:?}");
        assert!(listed.ends_with(b"\"transaction\":\"t\"}]}"), "{listed:?}");
    }
}
