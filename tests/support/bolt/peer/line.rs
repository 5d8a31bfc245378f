//! One connection while its script runs.
//!
//! Owns: performing steps, and saying what was expected and what came instead.
//! May not know: other connections.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::frame::{Frame, FrameReader, MAX_CHUNK, NOOP, frame_in};
use super::super::host::Transport;
use super::super::message::{self as msg, show};
use super::super::value::{Value, show_hex};
use super::STEP_PATIENCE;
use super::script::{Handshake, Step};

/// What goes wrong on one connection.
pub(super) struct Mismatch(pub String);

/// One connection while its script runs.
pub(super) struct Line {
    transport: Option<Transport>,
    frames: FrameReader,
    put_back: Option<Vec<u8>>,
    split: usize,
    chunk: usize,
}

impl Line {
    pub fn new(transport: Transport) -> Line {
        Line {
            transport: Some(transport),
            frames: FrameReader::default(),
            put_back: None,
            split: usize::MAX,
            chunk: MAX_CHUNK,
        }
    }

    fn transport(&mut self) -> Result<&mut Transport, Mismatch> {
        self.transport.as_mut().ok_or_else(|| Mismatch("the script has closed already".to_owned()))
    }

    pub async fn perform(&mut self, step: Step) -> Result<(), Mismatch> {
        match step {
            Step::Handshake(reply) => self.shake(reply).await,
            Step::ExpectOffer(offer) => {
                let found = self.exactly(offer.len()).await?;
                same_bytes(&offer, &found)
            }
            Step::Expect(pattern) => {
                let payload = self.message(&pattern.to_string()).await?;
                match pattern.matches(&payload) {
                    true => Ok(()),
                    false => Err(unexpected(&pattern.to_string(), &payload)),
                }
            }
            Step::Allow(pattern) => {
                let payload = self.message(&format!("{pattern}, or what follows")).await?;
                match pattern.matches(&payload) {
                    true => Box::pin(self.perform(Step::Allow(pattern))).await,
                    false => {
                        self.put_back = Some(payload);
                        Ok(())
                    }
                }
            }
            Step::Send(message) => {
                let bytes = frame_in(&message.encode(), self.chunk);
                self.write(&bytes).await
            }
            Step::SendRaw(bytes) => self.write(&bytes).await,
            Step::SendSplit(n) => {
                self.split = n.max(1);
                Ok(())
            }
            Step::Chunks(n) => {
                self.chunk = n;
                Ok(())
            }
            Step::Noop => self.write(&NOOP).await,
            Step::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Step::ExpectEnd => self.expect_end().await,
            Step::Close => {
                if let Some(mut transport) = self.transport.take() {
                    let _ = transport.shutdown().await;
                }
                Ok(())
            }
            Step::ResetConnection => {
                if let Some(transport) = self.transport.take() {
                    transport.reset();
                }
                Ok(())
            }
            Step::AssertNoMoreFor(time) => self.assert_silence(time).await,
        }
    }

    async fn shake(&mut self, reply: Handshake) -> Result<(), Mismatch> {
        let offer = self.exactly(20).await?;
        same_bytes(&[0x60, 0x60, 0xB0, 0x17], &offer[..4])?;
        match reply {
            Handshake::Accept(major, minor) => self.write(&[0, 0, minor, major]).await,
            Handshake::Raw(bytes) => self.write(&bytes).await,
            Handshake::Manifest { entries, choice: (major, minor) } => {
                let mut bytes = vec![0, 0, 1, 0xFF, entries.len() as u8];
                entries.iter().for_each(|entry| bytes.extend_from_slice(entry));
                bytes.push(0);
                self.write(&bytes).await?;
                let chosen = self.exactly(5).await?;
                same_bytes(&[0, 0, minor, major, 0], &chosen)
            }
        }
    }

    /// Reads `n` bytes that are in no frame.
    async fn exactly(&mut self, n: usize) -> Result<Vec<u8>, Mismatch> {
        let mut bytes = vec![0; n];
        let mut have = 0;
        while have < n {
            let read = self.transport()?.read(&mut bytes[have..]);
            let got = match tokio::time::timeout(STEP_PATIENCE, read).await {
                Ok(Ok(got)) => got,
                Ok(Err(error)) => return Err(Mismatch(format!("reading failed: {error}"))),
                Err(_) => 0,
            };
            if got == 0 {
                let came = show_hex(&bytes[..have], 64);
                return Err(Mismatch(format!("expected {n} bytes, came: {came}, then no more")));
            }
            have += got;
        }
        Ok(bytes)
    }

