//! What a statement means on this server, before it does anything.
//!
//! Owns: this server's texts for statements that fail in RUN.
//! May not know: when a statement acts, frames.

use super::super::directive::{Failure, Planning, Program, Refused, Rows, Special, parse};
use super::super::samples::Shapes;
use super::super::value::{Value, v};
use super::reply::Error;
use super::session::Session;

impl Session {
    pub(super) fn parse(&self, statement: &str, parameters: &Value) -> Result<Program, Error> {
        let answer = self.server.knobs.answer_for(statement);
        if let Some(answer) = answer {
            let mut program = Program::rows(answer.fields, Rows::Fixed(answer.rows));
            program.summary = answer.summary;
            program.sleep = answer.sleep;
            return Ok(program);
        }
        parse(statement, parameters).map_err(|refused| match refused {
            Refused::Syntax(word) => Error::new(
                "Neo.ClientError.Statement.SyntaxError",
                format!(
                    "Invalid input '{word}': expected a directive (line 1, column 1 (offset: 0))\n\
                     \"{statement}\"\n ^"
                ),
            ),
            Refused::MissingParameter(name) => {
                Error::new("Neo.ClientError.Statement.ParameterMissing", format!("Expected parameter(s): {name}"))
            }
        })
    }

    /// Gives the special directives their meaning on this server.
    pub(super) fn specialise(&self, program: &mut Program, statement: &str, explicit: bool) -> Result<(), Error> {
        let extra = self.tx.as_ref().map_or(Value::Null, |tx| tx.extra.clone());
        match program.special.clone() {
            Some(Special::WhoAmI) => {
                let (fields, row) = self.who_am_i(&extra);
                program.fields = fields;
                program.rows = Rows::Fixed(vec![row]);
            }
            Some(Special::Type(name)) => {
                let (fields, row) = self
                    .shapes()
                    .named(&name)
                    .ok_or_else(|| Error::new("Neo.ClientError.Statement.SyntaxError", format!("No type {name}")))?;
                program.fields = fields;
                program.rows = Rows::Fixed(vec![row]);
            }
            Some(Special::Conflict(times)) => {
                if self.server.knobs.attempt(statement) < times {
                    let code = "Neo.TransientError.Transaction.DeadlockDetected".to_owned();
                    let message = "ForsetiClient can't acquire ExclusiveLock".to_owned();
                    program.fail_pull = Some((0, Failure { code, message }));
                }
            }
            Some(Special::Batched) if explicit => {
                let tx_type = extra.get("tx_type").and_then(Value::as_str).unwrap_or_default();
                if !tx_type.eq_ignore_ascii_case("IMPLICIT") {
                    return Err(Error::new(
                        "Neo.DatabaseError.Transaction.TransactionStartFailed",
                        "A query with 'CALL { ... } IN TRANSACTIONS' can only be executed in an \
                         implicit transaction, but tried to execute in an explicit transaction.",
                    )
                    .gql(
                        "25N17",
                        "error: invalid transaction state - implicit transaction required. The \
                         attempted operation requires an implicit transaction.",
                    ));
                }
            }
            None | Some(Special::Admin(_) | Special::Batched) => {}
            Some(_) => {
                let what = format!("Invalid input '{statement}': not a directive of this server");
                return Err(Error::new("Neo.ClientError.Statement.SyntaxError", what));
            }
        }
        let reading = extra.get("mode").and_then(Value::as_str) == Some("r");
        if reading && !program.effects.is_empty() && program.planning != Planning::Explain {
            let db = self.tx.as_ref().map_or("neo4j", |tx| tx.values.db());
            return Err(Error::new(
                "Neo.ClientError.Statement.AccessMode",
                format!("Writing in read access mode not allowed. Attempted write to {db}"),
            )
            .gql("08N03", "error: connection exception - failed to write to graph."));
        }
        Ok(())
    }

    pub(super) fn shapes(&self) -> Shapes {
        Shapes {
            element_ids: self.caps.at_least(5, 0),
            utc: self.caps.utc(),
            vectors: self.caps.at_least(6, 0),
            uuids: self.caps.at_least(6, 1),
            memgraph: false,
            cartesian_3d: 9157,
        }
    }

    pub(super) fn who_am_i(&self, extra: &Value) -> (Vec<String>, Vec<Value>) {
        let given = |key: &str| extra.get(key).cloned().unwrap_or(Value::Null);
        let db = self.tx.as_ref().map(|tx| tx.values.db().to_owned());
        let columns = [
            ("principal", v(&*self.login.principal)),
            ("imp_user", given("imp_user")),
            ("db", v(db)),
            ("mode", given("mode")),
            ("tx_timeout", given("tx_timeout")),
            ("tx_metadata", given("tx_metadata")),
            ("bookmarks", given("bookmarks")),
            ("connection", v(self.id as i64)),
        ];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).unzip()
    }
}
