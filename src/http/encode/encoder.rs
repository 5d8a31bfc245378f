//! The choice between formats, made once for each answer.

use bytes::BytesMut;

#[cfg(feature = "arrow")]
use super::arrow::Arrow;
use super::{
    At, Closing, Encode, Ending, Limits, Results, Wanted, csv::Csv, document::Document, envelope::Envelope,
    graph::Graph, lines::Lines, objects::Objects, records::Records,
};
use crate::{
    bolt::{Columns, Summary},
    http::media::{Format, Layout},
    json::output::{ReplacedValues, RowError, Written},
    query::{BatchEnd, Committed, Error, MissingNode, Transaction},
};

/// The encoder of an answer. It is an enum rather than a trait object, so that no row costs a call through a pointer.
pub(super) enum Encoder {
    Document(Document),
    Lines(Lines),
    Objects(Objects),
    Csv(Csv),
    Graph(Box<Graph>),
    #[cfg(feature = "arrow")]
    Arrow(Box<Arrow>),
    Records(Records),
    Envelope(Box<Envelope>),
}

/// Evaluates an expression with the encoder of each format.
macro_rules! of_any_format {
    ($encoder:expr, $format:ident => $call:expr) => {
        match $encoder {
            Encoder::Document($format) => $call,
            Encoder::Lines($format) => $call,
            Encoder::Objects($format) => $call,
            Encoder::Csv($format) => $call,
            Encoder::Graph($format) => $call,
            #[cfg(feature = "arrow")]
            Encoder::Arrow($format) => $call,
            Encoder::Records($format) => $call,
            Encoder::Envelope($format) => $call,
        }
    };
}

impl Encoder {
    /// The encoder for `format`.
    pub(super) fn new(format: &Format, counters: bool, results: Results, limits: Limits) -> Self {
        let wanted = Wanted { view: format.view, statuses: format.statuses, counters };
        match format.layout {
            Layout::Document => Self::Document(Document::new(wanted, results)),
            Layout::Lines => Self::Lines(Lines::new(wanted)),
            Layout::Objects => Self::Objects(Objects::new(format.statuses)),
            Layout::Csv(options) => Self::Csv(Csv::new(options)),
            Layout::Graph(shape) => Self::Graph(Box::new(Graph::new(wanted, shape, limits.graph))),
            #[cfg(feature = "arrow")]
            Layout::Arrow => Self::Arrow(Box::new(Arrow::new(format.arrow.clone().unwrap_or_default()))),
            Layout::Records(form) => Self::Records(Records::new(form)),
        }
    }
}

impl Encode for Encoder {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        of_any_format!(self, format => format.open(out, columns));
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, room: usize) -> Result<Written, RowError> {
        of_any_format!(self, format => format.row(out, fields, columns, room))
    }

    fn write_held(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        of_any_format!(self, format => format.write_held(out))
    }

    fn is_torn(&self) -> bool {
        of_any_format!(self, format => format.is_torn())
    }

    fn abandon_row(&mut self) {
        of_any_format!(self, format => format.abandon_row());
    }

    fn replaced(&self) -> &ReplacedValues {
        of_any_format!(self, format => format.replaced())
    }

    fn missing(&self) -> Vec<MissingNode> {
        of_any_format!(self, format => format.missing())
    }

    fn found(&mut self, fields: &[u8]) -> Result<(), RowError> {
        of_any_format!(self, format => format.found(fields))
    }

    fn next_waiting(&mut self, out: &mut BytesMut) -> Result<bool, RowError> {
        of_any_format!(self, format => format.next_waiting(out))
    }

    #[inline]
    fn held(&self) -> usize {
        of_any_format!(self, format => format.held())
    }

    fn is_full(&self) -> bool {
        of_any_format!(self, format => format.is_full())
    }

    fn restart(&mut self) {
        of_any_format!(self, format => format.restart());
    }

    fn close(&mut self, out: &mut BytesMut, summary: &Summary) {
        of_any_format!(self, format => format.close(out, summary));
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        of_any_format!(self, format => format.end(out, result))
    }

    fn end_batch(&mut self, out: &mut BytesMut, end: &BatchEnd, attempts: u32) {
        of_any_format!(self, format => format.end_batch(out, end, attempts));
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error, at: Option<At>) -> Ending {
        of_any_format!(self, format => format.fail(out, error, at))
    }

    fn without_result(&self, out: &mut BytesMut, committed: Option<&Committed>, transaction: Option<&Transaction>) {
        of_any_format!(self, format => format.without_result(out, committed, transaction));
    }

    fn refuse(&self, out: &mut BytesMut, error: &Error, at: Option<At>) {
        of_any_format!(self, format => format.refuse(out, error, at));
    }
}
