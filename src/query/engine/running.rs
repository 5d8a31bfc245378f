//! Listing and cancelling running statements.

use super::Engine;
use crate::query::{call::Call, error::Error, running::RunningStatement};

impl Engine {
    /// Returns the running statements of `caller` on `database`.
    ///
    /// # Errors
    /// When the database does not accept the caller, or the caller has no credentials and shares the service account.
    pub async fn running(&self, caller: &Call, database: &str) -> Result<Vec<RunningStatement>, Error> {
        self.verify_distinguishable(caller).await?;
        Ok(self.running_statements.list(caller, database))
    }

    /// Cancels a statement of `caller`, and rolls back the transaction that it belongs to.
    ///
    /// # Errors
    /// As [`Engine::running`], or when the statement does not exist.
    pub async fn cancel(&self, caller: &Call, database: &str, id: &str) -> Result<(), Error> {
        self.verify_distinguishable(caller).await?;
        self.running_statements.cancel(caller, database, id)
    }

    /// Verifies a caller that can be told apart from all others: callers without credentials who share the service
    /// account must not see or cancel each other's statements.
    async fn verify_distinguishable(&self, caller: &Call) -> Result<(), Error> {
        if caller.is_public() {
            return Err(Error::forbidden(
                "Requests without credentials share the gateway's service account and cannot be told apart, so they \
                 cannot list or cancel running statements.",
            ));
        }
        self.verify(caller).await
    }
}
