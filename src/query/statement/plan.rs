//! What is sent for a statement: which text to which database, with which parameters and options.
//!
//! The one place where a request meets the differences between servers.

use std::{borrow::Cow, sync::Arc, time::Duration};

use super::{
    databases::Target,
    inspect::{self, PING},
    request::{AccessMode, Map, Options, Parameters, Severity},
};
use crate::bolt::{
    Connection, Extra,
    parameters::{Accepts, InvalidParameter, validate_parameters},
};
use crate::query::{
    bookmark::is_placeholder,
    engine::PARAMETERS,
    error::{Error, Kind},
    offload::offload,
};

/// What is sent for a statement.
pub(in crate::query) struct Plan<'a> {
    pub(in crate::query) text: &'a str,
    pub(in crate::query) database: Option<&'a str>,
    pub(in crate::query) kind: Option<&'static str>,
    /// The wire must not be used again.
    pub(in crate::query) leaves_stale: bool,
}

impl<'a> Plan<'a> {
    pub(in crate::query) fn of(text: &'a str, target: Target<'a>, connection: &Connection) -> Result<Self, Error> {
        let dialect = connection.dialect();
        if !dialect.ping && inspect::is_ping(text) {
            let database = target.sent.filter(|_| !target.is_system());
            return Ok(Self { text: PING, database, kind: Some("s"), leaves_stale: false });
        }
        if !dialect.ping && target.is_system() {
            return Err(Error::database_not_found(target.named));
        }
        if inspect::is_transaction_control(text, dialect) {
            return Err(Error::new(
                Kind::Refused,
                "Neo.ClientError.Statement.SemanticError",
                format!(
                    "{} cannot be sent as a statement; use the transaction routes (POST /db/{}/query/v2/tx and so \
                     on)",
                    text.trim(),
                    target.named
                ),
            ));
        }
        let leaves_stale = inspect::changes_session(text, dialect);
        Ok(Self { text, database: target.sent, kind: None, leaves_stale })
    }
}

/// What RUN and BEGIN carry, with everything that has to be made for it.
pub(in crate::query) struct ServerOptions<'a> {
    options: &'a Options,
    database: Option<&'a str>,
    bookmarks: Vec<String>,
    disabled: Option<Vec<&'static str>>,
    metadata: Option<Cow<'a, [u8]>>,
    timeout_ms: i64,
}

impl<'a> ServerOptions<'a> {
    /// # Errors
    /// When the server of `connection` does not take what the caller asks for.
    pub(in crate::query) fn new(
        connection: &Connection,
        database: Option<&'a str>,
        options: &'a Options,
        limit: Duration,
    ) -> Result<Self, Error> {
        if options.impersonated_user.is_some() && !connection.capabilities().impersonation {
            return Err(Error::new(
                Kind::Refused,
                "Neo.ClientError.Statement.ArgumentError",
                format!("Impersonation needs Bolt 4.4; this database speaks {}.", connection.version()),
            ));
        }
        let metadata = options.metadata.as_deref().map(|metadata| validated("txMetadata", metadata, connection));
        let disabled: Vec<_> = options.notifications.disabled.iter().map(|category| category.as_bolt()).collect();
        let bookmarks = options.bookmarks.iter().filter(|bookmark| !is_placeholder(bookmark));
        Ok(Self {
            options,
            database,
            bookmarks: bookmarks.cloned().collect(),
            disabled: (!disabled.is_empty()).then_some(disabled),
            metadata: metadata.transpose()?,
            timeout_ms: i64::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(i64::MAX).max(1),
        })
    }

    pub(in crate::query) fn extra(&self) -> Extra<'_> {
        let options = self.options;
        Extra {
            database: self.database,
            impersonated_user: options.impersonated_user.as_deref(),
            read_only: options.access_mode == AccessMode::Read,
            bookmarks: &self.bookmarks,
            timeout_ms: Some(self.timeout_ms),
            metadata: self.metadata.as_deref(),
            minimum_severity: options.notifications.minimum_severity.map(Severity::as_bolt),
            disabled_categories: self.disabled.as_deref(),
            implicit: options.implicit,
        }
    }
}

/// The database that BEGIN is to name: none for `system` where there is none, since only a ping can follow.
pub(in crate::query) fn database_of<'a>(target: Target<'a>, connection: &Connection) -> Option<&'a str> {
    let stand_in = target.is_system() && !connection.dialect().ping;
    target.sent.filter(|_| !stand_in)
}

/// A map of parameters as the server of `connection` takes it. `root` is the caller's name for it.
pub(in crate::query) fn validated<'a>(
    root: &str,
    map: &'a [u8],
    connection: &Connection,
) -> Result<Cow<'a, [u8]>, Error> {
    validate_parameters(root, map, &accepted_by(connection)).map_err(invalid_parameters)
}

/// The same for a statement's parameters, large ones elsewhere.
// What the server takes is found out at once: a connection cannot be shared with the future.
pub(in crate::query) fn validated_parameters<'a>(
    parameters: &'a Parameters,
    connection: &Connection,
) -> impl Future<Output = Result<Cow<'a, [u8]>, Error>> + Send + use<'a> {
    let accepts = accepted_by(connection);
    async move {
        match &parameters.0 {
            Map::Small(map) => validate_parameters(PARAMETERS, map, &accepts).map_err(invalid_parameters),
            Map::Large(map) => {
                let shared = Arc::clone(map);
                let validated = Box::pin(validate_offloaded(move |fit| fit(&shared), accepts)).await?;
                Ok(validated.map_or(Cow::Borrowed(&***map), Cow::Owned))
            }
        }
    }
}

/// Has `with` give the map of parameters to a function, elsewhere. Gives what it is to be replaced by, if anything.
pub(in crate::query) async fn validate_offloaded(
    with: impl FnOnce(&dyn Fn(&[u8]) -> Validated) -> Validated + Send + 'static,
    accepts: Accepts,
) -> Validated {
    offload(move || {
        with(&|map| match validate_parameters(PARAMETERS, map, &accepts).map_err(invalid_parameters)? {
            Cow::Borrowed(_) => Ok(None),
            Cow::Owned(rewritten) => Ok(Some(rewritten)),
        })
    })
    .await
}

/// What a map is to be replaced by, or why it cannot be sent.
pub(in crate::query) type Validated = Result<Option<Vec<u8>>, Error>;

fn invalid_parameters(parameter: InvalidParameter) -> Error {
    Error::bad_request(&parameter.to_string())
}

/// What the server of `connection` takes.
pub(in crate::query) fn accepted_by(connection: &Connection) -> Accepts {
    let (capabilities, dialect) = (connection.capabilities(), connection.dialect());
    Accepts {
        utc: capabilities.utc,
        bytes: dialect.bytes,
        zoned_time: dialect.zoned_time,
        vector: capabilities.vector,
        uuid: capabilities.uuid,
        memgraph_temporals: dialect.confined_temporals,
        max_depth: dialect.parameter_depth,
        max_elements: dialect.parameter_values,
    }
}
