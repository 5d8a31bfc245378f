//! Interpreting the server's messages: what each means, and the state in which it leaves the session.

use super::{
    super::{
        dialect::Dialect,
        error::Error,
        failure::Failure,
        packstream::{DecodeError, Reader, Token},
        recognise::is_memgraphs_summary,
        summary,
    },
    Connection, Defect, Pending, Phase, Reply,
    exchange::Step,
};

const SUCCESS: u8 = 0x70;
const RECORD: u8 = 0x71;
const IGNORED: u8 = 0x7E;
const FAILURE: u8 = 0x7F;

impl Connection {
    /// Parses the next message and advances the session.
    pub(super) fn interpret(&mut self) -> Result<Step, Error> {
        let reply = self.parse()?;
        if reply == Reply::Record {
            return match self.pending.front() {
                Some(Pending::Pull) => Ok(Step::Reply(reply)),
                _ => Err(Error::Protocol("a row without a request for it")),
            };
        }
        let request = self.pending.pop_front().ok_or(Error::Protocol("a reply without a request"))?;
        if matches!(request, Pending::Logon | Pending::Logoff) {
            self.login_answered(request, reply)?;
            return Ok(Step::Login);
        }
        match &reply {
            Reply::Success => self.succeeded(request),
            Reply::Failure(failure) => {
                if Dialect::is_memgraphs(&failure.code) {
                    self.is_memgraph();
                }
                let beyond_repair = failure.is_fatal() || request == Pending::Reset;
                self.phase = if beyond_repair { Phase::Defunct(Defect::Lost) } else { Phase::Failed };
            }
            Reply::Ignored if request == Pending::Reset && !self.pending.contains(&Pending::Reset) => {
                return Err(Error::Protocol("a RESET was ignored"));
            }
            Reply::Ignored | Reply::Record => {}
        }
        Ok(Step::Reply(reply))
    }

    fn succeeded(&mut self, request: Pending) {
        let in_transaction = matches!(self.phase, Phase::Transaction { .. });
        if self.may_be_memgraph && matches!(request, Pending::Pull | Pending::Discard) {
            self.look_for_memgraph();
        }
        self.phase = match request {
            Pending::Hello | Pending::Logon | Pending::Logoff => self.phase,
            Pending::Run if in_transaction => Phase::Transaction { open: true },
            Pending::Run => Phase::Streaming,
            Pending::Pull | Pending::Discard if self.has_more() => self.phase,
            Pending::Pull | Pending::Discard if in_transaction => Phase::Transaction { open: false },
            Pending::Begin => Phase::Transaction { open: false },
            Pending::Pull | Pending::Discard | Pending::Commit | Pending::Rollback | Pending::Reset => Phase::Ready,
        };
    }

    #[cold]
    fn look_for_memgraph(&mut self) {
        if is_memgraphs_summary(self.payload()) {
            self.is_memgraph();
        }
    }

    fn is_memgraph(&mut self) {
        self.dialect = self.recognition.is_memgraph();
        self.may_be_memgraph = false;
    }

    fn has_more(&self) -> bool {
        summary::entry(self.payload(), "has_more") == Some(&[0xC3])
    }

    fn parse(&self) -> Result<Reply, Error> {
        let message = self.inbound.message();
        match message {
            [0xB1, RECORD, ..] => Ok(self.glued_failure().map_or(Reply::Record, Reply::Failure)),
            [0xB1, SUCCESS, metadata @ ..] => {
                whole_map(metadata)?;
                Ok(Reply::Success)
            }
            [0xB1, FAILURE, metadata @ ..] => {
                whole_map(metadata)?;
                Ok(Reply::Failure(Failure::parse(metadata)?))
            }
            [0xB0, IGNORED] | [0xB1, IGNORED, ..] => Ok(Reply::Ignored),
            // It may be a row that was cut off within its first two bytes.
            _ => self.glued_failure().map(Reply::Failure).ok_or(Error::Protocol("a message of unknown kind")),
        }
    }

    /// Finds the failure at the end of a row that was cut off: Memgraph 3.1 to 3.12 send both in one message, the
    /// failure in chunks of its own.
    fn glued_failure(&self) -> Option<Failure> {
        if !self.dialect.glued_failures {
            return None;
        }
        self.inbound.tails().find_map(|tail| {
            let metadata = tail.strip_prefix(b"\xB1\x7F".as_slice())?;
            metadata.starts_with(b"\xA2\x84code").then_some(())?;
            whole_map(metadata).ok()?;
            Failure::parse(metadata).ok()
        })
    }
}

/// Checks that metadata is one map with nothing after it.
fn whole_map(metadata: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new(metadata);
    if !matches!(reader.clone().token()?, Token::Map(_)) {
        return Err(DecodeError::Framing("metadata that is not a map"));
    }
    reader.skip()?;
    if reader.rest().is_empty() { Ok(()) } else { Err(DecodeError::Framing("bytes after the end of a message")) }
}
