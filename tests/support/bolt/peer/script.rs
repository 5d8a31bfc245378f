//! What a peer is told: patterns, steps, scripts.
//!
//! May not know: sockets.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::super::message::{self as msg, show, success};
use super::super::value::{Value, map, show_hex, v};

/// What a message must look like.
pub enum Pattern {
    /// The payload, byte for byte.
    Bytes(Vec<u8>),
    /// This tag, any fields.
    Tag(u8),
    /// This message; the order of map keys does not matter.
    Message(Value),
    /// Anything for which the function is true.
    Check(String, Box<dyn Fn(&Value) -> bool + Send>),
    /// One of these.
    OneOf(Vec<Pattern>),
    Any,
}

impl Pattern {
    pub fn matches(&self, payload: &[u8]) -> bool {
        let decoded = || Value::decode(payload).ok();
        match self {
            Pattern::Any => true,
            Pattern::Bytes(bytes) => bytes == payload,
            Pattern::Tag(tag) => payload.get(1) == Some(tag),
            Pattern::Message(message) => decoded().is_some_and(|found| found.same(message)),
            Pattern::Check(_, check) => decoded().is_some_and(|found| check(&found)),
            Pattern::OneOf(patterns) => patterns.iter().any(|pattern| pattern.matches(payload)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Any => write!(f, "any message"),
            Pattern::Bytes(bytes) => match Value::decode(bytes) {
                Ok(message) => write!(f, "{} = {}", show_hex(bytes, 64), show(&message)),
                Err(_) => write!(f, "{}", show_hex(bytes, 64)),
            },
            Pattern::Tag(tag) => write!(f, "any {}", msg::name(*tag)),
            Pattern::Message(message) => write!(f, "{}", show(message)),
            Pattern::Check(what, _) => write!(f, "{what}"),
            Pattern::OneOf(patterns) => {
                let all: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
                write!(f, "one of: {}", all.join(" | "))
            }
        }
    }
}

/// How the peer answers the 20 bytes of the handshake.
#[derive(Debug, Clone)]
pub enum Handshake {
    Accept(u8, u8),
    Raw(Vec<u8>),
    /// The manifest with these entries (`00 RANGE MINOR MAJOR`), and the choice that must follow.
    Manifest {
        entries: Vec<[u8; 4]>,
        choice: (u8, u8),
    },
}

/// One thing that a script does or expects.
pub enum Step {
    Handshake(Handshake),
    /// The 20 bytes of the handshake, exactly; nothing is answered.
    ExpectOffer(Vec<u8>),
    Expect(Pattern),
    /// Any number of these, none included, before the next step's message.
    Allow(Pattern),
    Send(Value),
    SendRaw(Vec<u8>),
    /// Everything from here on is written in pieces of this number of bytes, each flushed.
    SendSplit(usize),
    /// Messages from here on are cut into chunks of this number of bytes.
    Chunks(usize),
    Noop,
    Sleep(Duration),
    /// The client must end the connection.
    ExpectEnd,
    Close,
    /// TCP RST; in memory the same as `Close`.
    ResetConnection,
    /// Nothing may come for this long. Over TCP this can hide a fault, but never reports one that is not there; where
    /// the clock is paused and all is in memory, nothing can come any more once the time has passed.
    AssertNoMoreFor(Duration),
}

/// The steps of one connection.
#[derive(Default)]
pub struct Script {
    pub(super) steps: VecDeque<Step>,
}

impl Script {
    pub fn new() -> Script {
        Script::default()
    }

    pub fn step(mut self, step: Step) -> Script {
        self.steps.push_back(step);
        self
    }

    /// Reads any offer and answers with this version.
    pub fn accept(self, major: u8, minor: u8) -> Script {
        self.step(Step::Handshake(Handshake::Accept(major, minor)))
    }

    /// The handshake, HELLO, LOGON (from 5.1) and their replies, as `server`.
    pub fn login(self, (major, minor): (u8, u8), server: &str) -> Script {
        let greeting = map([("server", v(server)), ("connection_id", v("bolt-1"))]);
        let script = self.accept(major, minor).expect_tag(msg::HELLO);
        if (major, minor) < (5, 1) {
            return script.send(success(greeting));
        }
        // The replies leave together: clients send both messages without waiting.
        script.expect_tag(msg::LOGON).send(success(greeting)).send(success(map([])))
    }

    pub fn expect(self, message: Value) -> Script {
        self.step(Step::Expect(Pattern::Message(message)))
    }

    /// The payload of one message, byte for byte.
    pub fn expect_bytes(self, payload: Vec<u8>) -> Script {
        self.step(Step::Expect(Pattern::Bytes(payload)))
    }

    pub fn expect_tag(self, tag: u8) -> Script {
        self.step(Step::Expect(Pattern::Tag(tag)))
    }

    pub fn expect_any(self) -> Script {
        self.step(Step::Expect(Pattern::Any))
    }

    pub fn expect_that(self, what: &str, check: impl Fn(&Value) -> bool + Send + 'static) -> Script {
        self.step(Step::Expect(Pattern::Check(what.to_owned(), Box::new(check))))
    }

    pub fn allow(self, message: Value) -> Script {
        self.step(Step::Allow(Pattern::Message(message)))
    }

    pub fn send(self, message: Value) -> Script {
        self.step(Step::Send(message))
    }

    pub fn send_raw(self, bytes: Vec<u8>) -> Script {
        self.step(Step::SendRaw(bytes))
    }

    pub fn close(self) -> Script {
        self.step(Step::Close)
    }
}
