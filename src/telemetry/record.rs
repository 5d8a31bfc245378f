//! What happens to one request, written by everything that takes part in answering it.
//!
//! Owns one record per request, from the arrival of its head to its end. Promises that writing to it never waits and,
//! but for the code of a failure, never allocates. Holds no credential, no statement and no parameter. Does not know
//! what it counts.

use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    observer::CancelReason,
    request_id::RequestId,
    spans::{ExchangeOutcome, Operation, RequestSpan},
    trace_context::{TraceContext, TraceId},
};

/// One request. Times begin with the arrival of its head.
#[derive(Debug)]
pub struct Record {
    started: Instant,
    request_id: RequestId,
    trace: Option<TraceContext>,
    /// `None` if the request is not sampled.
    span: Option<Box<RequestSpan>>,
    route: OnceLock<&'static str>,
    caller: OnceLock<u64>,
    auth: Time,
    wait: Time,
    database: Time,
    /// When the exchange with the database began that is still under way, in nanoseconds; 0 without one.
    database_since: AtomicU64,
    rows: AtomicU64,
    /// Whether a statement was sent, so that there is a number of rows.
    has_rows: AtomicBool,
    attempts: AtomicU32,
    code: OnceLock<Box<str>>,
    transaction: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    departure: OnceLock<CancelReason>,
}

/// A wait for a connection to the database. It ends when this is dropped, also because the client has left.
#[derive(Debug)]
pub struct Waiting<'a> {
    record: &'a Record,
    since: Instant,
}

/// A sum of durations.
#[derive(Debug, Default)]
struct Time(AtomicU64);

impl Time {
    fn add(&self, duration: Duration) {
        // At least one nanosecond, so that what happened differs from what did not.
        self.0.fetch_add(nanoseconds(duration).max(1), Relaxed);
    }

    fn sum(&self) -> Option<Duration> {
        Some(self.0.load(Relaxed)).filter(|sum| *sum > 0).map(Duration::from_nanos)
    }
}

thread_local! {
    /// See [`GivingUp`].
    static DEPARTURE: Cell<Option<CancelReason>> = const { Cell::new(None) };
}

/// Says why requests end that are dropped on this thread while it lives, such as those of a connection: otherwise their
/// clients are assumed to have left ([`CancelReason::ClientGone`]). To be declared before what is dropped.
#[derive(Debug, Default)]
pub struct GivingUp {
    has_reason: bool,
}

impl GivingUp {
    /// Begins to drop, for `reason`. Nothing may be awaited from now on.
    pub fn because(&mut self, reason: CancelReason) {
        self.has_reason = true;
        DEPARTURE.set(Some(reason));
    }
}

impl Drop for GivingUp {
    fn drop(&mut self) {
        if self.has_reason {
            DEPARTURE.set(None);
        }
    }
}

impl Record {
    /// Opens the record of a request whose head has just arrived.
    #[must_use]
    pub fn new(request_id: RequestId, trace: Option<TraceContext>) -> Self {
        Self {
            started: Instant::now(),
            request_id,
            trace,
            span: None,
            route: OnceLock::new(),
            caller: OnceLock::new(),
            auth: Time::default(),
            wait: Time::default(),
            database: Time::default(),
            database_since: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            has_rows: AtomicBool::new(false),
            attempts: AtomicU32::new(0),
            code: OnceLock::new(),
            transaction: AtomicU64::new(0),
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
            departure: OnceLock::new(),
        }
    }

    /// Adds the span of the request, if it is sampled.
    #[must_use]
    pub fn with_span(self, span: Option<RequestSpan>) -> Self {
        Self { span: span.map(Box::new), ..self }
    }

    /// The span of the request, if it is sampled.
    #[must_use]
    pub fn span(&self) -> Option<&RequestSpan> {
        self.span.as_deref()
    }

    /// When the head had arrived.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Notes the template of the request's route, where it is known before the end.
    pub fn set_route(&self, template: &'static str) {
        // The first one is right.
        let _ = self.route.set(template);
    }

    /// The template of the request's route, if it was noted.
    #[must_use]
    pub fn route(&self) -> Option<&'static str> {
        self.route.get().copied()
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// The caller's place in a trace.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }

