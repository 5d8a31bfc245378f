//! Results as a graph: the nodes and relationships of all rows, each once, in one JSON document.
//!
//! A failure after rows is the document's last member, `errors`, and so is a limit of the graph, which then has what fits.

use bytes::{BufMut as _, BytesMut};

use super::{At, Closing, Encode, Ending, Wanted, errors, members::Members};
use crate::{
    bolt::Columns,
    json::output::{self, Elements, GraphLimits, GraphShape, RowError, Written},
    query::Error,
};

/// Writes one graph.
pub(super) struct Graph {
    wanted: Wanted,
    elements: Elements,
}

impl Graph {
    pub(super) fn new(wanted: Wanted, shape: GraphShape, limits: GraphLimits) -> Self {
        Self { wanted, elements: Elements::new(shape, limits) }
    }

    /// Writes the members that a whole graph and one that failed have in common.
    fn close<'a>(&mut self, out: &'a mut BytesMut) -> Members<'a> {
        self.elements.close(out);
        let mut members = Members::further(out);
        output::integer(members.key("rows"), i64::try_from(self.elements.rows()).unwrap_or(i64::MAX));
        members
    }
}

impl Encode for Graph {
    fn open(&mut self, out: &mut BytesMut, _: &Columns) {
        self.elements.open(out);
    }

    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, _: usize) -> Result<Written, RowError> {
        self.elements.row(out, fields, columns).map(|()| Written::Whole)
    }

    fn abandon_row(&mut self) {
        self.elements.abandon_row();
    }

    fn held(&self) -> usize {
        self.elements.held()
    }

    fn is_full(&self) -> bool {
        self.elements.is_full()
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        self.close(out).end(result, self.wanted);
        out.put_u8(b'}');
        Ending::Complete
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error, at: Option<At>) -> Ending {
        errors::write(self.close(out).key("errors"), error, self.wanted.statuses, at);
        out.put_u8(b'}');
        Ending::Complete
    }
}
