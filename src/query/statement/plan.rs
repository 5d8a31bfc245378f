//! What is sent for a statement: which text to which database, with which parameters and options.
//!
//! The one place where a request meets the differences between servers.

use super::{
    databases::Target,
    inspect::{self, PING},
};
use crate::{
    bolt::Connection,
    query::error::{Error, Kind},
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
                    "{} cannot be run as a statement; use the transaction routes instead, such as POST \
                     /db/{}/query/v2/tx.",
                    text.trim(),
                    target.named
                ),
            ));
        }
        let leaves_stale = inspect::changes_session(text, dialect);
        Ok(Self { text, database: target.sent, kind: None, leaves_stale })
    }
}

/// The database that BEGIN is to name: none for `system` where there is none, since only a ping can follow.
pub(in crate::query) fn database_of<'a>(target: Target<'a>, connection: &Connection) -> Option<&'a str> {
    let stand_in = target.is_system() && !connection.dialect().ping;
    target.sent.filter(|_| !stand_in)
}
