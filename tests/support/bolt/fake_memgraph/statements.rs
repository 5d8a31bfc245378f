//! What a statement means on this server: plans, administration, other transactions, summaries.
//!
//! Owns: this server's texts for statements that fail, and its summary.
//! May not know: when a statement acts, the output buffer.

use std::sync::Arc;

use super::super::directive::{COUNTERS, Failure, Planning, Program, Refused, Rows, Special, parse};
use super::super::samples::Shapes;
use super::super::value::{Value, map, strings, v};
use super::configure::Identity;
use super::execute::Cursor;
use super::registry::Entry;
use super::session::{Error, Session};

pub(super) const CONFLICT: &str = "Cannot resolve conflicting transactions. Retry this transaction when the conflicting \
     transaction is finished. For more details, visit https://memgraph.com/docs";
/// Names the instance in every summary.
pub(super) const RUN_ID: &str = "3e4b6d1c-8a52-4c0e-9f7a-1b2c3d4e5f60";

fn multicommand(what: &str) -> Error {
    Error::client(&format!(
        "{what} is not allowed in multicommand transactions. A multicommand transaction, also \
         known as an explicit transaction, groups multiple commands into a single atomic \
         operation. Instead, please use an implicit transaction, also known as an auto \
         committing transaction, in order to execute this particularquery. For more details, \
         visit https://memgraph.com/docs"
    ))
}

/// What this server says that it does not carry out in explicit transactions, for statements that tests answer.
fn alone(text: &str) -> Option<&'static str> {
    let words: Vec<String> = text.split_whitespace().take(3).map(str::to_ascii_uppercase).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["SHOW", "SCHEMA", ..] => Some("Show schema info query"),
        ["SHOW", "INDEX" | "CONSTRAINT" | "STORAGE", ..] => Some("Storage information query"),
        ["CREATE" | "DROP", "INDEX", ..] | ["CREATE" | "DROP", _, "INDEX"] => Some("Index manipulation"),
        ["CREATE" | "DROP", "CONSTRAINT", ..] => Some("Constraint manipulation"),
        _ => None,
    }
}

impl Session {
    pub(super) fn parse(&self, text: &str, parameters: &Value) -> Result<Program, Error> {
        if let Some(answer) = self.server.knobs.answer_for(text) {
            let mut program = Program::rows(answer.fields, Rows::Fixed(answer.rows));
            program.summary = answer.summary;
            program.sleep = answer.sleep;
            program.special = alone(text).map(|what| Special::Admin(what.to_owned()));
            return Ok(program);
        }
        parse(text, parameters).map_err(|refused| match refused {
            Refused::Syntax(word) => Error::client(&format!(
                "Error on line 1 position 1. The underlying parsing error is mismatched input \
                 '{word}' expecting a directive. Take a look at clauses around and try to fix \
                 the query."
            )),
            Refused::MissingParameter(name) => Error::client(&format!("Parameter ${name} not provided.")),
        })
    }

