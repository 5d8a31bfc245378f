//! The shapes of replies, by version.
//!
//! Owns: FAILURE before and after 5.7, summaries, statuses and notifications with their filter.
//! May not know: sessions, sockets.

use super::super::directive::{Planning, Program};
use super::super::message::{self as msg, success};
use super::super::value::{Value, list, map, strings, structure, v};
use super::handshake::Caps;

/// What a FAILURE says, before it takes the shape of a version.
#[derive(Debug, Clone)]
pub(super) struct Error {
    pub code: String,
    pub message: String,
    gql_status: &'static str,
    description: String,
}

pub(super) const REQUEST_INVALID: &str = "Neo.ClientError.Request.Invalid";

impl Error {
    pub fn new(code: &str, message: impl Into<String>) -> Error {
        let message = message.into();
        let (gql_status, description) = match code {
            REQUEST_INVALID | "Neo.ClientError.Request.InvalidFormat" => {
                ("08N06", "error: connection exception - protocol error. General network protocol error.".to_owned())
            }
            "Neo.ClientError.Security.Unauthorized" => (
                "42NFF",
                "error: syntax error or access rule violation - permission/access denied. Access \
                 denied, see the security logs for details."
                    .to_owned(),
            ),
            "Neo.ClientError.Transaction.Terminated"
            | "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration" => (
                "25N14",
                format!(
                    "error: invalid transaction state - transaction termination client error. {}",
                    message.trim_end()
                ),
            ),
            "Neo.ClientError.Statement.SyntaxError"
            | "Neo.ClientError.Statement.ParameterMissing"
            | "Neo.ClientError.Database.DatabaseNotFound" => {
                ("42001", "error: syntax error or access rule violation - invalid syntax".to_owned())
            }
            "Neo.TransientError.Request.NoThreadsAvailable" => (
                "51N59",
                "error: system configuration or operation exception - internal resource \
                 exhaustion. The DBMS is unable to handle the request, please retry later or \
                 contact the system operator. More information is present in the logs."
                    .to_owned(),
            ),
            _ => ("50N42", format!("error: general processing exception - unexpected error. {message}")),
        };
        Error { code: code.to_owned(), message, gql_status, description }
    }

    pub fn gql(self, gql_status: &'static str, description: &str) -> Error {
        Error { gql_status, description: description.to_owned(), ..self }
    }

    fn classification(&self) -> &'static str {
        match self.code.split('.').nth(1) {
            // What the server says of this one, against its own code.
            _ if self.gql_status == "25N17" => "CLIENT_ERROR",
            Some("TransientError") => "TRANSIENT_ERROR",
            Some("DatabaseError") => "DATABASE_ERROR",
            _ => "CLIENT_ERROR",
        }
    }

    /// The FAILURE message. `gql` off: 5.26, which knows one status and no diagnostic record.
    pub fn failure(&self, caps: Caps, gql: bool) -> Value {
        if !caps.at_least(5, 7) {
            return msg::failure(&self.code, &self.message);
        }
        let mut fields = map([("neo4j_code", v(&*self.code)), ("message", v(&*self.message))]);
        if gql {
            let classification = map([("_classification", v(self.classification()))]);
            fields.put("gql_status", self.gql_status);
            fields.put("description", &*self.description);
            fields.put("diagnostic_record", classification);
        } else {
            let what = "error: general processing exception - unexpected error.";
            fields.put("gql_status", "50N42");
            fields.put("description", format!("{what} {}", self.message));
        }
        structure(msg::FAILURE, [fields])
    }
}

/// How the end of a result is described.
pub(super) struct Summary<'a> {
    pub program: &'a Program,
    pub had_rows: bool,
    pub db: &'a str,
    pub bookmark: Option<String>,
    pub filter: &'a Filter,
}

/// Which notifications the client wants.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    minimum: Option<String>,
    disabled: Option<Vec<String>>,
}

impl Filter {
    /// What `extra` says, falling back to this one.
    pub fn overridden(&self, extra: &Value, caps: Caps) -> Filter {
        if !caps.at_least(5, 2) {
            return self.clone();
        }
        let key = match caps.at_least(5, 6) {
            true => "notifications_disabled_classifications",
            false => "notifications_disabled_categories",
        };
        let texts = |value: &Value| {
            let all = value.as_list().unwrap_or_default().iter().filter_map(Value::as_str);
            all.map(str::to_ascii_uppercase).collect()
        };
        let minimum = extra.get("notifications_minimum_severity").and_then(Value::as_str);
        Filter {
            minimum: minimum.map(str::to_ascii_uppercase).or_else(|| self.minimum.clone()),
            disabled: extra.get(key).map(texts).or_else(|| self.disabled.clone()),
        }
    }

    fn lets(&self, note: &Note) -> bool {
        let loud = match self.minimum.as_deref() {
            Some("OFF") => false,
            Some("WARNING") => note.severity == "WARNING",
            _ => true,
        };
        let disabled = self.disabled.as_deref().unwrap_or_default();
        loud && !disabled.iter().any(|category| category == note.category)
    }
}

struct Note {
    code: &'static str,
    title: &'static str,
    description: &'static str,
    severity: &'static str,
    category: &'static str,
    position: Option<(i64, i64, i64)>,
    gql_status: &'static str,
    status_description: &'static str,
}

