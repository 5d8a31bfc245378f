//! Decides what is sent for a statement: which text, to which database.

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
    /// The text to send.
    pub(in crate::query) text: &'a str,
    /// The name of the database to send. `None` leaves the choice to the server.
    pub(in crate::query) database: Option<&'a str>,
    /// The type of the statement to report in place of the server's, when another text is sent.
    pub(in crate::query) kind: Option<&'static str>,
    /// Whether the statement changes the session, so that the connection must not be used again.
    pub(in crate::query) leaves_stale: bool,
}

impl<'a> Plan<'a> {
    /// Plans `text` for the server of `connection`.
    ///
    /// # Errors
    /// When the database does not exist, or when the statement would begin or end a transaction.
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

/// Returns the name of the database to send with BEGIN. That is none for `system` on servers without that database: of
/// the statements that can follow, only pings are accepted there, and any database answers those.
pub(in crate::query) fn database_of<'a>(target: Target<'a>, connection: &Connection) -> Option<&'a str> {
    let stand_in = target.is_system() && !connection.dialect().ping;
    target.sent.filter(|_| !stand_in)
}
