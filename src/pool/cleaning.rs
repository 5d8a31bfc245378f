//! Cleaning a connection that was abandoned in mid-use, and ending the statement on it.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{pooled::PooledConnection, shared::Shared};
use crate::{
    auth::Identity,
    bolt::{self, Connection, recover::recover, terminate::terminate},
    telemetry::observer::Purpose,
};

/// A connection that is not clean after this time is closed.
const CLEANING: Duration = Duration::from_secs(4);
/// How long the database may take to end a statement, including the wait for a termination permit. Termination needs
/// neither the connection on which the statement runs nor its pool permit, so it may outlast both.
const ENDING: Duration = Duration::from_secs(15);

/// Cancels what the connection is doing and returns it to its bucket, or closes it if that fails or takes too long. If
/// `hurried`, the database is told to end the statement at once, without a chance to end by itself.
pub(super) async fn clean(mut pooled: PooledConnection, shared: &Arc<Shared>, identity: &Identity, hurried: bool) {
    let cleaned = timeout(CLEANING, is_recovered(&mut pooled.connection, shared, identity, hurried)).await;
    if cleaned == Ok(true) {
        pooled.connection.shrink();
        shared.buckets.put(identity, pooled);
    } else {
        pooled.discard_unclean();
    }
}

async fn is_recovered(connection: &mut Connection, shared: &Arc<Shared>, identity: &Identity, hurried: bool) -> bool {
    let settings = shared.settings.snapshot();
    let budget = if connection.dialect().reset_interrupts {
        settings.recovery
    } else if hurried && connection.running_tag().is_some() {
        Duration::ZERO
    } else {
        settings.patience
    };
    if recover(connection, budget).await {
        return true;
    }
    let Some((tag, user)) = connection.running_tag() else {
        return false;
    };
    // RESET would wait behind the statement, so the database is told on another connection.
    let ending = shared.end_statement(identity, tag.to_owned(), user.map(str::to_owned));
    let _ = ending.await;
    recover(connection, settings.recovery).await
}

impl Shared {
    /// Tells the database to end the statement of `identity` that carries this tag and runs as `user`.
    pub(super) fn end_statement(
        self: &Arc<Self>,
        identity: &Identity,
        tag: String,
        user: Option<String>,
    ) -> JoinHandle<()> {
        let (shared, identity) = (Arc::clone(self), identity.clone());
        let ending = async move {
            let ended = timeout(ENDING, shared.terminate(&identity, &tag, user.as_deref())).await;
            match ended.unwrap_or(Err(bolt::Error::Silent(ENDING))) {
                Ok(found) => shared.observer.statement_terminated(found),
                Err(error) => shared.observer.termination_failed(&error),
            }
        };
        self.cleaners.spawn_on(ending, &self.runtime)
    }

    async fn terminate(&self, identity: &Identity, tag: &str, user: Option<&str>) -> Result<bool, bolt::Error> {
        let deadline = Instant::now() + ENDING;
        let _permit = self.terminations.acquire().await;
        loop {
            let failure = match self.connect(identity, Purpose::Termination).await {
                Ok(mut connection) => {
                    let found = terminate(&mut connection, tag, user).await?;
                    connection.goodbye().await;
                    return Ok(found);
                }
                Err(bolt::Error::Login(failure)) if failure.is_session_limit() => failure,
                Err(error) => return Err(error),
            };
            // One of the user's own sessions has to be used.
            let limit = self.buckets.set_limit(identity, failure);
            if let Some(mut pooled) = self.wait_for_own(identity, &limit, deadline).await? {
                let found = terminate(&mut pooled.connection, tag, user).await;
                if pooled.connection.is_clean() {
                    self.buckets.put(identity, pooled);
                } else {
                    pooled.discard_unclean();
                }
                return found;
            }
        }
    }
}
