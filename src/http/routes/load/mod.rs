//! Bulk load: rows stream in as one JSON object per line and are committed in batches.
//!
//! Promises to hold two batches at most, the one that is being committed and the one that is being read, however long the
//! body is. The committed rows are always the first ones, so a client knows where to resume.

mod lines;

use std::sync::Arc;

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};
use futures_util::future::join;

use crate::http::{
    authenticated::Authenticated,
    body::{self, BodyKind},
    body_memory::Hold,
    encode::{At, Loaded},
    exchange::Exchange,
    keyed,
    media::{self, Format, JSON},
    refusal::{Refusal, advise, respond},
    request::{self, in_body},
};
use crate::{
    bolt::{Summary, packstream::Writer},
    json::{TypedVersion, View},
    query::{
        Attempted, Batch, BatchError, BatchSink, BatchStatement, Discarded, Error, OFFLOAD_ABOVE, Options,
        ParameterSets, Retry, RowRefused, StartedBatch, StatementKind, offload,
    },
};
use lines::{LineError, Lines};

/// The number of rows in one transaction, unless the request sets it.
const TRANSACTION_SIZE: usize = 1000;
/// The size at which a transaction takes no more rows, in bytes of PackStream.
const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// The head of a load: what to do with each row.
struct Load {
    statement: Arc<str>,
    /// The parameter that takes all rows of a transaction as one list. Without it, the statement runs once per row.
    rows_as: Option<String>,
    transaction_size: usize,
    counters: bool,
    options: Options,
    retry: Retry,
    typed: Option<TypedVersion>,
}

/// The rows of one transaction, while they are being read, and the numbers of their first and last line.
#[derive(Default)]
struct Rows {
    sets: ParameterSets,
    first: u64,
    last: u64,
}

/// Why a load ended before the end of its body.
struct Failure {
    /// Overrides the status that belongs to the kind of the error.
    status: Option<StatusCode>,
    error: Error,
    at: Option<At>,
}

/// Answers a bulk load.
pub(in crate::http::routes) async fn load(
    Path(database): Path<String>,
    request: Authenticated,
) -> Result<Response, Refusal> {
    let Authenticated { exchange, body } = request;
    if !exchange.may_send_cypher() {
        return Err(exchange.login_first(Refusal::of_own_cypher()).await);
    }
    let limits = &exchange.gateway.limits;
    let mut lines = Lines::new(body, limits.line, limits.body_timeout, Hold::new(&exchange.gateway.body_memory));
    let mut load = match read_head(&exchange, &mut lines).await {
        Ok(load) => load,
        Err(refusal) => return Err(exchange.login_first(refusal).await),
    };
    let mut loaded = Loaded::new(load.counters);
    let failed = run(&exchange, &database, &mut load, &mut lines, &mut loaded).await.err();
    let statuses = exchange.statuses;
    let text = loaded.text(failed.as_ref().map(|failure| (&failure.error, failure.at)), statuses);
    let Some(failure) = failed else {
        return Ok(respond(StatusCode::ACCEPTED, JSON, Body::from(text)));
    };
    exchange.caller.record.fail(&failure.error.code);
    let status = failure.status.unwrap_or_else(|| statuses.of(failure.error.kind));
    let mut response = respond(status, JSON, Body::from(text));
    advise(&mut response, &failure.error);
    Ok(response)
}

/// Reads the head of the load, which is the first line of the body.
async fn read_head(exchange: &Exchange, lines: &mut Lines) -> Result<Load, Refusal> {
    let Exchange { gateway, parts, .. } = exchange;
    let refuse = |error| Refusal::of(error, Format::plain());
    let coding = request::coding(&parts.headers)?;
    if keyed::key(&parts.headers).map_err(refuse)?.is_some() {
        return Err(refuse(Error::bad_request(
            "a bulk load commits in steps and cannot be repeated as a whole, so it takes no Idempotency-Key; remove the \
             header, and after a failure resume after the first `committed.rows` rows",
        )));
    }
    let typed = match media::lines_content(&parts.headers) {
        Some(View::Typed(version)) => Some(version),
        Some(View::Plain) | None => None,
    };
    if let Some(coding) = coding {
        // However little was sent, it may unpack to any number of lines, and those are work.
        gateway.engine.verify(&exchange.caller).await.map_err(refuse)?;
        lines.unpack(coding, exchange).await.map_err(refuse)?;
    }
    let head = lines.next(exchange).await.map_err(|error| match error {
        LineError::Refused(error) => refuse(error),
        error => refuse(Error::bad_request(&format!("line 1: {error}"))),
    })?;
    let head = head.ok_or_else(|| {
        refuse(Error::bad_request("the body is empty; its first line must be an object with the statement"))
    })?;
    let content = &gateway.limits.content;
    let mut head = body::parse(head, typed, BodyKind::Load, content).map_err(|error| refuse(in_body(error)))?;
    let statement = head.statement.take();
    let statement = statement.ok_or_else(|| refuse(Error::invalid("statement cannot be null or empty")))?;
    let options = exchange.options(&mut head).map_err(refuse)?;
    Ok(Load {
        statement: statement.into(),
        rows_as: head.rows_as,
        transaction_size: head.transaction_size.unwrap_or(TRANSACTION_SIZE),
        counters: head.include_counters,
        options,
        retry: head.retry.over(gateway.retry),
        typed,
    })
}

