//! A request body, read line by line as it arrives.

use std::time::Duration;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use thiserror::Error as ThisError;
use tokio::time::timeout;

use crate::{
    http::{
        body_memory::{Hold, Sender},
        coded,
    },
    query::Error,
    unpack::{Coding, UnpackError, Unpacker},
};

/// The lines of a body. Blank lines are counted, but skipped.
pub(super) struct Lines {
    body: Body,
    /// Unpacks the body, if it has a content coding.
    unpacker: Option<Unpacker>,
    buffer: BytesMut,
    /// The part of the buffer that is known to have no end of a line.
    searched: usize,
    ended: bool,
    number: u64,
    /// The longest line allowed, in bytes.
    max_line: usize,
    /// The longest time between two parts of the body.
    max_silence: Duration,
    /// The memory taken for the buffer, the unpacker and `held`.
    hold: Hold,
    /// The size of the rows that were made from earlier lines and are still needed, in bytes.
    held: usize,
}

/// Why the next line cannot be read.
#[derive(Debug, PartialEq, Eq, ThisError)]
pub(super) enum LineError {
    /// The line is longer than allowed.
    #[error("the line is longer than {0} bytes (limits.line)")]
    TooLong(usize),
    /// The client sent nothing for too long.
    #[error("no part of the request body arrived within {0:?} (server.body_timeout)")]
    Silent(Duration),
    /// The client went away or violated HTTP.
    #[error("the request body broke off")]
    Broken,
    /// The body is not what its content coding says.
    #[error("the request body cannot be unpacked: {0}")]
    Packed(UnpackError),
    /// There is no memory for the line.
    #[error("{}", .0.message)]
    Refused(Error),
}

impl Lines {
    pub(super) fn new(body: Body, max_line: usize, max_silence: Duration, hold: Hold) -> Self {
        let buffer = BytesMut::new();
        let unpacker = None;
        Self { body, unpacker, buffer, searched: 0, ended: false, number: 0, max_line, max_silence, hold, held: 0 }
    }

    /// Unpacks the body from now on.
    ///
    /// # Errors
    /// When there is no memory for that.
    pub(super) async fn unpack(&mut self, coding: Coding, sender: &impl Sender) -> Result<(), Error> {
        self.unpacker = Some(coded::start(coding, &mut self.hold, sender).await?);
        Ok(())
    }

    /// Sets the size of the rows that were made from earlier lines and are still needed, in bytes.
    pub(super) fn set_held(&mut self, held: usize) {
        self.held = held;
    }

