//! The statements that a caller has under way: to list them, and to end one.

use super::Engine;
use crate::{
    auth::Identity,
    query::{error::Error, running::RunningStatement},
};

impl Engine {
    /// What `caller` has under way on `database`.
    ///
    /// # Errors
    /// When the database does not accept the caller, or the caller is one of many who cannot be told apart.
    pub async fn running(&self, caller: &Identity, database: &str) -> Result<Vec<RunningStatement>, Error> {
        self.verify_alone(caller).await?;
        Ok(self.running_statements.list(caller, database))
    }

    /// Ends a statement of `caller`, and with it the transaction that it belongs to.
    ///
    /// # Errors
    /// As [`Engine::running`], or when there is no such statement.
    pub async fn cancel(&self, caller: &Identity, database: &str, id: &str) -> Result<(), Error> {
        self.verify_alone(caller).await?;
        self.running_statements.cancel(caller, database, id)
    }

    /// Strangers on the gateway's own account must not see or end each other's statements.
    async fn verify_alone(&self, caller: &Identity) -> Result<(), Error> {
        if caller.is_public() {
            return Err(Error::forbidden(
                "Requests without credentials share the gateway's service account and cannot be told apart, so they \
                 cannot list or cancel running statements.",
            ));
        }
        self.verify(caller).await
    }
}
