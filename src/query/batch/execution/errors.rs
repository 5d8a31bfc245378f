//! Which error a failure of a batch is, and which statement is to blame.

use super::{BatchExecution, ExpectedReply};
use crate::{
    bolt,
    query::{batch::request::BatchError, error::Error, reply::AtRisk, result::RowRefused, statement::inspect},
};

impl BatchExecution {
    /// Returns the error of the current statement, or of the batch as a whole outside statements.
    pub(super) fn at_fault(&self, error: Error) -> BatchError {
        let is_statements = !matches!(self.expected, ExpectedReply::Begin | ExpectedReply::Commit);
        BatchError { error, statement: is_statements.then_some(self.answered.statement), lost_before_commit: false }
    }

    /// Returns the error of a row that the sink refused.
    pub(super) fn refused(&self, refused: RowRefused) -> BatchError {
        match refused {
            RowRefused::TooMany(_)
            | RowRefused::TooLarge(_)
            | RowRefused::TooManyWait(_)
            | RowRefused::TooManyElements(_) => self.exceeded(refused.into()),
            RowRefused::Format(_) | RowRefused::Malformed(_) => self.at_fault(refused.into()),
        }
    }

    /// Returns the error of a result that is larger than allowed, and reports it.
    pub(super) fn exceeded(&self, error: Error) -> BatchError {
        self.running.report_limit(&error);
        let statement = self.batch.statements.get(self.answered.statement);
        self.at_fault(error.after_stopping(statement.map_or("", |statement| &statement.text)))
    }

    /// Returns the error for the loss of the connection.
    pub(super) fn connection_lost(&mut self, error: bolt::Error) -> BatchError {
        let error = match error {
            bolt::Error::Login(failure) => {
                let caller = self.scope.as_mut().map(|scope| scope.lease().identity());
                return caller.map_or_else(Error::result_ended, |caller| Error::from_login(failure, caller)).into();
            }
            error => error,
        };
        let in_batches = self.batch.statements.iter().any(|one| inspect::may_commit_in_batches(&one.text));
        let at_risk = match self.expected {
            ExpectedReply::Commit => AtRisk::Commit,
            _ if in_batches => AtRisk::Statement,
            _ => AtRisk::Transaction(None),
        };
        let lost_before_commit = matches!(at_risk, AtRisk::Transaction(_));
        BatchError { error: at_risk.lost(&error), statement: None, lost_before_commit }
    }
}
