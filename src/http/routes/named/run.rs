//! Runs the statement of a named query, and answers with its result.
//!
//! An answer of up to 1 MiB of a query that reads is complete before its head leaves, so that it has a tag. A longer one is
//! streamed.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::{cached, call::Call};
use crate::{
    auth::Identity,
    bolt::Columns,
    http::{
        caller::acting_as,
        encode::Answer,
        etag,
        exchange::Exchange,
        gateway::Gateway,
        media::{Format, Layout, Records},
        refusal::{Refusal, respond},
        rest::Rest,
        results::{with_attempts, with_rest},
        statement::limits,
        stream,
    },
    named::{Query, Shape},
    query::{AccessMode, Error, Flow, Kind, Options, Progress, RowRefused, RowSink, StartedStatement},
};

const BOOKMARKS: HeaderName = HeaderName::from_static("boltgate-bookmarks");
/// The most bookmarks of a request.
const MOST_BOOKMARKS: usize = 1000;
const SEVERAL_RECORDS: &str = "Boltgate.DatabaseError.Named.SeveralRecords";
/// The longest answer that has a tag, in bytes.
const LONGEST_TAGGED: usize = 1024 * 1024;

/// The options of the transaction of a query that runs as `caller`.
///
/// # Errors
/// When a header cannot be read, or names a user whom the caller may not act as.
pub(in crate::http::routes) fn options(
    gateway: &Gateway,
    caller: &Identity,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Options, Error> {
    let own = query.options();
    Ok(Options {
        access_mode: if caller.is_read_only() { AccessMode::Read } else { own.access_mode },
        bookmarks: bookmarks(headers)?,
        impersonated_user: acting_as(gateway, caller, headers, None)?,
        ..own
    })
}

/// An error as it is told of this query.
pub(in crate::http::routes) fn told_of(query: &Query, error: Error) -> Error {
    if !(is_single(query) && error.kind == Kind::ResultLimit && error.code.ends_with(".ResultRows")) {
        return error;
    }
    let message = format!(
        "The query {} has several records for these parameters, although its file says that it has one (`result`).",
        query.name
    );
    Error::new(Kind::Database, SEVERAL_RECORDS, message)
}

/// Whether the answer is one record, whatever its format.
fn is_single(query: &Query) -> bool {
    matches!(query.result, Shape::Record | Shape::Value)
}

fn bookmarks(headers: &HeaderMap) -> Result<Vec<String>, Error> {
    let mut bookmarks = Vec::new();
    for value in headers.get_all(BOOKMARKS) {
        let text = str::from_utf8(value.as_bytes());
        let text = text.map_err(|_| Error::bad_request("the header Boltgate-Bookmarks is not UTF-8"))?;
        bookmarks.extend(text.split(',').map(str::trim).filter(|bookmark| !bookmark.is_empty()).map(str::to_owned));
    }
    if bookmarks.len() > MOST_BOOKMARKS {
        let detail =
            format!("the header Boltgate-Bookmarks has more than {MOST_BOOKMARKS} bookmarks; send only the latest");
        return Err(Error::bad_request(&detail));
    }
    Ok(bookmarks)
}

/// Runs the statement.
pub(super) async fn run(call: &Call, parameters: Vec<u8>, options: &Options, format: &Format) -> Response {
    let Call { exchange, query, database } = call;
    let Exchange { gateway, caller, .. } = exchange;
    let statement = query.statement(parameters);
    // Documents and lines of a query that writes say what it has changed; nobody could ask for that.
    let answer = Answer::new(format, !query.is_read(), caller.record.started(), limits(exchange));
    let seed = seeded(format);
    let mut sink = Tagged { answer, count: 0, rows: seed.clone(), seed };
    let run = gateway.engine.run(caller, database, &statement, options, gateway.retry, &mut sink).await;
    let response = match run.outcome {
        Ok(started) => respond_with(call, started, sink, format).await,
        Err(error) => refused(call, error, format),
    };
    with_attempts(response, run.attempts)
}

async fn respond_with(call: &Call, started: StartedStatement, mut sink: Tagged, format: &Format) -> Response {
    let Call { exchange: Exchange { parts, .. }, query, .. } = call;
    let StartedStatement { mut rows, mut first } = started;
    // One record is waited for, since a second one is a failure; and the first text, since a failure before it has a status.
    let waits = |sink: &Tagged| {
        let length = sink.answer.length();
        is_single(query) || length == 0 || query.is_read() && length <= LONGEST_TAGGED
    };
    while matches!(first, Ok(Progress::Paused)) && waits(&sink) && !sink.answer.is_full() {
        first = rows.advance(&mut sink).await;
    }
    let ok = |body: Body| respond(StatusCode::OK, &format.content_type, body);
    let (response, tag) = match first {
        Err(error) => return refused(call, error, format),
        Ok(Progress::Paused) => (with_rest(Rest::rows(rows, sink.answer), ok), None),
        Ok(Progress::Done(end)) => {
            if let Some(error) = end.withheld.clone() {
                return refused(call, error, format);
            }
            if sink.count == 0 && matches!(format.layout, Layout::Records(Records::Only | Records::Value)) {
                return no_record(call).into_response();
            }
            let length = sink.answer.length();
            let ending = sink.answer.end(&end, rows.columns());
            let tag = if length <= LONGEST_TAGGED { Some(etag::of(sink.rows.finalize())) } else { None };
            (ok(stream::whole(sink.answer.take(), ending)), tag)
        }
    };
    if query.is_read() { cached::answer(query, &parts.method, &parts.headers, tag, response) } else { response }
}

/// The answer to a call that has failed before anything of its result was sent.
fn refused(call: &Call, error: Error, format: &Format) -> Response {
    let error = told_of(&call.query, error);
    if error.code == SEVERAL_RECORDS {
        return Refusal::stated(StatusCode::INTERNAL_SERVER_ERROR, error).with(format.statuses).into_response();
    }
    Refusal::of(error, format.clone()).into_response()
}

/// The answer of a query that is to have one record, and has none.
fn no_record(call: &Call) -> Refusal {
    let message = format!("The query {} has no record for these parameters.", call.query.name);
    let error = Error::new(Kind::BadRequest, "Neo.ClientError.Request.NotFound", message);
    Refusal::stated(StatusCode::NOT_FOUND, error).with(call.exchange.statuses)
}

/// The beginning of the hash, for answers of this format.
fn seeded(format: &Format) -> blake3::Hasher {
    let mut rows = blake3::Hasher::new();
    rows.update(format!("{:?} {}", format.layout, format.content_type).as_bytes());
    rows
}

/// An answer, the number of its rows, and a hash of them that does not depend on timings and bookmarks.
struct Tagged {
    answer: Answer,
    count: u64,
    rows: blake3::Hasher,
    /// What the hash begins with.
    seed: blake3::Hasher,
}

impl RowSink for Tagged {
    fn open(&mut self, columns: &Columns) {
        self.rows.update(&columns.list);
        self.answer.open(columns);
    }

    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        self.count += 1;
        self.rows.update(fields);
        self.answer.row(fields, columns)
    }

    fn has_replaced_values(&self) -> bool {
        self.answer.has_replaced_values()
    }

    fn restart(&mut self) {
        self.count = 0;
        self.rows = self.seed.clone();
        self.answer.restart();
    }
}