    /// The number of the line that was read last, or failed. Lines count from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line that is not blank, without its line feed; `None` at the end of the body.
    pub(super) async fn next(&mut self, sender: &impl Sender) -> Result<Option<Bytes>, LineError> {
        loop {
            let Some(line) = self.line(sender).await? else { return Ok(None) };
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    async fn line(&mut self, sender: &impl Sender) -> Result<Option<Bytes>, LineError> {
        self.number += 1;
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let end = memchr::memchr(b'\n', unsearched).map(|at| self.searched + at);
            self.searched = self.buffer.len();
            if end.unwrap_or(self.buffer.len()) > self.max_line {
                return Err(LineError::TooLong(self.max_line));
            }
            if let Some(end) = end {
                self.searched = 0;
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(end);
                return Ok(Some(line.freeze()));
            }
            if self.ended {
                self.searched = 0;
                return Ok((!self.buffer.is_empty()).then(|| self.buffer.split().freeze()));
            }
            self.fill(sender).await?;
        }
    }

    /// Adds to the buffer what has arrived: in steps, if it has to be unpacked.
    async fn fill(&mut self, sender: &impl Sender) -> Result<(), LineError> {
        if let Some(unpacker) = self.unpacker.as_mut().filter(|unpacker| !unpacker.is_hungry()) {
            self.hold.shrink(self.buffer.len() + self.held + unpacker.memory());
            // On the heap, since few bodies are packed.
            let step = coded::step(unpacker, &mut self.buffer, usize::MAX, self.held, &mut self.hold, sender);
            return Box::pin(step).await.map_err(|failure| match failure {
                coded::Failure::Refused(error) => LineError::Refused(error),
                coded::Failure::Invalid(error) => LineError::Packed(error),
            });
        }
        match timeout(self.max_silence, self.body.frame()).await {
            Err(_) => Err(LineError::Silent(self.max_silence)),
            Ok(None) => {
                self.ended = true;
                self.unpacker.as_mut().map_or(Ok(()), Unpacker::end).map_err(LineError::Packed)
            }
            Ok(Some(Err(_))) => Err(LineError::Broken),
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { return Ok(()) };
                if let Some(unpacker) = &mut self.unpacker {
                    unpacker.feed(data);
                } else {
                    let needed = self.buffer.len() + data.len() + self.held;
                    self.hold.shrink(needed);
                    self.hold.reserve(needed, sender).await.map_err(LineError::Refused)?;
                    self.buffer.extend_from_slice(&data);
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use futures_util::stream;

    use super::*;
    use crate::http::body_memory::{BodyMemory, Unverified};

    fn hold() -> Hold {
        Hold::new(&Arc::new(BodyMemory::new(1 << 20)))
    }

    fn lines(pieces: &'static [&'static str]) -> Lines {
        let pieces = stream::iter(pieces.iter().map(|piece| Ok::<_, Infallible>(Bytes::from(*piece))));
        Lines::new(Body::from_stream(pieces), 8, Duration::from_secs(1), hold())
    }

    #[tokio::test]
    async fn lines_are_complete_however_they_arrive() {
        let mut lines = lines(&["one", "\ntw", "o\r\n\n", "  \nthree", "3", "\nend"]);
        let mut found = Vec::new();
        while let Some(line) = lines.next(&Unverified).await.unwrap() {
            found.push((lines.number(), String::from_utf8(line.trim_ascii().to_vec()).unwrap()));
        }
        let expected = [(1, "one"), (2, "two"), (5, "three3"), (6, "end")];
        assert_eq!(found, expected.map(|(number, text)| (number, text.to_owned())));
        assert_eq!(lines.next(&Unverified).await, Ok(None));
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused() {
        for pieces in [["12345678\n", "123456789\n"], ["12345678\n", "123456789012"]] {
            let pieces = stream::iter(pieces.map(|piece| Ok::<_, Infallible>(Bytes::from(piece))));
            let mut lines = Lines::new(Body::from_stream(pieces), 8, Duration::from_secs(1), hold());
            assert!(lines.next(&Unverified).await.unwrap().is_some());
            assert_eq!(lines.next(&Unverified).await, Err(LineError::TooLong(8)));
            assert_eq!(lines.number(), 2);
        }
    }

    #[tokio::test]
    async fn lines_are_unpacked_in_steps_that_the_longest_line_bounds() {
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            std::io::Write::write_all(&mut encoder, text).unwrap();
            Bytes::from(encoder.finish().unwrap())
        };
        let read = async |packed: Bytes| {
            let pieces = stream::iter([Ok::<_, Infallible>(packed.slice(..10)), Ok(packed.slice(10..))]);
            let mut lines = Lines::new(Body::from_stream(pieces), 8, Duration::from_secs(1), hold());
            lines.unpack(Coding::Gzip, &Unverified).await.unwrap();
            let (mut count, mut longest) = (0, 0);
            let end = loop {
                match lines.next(&Unverified).await {
                    Ok(Some(_)) => count += 1,
                    end => break end,
                }
                longest = longest.max(lines.buffer.len());
            };
            (count, longest, end)
        };
        let many = gzip(&b"a line\n".repeat(1_000_000));
        let (count, longest, end) = read(many.clone()).await;
        assert_eq!((count, end), (1_000_000, Ok(None)));
        assert!(longest < 100_000, "{longest}");
        let (.., end) = read(gzip(&[b' '; 10_000_000])).await;
        assert_eq!(end, Err(LineError::TooLong(8)));
        let (.., end) = read(many.slice(..many.len() - 1)).await;
        assert_eq!(end, Err(LineError::Packed(UnpackError::CutOff("gzip"))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_given_up() {
        let silent = stream::pending::<Result<Bytes, Infallible>>();
        let mut lines = Lines::new(Body::from_stream(silent), 8, Duration::from_secs(1), hold());
        assert_eq!(lines.next(&Unverified).await, Err(LineError::Silent(Duration::from_secs(1))));
    }
}
