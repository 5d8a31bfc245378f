//! The span of a request, and those of what belongs to it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

pub use super::span::Head;
use super::{
    exchange::{ExchangeOutcome, Exchanges, OpenExchange, Operation, statement},
    span::{Failure, Parent, ServerSpan, Span, What, beginning},
    tracer::{Tracer, new_span, new_trace},
};
use crate::telemetry::trace_context::{SpanId, TraceContext, TraceId};

/// What takes no longer is no span of its own.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest method, path, host and user agent, in bytes.
const LONGEST: usize = 1024;

/// The span of a request that is sampled, from the arrival of its head on. Exchanges with the database follow one another.
#[derive(Debug)]
pub struct RequestSpan {
    tracer: Tracer,
    trace: TraceId,
    id: SpanId,
    /// The caller's span.
    caller: Option<SpanId>,
    has_statements: bool,
    started: Instant,
    started_at: SystemTime,
    /// `None` once the span has ended.
    head: Mutex<Option<Head>>,
    exchanges: Mutex<Exchanges>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub struct RequestOutcome<'a> {
    /// The id of the request.
    pub request_id: &'a str,
    /// The number behind the caller's label, if the caller is known.
    pub caller: Option<u64>,
    /// The template of the route; `None` for what leads nowhere.
    pub route: Option<&'a str>,
    /// The status of the answer; `None` if the client left before its head.
    pub status: Option<u16>,
    /// Whether the client left before the end.
    pub is_gone: bool,
}

impl RequestSpan {
    pub(super) fn new(
        tracer: Tracer,
        caller: Option<&TraceContext>,
        has_statements: bool,
        started: Instant,
        head: Head,
    ) -> Self {
        let clip = |text: String| if text.len() > LONGEST { beginning(&text, LONGEST) } else { text };
        let head = Head {
            method: clip(head.method),
            path: clip(head.path),
            host: head.host.map(clip),
            user_agent: head.user_agent.map(clip),
            ..head
        };
        Self {
            tracer,
            trace: caller.map_or_else(new_trace, |caller| caller.trace_id),
            id: new_span(),
            caller: caller.map(|caller| caller.parent_id),
            has_statements,
            started,
            started_at: SystemTime::now().checked_sub(started.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH),
            head: Mutex::new(Some(head)),
            exchanges: Mutex::new(Exchanges::new()),
        }
    }

    /// The trace that the request belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace
    }

    /// Says which database the next exchanges are with, by the dialect of the server and the name of the database.
    pub fn set_database(&self, dialect: &'static str, namespace: &str) {
        self.exchanges().set_database(dialect, namespace);
    }

    /// The place in the trace of the exchange that begins next, for the database to know.
    pub fn announce_exchange(&self) -> TraceContext {
        let parent_id = new_span();
        self.exchanges().announced = Some(parent_id);
        TraceContext { trace_id: self.trace, parent_id, sampled: true }
    }

    /// Begins an exchange with the database. The one before has succeeded, if it has not ended yet; a statement joins
    /// the one that was sent with it.
    pub fn begin_exchange(&self, operation: Operation, text: Option<&str>) {
        let mut exchanges = self.exchanges();
        let joins =
            exchanges.open.as_ref().is_some_and(|open| (open.operation, operation) == (Operation::Run, Operation::Run));
        if joins {
            return;
        }
        self.close(&mut exchanges, None);
        let statement = text.filter(|_| self.has_statements).map(statement);
        let id = exchanges.announced.take().unwrap_or_else(new_span);
        exchanges.open = Some(OpenExchange { id, since: Instant::now(), operation, statement, rows: None });
    }

    /// Adds rows that the database has sent. Zero of them are also a result.
    pub fn add_rows(&self, rows: u32) {
        if let Some(open) = &mut self.exchanges().open {
            open.rows = Some(open.rows.unwrap_or(0) + u64::from(rows));
        }
    }

    /// Ends the exchange.
    pub fn end_exchange(&self, outcome: ExchangeOutcome<'_>) {
        self.close(&mut self.exchanges(), outcome.failure());
    }

    fn close(&self, exchanges: &mut Exchanges, failure: Option<Failure>) {
        let Some(open) = exchanges.open.take() else { return };
        let (id, since) = (open.id, open.since);
        let mut span = exchanges.ended(open, failure);
        span.address.clone_from(&self.tracer.database);
        self.add(id, since, since.elapsed(), What::Database(Box::new(span)));
    }

    /// Adds a span of the gateway's own work since `since`, if that took long enough to be of interest.
    pub fn add_internal(&self, name: &'static str, since: Instant, took: Duration) {
        if took > SHORTEST {
            self.add(new_span(), since, took, What::Internal(name));
        }
    }

    /// Adds the span of something within the request.
    fn add(&self, id: SpanId, since: Instant, took: Duration, what: What) {
        let started = self.started_at + since.saturating_duration_since(self.started);
        let parent = Some(Parent { id: self.id, is_remote: false });
        self.tracer.queue.push(Span { trace: self.trace, id, parent, started, ended: started + took, what });
    }

    /// Ends the request. Counts once.
    pub fn end(&self, outcome: &RequestOutcome<'_>) {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(head) = head else { return };
        let server = ServerSpan {
            head,
            request_id: outcome.request_id.to_owned(),
            caller: outcome.caller,
            route: outcome.route.map(str::to_owned),
            status: outcome.status,
            is_gone: outcome.is_gone,
        };
        self.tracer.queue.push(Span {
            trace: self.trace,
            id: self.id,
            parent: self.caller.map(|id| Parent { id, is_remote: true }),
            started: self.started_at,
            ended: self.started_at + self.started.elapsed(),
            what: What::Server(Box::new(server)),
        });
    }

    fn exchanges(&self) -> MutexGuard<'_, Exchanges> {
        // They are consistent after every statement, so a panic of another thread does no harm.
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        self.end_exchange(ExchangeOutcome::Abandoned);
    }
}