/// The notifications of the directive `NOTIFY`: one with a position, one without.
const NOTES: [Note; 2] = [
    Note {
        code: "Neo.ClientNotification.Statement.UnknownPropertyKeyWarning",
        title: "The provided property key is not in the database",
        description: "One of the property names in your query is not available in the database, \
                      make sure you didn't misspell it or that the label is available when you \
                      run this statement in your application (the missing property name is: zzz)",
        severity: "WARNING",
        category: "UNRECOGNIZED",
        position: Some((23, 1, 24)),
        gql_status: "01N52",
        status_description: "warn: property key does not exist. The property `zzz` does not \
                             exist in database `neo4j`. Verify that the spelling is correct.",
    },
    Note {
        code: "Neo.ClientNotification.Statement.CartesianProduct",
        title: "This query builds a cartesian product between disconnected patterns.",
        description: "If a part of a query contains multiple disconnected patterns, this will \
                      build a cartesian product between all those parts.",
        severity: "INFORMATION",
        category: "PERFORMANCE",
        position: None,
        gql_status: "03N90",
        status_description: "info: cartesian product. The disconnected patterns build a \
                             cartesian product.",
    },
];

impl Note {
    fn position(&self) -> Option<Value> {
        let (offset, line, column) = self.position?;
        Some(map([("offset", v(offset)), ("line", v(line)), ("column", v(column))]))
    }

    fn notification(&self) -> Value {
        let mut note = map([
            ("code", v(self.code)),
            ("title", v(self.title)),
            ("description", v(self.description)),
            ("severity", v(self.severity)),
            ("category", v(self.category)),
        ]);
        if let Some(position) = self.position() {
            note.put("position", position);
        }
        note
    }

    fn status(&self) -> Value {
        let mut record = map([("_classification", v(self.category)), ("_severity", v(self.severity))]);
        if let Some(position) = self.position() {
            record.put("_position", position);
        }
        map([
            ("diagnostic_record", record),
            ("gql_status", v(self.gql_status)),
            ("neo4j_code", v(self.code)),
            ("description", v(self.description)),
            ("status_description", v(self.status_description)),
            ("title", v(self.title)),
        ])
    }
}

impl Summary<'_> {
    /// The SUCCESS that ends a stream.
    pub fn success(&self, caps: Caps) -> Value {
        let mut meta = map([]);
        if let Some(bookmark) = &self.bookmark {
            meta.put("bookmark", &**bookmark);
        }
        if let Some(stats) = self.stats() {
            meta.put("stats", stats);
        }
        let noted = self.program.notify;
        let notes: Vec<&Note> = NOTES.iter().filter(|note| noted && self.filter.lets(note)).collect();
        if caps.at_least(5, 6) {
            meta.put("statuses", self.statuses(&notes));
        } else if !notes.is_empty() {
            let notes: Vec<Value> = notes.iter().map(|note| note.notification()).collect();
            meta.put("notifications", notes);
        }
        meta.put("type", self.program.kind());
        meta.put("t_last", 0);
        match self.program.planning {
            Planning::None => {}
            Planning::Explain => meta.put("plan", plan(false)),
            Planning::Profile => meta.put("profile", plan(true)),
        }
        meta.put("db", self.db);
        if let Value::Map(pairs) = &mut meta {
            pairs.retain(|(key, _)| !self.program.summary.iter().any(|(k, _)| k == key));
            pairs.extend(self.program.summary.iter().cloned());
        }
        success(meta)
    }

    fn stats(&self) -> Option<Value> {
        if self.program.kind() == "s" {
            let contains = ("contains-updates", v(true));
            return Some(map([contains, ("indexes-added", v(1))]));
        }
        if self.program.stats.is_empty() || self.program.planning == Planning::Explain {
            return None;
        }
        let mut stats = map([("contains-updates", v(true))]);
        self.program.stats.iter().for_each(|(key, n)| stats.put(key, *n));
        Some(stats)
    }

    fn statuses(&self, notes: &[&Note]) -> Value {
        let explained = self.program.planning == Planning::Explain;
        let (status, text) = match (self.program.fields.is_empty() || explained, self.had_rows) {
            (true, _) => ("00001", "note: successful completion - omitted result"),
            (false, true) => ("00000", "note: successful completion"),
            (false, false) => ("02000", "note: no data"),
        };
        let own = map([("gql_status", v(status)), ("status_description", v(text))]);
        // No data, warnings, success, information: in this order.
        let mut all: Vec<(u8, Value)> = vec![(if status == "02000" { 0 } else { 2 }, own)];
        for note in notes {
            let rank = if note.gql_status.starts_with("01") { 1 } else { 3 };
            all.push((rank, note.status()));
        }
        all.sort_by_key(|(rank, _)| *rank);
        Value::List(all.into_iter().map(|(_, status)| status).collect())
    }
}

/// Two operators; the leaf has no `children`.
fn plan(profiled: bool) -> Value {
    let operator = |name: &str, args: Value| {
        let mut operator = map([("args", args), ("operatorType", v(name)), ("identifiers", strings(&["`1`"]))]);
        if profiled {
            operator.put("dbHits", 0);
            operator.put("rows", 1);
            operator.put("pageCacheHits", 0);
            operator.put("pageCacheMisses", 0);
            operator.put("pageCacheHitRatio", 0.0);
        }
        operator
    };
    let leaf = operator("Projection@neo4j", map([("Id", v(1)), ("EstimatedRows", v(1.0))]));
    let args = map([("planner", v("COST")), ("runtime", v("SLOTTED")), ("Id", v(0)), ("EstimatedRows", v(1.0))]);
    operator("ProduceResults@neo4j", args).with("children", list([leaf]))
}
