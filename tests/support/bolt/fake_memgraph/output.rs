//! The output buffer: messages are collected and written when it is full or flushed, so a record
//! may be cut into two chunks anywhere.
//!
//! Owns: chunk headers, cutting, what is dropped on failure.
//! May not know: sockets, what a message means.

/// Bytes of the buffer, headers and end markers included: one full chunk with its header.
const CAPACITY: usize = 65_537;

#[derive(Debug, Default)]
pub(super) struct Output {
    buffer: Vec<u8>,
    /// Where the open chunk's header is.
    chunk: Option<usize>,
    /// The message being written has already been written out in part.
    cut: bool,
    /// Where the end of a message is whose beginning has been written out.
    first_end: Option<usize>,
    /// Where the replies to the current request begin; older ones are never dropped.
    mark: usize,
    /// To be written to the socket now.
    ready: Vec<u8>,
}

impl Output {
    /// What follows answers the next request.
    pub fn begin_request(&mut self) {
        self.mark = self.buffer.len();
    }

    /// Adds one message.
    pub fn message(&mut self, payload: &[u8]) {
        let mut rest = payload;
        while !rest.is_empty() {
            if self.chunk.is_none() {
                if self.buffer.len() + 3 > CAPACITY {
                    self.spill();
                }
                self.chunk = Some(self.buffer.len());
                self.buffer.extend_from_slice(&[0, 0]);
            }
            let room = CAPACITY - self.buffer.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.buffer.extend_from_slice(now);
            rest = later;
            if self.buffer.len() == CAPACITY {
                self.close_chunk();
                self.spill();
                self.cut = true;
            }
        }
        self.close_chunk();
        if self.buffer.len() + 2 > CAPACITY {
            self.spill();
            self.cut = true;
        }
        self.buffer.extend_from_slice(&[0, 0]);
        if std::mem::take(&mut self.cut) {
            self.first_end = Some(self.buffer.len());
        }
    }

    fn close_chunk(&mut self) {
        if let Some(at) = self.chunk.take() {
            let len = (self.buffer.len() - at - 2) as u16;
            self.buffer[at..at + 2].copy_from_slice(&len.to_be_bytes());
        }
    }

    fn spill(&mut self) {
        self.ready.append(&mut self.buffer);
        self.first_end = None;
        self.mark = 0;
    }

    /// Drops what has not been written out. `glued`: the rest of a cut record too.
    pub fn fail(&mut self, glued: bool) {
        let whole = if glued { 0 } else { self.first_end.unwrap_or(0) };
        self.buffer.truncate(whole.max(self.mark));
        self.first_end = None;
    }

    /// Everything so far is to be written.
    pub fn flush(&mut self) {
        self.spill();
    }

    /// Takes what is to be written now.
    pub fn take_ready(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }
}
