//! What passes between the program and a process of the engine: requests one way, replies the other.
//!
//! Each message is a frame: its length in four bytes, then PackStream values, the first of which says what it is. A
//! result takes a frame for its columns, one for each row, and one for its summary, so that neither side holds it as
//! bytes as a whole. Promises that what does not follow this form is an error. Both sides are the same program.

use std::io::{self, Read, Write};

use boltr::packstream::decode::decode_value;
use boltr::packstream::encode::{encode_bool, encode_dict, encode_int, encode_list, encode_string};
use boltr::server::{BoltRecord, ResultMetadata, ResultStream};
use boltr::types::{BoltDict, BoltValue};
use bytes::{BufMut, Bytes, BytesMut};

use crate::embedded::engine::local::Run;
use crate::embedded::errors::Failure;

/// What a process of the engine is asked to do.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Run(Run),
    Commit,
    /// To roll back the transaction.
    End,
}

/// What it replies, once for each request and once when the file is open.
#[derive(Debug)]
pub(super) enum Reply {
    Done,
    /// The statement was not run: it needs the turn to write.
    NeedsTurn,
    Result(ResultStream),
    Failed(Failure),
}

const RUN: i64 = 0;
const COMMIT: i64 = 1;
const END: i64 = 2;

const DONE: i64 = 0;
const NEEDS_TURN: i64 = 1;
const FAILED: i64 = 2;
const COLUMNS: i64 = 3;
const ROW: i64 = 4;
const SUMMARY: i64 = 5;

/// Writes a statement to run.
pub(super) fn write_run(output: impl Write, run: &Run) -> io::Result<()> {
    write_frame(output, RUN, |frame| {
        encode_string(frame, &run.text);
        encode_dict(frame, &run.parameters);
        for flag in [run.writable, run.turn, run.alone] {
            encode_bool(frame, flag);
        }
    })
}

pub(super) fn write_commit(output: impl Write) -> io::Result<()> {
    write_frame(output, COMMIT, |_| {})
}

pub(super) fn write_end(output: impl Write) -> io::Result<()> {
    write_frame(output, END, |_| {})
}

/// Reads the next request. `None` means that there will be no more.
pub(super) fn read_request(input: impl Read) -> io::Result<Option<Request>> {
    let Some((kind, mut fields)) = read_frame(input)? else {
        return Ok(None);
    };
    Ok(Some(match kind {
        RUN => Request::Run(Run {
            text: fields.string()?,
            parameters: fields.dictionary()?,
            writable: fields.boolean()?,
            turn: fields.boolean()?,
            alone: fields.boolean()?,
        }),
        COMMIT => Request::Commit,
        END => Request::End,
        _ => return Err(malformed()),
    }))
}

/// Writes a reply.
pub(super) fn write_reply(mut output: impl Write, reply: Reply) -> io::Result<()> {
    match reply {
        Reply::Done => write_frame(output, DONE, |_| {}),
        Reply::NeedsTurn => write_frame(output, NEEDS_TURN, |_| {}),
        Reply::Failed(failure) => write_frame(output, FAILED, |frame| {
            encode_string(frame, &failure.code);
            encode_string(frame, &failure.message);
        }),
        Reply::Result(result) => {
            let columns: Vec<BoltValue> = result.metadata.columns.into_iter().map(BoltValue::String).collect();
            write_frame(&mut output, COLUMNS, |frame| encode_list(frame, &columns))?;
            for record in result.records {
                write_frame(&mut output, ROW, |frame| encode_list(frame, &record.values))?;
            }
            write_frame(output, SUMMARY, |frame| encode_dict(frame, &result.summary))
        }
    }
}

/// Reads the next reply.
pub(super) fn read_reply(mut input: impl Read) -> io::Result<Reply> {
    let (kind, mut fields) = read_frame(&mut input)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(match kind {
        DONE => Reply::Done,
        NEEDS_TURN => Reply::NeedsTurn,
        FAILED => Reply::Failed(Failure { code: fields.string()?.into(), message: fields.string()? }),
        COLUMNS => Reply::Result(read_rows(input, fields.strings()?)?),
        _ => return Err(malformed()),
    })
}

fn read_rows(mut input: impl Read, columns: Vec<String>) -> io::Result<ResultStream> {
    let mut records = Vec::new();
    loop {
        let (kind, mut fields) = read_frame(&mut input)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        match kind {
            ROW => records.push(BoltRecord { values: fields.list()? }),
            SUMMARY => {
                let metadata = ResultMetadata { columns, extra: BoltDict::new() };
                return Ok(ResultStream { metadata, records, summary: fields.dictionary()? });
            }
            _ => return Err(malformed()),
        }
    }
}

