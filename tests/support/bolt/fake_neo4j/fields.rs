//! The fields of requests: their types and ranges, and what parameters may hold.
//!
//! Owns: which malformed field gives which text.
//! Promises: a field that passed needs no second look.
//! May not know: states, transactions.

use super::super::message as msg;
use super::super::value::{Value, map};
use super::handshake::Caps;

/// A request whose fields are fine.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Hello(Value),
    Logon(Value),
    Logoff,
    Reset,
    Run {
        statement: String,
        parameters: Value,
        extra: Value,
    },
    Begin(Value),
    Commit,
    Rollback,
    /// `n` −1: all; `qid` −1: the last statement.
    Fetch {
        n: i64,
        qid: i64,
        discard: bool,
    },
    Route {
        routing: Value,
        db: Option<String>,
    },
    Telemetry(i64),
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bad {
    /// No such message in this version, or bytes that no reader gets over: the connection ends.
    Close,
    /// FAILURE with this text and `Request.Invalid`; the connection stays.
    Field(String),
    /// FAILURE with this text and `Request.InvalidFormat`.
    Format(String),
    /// FAILURE with this text and `DatabaseError.General.UnknownError`.
    Unknown(String),
}

fn field<T>(name: &str, what: &str) -> Result<T, Bad> {
    Err(Bad::Field(format!("Illegal value for field \"{name}\": {what}")))
}

fn in_metadata<T>(name: &str, what: &str) -> Result<T, Bad> {
    field("metadata", &format!("Illegal value for field \"{name}\": {what}"))
}

impl Request {
    /// The class name that the server's texts use.
    pub fn class(&self) -> &'static str {
        match self {
            Request::Hello(_) => "HelloMessage",
            Request::Logon(_) => "LogonMessage",
            Request::Logoff => "LogoffMessage",
            Request::Reset => "ResetMessage",
            Request::Run { .. } => "RunMessage",
            Request::Begin(_) => "BeginMessage",
            Request::Commit => "CommitMessage",
            Request::Rollback => "RollbackMessage",
            Request::Fetch { discard: false, .. } => "PullMessage",
            Request::Fetch { discard: true, .. } => "DiscardMessage",
            Request::Route { .. } => "RouteMessage",
            Request::Telemetry(_) => "TelemetryMessage",
        }
    }

    /// Answered IGNORED in a failed or interrupted session; the others end the connection there.
    pub fn ignorable(&self) -> bool {
        !matches!(self, Request::Hello(_) | Request::Logon(_) | Request::Logoff | Request::Begin(_))
    }

    pub fn read(message: &Value, caps: Caps) -> Result<Request, Bad> {
        let Value::Struct { tag, fields } = message else {
            return Err(Bad::Field("Unexpected type: Expected STRUCT".to_owned()));
        };
        let known = match *tag {
            msg::HELLO | msg::RESET | msg::RUN | msg::BEGIN | msg::COMMIT | msg::ROLLBACK => true,
            msg::PULL | msg::DISCARD => true,
            msg::LOGON | msg::LOGOFF => caps.has_logon(),
            msg::TELEMETRY => caps.at_least(5, 4),
            msg::ROUTE => caps.at_least(4, 3),
            _ => false,
        };
        if !known {
            return Err(Bad::Close);
        }
        match (*tag, fields.as_slice()) {
            (msg::HELLO, [extra]) => hello(extra, caps),
            (msg::LOGON, [auth]) => Ok(Request::Logon(logon(auth)?)),
            (msg::LOGOFF, []) => Ok(Request::Logoff),
            (msg::RESET, []) => Ok(Request::Reset),
            (msg::COMMIT, []) => Ok(Request::Commit),
            (msg::ROLLBACK, []) => Ok(Request::Rollback),
            (msg::RUN, [statement, parameters, extra]) => run(statement, parameters, extra, caps),
            (msg::BEGIN, [extra]) => Ok(Request::Begin(metadata(extra)?)),
            (msg::PULL, [meta]) => fetch(meta, false),
            (msg::DISCARD, [meta]) => fetch(meta, true),
            (msg::TELEMETRY, [Value::Int(api @ 0..=3)]) => Ok(Request::Telemetry(*api)),
            (msg::TELEMETRY, [_]) => Err(Bad::Unknown(
                "org.neo4j.packstream.error.reader.PackstreamReaderException: \
                 Unknown driver interface type"
                    .to_owned(),
            )),
            (msg::ROUTE, [routing, Value::List(_), last]) => {
                let db = if caps.at_least(4, 4) { last.get("db") } else { Some(last) };
                let db = db.and_then(Value::as_str).map(str::to_owned);
                Ok(Request::Route { routing: routing.clone(), db })
            }
            (_, fields) => Err(Bad::Format(format!(
                "Illegal struct size: Expected struct to be {} fields but got {}",
                arity(*tag),
                fields.len()
            ))),
        }
    }
}

