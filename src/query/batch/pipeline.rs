//! The sending side of a batch, which sends statements ahead of the replies to those before them.
//!
//! Promises to stay within bounds, both in runs and in bytes that wait to be written.

use std::{borrow::Cow, sync::Arc};

use super::request::{Batch, BatchError};
use crate::{
    pool::Lease,
    query::{
        offload::OFFLOAD_ABOVE,
        result::{RowLimit, pull_first},
        statement::{PARAMETERS, Plan, Replacement, Target, accepted_by, validate_offloaded, validated},
    },
};

/// Maximum number of unanswered runs: enough to keep the database busy.
const AHEAD: usize = 64;

/// Maximum number of bytes that wait to be written: no more than either side can hold in memory without harm.
const AHEAD_BYTES: usize = 256 * 1024;

/// The next run to send, and the number of unanswered ones.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    statement: usize,
    run: usize,
    /// The offset of the run's parameters in the statement's [`super::ParameterSets`].
    offset: usize,
    /// The number of unanswered runs.
    outstanding: usize,
}

impl Pipeline {
    /// Whether it is time to send more: when half of the runs have been answered, so that the next ones share a write.
    pub(super) fn is_low(&self) -> bool {
        self.outstanding <= AHEAD / 2
    }

    /// Whether the next run to be answered has been sent.
    pub(super) fn is_ahead(&self) -> bool {
        self.outstanding > 0
    }

    /// Counts a run that has been answered.
    pub(super) fn answered(&mut self) {
        self.outstanding -= 1;
    }

    /// Queues runs up to the bounds.
    ///
    /// # Errors
    /// When a statement or its parameters cannot be sent to the server of `lease`.
    pub(super) async fn send_ahead(
        &mut self,
        lease: &mut Lease,
        batch: &Batch,
        target: Target<'_>,
        limit: RowLimit,
    ) -> Result<(), BatchError> {
        while self.outstanding < AHEAD && lease.unsent() < AHEAD_BYTES {
            let (index, offset) = (self.statement, self.offset);
            let before = index.checked_sub(1).and_then(|before| batch.statements.get(before));
            if self.outstanding > 0 && before.is_some_and(|before| before.looks_up) {
                break;
            }
            let Some(statement) = batch.statements.get(index) else { break };
            let Some((parameters, next)) = statement.parameter_sets.at(offset) else {
                (self.statement, self.run, self.offset) = (index + 1, 0, 0);
                continue;
            };
            let at_fault = |error| BatchError { error, statement: Some(index), lost_before_commit: false };
            let plan = Plan::of(&statement.text, target, lease).map_err(at_fault)?;
            let parameters = if parameters.len() <= OFFLOAD_ABOVE {
                validated(PARAMETERS, parameters, lease)
            } else {
                let (statements, accepts) = (Arc::clone(&batch.statements), accepted_by(lease));
                let of_run = move |validate: &dyn Fn(&[u8]) -> Replacement| {
                    let sets = statements.get(index).map(|statement| &statement.parameter_sets);
                    sets.and_then(|sets| sets.at(offset)).map_or(Ok(None), |(map, _)| validate(map))
                };
                let replacement = Box::pin(validate_offloaded(of_run, accepts)).await;
                replacement.map(|replacement| replacement.map_or(Cow::Borrowed(parameters), Cow::Owned))
            };
            let parameters = parameters.map_err(at_fault)?;
            lease.run_in_transaction(plan.text, &parameters);
            if plan.leaves_stale {
                lease.mark_stale();
            }
            let is_last = index + 1 == batch.statements.len() && self.run + 1 == statement.parameter_sets.len();
            match (batch.rows, is_last) {
                (false, _) => lease.discard(),
                (true, false) if limit.rows.is_some() => lease.pull(limit.requestable()),
                (true, false) => lease.pull_all(),
                (true, true) => pull_first(lease, limit),
            }
            self.outstanding += 1;
            self.run += 1;
            self.offset = next;
        }
        Ok(())
    }
}