fn write_frame(mut output: impl Write, kind: i64, fields: impl FnOnce(&mut BytesMut)) -> io::Result<()> {
    let mut frame = BytesMut::new();
    frame.put_u32(0);
    encode_int(&mut frame, kind);
    fields(&mut frame);
    let length = u32::try_from(frame.len() - size_of::<u32>()).map_err(|_| malformed())?;
    frame.get_mut(..size_of::<u32>()).ok_or_else(malformed)?.copy_from_slice(&length.to_be_bytes());
    output.write_all(&frame)
}

/// Returns the kind and the fields of the next frame, or `None` if the input ends before it.
fn read_frame(mut input: impl Read) -> io::Result<Option<(i64, Fields)>> {
    let mut length = [0; size_of::<u32>()];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u64::from(u32::from_be_bytes(length));
    let mut frame = Vec::new();
    if input.take(length).read_to_end(&mut frame)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut fields = Fields(frame.into());
    match fields.next()? {
        BoltValue::Integer(kind) => Ok(Some((kind, fields))),
        _ => Err(malformed()),
    }
}

/// The values of a frame that have not been read.
struct Fields(Bytes);

impl Fields {
    fn next(&mut self) -> io::Result<BoltValue> {
        decode_value(&mut self.0).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn string(&mut self) -> io::Result<String> {
        match self.next()? {
            BoltValue::String(text) => Ok(text),
            _ => Err(malformed()),
        }
    }

    fn boolean(&mut self) -> io::Result<bool> {
        match self.next()? {
            BoltValue::Boolean(value) => Ok(value),
            _ => Err(malformed()),
        }
    }

    fn dictionary(&mut self) -> io::Result<BoltDict> {
        match self.next()? {
            BoltValue::Dict(entries) => Ok(entries),
            _ => Err(malformed()),
        }
    }

    fn list(&mut self) -> io::Result<Vec<BoltValue>> {
        match self.next()? {
            BoltValue::List(items) => Ok(items),
            _ => Err(malformed()),
        }
    }

    fn strings(&mut self) -> io::Result<Vec<String>> {
        let text = |item| match item {
            BoltValue::String(text) => Ok(text),
            _ => Err(malformed()),
        };
        self.list()?.into_iter().map(text).collect()
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a message of the embedded database's engine")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replied(reply: Reply) -> Reply {
        let mut bytes = Vec::new();
        write_reply(&mut bytes, reply).unwrap();
        read_reply(bytes.as_slice()).unwrap()
    }

    #[test]
    fn requests_arrive_as_they_were_sent() {
        let run = Run {
            text: "RETURN $x".to_owned(),
            parameters: BoltDict::from([("x".to_owned(), BoltValue::List(vec![BoltValue::Float(0.5)]))]),
            writable: true,
            turn: false,
            alone: true,
        };
        let mut bytes = Vec::new();
        write_run(&mut bytes, &run).unwrap();
        write_commit(&mut bytes).unwrap();
        write_end(&mut bytes).unwrap();
        let mut input = bytes.as_slice();
        assert_eq!(read_request(&mut input).unwrap(), Some(Request::Run(run)));
        assert_eq!(read_request(&mut input).unwrap(), Some(Request::Commit));
        assert_eq!(read_request(&mut input).unwrap(), Some(Request::End));
        assert_eq!(read_request(&mut input).unwrap(), None);
    }

    #[test]
    fn replies_arrive_as_they_were_sent() {
        let failure = Failure::new("Neo.ClientError.Statement.SyntaxError", "no");
        assert!(matches!(replied(Reply::Failed(failure.clone())), Reply::Failed(arrived) if arrived == failure));
        assert!(matches!(replied(Reply::NeedsTurn), Reply::NeedsTurn));
        let rows = [vec![BoltValue::Integer(1), BoltValue::Null], vec![BoltValue::from("x"), BoltValue::Boolean(true)]];
        let result = ResultStream {
            metadata: ResultMetadata { columns: vec!["a".to_owned(), "b".to_owned()], extra: BoltDict::new() },
            records: rows.iter().map(|row| BoltRecord { values: row.clone() }).collect(),
            summary: BoltDict::from([("type".to_owned(), BoltValue::from("r"))]),
        };
        let Reply::Result(arrived) = replied(Reply::Result(result)) else { panic!("no result") };
        assert_eq!(arrived.metadata.columns, ["a", "b"]);
        assert_eq!(arrived.records.into_iter().map(|record| record.values).collect::<Vec<_>>(), rows);
        assert_eq!(arrived.summary["type"], BoltValue::from("r"));
    }

    #[test]
    fn a_reply_that_is_cut_off_or_malformed_is_an_error() {
        let mut bytes = Vec::new();
        write_reply(&mut bytes, Reply::Failed(Failure::broken())).unwrap();
        for length in 0..bytes.len() {
            assert!(read_reply(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert!(read_reply([0, 0, 0, 1, 0xc0].as_slice()).is_err());
        assert!(read_reply([0, 0, 0, 1, 99].as_slice()).is_err());
    }
}
