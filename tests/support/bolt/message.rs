//! Bolt messages as values: builders for both directions, and the names of the tags.
//!
//! Owns: tags, names, field shapes.
//! May not know: states, versions, sockets.

use super::value::{Value, map, structure, v};

pub const HELLO: u8 = 0x01;
pub const GOODBYE: u8 = 0x02;
pub const RESET: u8 = 0x0F;
pub const RUN: u8 = 0x10;
pub const BEGIN: u8 = 0x11;
pub const COMMIT: u8 = 0x12;
pub const ROLLBACK: u8 = 0x13;
pub const DISCARD: u8 = 0x2F;
pub const PULL: u8 = 0x3F;
pub const TELEMETRY: u8 = 0x54;
pub const ROUTE: u8 = 0x66;
pub const LOGON: u8 = 0x6A;
pub const LOGOFF: u8 = 0x6B;
pub const SUCCESS: u8 = 0x70;
pub const RECORD: u8 = 0x71;
pub const IGNORED: u8 = 0x7E;
pub const FAILURE: u8 = 0x7F;

/// The name of a message tag, `"?"` if there is none.
pub fn name(tag: u8) -> &'static str {
    match tag {
        HELLO => "HELLO",
        GOODBYE => "GOODBYE",
        RESET => "RESET",
        RUN => "RUN",
        BEGIN => "BEGIN",
        COMMIT => "COMMIT",
        ROLLBACK => "ROLLBACK",
        DISCARD => "DISCARD",
        PULL => "PULL",
        TELEMETRY => "TELEMETRY",
        ROUTE => "ROUTE",
        LOGON => "LOGON",
        LOGOFF => "LOGOFF",
        SUCCESS => "SUCCESS",
        RECORD => "RECORD",
        IGNORED => "IGNORED",
        FAILURE => "FAILURE",
        _ => "?",
    }
}

/// `RUN "RETURN 1" {} {}`: for failure reports.
pub fn show(message: &Value) -> String {
    match message {
        Value::Struct { tag, fields } if name(*tag) != "?" => {
            let fields: Vec<String> = fields.iter().map(show_value).collect();
            format!("{} {}", name(*tag), fields.join(" ")).trim_end().to_owned()
        }
        other => show_value(other),
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => format!("{f:?}"),
        Value::Str(s) if s.len() > 200 => format!("\"…\" ({} bytes)", s.len()),
        Value::Str(s) => format!("{s:?}"),
        Value::Bytes(b) | Value::Raw(b) => format!("#{}", super::value::show_hex(b, 32)),
        Value::Uuid(b) => format!("uuid {}", super::value::show_hex(b, 16)),
        Value::List(values) => {
            format!("[{}]", values.iter().map(show_value).collect::<Vec<_>>().join(", "))
        }
        Value::Map(pairs) => {
            let pair = |(k, value): &(String, Value)| format!("{k}: {}", show_value(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Value::Struct { tag, fields } => {
            let fields: Vec<String> = fields.iter().map(show_value).collect();
            format!("Struct {tag:02X}({})", fields.join(", "))
        }
    }
}

/// HELLO of Bolt 5.3 and later: user agent and `bolt_agent`.
pub fn hello() -> Value {
    structure(HELLO, [map([("user_agent", v("test/1")), ("bolt_agent", map([("product", v("test/1"))]))])])
}

pub fn hello_with(extra: Value) -> Value {
    structure(HELLO, [extra])
}

pub fn logon(auth: Value) -> Value {
    structure(LOGON, [auth])
}

/// An auth map of scheme `basic`.
pub fn basic(principal: &str, credentials: &str) -> Value {
    map([("scheme", v("basic")), ("principal", v(principal)), ("credentials", v(credentials))])
}

pub fn logoff() -> Value {
    structure(LOGOFF, [])
}

pub fn goodbye() -> Value {
    structure(GOODBYE, [])
}

pub fn reset() -> Value {
    structure(RESET, [])
}

pub fn run(statement: &str, parameters: Value, extra: Value) -> Value {
    structure(RUN, [v(statement), parameters, extra])
}

/// RUN with no parameters and an empty extra map.
pub fn run_plain(statement: &str) -> Value {
    run(statement, map([]), map([]))
}

pub fn begin(extra: Value) -> Value {
    structure(BEGIN, [extra])
}

pub fn commit() -> Value {
    structure(COMMIT, [])
}

pub fn rollback() -> Value {
    structure(ROLLBACK, [])
}

pub fn pull(n: i64) -> Value {
    structure(PULL, [map([("n", v(n))])])
}

pub fn pull_qid(n: i64, qid: i64) -> Value {
    structure(PULL, [map([("n", v(n)), ("qid", v(qid))])])
}

pub fn discard(n: i64) -> Value {
    structure(DISCARD, [map([("n", v(n))])])
}

pub fn telemetry(api: i64) -> Value {
    structure(TELEMETRY, [v(api)])
}

pub fn success(metadata: Value) -> Value {
    structure(SUCCESS, [metadata])
}

pub fn record<const N: usize>(values: [Value; N]) -> Value {
    structure(RECORD, [Value::List(values.into())])
}

pub fn ignored() -> Value {
    structure(IGNORED, [])
}

/// FAILURE as before Bolt 5.7, and as Memgraph sends it.
pub fn failure(code: &str, message: &str) -> Value {
    structure(FAILURE, [map([("code", v(code)), ("message", v(message))])])
}