/// Commits one transaction after another. While one is being committed, the rows of the next are read.
async fn run(
    exchange: &Exchange,
    database: &str,
    load: &mut Load,
    lines: &mut Lines,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let engine = &exchange.gateway.engine;
    let mut next = gather(exchange, load, lines, 0).await?;
    // Without rows nothing is sent to the database, but it must accept the caller all the same.
    if next.is_none() {
        engine.verify(&exchange.caller).await.map_err(Failure::of)?;
    }
    while let Some(rows) = next {
        let (count, size) = (rows.count, rows.statement.parameter_sets.size());
        let statements = Arc::from([rows.statement]);
        let counters = load.counters;
        let batch =
            Batch { kind: StatementKind::Load, statements, refused: None, rows: false, counters, streams: false };
        let mut discard = Discarded;
        let committing = engine.batch(&exchange.caller, database, &batch, &load.options, load.retry, &mut discard);
        let (committed, gathered) = join(committing, gather(exchange, load, lines, size)).await;
        let Attempted { outcome, attempts } = committed;
        let end = match outcome {
            Ok(StartedBatch { end: Some(end), .. }) => end,
            Ok(_) => return Err(Failure::of(Error::invalid("the batch did not end"))),
            Err(BatchError { error, .. }) => {
                loaded.attempted(attempts);
                return Err(Failure { status: None, error, at: Some(rows.at) });
            }
        };
        loaded.committed(count, attempts, &end);
        load.options.bookmarks = end.committed.into_iter().map(|committed| committed.bookmark).collect();
        next = gathered?;
    }
    Ok(())
}

/// The rows of one transaction, ready to be sent.
struct Gathered {
    statement: BatchStatement,
    count: usize,
    at: At,
}

/// Reads the rows of the next transaction; `None` at the end of the body. The transaction that is being committed holds
/// `under_way` bytes.
async fn gather(
    exchange: &Exchange,
    load: &Load,
    lines: &mut Lines,
    under_way: usize,
) -> Result<Option<Gathered>, Failure> {
    let content = &exchange.gateway.limits.content;
    let mut rows = Rows::default();
    while rows.sets.len() < load.transaction_size && rows.sets.size() < TRANSACTION_BYTES {
        lines.set_held(under_way + rows.sets.size());
        let line = lines.next(exchange).await;
        let number = lines.number();
        let failed = |status, error| Failure { status, error, at: Some(At::Lines(number, number)) };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(LineError::Refused(error)) => return Err(failed(None, error)),
            Err(error @ LineError::Silent(_)) => {
                return Err(failed(Some(StatusCode::REQUEST_TIMEOUT), Error::bad_request(&error.to_string())));
            }
            Err(error) => return Err(failed(None, Error::bad_request(&error.to_string()))),
        };
        if rows.sets.is_empty() {
            rows.first = number;
        }
        rows.last = number;
        let row = if line.len() <= OFFLOAD_ABOVE {
            rows.sets.add(|out| body::parse_row(&line, load.typed, content, out))
        } else {
            let (mut sets, typed, content) = (std::mem::take(&mut rows.sets), load.typed, *content);
            let parsed = offload(move || {
                let row = sets.add(|out| body::parse_row(&line, typed, &content, out));
                (row, sets)
            });
            let (row, sets) = Box::pin(parsed).await;
            rows.sets = sets;
            row
        };
        row.map_err(|error| failed(None, in_body(error)))?;
    }
    if rows.sets.is_empty() {
        return Ok(None);
    }
    let (count, at) = (rows.sets.len(), At::Lines(rows.first, rows.last));
    let parameter_sets = match &load.rows_as {
        None => rows.sets,
        Some(name) => as_list(name, &rows.sets),
    };
    let statement = BatchStatement { text: Arc::clone(&load.statement), parameter_sets, looks_up: false };
    Ok(Some(Gathered { statement, count, at }))
}

/// Returns a map with a single parameter: the list of all rows.
fn as_list(name: &str, rows: &ParameterSets) -> ParameterSets {
    let mut map = Vec::with_capacity(rows.size() + name.len() + 16);
    let mut writer = Writer::new(&mut map);
    writer.map(1);
    writer.string(name);
    writer.list(rows.len());
    rows.iter().for_each(|row| writer.raw(row));
    ParameterSets::one(&map)
}

impl Failure {
    fn of(error: Error) -> Self {
        Self { status: None, error, at: None }
    }
}

impl BatchSink for Discarded {
    fn close(&mut self, _: &Summary) -> Result<(), RowRefused> {
        Ok(())
    }
}
