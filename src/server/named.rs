//! Whether the database accepts the named queries: each is explained once, at the start.

use std::sync::Arc;

use crate::{
    auth::Identity,
    config::NamedCheck,
    named::{Queries, Query},
    query::{AccessMode, Call, Discarded, Engine, Error, Kind, Options, Progress, Retry, StartedStatement, Statement},
    telemetry::record::Record,
};

use super::StartError;

/// Explains all queries on the gateway's own account. What the database does not accept is told in the log, or keeps the
/// gateway from starting.
///
/// # Errors
/// With [`NamedCheck::Fail`]: the queries that it does not accept, or that it cannot be asked.
pub(super) async fn check(
    queries: Queries,
    check: NamedCheck,
    engine: Engine,
    account: Identity,
) -> Result<(), StartError> {
    let caller = Call::new(account, Arc::new(Record::default()));
    let mut refused = Vec::new();
    for query in queries.all() {
        let Err(error) = explain(query, &engine, &caller).await else { continue };
        let is_refused = matches!(error.kind, Kind::Refused | Kind::DatabaseNotFound);
        match check {
            NamedCheck::Fail if is_refused => refused.push(format!("{}: {error}", query.file)),
            NamedCheck::Fail => return Err(StartError::NamedUnchecked { file: query.file.clone(), error }),
            _ if is_refused => {
                tracing::warn!(file = query.file, %error, "the database does not accept a named query");
            }
            _ => {
                tracing::warn!(
                    %error,
                    "cannot ask the database whether it accepts the named queries; calls will show it (named.check)"
                );
                return Ok(());
            }
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(StartError::NamedRefused(refused)) }
}

async fn explain(query: &Query, engine: &Engine, caller: &Call) -> Result<(), Error> {
    let statement = Statement { text: query.explained().into(), parameters: query.sample_parameters().into() };
    let access_mode = if query.is_read() { AccessMode::Read } else { AccessMode::Write };
    let options = Options { access_mode, ..Options::default() };
    // Without a name, the account's own database is asked.
    let database = query.databases.iter().flatten().next().map_or("", String::as_str);
    let run = engine.run(caller, database, &statement, &options, Retry::NEVER, &mut Discarded).await;
    let StartedStatement { mut rows, mut first } = run.outcome?;
    while let Progress::Paused = first? {
        first = rows.advance(&mut Discarded).await;
    }
    Ok(())
}
