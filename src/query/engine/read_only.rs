//! Statements that run between a BEGIN and a COMMIT of the gateway's own: those that must not write, on servers where
//! only an explicit transaction can be read-only (Memgraph), and those that write and whose result is limited, because the
//! database commits a transaction of its own at once with the last row, however many there were.
//!
//! BEGIN, RUN and PULL share one write. COMMIT follows after the last row and costs another round trip. Where nothing can
//! have been written, nothing is at risk then.

use std::pin::pin;

use crate::{
    bolt::Connection,
    pool::Lease,
    query::{
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, columns, expect, mark_stale_after},
        result::{ResultLimits, RowLimit, Rows, TransactionScope},
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

/// Whether the statement may write and return rows, so that it has to run between BEGIN and COMMIT if its result is limited.
/// What commits in batches, or is refused in such a transaction, need not.
pub(super) fn needs_undoing(limits: ResultLimits, options: &Options, plan: &Plan<'_>) -> bool {
    limits.any()
        && !options.implicit
        && options.access_mode == AccessMode::Write
        && plan.kind.is_none()
        && inspect::may_write(plan.text)
        && inspect::may_return(plan.text)
        && !inspect::may_commit_in_batches(plan.text)
        && !inspect::is_show_or_profile(plan.text)
}

/// Starts the statement whose BEGIN, RUN and PULL are queued. `reads`: it cannot write.
pub(super) async fn start_enclosed(
    mut lease: Lease,
    options: &Options,
    deadline: Deadline,
    running: &RegisteredStatement,
    limit: RowLimit,
    reads: bool,
) -> Result<Rows, Error> {
    let at_risk = AtRisk::Transaction(None);
    let started = {
        let starting = pin!(async {
            let begun = expect(&mut lease, deadline, at_risk, |_| Ok(())).await;
            begun.map_err(|error| mark_stale_after(error, &mut lease, options))?;
            let columns = expect(&mut lease, deadline, at_risk, columns).await;
            if reads { columns.map_err(Error::while_reading) } else { columns }
        });
        running.unless_cancelled(starting).await
    };
    let columns = started.inspect_err(|_| lease.hurry())??;
    let scope = if reads { TransactionScope::ReadOnly(lease) } else { TransactionScope::Limited(lease) };
    Ok(Rows::new(scope, columns, deadline, None, (running.clone(), None)).limited(limit))
}