    /// The trace that the request belongs to: the caller's, or one that begins here.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.span().map(RequestSpan::trace_id).or_else(|| self.trace.map(|trace| trace.trace_id))
    }

    /// The place in the trace that the database is told of: that of the exchange that begins next, or the caller's.
    #[must_use]
    pub fn place_for_database(&self) -> Option<TraceContext> {
        self.span().map(RequestSpan::announce_exchange).or(self.trace)
    }

    /// Whether the caller said what the request is part of, so that the database is told as well.
    #[must_use]
    pub fn is_handed_on(&self) -> bool {
        self.trace.is_some() || self.request_id.is_callers()
    }

    /// Notes who the caller is, once that is known: the number behind its label.
    pub fn set_caller(&self, label: u64) {
        // A request has one caller.
        let _ = self.caller.set(label);
    }

    /// The number behind the caller's label.
    #[must_use]
    pub fn caller(&self) -> Option<u64> {
        self.caller.get().copied()
    }

    /// Adds time that it took to find out who the caller is.
    pub fn add_auth(&self, duration: Duration) {
        self.auth.add(duration);
    }

    /// The time that it took to find out who the caller is.
    #[must_use]
    pub fn auth(&self) -> Option<Duration> {
        self.auth.sum()
    }

    /// Notes that the request waits for a connection to the database, until what is returned is dropped.
    #[must_use]
    pub fn waits(&self) -> Waiting<'_> {
        Waiting { record: self, since: Instant::now() }
    }

    /// The time that the request waited for a connection to the database.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.wait.sum()
    }

    /// Notes that something was sent to the database, whose reply is awaited from now on: with [`Operation::Run`], this
    /// statement.
    pub fn database_asked(&self, operation: Operation, statement: Option<&str>) {
        self.database_since.store(nanoseconds(self.started.elapsed()).max(1), Relaxed);
        if let Some(span) = &self.span {
            span.begin_exchange(operation, statement);
        }
    }

    /// Notes that the database has answered.
    pub fn database_answered(&self, outcome: ExchangeOutcome<'_>) {
        self.database_goes_on();
        if let Some(span) = &self.span {
            span.end_exchange(outcome);
        }
    }

    /// Notes that the database has answered a statement, after which others were sent in the same exchange.
    pub fn database_goes_on(&self) {
        let since = self.database_since.swap(0, Relaxed);
        if since > 0 {
            self.database.add(self.started.elapsed().saturating_sub(Duration::from_nanos(since)));
        }
    }

    /// The time that the database has taken so far.
    #[must_use]
    pub fn database(&self) -> Option<Duration> {
        let under_way = match self.database_since.load(Relaxed) {
            0 => None,
            since => Some(self.started.elapsed().saturating_sub(Duration::from_nanos(since))),
        };
        match (self.database.sum(), under_way) {
            (Some(sum), Some(under_way)) => Some(sum + under_way),
            (sum, under_way) => sum.or(under_way),
        }
    }

    /// Adds rows that the database has sent. Zero of them are also a result.
    pub fn add_rows(&self, rows: u32) {
        self.rows.fetch_add(rows.into(), Relaxed);
        if let Some(span) = &self.span {
            span.add_rows(rows);
        }
        self.has_rows.store(true, Relaxed);
    }

    /// The number of rows that the database has sent; `None` if there was no result.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.has_rows.load(Relaxed).then(|| self.rows.load(Relaxed))
    }

    /// Notes how often a statement or a batch was attempted. The most count.
    pub fn note_attempts(&self, attempts: u32) {
        self.attempts.fetch_max(attempts, Relaxed);
    }

    /// How often a statement or a batch was attempted.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts.load(Relaxed)
    }

    /// Notes the code of a failure. Returns whether it is the first one, which is the one that counts.
    pub fn fail(&self, code: &str) -> bool {
        self.code.get().is_none() && self.code.set(code.into()).is_ok()
    }

    /// The code of the first failure.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.get().map(|code| &**code)
    }

    /// Notes the transaction that the request works on: the number behind the id that operators see, never the handle.
    pub fn set_transaction(&self, id: u64) {
        self.transaction.store(id, Relaxed);
    }

    /// The number behind the transaction's id.
    #[must_use]
    pub fn transaction(&self) -> Option<u64> {
        Some(self.transaction.load(Relaxed)).filter(|id| *id != 0)
    }

    /// Adds bytes of the request's body, as they are on the connection.
    pub fn add_request_bytes(&self, bytes: u64) {
        self.request_bytes.fetch_add(bytes, Relaxed);
    }

    /// The bytes of the request's body so far.
    #[must_use]
    pub fn request_bytes(&self) -> u64 {
        self.request_bytes.load(Relaxed)
    }

    /// Adds bytes of the answer's body, as they are on the connection.
    pub fn add_response_bytes(&self, bytes: u64) {
        self.response_bytes.fetch_add(bytes, Relaxed);
    }

    /// The bytes of the answer's body so far.
    #[must_use]
    pub fn response_bytes(&self) -> u64 {
        self.response_bytes.load(Relaxed)
    }

    /// Notes that the client no longer takes the answer, before the code that produces it learns of that.
    pub fn set_departed(&self) {
        let _ = self.departure.set(DEPARTURE.get().unwrap_or(CancelReason::ClientGone));
    }

    /// Why a statement is cancelled whose request was dropped.
    #[must_use]
    pub fn departure(&self) -> CancelReason {
        self.departure.get().copied().or(DEPARTURE.get()).unwrap_or(CancelReason::ClientGone)
    }
}

impl Waiting<'_> {
    /// Ends the wait, with a connection that was opened between these two times. It may have been there before.
    pub fn ends(self, opened: Option<(Instant, Instant)>) {
        if let (Some(span), Some((began, ended))) = (&self.record.span, opened)
            && began >= self.since
        {
            span.add_internal("database.connect", began, ended.saturating_duration_since(began));
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let took = self.since.elapsed();
        self.record.wait.add(took);
        if let Some(span) = &self.record.span {
            span.add_internal("pool.acquire", self.since, took);
        }
    }
}

impl Default for Record {
    /// The record of something that no request asks for.
    fn default() -> Self {
        Self::new(RequestId::accept_or_new(None), None)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
