//! One statement that must not write, on servers where only a transaction can be opened for reading (Memgraph).
//!
//! BEGIN, RUN and PULL leave in one write. COMMIT follows behind the last row; it costs a round trip of its own, and since
//! nothing can have been written, nothing is at risk.

use std::pin::pin;

use crate::{
    bolt::{Connection, summary},
    pool::Lease,
    query::{
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, expect, mark_stale_after},
        result::{Rows, TransactionScope},
        running::RegisteredStatement,
        statement::Plan,
        statement::inspect,
        statement::{AccessMode, Options},
    },
};

/// Whether what is planned has to run between BEGIN and COMMIT to keep the promise of `options`. What only shows something
/// is refused there, and writes nothing anywhere; nor does what stands in for a ping.
pub(super) fn needs_read_transaction(options: &Options, plan: &Plan<'_>, connection: &Connection) -> bool {
    options.access_mode == AccessMode::Read
        && connection.dialect().mode_needs_transaction
        && plan.kind.is_none()
        && !inspect::is_show_or_profile(plan.text)
}

/// Goes on when BEGIN, RUN and PULL are queued.
pub(super) async fn start_read_only(
    mut lease: Lease,
    options: &Options,
    deadline: Deadline,
    running: &RegisteredStatement,
) -> Result<Rows, Error> {
    let at_risk = AtRisk::Transaction(None);
    let started = {
        let starting = pin!(async {
            let begun = expect(&mut lease, deadline, at_risk, |_| Ok(())).await;
            begun.map_err(|error| mark_stale_after(error, &mut lease, options))?;
            let take = |connection: &Connection| Ok(summary::columns(connection.payload())?);
            expect(&mut lease, deadline, at_risk, take).await.map_err(Error::while_reading)
        });
        running.unless_cancelled(starting).await
    };
    let columns = started.inspect_err(|_| lease.hurry())??;
    Ok(Rows::new(TransactionScope::ReadOnly(lease), columns, deadline, None, (running.clone(), None)))
}
