//! Statements that must not write, on servers where only an explicit transaction can be read-only (Memgraph).
//!
//! BEGIN, RUN and PULL share one write. COMMIT follows after the last row and costs another round trip. Nothing is at
//! risk then, because nothing can have been written.

use std::pin::pin;

use crate::{
    bolt::Connection,
    pool::Lease,
    query::{
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, columns, expect, mark_stale_after},
        result::{Rows, TransactionScope},
        running::RegisteredStatement,
        statement::{AccessMode, Options, Plan, inspect},
    },
};

/// Whether the statement has to run between BEGIN and COMMIT so that it cannot write. SHOW and PROFILE need not: they
/// never write, and are refused there. Nor does the stand-in for a ping.
pub(super) fn needs_read_transaction(options: &Options, plan: &Plan<'_>, connection: &Connection) -> bool {
    options.access_mode == AccessMode::Read
        && connection.dialect().mode_needs_transaction
        && plan.kind.is_none()
        && !inspect::is_show_or_profile(plan.text)
}

/// Starts the statement whose BEGIN, RUN and PULL are queued.
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
            expect(&mut lease, deadline, at_risk, columns).await.map_err(Error::while_reading)
        });
        running.unless_cancelled(starting).await
    };
    let columns = started.inspect_err(|_| lease.hurry())??;
    Ok(Rows::new(TransactionScope::ReadOnly(lease), columns, deadline, None, (running.clone(), None)))
}
