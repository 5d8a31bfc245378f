//! Results as an Arrow IPC stream.
//!
//! A stream that is complete ends with a marker. Without it readers take what they have for the whole, so that after a
//! failure the transfer is broken off, too.

use std::sync::Arc;

use bytes::BytesMut;

use super::{At, Closing, Encode, Ending, columns};
use crate::{
    arrow::{Declared, Stream},
    bolt::Columns,
    json::output::{RowError, Written},
    query::Error,
};

/// Writes record batches.
pub(super) struct Arrow {
    stream: Stream,
}

impl Arrow {
    pub(super) fn new(wanted: Arc<Declared>) -> Self {
        Self { stream: Stream::new(wanted) }
    }
}

impl Encode for Arrow {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        self.stream.open(out, columns::each(columns));
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], _: usize, _: usize) -> Result<Written, RowError> {
        self.stream.row(out, fields).map(|()| Written::Whole)
    }

    fn write_held(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        self.stream.finish(out)
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        if result.errors.is_empty() && self.stream.end(out).is_ok() { Ending::Complete } else { Ending::BrokenOff }
    }

    fn fail(&mut self, _: &mut BytesMut, _: &Error, _: Option<At>) -> Ending {
        Ending::BrokenOff
    }

    fn restart(&mut self) {
        self.stream.restart();
    }
}
