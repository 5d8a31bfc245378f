//! The lines of the log in the format of the moment.
//!
//! Owns the change of the format while the gateway runs. A line is written in the new format even if its span began
//! under the old one.

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
        format::{Format, Json, JsonFields},
    },
    layer::Context,
    registry::LookupSpan,
};

type JsonLayer<S, W> = fmt::Layer<S, JsonFields, Format<Json>, W>;

/// Writes each event as a line.
pub(super) struct Lines<S, W> {
    pretty: fmt::Layer<S, fmt::format::DefaultFields, Format, W>,
    json: JsonLayer<S, W>,
    is_json: Arc<AtomicBool>,
}

impl<S, W> Lines<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Clone + 'static,
{
    /// Writes to `writer`, as JSON while `is_json`, else as text, in colour if `colour`.
    pub(super) fn new(writer: W, colour: bool, is_json: Arc<AtomicBool>) -> Self {
        let json = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer.clone());
        Self { pretty: fmt::layer().with_ansi(colour).with_writer(writer), json, is_json }
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
        if self.is_json() {
            self.json.on_new_span(attributes, id, context);
        } else {
            self.pretty.on_new_span(attributes, id, context);
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
        if !self.is_json() {
            return self.pretty.on_event(event, context);
        }
        // JSON relies on the fields of every span, which those that began as text do not have.
        for span in context.event_scope(event).into_iter().flatten() {
            let mut extensions = span.extensions_mut();
            if extensions.get_mut::<FormattedFields<JsonFields>>().is_none() {
                extensions.insert(FormattedFields::<JsonFields>::new("{}".to_owned()));
            }
        }
        self.json.on_event(event, context);
    }
}
