//! The outcome of a tool, as the result that an agent is shown.

use bytes::{BufMut as _, BytesMut};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

use super::table::Table;
use crate::{
    bolt::Summary,
    http::encode::told,
    query::{Error, Kind},
};

/// What helps an agent to see the rows that were left out of the result of its own statement.
const OF_CYPHER: &str = "Raise `limit`, aggregate, or return less of each row to see what is missing.";

/// The rows of a statement of the agent's own. `counters` says whether it is told what was changed.
pub(super) fn rows_of_cypher(table: &Table, summary: Option<&Summary>, counters: bool) -> CallToolResult {
    rows(table, OF_CYPHER, |out| {
        if let Some(summary) = summary {
            told(out, summary, counters);
        }
    })
}

/// Rows, and what `more` says about them. If some are left out, the text ends with `advice`.
pub(super) fn rows(table: &Table, advice: &str, more: impl FnOnce(&mut BytesMut)) -> CallToolResult {
    let mut out = BytesMut::from(&b"{"[..]);
    table.write(&mut out);
    more(&mut out);
    out.put_u8(b'}');
    let note = table.is_cut().then(|| format!("The result was cut off after {} rows. {advice}", table.rows()));
    shown(&String::from_utf8_lossy(&out), note.as_deref())
}

/// A result: the text of a JSON object, which the agent is shown as it is and as a structure. `note` is for people, and
/// follows the text.
pub(super) fn shown(text: &str, note: Option<&str>) -> CallToolResult {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return refused(&Error::invalid(
            "A value of the result is nested deeper than 120 levels, which cannot be shown. Return its parts.",
        ));
    };
    let mut result = CallToolResult::structured(value);
    let text = note.map_or_else(|| text.to_owned(), |note| format!("{text}\n\n{note}"));
    result.content = vec![ContentBlock::text(text)];
    result
}

/// An error that the agent may be able to correct: `CODE: message`.
pub(super) fn refused(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(format!("{}: {}", error.code, message(error)))])
}

/// The message of an error without what is for the operator alone: addresses, and the words of the operating system.
fn message(error: &Error) -> &str {
    match error.kind {
        Kind::Unavailable if error.limit.is_none() => {
            "The database cannot serve this at the moment. Nothing was changed; try again later."
        }
        Kind::Gateway => "The gateway and the database do not understand each other. The gateway's log says more.",
        Kind::OutcomeUnknown => {
            "The connection to the database was lost, or it did not answer in time. It is unknown whether the statement \
             took effect: look at the data before you send it again."
        }
        _ => &error.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(result: &CallToolResult) -> String {
        result.content[0].as_text().unwrap().text.clone()
    }

    #[test]
    fn a_note_follows_the_text_alone() {
        let result = shown(r#"{"b":1,"a":2}"#, Some("A note."));
        assert_eq!(text(&result), "{\"b\":1,\"a\":2}\n\nA note.");
        assert_eq!(result.structured_content, Some(serde_json::json!({"a": 2, "b": 1})));
        assert_eq!(text(&shown("{}", None)), "{}");
    }

    #[test]
    fn what_is_too_deep_is_an_error() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(shown(&deep, None).is_error, Some(true));
    }

    #[test]
    fn no_address_is_shown() {
        let message = "cannot connect to 10.0.0.7:7687: Connection refused (os error 111)";
        for kind in [Kind::Unavailable, Kind::Gateway, Kind::OutcomeUnknown] {
            let result = refused(&Error::new(kind, "C", message));
            assert_eq!(result.is_error, Some(true));
            let text = text(&result);
            assert!(text.starts_with("C: The ") && !text.contains("10.0"), "{text}");
        }
        assert_eq!(text(&refused(&Error::new(Kind::Refused, "C", "m"))), "C: m");
    }
}
