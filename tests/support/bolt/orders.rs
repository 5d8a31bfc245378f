//! Failures that a test orders for statements, by their text.
//!
//! Owns: which statements fail, how often, and at which point of their course.
//! May not know: which database is being faked, transactions, messages.

use super::directive::{Failure, Program};

/// The point at which a statement fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// FAILURE of RUN. Nothing has happened.
    Run,
    /// FAILURE of PULL after so many rows, of which there have to be more. All that the statement writes is written.
    Rows(u64),
    /// FAILURE of what commits, when all has been written: COMMIT, or the last PULL of an automatic statement.
    Commit,
}

/// The next `left` statements whose text contains `part` fail.
#[derive(Debug)]
pub(super) struct Order {
    part: String,
    left: usize,
    when: When,
    failure: Failure,
}

impl Order {
    pub(super) fn new(part: &str, times: usize, when: When, code: &str, message: &str) -> Order {
        let failure = Failure { code: code.to_owned(), message: message.to_owned() };
        Order { part: part.to_owned(), left: times, when, failure }
    }
}

/// Lets `program`, whose text is `text`, fail as the first order says that fits, and counts that.
pub(super) fn carry_out(orders: &mut [Order], text: &str, program: &mut Program) {
    let fitting = orders.iter_mut().find(|order| order.left > 0 && text.contains(&order.part));
    let Some(order) = fitting else { return };
    order.left -= 1;
    let failure = order.failure.clone();
    match order.when {
        When::Run => program.fail_run = Some(failure),
        When::Rows(n) => program.fail_pull = Some((n, failure)),
        When::Commit => program.fail_commit = Some(failure),
    }
}