fn arity(tag: u8) -> usize {
    match tag {
        msg::RUN | msg::ROUTE => 3,
        msg::RESET | msg::LOGOFF | msg::COMMIT | msg::ROLLBACK => 0,
        _ => 1,
    }
}

fn hello(extra: &Value, caps: Caps) -> Result<Request, Bad> {
    unique(extra)?;
    match extra.get("user_agent") {
        Some(Value::Str(_)) => {}
        None | Some(Value::Null) => return field("user_agent", "Expected value to be non-null"),
        Some(_) => return field("user_agent", "Expected string"),
    }
    if caps.at_least(5, 3) {
        match extra.get("bolt_agent") {
            Some(agent @ Value::Map(_)) if agent.get("product").is_some() => {}
            Some(Value::Map(_)) => {
                return field("bolt_agent", "Expected map to contain key: 'product'.");
            }
            _ => {
                let what = "Must be a map with string keys and string values.";
                return field("bolt_agent", what);
            }
        }
    }
    // Before 5.1 the auth token is here; a null realm kills the connection there too.
    if !caps.has_logon() {
        logon(extra)?;
    }
    Ok(Request::Hello(extra.clone()))
}

fn logon(auth: &Value) -> Result<Value, Bad> {
    match auth {
        Value::Map(_) if auth.get("realm") == Some(&Value::Null) => Err(Bad::Close),
        Value::Map(_) => Ok(auth.clone()),
        _ => field("auth", "Unexpected type: Expected MAP"),
    }
}

fn run(statement: &Value, parameters: &Value, extra: &Value, caps: Caps) -> Result<Request, Bad> {
    let Value::Str(statement) = statement else {
        return field("query", "Expected string");
    };
    if !matches!(parameters, Value::Map(_)) {
        return field("params", "Unexpected type: Expected MAP but got NONE");
    }
    unique(parameters)?;
    check_parameter(parameters, caps)?;
    Ok(Request::Run { statement: statement.clone(), parameters: parameters.clone(), extra: metadata(extra)? })
}

/// RUN and BEGIN extra.
fn metadata(extra: &Value) -> Result<Value, Bad> {
    let Value::Map(pairs) = extra else {
        return field("metadata", "Unexpected type: Expected MAP but got NONE");
    };
    unique(extra)?;
    for (key, value) in pairs.iter().filter(|(_, value)| *value != Value::Null) {
        match (key.as_str(), value) {
            ("db" | "imp_user" | "tx_type", Value::Str(_)) => {}
            ("db" | "imp_user" | "tx_type", _) => return in_metadata(key, "Expected string"),
            ("tx_timeout", Value::Int(_)) => {}
            ("tx_timeout", _) => return in_metadata(key, "Expected long"),
            ("mode", Value::Str(mode)) if mode == "r" || mode == "w" => {}
            ("mode", _) => {
                return in_metadata(key, "Expecting access mode value to be 'r' or 'w'");
            }
            ("tx_metadata", Value::Map(_)) | ("bookmarks", Value::List(_)) => {}
            ("tx_metadata", _) => return in_metadata(key, "Expected map"),
            ("bookmarks", _) => return in_metadata(key, "Expected list"),
            ("notifications_minimum_severity", value) => {
                let severity = value.as_str().map(str::to_ascii_uppercase);
                if !matches!(severity.as_deref(), Some("OFF" | "WARNING" | "INFORMATION")) {
                    let what = "Could not parse a NotificationConfig's minimum severity.";
                    return field("metadata", &format!("Illegal value for field \"{what}\""));
                }
            }
            _ => {}
        }
    }
    Ok(extra.clone())
}

