//! One result as an Arrow IPC stream: the schema, batches, and the marker at its end.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use bytes::{BufMut as _, BytesMut, buf::Writer as ByteWriter};

use super::{
    build::{Builder, Gauge},
    declared::Declared,
    misfit::{Misfit, Refused, Why},
    sample::Sample,
    types::{Column, Type, Unit},
};
use crate::json::output::{
    RowError, distinct_names,
    parts::{begin, end},
};

/// The most rows of a batch, and about the most bytes of its values.
const MOST_ROWS: usize = 8192;
const ENOUGH: usize = 1024 * 1024;
/// The most bytes of the first batch, which is the sample. A larger sample is divided: few bytes of a record can say much.
const TOO_MUCH: usize = 16 * ENOUGH;

/// Writes the rows of one result. Bytes appear in the output whenever a batch is complete.
pub struct Stream {
    wanted: Arc<Declared>,
    stage: Stage,
}

enum Stage {
    /// No result was opened.
    Closed,
    /// The types of the columns are not decided yet.
    Sampling(Box<Sample>),
    Writing(Box<Batches>),
    /// The request asks for something that the result does not have.
    Refused(String),
}

impl Stream {
    /// A stream whose schema is as the request wants it.
    #[must_use]
    pub fn new(wanted: Arc<Declared>) -> Self {
        Self { wanted, stage: Stage::Closed }
    }

    /// Opens a result with columns of these names. A name that occurs twice gets a number.
    pub fn open<'a>(&mut self, out: &mut BytesMut, names: impl Iterator<Item = &'a str>) {
        let names = distinct_names(names);
        let mut lacking: Vec<_> = self.wanted.columns.keys().filter(|name| !names.contains(name)).collect();
        lacking.sort();
        if let Some(name) = lacking.first() {
            let all = names.join(", ");
            self.stage = Stage::Refused(format!(
                "arrow.columns declares the column \"{name}\", but the result has no such column; it has: {all}."
            ));
            return;
        }
        let sample = Box::new(Sample::new(names, &self.wanted));
        let is_complete = sample.is_complete();
        self.stage = Stage::Sampling(sample);
        if is_complete && let Err(error) = self.decide(out, false) {
            self.stage = Stage::Refused(error.to_string());
        }
    }

    /// Takes a row: its list of fields in PackStream.
    ///
    /// # Errors
    /// When it cannot be shown, or does not fit the schema. No further row may follow.
    #[inline]
    pub fn row(&mut self, out: &mut BytesMut, fields: &[u8]) -> Result<(), RowError> {
        match &mut self.stage {
            Stage::Writing(batches) => batches.row(out, fields),
            Stage::Sampling(sample) => {
                sample.add(fields)?;
                if sample.is_complete() { self.decide(out, false) } else { Ok(()) }
            }
            Stage::Refused(reason) => Err(RowError::DoesNotFit(reason.clone())),
            Stage::Closed => Ok(()),
        }
    }

    /// Writes the rows that have not been written yet: there are no others.
    ///
    /// # Errors
    /// As [`Self::row`].
    pub fn finish(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        match &mut self.stage {
            Stage::Sampling(_) => self.decide(out, true),
            Stage::Writing(batches) => batches.flush(out),
            Stage::Refused(reason) => Err(RowError::DoesNotFit(reason.clone())),
            Stage::Closed => Ok(()),
        }
    }

    /// Writes the marker by which readers know that the stream is complete.
    ///
    /// # Errors
    /// When the stream was not finished before.
    pub fn end(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        match &mut self.stage {
            Stage::Writing(batches) => batches.end(out),
            _ => Err(RowError::DoesNotFit("The Arrow stream has no schema.".to_owned())),
        }
    }

    /// Forgets the result, for another attempt.
    pub fn restart(&mut self) {
        self.stage = Stage::Closed;
    }

    /// Decides the types of the columns, and writes the schema and the sample.
    fn decide(&mut self, out: &mut BytesMut, ended: bool) -> Result<(), RowError> {
        let Stage::Sampling(sample) = std::mem::replace(&mut self.stage, Stage::Closed) else { return Ok(()) };
        let mut batches = Box::new(Batches::new(out, &sample, ended).map_err(broken)?);
        let written = batches.sample(out, &sample);
        self.stage = Stage::Writing(batches);
        written
    }
}

/// The batches of a stream whose schema is known.
struct Batches {
    schema: SchemaRef,
    columns: Vec<Building>,
    writer: StreamWriter<ByteWriter<BytesMut>>,
    gauge: Gauge,
    /// The rows of the batch so far.
    rows: usize,
    /// The rows of all batches, this one included.
    row: u64,
    sampled: usize,
}

