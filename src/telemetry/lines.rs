//! The lines of the log in the format of the moment.
//!
//! Owns the change of the format while the gateway runs. A line is written in the new format even if its span began
//! under the old one.
//!
//! Each request has a span, and most write no line. So a span's fields are written down plainly, which costs a tenth of
//! what the library's formatting takes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::{
        self, FormattedFields, MakeWriter,
        format::{DefaultFields, Format, JsonFields},
    },
    layer::Context,
    registry::LookupSpan,
};

use super::{json_line::JsonLine, span_fields};

/// Writes each event as a line.
pub(super) struct Lines<S, W> {
    pretty: fmt::Layer<S, DefaultFields, Format, W>,
    json: fmt::Layer<S, JsonFields, JsonLine, W>,
    is_json: Arc<AtomicBool>,
    colour: bool,
}

impl<S, W> Lines<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Clone + 'static,
{
    /// Writes to `writer`, as JSON while `is_json`, else as text, in colour if `colour`.
    pub(super) fn new(writer: W, colour: bool, is_json: Arc<AtomicBool>) -> Self {
        let json = fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLine).with_writer(writer.clone());
        Self { pretty: fmt::layer().with_ansi(colour).with_writer(writer), json, is_json, colour }
    }

    fn is_json(&self) -> bool {
        self.is_json.load(Ordering::Relaxed)
    }
}

impl<S, W> Layer<S> for Lines<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Clone + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let is_json = self.is_json();
        if self.colour && !is_json {
            return self.pretty.on_new_span(attributes, id, context);
        }
        let Some(span) = context.span(id) else { return };
        if is_json {
            span.extensions_mut().insert(FormattedFields::<JsonFields>::new(span_fields::json(attributes)));
        } else {
            span.extensions_mut().insert(FormattedFields::<DefaultFields>::new(span_fields::text(attributes)));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if self.is_json() {
            self.json.on_record(id, values, context);
        } else {
            self.pretty.on_record(id, values, context);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if self.is_json() {
            self.json.on_event(event, context);
        } else {
            self.pretty.on_event(event, context);
        }
    }
}