fn fetch(meta: &Value, discard: bool) -> Result<Request, Bad> {
    let bad = |what: String| field("meta", &format!("Illegal value for field \"n\": {what}"));
    let n = match meta.get("n") {
        Some(Value::Int(n)) if *n == -1 || *n >= 1 => *n,
        Some(Value::Int(n)) => {
            return bad(format!("Expecting size to be at least 1, but got: {n}"));
        }
        None | Some(Value::Null) => return bad("Expected value to be non-null".to_owned()),
        Some(_) => return bad("Expected long".to_owned()),
    };
    let qid = match meta.get("qid") {
        None | Some(Value::Null) => -1,
        Some(Value::Int(qid)) => *qid,
        Some(_) => return field("meta", "Illegal value for field \"qid\": Expected long"),
    };
    Ok(Request::Fetch { n, qid, discard })
}

/// Refuses a map with the same key twice, at the top level.
fn unique(value: &Value) -> Result<(), Bad> {
    let keys = value.as_map().unwrap_or_default();
    match keys.iter().enumerate().find(|(i, (key, _))| keys[..*i].iter().any(|(k, _)| k == key)) {
        Some((_, (key, _))) => field("params", &format!("Duplicate map key: \"{key}\"")),
        None => Ok(()),
    }
}

fn check_parameter(value: &Value, caps: Caps) -> Result<(), Bad> {
    match value {
        Value::List(values) => values.iter().try_for_each(|value| check_parameter(value, caps)),
        Value::Map(pairs) => {
            unique(value)?;
            pairs.iter().try_for_each(|(_, value)| check_parameter(value, caps))
        }
        Value::Uuid(_) if !caps.at_least(6, 1) => field("params", "Unexpected type: Expected ANY but got RESERVED"),
        Value::Struct { tag, fields } => check_structure(*tag, fields, caps),
        _ => Ok(()),
    }
}

fn check_structure(tag: u8, fields: &[Value], caps: Caps) -> Result<(), Bad> {
    let int = |i: usize| fields.get(i).and_then(Value::as_int);
    let nested = |name: &str, what: String| field("params", &format!("Illegal value for field \"{name}\": {what}"));
    match tag {
        b'D' | b't' | b'd' | b'E' => Ok(()),
        // The server's reader throws where nothing catches it.
        b'T' if int(1).is_none_or(|offset| offset.abs() > 64_800) => Err(Bad::Close),
        b'T' => Ok(()),
        b'I' | b'i' if !caps.utc() => unexpected(tag),
        b'F' | b'f' if caps.utc() => unexpected(tag),
        b'I' | b'F' if int(2).is_none_or(|offset| offset.abs() > 64_800) => {
            let seconds = int(0).unwrap_or_default();
            let nanos = int(1).unwrap_or_default();
            nested("seconds", format!("Illegal epoch adjustment epoch seconds: {seconds}+{nanos}"))
        }
        b'i' | b'f' => match fields.get(2).and_then(Value::as_str) {
            Some(zone) if zone_is_known(zone) => Ok(()),
            zone => nested("tz_id", format!("Illegal zone identifier: \"{}\"", zone.unwrap_or(""))),
        },
        b'I' | b'F' => Ok(()),
        b'X' | b'Y' => match int(0) {
            Some(7203 | 4326) if tag == b'X' => Ok(()),
            Some(9157 | 4979) if tag == b'Y' => Ok(()),
            srid => {
                let srid = srid.unwrap_or_default();
                nested("crs", format!("Illegal coordinate reference system: \"{srid}\""))
            }
        },
        b'V' if caps.at_least(6, 0) => Ok(()),
        other => unexpected(other),
    }
}

fn unexpected(tag: u8) -> Result<(), Bad> {
    field("params", &format!("Unexpected struct tag: 0x{tag:02X}"))
}

/// Region names of the shape that tz databases use, offsets, `UTC`; no three-letter ones.
fn zone_is_known(zone: &str) -> bool {
    let region = |(area, city): (&str, &str)| {
        let capital = |s: &str| s.starts_with(|c: char| c.is_ascii_uppercase());
        capital(area) && capital(city) && area != "Mars"
    };
    matches!(zone, "UTC" | "Z" | "GMT")
        || zone.starts_with(['+', '-'])
        || zone.starts_with("UTC+")
        || zone.split_once('/').is_some_and(region)
}

/// An empty map: the metadata of most replies.
pub(super) fn empty() -> Value {
    map([])
}
