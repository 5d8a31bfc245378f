//! One message of an agent, with all that its tool needs to be carried out.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    state::State,
    table::{Room, Table},
};
use crate::{
    http::{body_memory::Hold, exchange::Exchange},
    query::{AccessMode, Call, Error, Excerpt, Options, Progress, ResultEnd, RowSink, Statement},
};

/// Whom a statement runs as, and how.
pub(super) struct Terms<'a> {
    pub(super) caller: &'a Call,
    pub(super) options: &'a Options,
}

/// A message, and who sent it.
pub(super) struct Asked {
    pub(super) exchange: Exchange,
    pub(super) state: Arc<State>,
    /// The options of its statements: whom they run as, and whether they may write.
    pub(super) options: Options,
    /// The arguments of the tool, which are the text of a JSON object.
    pub(super) arguments: Bytes,
    /// Why the caller could not be verified. Nothing may be shown to it then.
    pub(super) unverified: Option<Error>,
    /// The memory that the arguments take.
    pub(super) _hold: Hold,
}

impl Asked {
    /// How much a result may show at most.
    pub(super) fn room(&self) -> Room {
        let limits = self.exchange.gateway.engine.result_limits();
        let settings = &self.state.settings;
        Room {
            rows: settings.max_rows.min(limits.rows.unwrap_or(u32::MAX)),
            bytes: settings.max_bytes.min(limits.bytes.unwrap_or(usize::MAX)),
            to_the_end: false,
        }
    }

    /// Moves the first `rows` rows of a statement of the gateway's own, which has no parameters, into `sink`.
    ///
    /// # Errors
    /// As [`Asked::excerpt_of`].
    pub(super) async fn excerpt(
        &self,
        database: &str,
        statement: String,
        rows: u32,
        sink: &mut (impl RowSink + Send),
    ) -> Result<Excerpt, Error> {
        self.excerpt_of(&self.terms(), database, &without_parameters(&statement), rows, sink).await
    }

    /// The terms of the statements that the agent itself asks for.
    pub(super) fn terms(&self) -> Terms<'_> {
        Terms { caller: &self.exchange.caller, options: &self.options }
    }

    /// Moves the first `rows` rows of a statement, which must not change anything, into `sink`.
    ///
    /// # Errors
    /// Why the statement was refused, or failed.
    pub(super) async fn excerpt_of(
        &self,
        Terms { caller, options }: &Terms<'_>,
        database: &str,
        statement: &Statement,
        rows: u32,
        sink: &mut (impl RowSink + Send),
    ) -> Result<Excerpt, Error> {
        let gateway = &self.exchange.gateway;
        let limits = (gateway.retry, rows);
        gateway.engine.excerpt(caller, database, statement, options, limits, sink).await
    }

    /// Runs a statement of the gateway's own in read mode, outside of explicit transactions.
    ///
    /// # Errors
    /// As [`Asked::run`].
    pub(super) async fn run_reading(&self, database: &str, statement: &str, table: &mut Table) -> Result<(), Error> {
        let options = Options { access_mode: AccessMode::Read, ..self.options.clone() };
        let terms = Terms { options: &options, ..self.terms() };
        self.run(&terms, database, &without_parameters(statement), table).await.map(drop)
    }

    /// Runs a statement in a transaction of its own, and commits it.
    ///
    /// # Errors
    /// Why the statement failed, or that its rows cannot be shown although it was committed.
    pub(super) async fn run(
        &self,
        Terms { caller, options }: &Terms<'_>,
        database: &str,
        statement: &Statement,
        table: &mut Table,
    ) -> Result<Box<ResultEnd>, Error> {
        let gateway = &self.exchange.gateway;
        let run = gateway.engine.run(caller, database, statement, options, gateway.retry, table);
        let started = Box::pin(run).await.outcome?;
        let (mut rows, mut progress) = (started.rows, started.first?);
        loop {
            match progress {
                Progress::Paused => progress = rows.advance(table).await?,
                Progress::Done(mut end) => return end.withheld.take().map_or(Ok(end), Err),
            }
        }
    }
}

fn without_parameters(text: &str) -> Statement {
    Statement { text: text.into(), parameters: super::arguments::EMPTY_MAP.to_vec().into() }
}
