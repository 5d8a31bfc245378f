//! The fields of a span, written down for the lines of the log that will come within it.
//!
//! Promises the library's own forms, in which they may be extended later (`FormattedFields`).

use std::fmt::{self, Write as _};

use tracing::{
    field::{Field, Visit},
    span::Attributes,
};

use super::json_line::Members;

/// As text without colour: `request_id="a1" rows=3`.
pub(super) fn text(attributes: &Attributes<'_>) -> String {
    let mut text = String::new();
    attributes.record(&mut Text(&mut text));
    text
}

/// As a JSON object.
pub(super) fn json(attributes: &Attributes<'_>) -> String {
    let mut members = String::new();
    attributes.record(&mut Members(&mut members));
    // Each member begins with a comma.
    format!("{{{}}}", members.get(1..).unwrap_or_default())
}

struct Text<'a>(&'a mut String);

impl Text<'_> {
    fn name(&mut self, field: &Field) -> &mut String {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(field.name());
        self.0.push('=');
        self.0
    }
}

impl Visit for Text<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'));
        if is_plain {
            let text = self.name(field);
            text.reserve(value.len() + 2);
            text.push('"');
            text.push_str(value);
            text.push('"');
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.name(field), "{value:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{Id, Subscriber};
    use tracing_subscriber::{
        Layer,
        fmt::format::{DefaultFields, FormatFields, JsonFields, Writer},
        layer::{Context, SubscriberExt as _},
    };

    use super::*;

    /// Keeps the fields of spans: as this module and as the library writes them.
    #[derive(Clone, Default)]
    struct Both(Arc<Mutex<Vec<[String; 4]>>>);

    impl<S: Subscriber> Layer<S> for Both {
        fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            let (mut theirs, mut theirs_json) = (String::new(), String::new());
            DefaultFields::new().format_fields(Writer::new(&mut theirs), attributes).expect("is formatted");
            JsonFields::new().format_fields(Writer::new(&mut theirs_json), attributes).expect("is formatted");
            self.0.lock().expect("is free").push([text(attributes), theirs, json(attributes), theirs_json]);
        }
    }

    #[test]
    fn fields_look_as_the_library_writes_them() {
        let both = Both::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(both.clone()), || {
            let _ = tracing::error_span!("none");
            let _ = tracing::error_span!("plain", request_id = "a-1 ~");
            let _ = tracing::error_span!("odd", a = "\"\\", b = "line\n\u{1b}[31m", c = "ä", d = 3, e = true, f = ?"x");
        });
        let kept = both.0.lock().expect("is free");
        assert_eq!(kept.len(), 3);
        for [text, theirs, json, theirs_json] in kept.iter() {
            assert_eq!(text, theirs);
            let [json, theirs] =
                [json, theirs_json].map(|text| serde_json::from_str::<serde_json::Value>(text).expect("is JSON"));
            assert_eq!(json, theirs);
        }
    }
}
