//! The form of a line in JSON: one flat object.
//!
//! Promises that the fields of the spans around an event, such as the id of the request, are members next to its own,
//! and that no control character gets into a line unescaped.

use std::fmt::{self, Write as _};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

/// Writes an event as `{"timestamp":…,"level":…,"target":…,"message":…,…}`. The fields of spans must be formatted as
/// JSON objects.
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut out = String::from("{\"timestamp\":\"");
        SystemTime.format_time(&mut Writer::new(&mut out))?;
        let metadata = event.metadata();
        write!(out, "\",\"level\":\"{}\",\"target\":", metadata.level())?;
        string(&mut out, metadata.target());
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && let Some(members) = fields.strip_prefix('{').and_then(|fields| fields.strip_suffix('}'))
                && !members.is_empty()
            {
                out.push(',');
                out.push_str(members);
            }
        }
        event.record(&mut Members(&mut out));
        out.push('}');
        writeln!(line, "{out}")
    }
}

/// Writes fields as further members of an object.
pub(super) struct Members<'a>(pub(super) &'a mut String);

impl Members<'_> {
    fn name(&mut self, field: &Field) -> &mut String {
        self.0.push(',');
        string(self.0, field.name());
        self.0.push(':');
        self.0
    }

    fn raw(&mut self, field: &Field, value: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.name(field), "{value}");
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.raw(field, value);
        } else {
            self.raw(field, "null");
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.raw(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.raw(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.raw(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        string(self.name(field), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        string(self.name(field), &format!("{value:?}"));
    }
}

/// Writes a string. Beyond what JSON asks for, it escapes what a terminal or a reader of lines could take for more than
/// text.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_json_without_control_characters() {
        let text = "a\"\\\n\r\t\u{0}\u{1b}[31m\u{7f}\u{9b}\u{2028}ä€😀";
        let mut out = String::new();
        string(&mut out, text);
        assert_eq!(serde_json::from_str::<String>(&out).expect("is JSON"), text);
        assert!(!out.contains(|character: char| character.is_control() || character == '\u{2028}'), "{out}");
    }
}