    /// The next message; NOOPs are skipped.
    async fn message(&mut self, expected: &str) -> Result<Vec<u8>, Mismatch> {
        if let Some(payload) = self.put_back.take() {
            return Ok(payload);
        }
        loop {
            let Some(transport) = &mut self.transport else {
                return Err(Mismatch("the script has closed already".to_owned()));
            };
            let next = self.frames.next(transport);
            match tokio::time::timeout(STEP_PATIENCE, next).await {
                Ok(Ok(Some(Frame::Message { payload, .. }))) => return Ok(payload),
                Ok(Ok(Some(Frame::Noop))) => {}
                Ok(Ok(None)) => {
                    let what = format!("expected {expected}, came: the end of the connection");
                    return Err(Mismatch(what));
                }
                Ok(Err(error)) => {
                    return Err(Mismatch(format!("expected {expected}, came: {error}")));
                }
                Err(_) => {
                    let rest = show_hex(self.frames.rest(), 64);
                    let what = format!("expected {expected}, nothing came (unfinished: {rest})");
                    return Err(Mismatch(what));
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        let split = self.split;
        let transport = self.transport()?;
        let written: io::Result<()> = async {
            for piece in bytes.chunks(split) {
                transport.write_all(piece).await?;
                transport.flush().await?;
                if split != usize::MAX {
                    // Lets the other side see each piece on its own.
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        }
        .await;
        written.map_err(|error| Mismatch(format!("sending failed: {error}")))
    }

    async fn expect_end(&mut self) -> Result<(), Mismatch> {
        loop {
            let mut bytes = [0; 4096];
            let read = self.transport()?.read(&mut bytes);
            match tokio::time::timeout(STEP_PATIENCE, read).await {
                // A reset is an end too.
                Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(n)) => self.frames.push(&bytes[..n]),
                Err(_) => return Err(Mismatch("expected the end, the client stays".to_owned())),
            }
        }
        self.only_goodbye()
    }

    /// What has been read but belongs to no step may only be GOODBYE.
    fn only_goodbye(&mut self) -> Result<(), Mismatch> {
        let put_back = self.put_back.take();
        let goodbye = |payload: &Vec<u8>| *payload == msg::goodbye().encode();
        if let Some(payload) = put_back.filter(|payload| !goodbye(payload)) {
            return Err(unexpected("the end", &payload));
        }
        while let Some(frame) = self.frames.pop() {
            if let Frame::Message { payload, .. } = frame
                && !goodbye(&payload)
            {
                return Err(unexpected("the end", &payload));
            }
        }
        match self.frames.is_empty() {
            true => Ok(()),
            false => Err(Mismatch(format!("half a message: {}", show_hex(self.frames.rest(), 64)))),
        }
    }

    async fn assert_silence(&mut self, time: Duration) -> Result<(), Mismatch> {
        let quiet = self.put_back.is_none() && self.frames.is_empty();
        let mut bytes = [0; 4096];
        let got = if quiet {
            match tokio::time::timeout(time, self.transport()?.read(&mut bytes)).await {
                Err(_) => return Ok(()),
                Ok(Ok(n)) => n,
                Ok(Err(error)) => {
                    return Err(Mismatch(format!("expected silence, came: {error}")));
                }
            }
        } else {
            0
        };
        self.frames.push(&bytes[..got]);
        let payload = self.put_back.take().or_else(|| match self.frames.pop() {
            Some(Frame::Message { payload, .. }) => Some(payload),
            _ => None,
        });
        Err(match payload {
            Some(payload) => unexpected("silence", &payload),
            None if got == 0 => Mismatch("expected silence, came: the end".to_owned()),
            None => Mismatch(format!("expected silence, came: {}", show_hex(&bytes[..got], 64))),
        })
    }

    /// What the client has sent beyond the script and is here already.
    pub async fn nothing_left(&mut self) -> Result<(), Mismatch> {
        let mut bytes = [0; 4096];
        while let Some(transport) = &mut self.transport {
            match tokio::time::timeout(Duration::from_millis(1), transport.read(&mut bytes)).await {
                Err(_) | Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(n)) => self.frames.push(&bytes[..n]),
            }
        }
        self.only_goodbye()
    }
}

fn unexpected(expected: &str, payload: &[u8]) -> Mismatch {
    let came = match Value::decode(payload) {
        Ok(message) => show(&message),
        Err(error) => format!("{error}:"),
    };
    let bytes = show_hex(payload, 64);
    Mismatch(format!("expected {expected}, came: {came} = {bytes}"))
}

fn same_bytes(expected: &[u8], found: &[u8]) -> Result<(), Mismatch> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (show_hex(expected, 64), show_hex(found, 64));
    Err(Mismatch(format!("expected {expected}, came: {found}")))
}