    /// `BEGIN`, `COMMIT` and `ROLLBACK` as text: true if it was one of them.
    pub(super) fn textual(&mut self, program: &Program, extra: &Value) -> Result<bool, Error> {
        match &program.special {
            Some(Special::Begin) if self.explicit => {
                return Err(Error::client("Nested transactions are not supported."));
            }
            Some(Special::Begin) => self.start_explicit(extra),
            Some(Special::Commit) if self.explicit => self.commit_now()?,
            Some(Special::Rollback) if self.explicit => self.abort(),
            Some(Special::Commit) => {
                return Err(Error::client("No current transaction to commit."));
            }
            Some(Special::Rollback) => {
                return Err(Error::client("No current transaction to rollback."));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Gives the special directives their meaning on this server.
    pub(super) fn specialise(&mut self, program: &mut Program, text: &str) -> Result<(), Error> {
        let in_tx = |what: &str, explicit: bool| match explicit {
            true => Err(multicommand(what)),
            false => Ok(()),
        };
        match program.special.clone() {
            Some(Special::Admin(what)) => {
                in_tx(if what.is_empty() { "Index manipulation" } else { &what }, self.explicit)?;
                program.stats.clear();
            }
            Some(Special::WhoAmI) => self.who_am_i(program),
            Some(Special::Type(name)) => {
                let found = self.shapes().named(&name);
                let (fields, row) = found.ok_or_else(|| Error::client(&format!("Unbound variable: {name}.")))?;
                program.fields = fields;
                program.rows = Rows::Fixed(vec![row]);
            }
            Some(Special::Conflict(times)) => {
                let Error { code, message } = Error::transient(CONFLICT);
                let again = self.server.knobs.attempt(text) < times;
                program.fail_pull = again.then_some((0, Failure { code, message }));
            }
            Some(Special::ShowTransactions) => {
                in_tx("Querying transaction status", self.explicit)?;
                self.show_transactions(program);
            }
            Some(Special::Terminate(ids)) => {
                in_tx("Querying transaction status", self.explicit)?;
                self.terminate(program, &ids)?;
            }
            Some(Special::UseDatabase(db)) => {
                in_tx("Switching the currently active database", self.explicit)?;
                self.use_database(db)?;
            }
            Some(Special::SetSession(setting)) => self.settings.push(setting),
            Some(Special::Begin | Special::Commit | Special::Rollback | Special::Batched) => {}
            None => {}
        }
        match program.planning {
            Planning::None => {}
            Planning::Explain => {
                program.fields = vec!["QUERY PLAN".to_owned()];
                let lines = [" * Produce {1}", " * Once"];
                program.rows = Rows::Fixed(lines.map(|line| vec![v(line)]).into());
            }
            Planning::Profile => {
                in_tx("Query profiling", self.explicit)?;
                let fields = ["OPERATOR", "ACTUAL HITS", "RELATIVE TIME", "ABSOLUTE TIME"];
                program.fields = fields.map(str::to_owned).into();
                let row = vec![v("* Once"), v(2), v("  100.00 %"), v("  0.001 ms")];
                program.rows = Rows::Fixed(vec![row]);
                let profile = r#"{"actual_hits":2,"children":[],"name":"Once"}"#;
                program.summary.push(("profile".to_owned(), v(profile)));
            }
        }
        let reading = self.explicit && self.given("mode").as_str() == Some("r");
        if reading && !program.effects.is_empty() && program.planning == Planning::None {
            return Err(Error::client("Accessor type READ and query type WRITE are misaligned!"));
        }
        Ok(())
    }

    pub(super) fn use_database(&mut self, db: String) -> Result<(), Error> {
        if self.identity.explicit_db {
            return Err(Error::client(
                "Database switching is prohibited if session explicitly defines the used database",
            ));
        }
        if !self.server.options.databases.contains(&db) {
            let what = format!("Tried to retrieve an unknown database \"{db}\".");
            return Err(Error::transient(&what));
        }
        self.identity.db = db;
        Ok(())
    }

    /// Whom the statement really runs as, and where: not what the request said.
    pub(super) fn who_am_i(&self, program: &mut Program) {
        let db = self.tx.as_ref().map(|tx| tx.values.db().to_owned());
        let login = &self.identity.login;
        let impersonated = self.identity.user != login.principal;
        let columns = [
            ("principal", v(&*login.principal)),
            ("imp_user", v(impersonated.then(|| self.identity.user.clone()))),
            ("db", v(db)),
            ("mode", self.given("mode")),
            ("tx_timeout", self.given("tx_timeout")),
            ("tx_metadata", self.given("tx_metadata")),
            ("bookmarks", self.given("bookmarks")),
            ("connection", v(self.id as i64)),
            ("session", strings(&self.settings)),
            ("roles", strings(&login.roles)),
        ];
        let (fields, row) = columns.into_iter().map(|(name, x)| (name.to_owned(), x)).unzip();
        program.fields = fields;
        program.rows = Rows::Fixed(vec![row]);
    }

    pub(super) fn shapes(&self) -> Shapes {
        let v5 = self.version.0 >= 5;
        Shapes {
            element_ids: v5,
            utc: v5,
            vectors: false,
            uuids: false,
            memgraph: true,
            cartesian_3d: self.server.options.cartesian_3d,
        }
    }

    /// One's own, or everybody's for an administrator and where there were no users at the login.
    pub(super) fn may_see(&self, entry: &Entry) -> bool {
        let Identity { login, user, .. } = &self.identity;
        let admin = match *user == login.principal {
            true => login.is_admin(),
            false => self.server.knobs.users.lock().unwrap().get(user).is_some_and(|user| user.admin),
        };
        admin || entry.username == *user
    }

    pub(super) fn show_transactions(&self, program: &mut Program) {
        let columns = &self.server.options.transaction_columns;
        let row = |id: &str, entry: Option<&Entry>| -> Vec<Value> {
            let queries = entry.map(|e| e.queries.lock().unwrap().clone()).unwrap_or_default();
            let elapsed = entry.map_or(0, |e| e.started.elapsed().as_millis() as i64);
            let cell = |column: &&str| match *column {
                "username" => v(entry.map_or("", |e| &*e.username)),
                "transaction_id" => v(id),
                "query" => strings(&queries),
                "status" => v("running"),
                "metadata" => entry.map_or_else(|| map([]), |e| e.metadata.clone()),
                "start_time" => v("2026-11-21 12:00:00.000000"),
                "elapsed_ms" => v(elapsed),
                _ => v(entry.map_or("", |e| &*e.db)),
            };
            columns.iter().map(cell).collect()
        };
        let seen = self.server.registry.visible();
        let seen = seen.iter().filter(|entry| self.may_see(entry));
        let mut rows: Vec<Vec<Value>> = seen.map(|entry| row(&entry.id.to_string(), Some(entry))).collect();
        // Work in the background has names instead of numbers.
        rows.extend(["snapshot", "gc"].map(|name| row(name, None)));
        program.fields = columns.iter().map(|column| (*column).to_owned()).collect();
        program.rows = Rows::Fixed(rows);
    }

    pub(super) fn terminate(&self, program: &mut Program, ids: &[Option<String>]) -> Result<(), Error> {
        let mut rows = Vec::new();
        for id in ids {
            let Some(id) = id else {
                return Err(Error::client(
                    "Error on line 1 position 24. The underlying parsing error is mismatched \
                     input, expecting StringLiteral. Take a look at clauses around and try to \
                     fix the query.",
                ));
            };
            if id == "*" {
                self.violation("TERMINATE TRANSACTIONS \"*\" kills what is not the client's own");
            }
            let all = self.server.registry.all();
            let meant = |entry: &&Arc<Entry>| id == "*" || entry.id.to_string() == *id;
            if id != "*" && id.parse::<u64>().is_err() {
                return Err(Error::client(&format!("'{id}' is not a valid transaction id.")));
            }
            let mut killed = false;
            for entry in all.iter().filter(meant).filter(|entry| self.may_see(entry)) {
                killed |= self.server.registry.terminate(entry.id);
            }
            rows.push(vec![v(&**id), v(killed)]);
        }
        program.fields = vec!["transaction_id".to_owned(), "killed".to_owned()];
        program.rows = Rows::Fixed(rows);
        Ok(())
    }
}

/// What a commit says that a SYNC replica has not confirmed.
pub(super) fn lagging() -> Value {
    map([
        ("severity", v("WARNING")),
        ("code", v("SyncReplicationFailure")),
        ("title", v("At least one SYNC replica has not confirmed committing last transaction.")),
        ("description", v("")),
    ])
}

/// The metadata that ends a result.
pub(super) fn summary(cursor: &Cursor, db: &str) -> Value {
    let mut meta = map([("has_more", v(false)), ("run_id", v(RUN_ID))]);
    if cursor.bare {
        return meta;
    }
    let program = &cursor.program;
    let kind = match (&program.special, program.planning) {
        (Some(Special::WhoAmI | Special::Type(_) | Special::Conflict(_)), Planning::None) => "r",
        (None, Planning::None) => program.kind(),
        // Nothing here is ever "s".
        _ => "rw",
    };
    meta.put("type", kind);
    meta.put("db", db);
    meta.put("parsing_time", 0.000_05);
    meta.put("planning_time", 0.000_1);
    meta.put("plan_execution_time", 0.000_5);
    meta.put("cost_estimate", 1.0);
    meta.put("number_of_hops", 0);
    if program.stats.iter().any(|(_, n)| *n > 0) && program.planning == Planning::None {
        let count = |key: &str| program.stats.iter().find(|(k, _)| *k == key).map_or(0, |c| c.1);
        meta.put("stats", Value::Map(COUNTERS.iter().map(|k| ((*k).into(), v(count(k)))).collect()));
    }
    if program.notify {
        let note = |severity: &str, code: &str, title: &str| {
            map([("severity", v(severity)), ("code", v(code)), ("title", v(title)), ("description", v(""))])
        };
        let notes = vec![
            note("INFO", "CreateIndex", "Created index on label L on properties p."),
            note("WARNING", "PlanHinting", "Index hints were ignored."),
        ];
        meta.put("notifications", notes);
    }
    if let Value::Map(pairs) = &mut meta {
        pairs.retain(|(key, _)| !program.summary.iter().any(|(k, _)| k == key));
        pairs.extend(program.summary.iter().cloned());
    }
    meta
}