/// A column that is being built.
struct Building {
    name: String,
    column: Column,
    is_declared: bool,
    builder: Builder,
}

impl Batches {
    fn new(out: &mut BytesMut, sample: &Sample, ended: bool) -> Result<Self, ArrowError> {
        let columns = sample.columns(ended);
        let fields: Vec<_> = columns.iter().map(|(name, column)| column.field(name)).collect();
        let schema = Arc::new(Schema::new(fields));
        let mut writer = StreamWriter::try_new(BytesMut::new().writer(), &schema)?;
        out.unsplit(writer.get_mut().get_mut().split());
        let building = |(position, (name, column)): (usize, (String, Column))| Building {
            builder: Builder::new(&column),
            is_declared: sample.is_declared(position),
            name,
            column,
        };
        Ok(Self {
            schema,
            columns: columns.into_iter().enumerate().map(building).collect(),
            writer,
            gauge: Gauge::default(),
            rows: 0,
            row: 0,
            sampled: sample.len(),
        })
    }

    /// Writes the sample, as one batch if it is not far too large.
    fn sample(&mut self, out: &mut BytesMut, sample: &Sample) -> Result<(), RowError> {
        for fields in sample.rows() {
            self.append(fields)?;
            if self.gauge.bytes() >= TOO_MUCH {
                self.flush(out)?;
            }
        }
        self.flush(out)
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8]) -> Result<(), RowError> {
        self.append(fields)?;
        if self.rows >= MOST_ROWS || self.gauge.bytes() >= ENOUGH { self.flush(out) } else { Ok(()) }
    }

    fn append(&mut self, fields: &[u8]) -> Result<(), RowError> {
        let mut reader = begin(fields, self.columns.len())?;
        self.row += 1;
        self.gauge.begin_row();
        for column in &mut self.columns {
            match column.builder.append(&mut reader, fields, &mut self.gauge) {
                Ok(()) => {}
                Err(Refused::Row(error)) => return Err(error),
                Err(Refused::Misfit(misfit)) => {
                    return Err(RowError::DoesNotFit(column.misfit(misfit, self.row, self.sampled)));
                }
            }
        }
        end(&reader)?;
        self.rows += 1;
        Ok(())
    }

    /// Writes the batch, unless it is empty.
    fn flush(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        if self.rows == 0 {
            return Ok(());
        }
        let arrays = self.columns.iter_mut().zip(self.schema.fields());
        let arrays = arrays.map(|(column, field)| column.builder.finish(field.data_type())).collect::<Result<_, _>>();
        let batch = arrays.and_then(|arrays| RecordBatch::try_new(Arc::clone(&self.schema), arrays)).map_err(broken)?;
        (self.rows, self.gauge) = (0, Gauge::default());
        self.write(out, |writer| writer.write(&batch))
    }

    fn end(&mut self, out: &mut BytesMut) -> Result<(), RowError> {
        self.write(out, StreamWriter::finish)
    }

    /// Has the writer write to the end of `out`.
    fn write(
        &mut self,
        out: &mut BytesMut,
        write: impl FnOnce(&mut StreamWriter<ByteWriter<BytesMut>>) -> Result<(), ArrowError>,
    ) -> Result<(), RowError> {
        std::mem::swap(self.writer.get_mut().get_mut(), out);
        let written = write(&mut self.writer);
        std::mem::swap(self.writer.get_mut().get_mut(), out);
        written.map_err(broken)
    }
}

impl Building {
    /// Says which value does not fit, and what to do.
    fn misfit(&self, Misfit { found, why }: Misfit, row: u64, sampled: usize) -> String {
        let Self { name, column: Column { kind, cypher }, is_declared, .. } = self;
        let decided = if *is_declared {
            "as the request declares".to_owned()
        } else {
            format!("as its first {sampled} rows say")
        };
        let instead = match (why, kind) {
            (Why::TooFine, Type::Timestamp { unit: Unit::Micro, .. }) => "timestamp[ns]",
            _ => "json",
        };
        let (reason, or_sample) =
            (why.text(), if *is_declared { "" } else { ", decide from more rows (arrow.sample)" });
        format!(
            "Column \"{name}\" is {kind} ({cypher}), {decided}, but row {row} has a value of type {found}{reason}. Declare \
             the column (\"arrow\": {{\"columns\": {{\"{name}\": \"{instead}\"}}}}){or_sample}, or convert the value in the \
             statement."
        )
    }
}

fn broken(error: ArrowError) -> RowError {
    RowError::DoesNotFit(format!("The Arrow stream cannot be written: {error}"))
}
