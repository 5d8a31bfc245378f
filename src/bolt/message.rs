//! Requests: the client's messages, as bytes.

use super::{
    auth::AuthToken,
    chunk::{frame, framed_size},
    dialect::Dialect,
    packstream::{Reader, Writer},
    version::{Capabilities, Version},
};

const HELLO: u8 = 0x01;
const LOGON: u8 = 0x6A;
const GOODBYE: u8 = 0x02;
const RESET: u8 = 0x0F;
const RUN: u8 = 0x10;
const BEGIN: u8 = 0x11;
const COMMIT: u8 = 0x12;
const ROLLBACK: u8 = 0x13;
const DISCARD: u8 = 0x2F;
const PULL: u8 = 0x3F;
const LOGOFF: u8 = 0x6B;

/// The name that this client announces to databases.
const AGENT: &str = concat!("boltgate/", env!("CARGO_PKG_VERSION"));

/// What RUN (outside a transaction) and BEGIN carry in addition to the statement. Absent entries are not sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extra<'a> {
    /// The database; the user's home database when absent.
    pub database: Option<&'a str>,
    /// The user to act as (Bolt 4.4 and later).
    pub impersonated_user: Option<&'a str>,
    /// Access mode `r`.
    pub read_only: bool,
    /// Bookmarks of the transactions whose effects this one has to see.
    pub bookmarks: &'a [String],
    /// The time in milliseconds after which the server ends the transaction. More than 0.
    pub timeout_ms: Option<i64>,
    /// A PackStream map that the server shows with the running transaction.
    pub metadata: Option<&'a [u8]>,
    /// The lowest severity of notifications to send (Bolt 5.2 and later).
    pub minimum_severity: Option<&'a str>,
    /// The categories of notifications not to send (Bolt 5.2 and later). `None`: the server decides.
    pub disabled_categories: Option<&'a [&'static str]>,
    /// BEGIN only: a transaction in which statements may commit in batches (`tx_type` IMPLICIT).
    pub implicit: bool,
}

/// The properties of the connection that messages depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) capabilities: &'a Capabilities,
    pub(super) dialect: &'a Dialect,
    /// Identifies the connection, for dialects that end statements by tag.
    pub(super) tag: &'a str,
}

/// The key of the tag in a transaction's metadata.
pub(super) const TAG_KEY: &str = "boltgate";

impl Extra<'_> {
    fn write(&self, out: &mut Vec<u8>, session: Session<'_>) {
        let Session { capabilities, dialect, tag } = session;
        let mut pairs = Pairs::new(out);
        if let Some(database) = self.database {
            pairs.string("db", database);
        }
        if let Some(user) = self.impersonated_user {
            pairs.string("imp_user", user);
        }
        if self.read_only {
            pairs.string("mode", "r");
        }
        // An empty list is enough for `Dialect::always_configure`.
        let bookmarks: &[String] = if dialect.bookmarks { self.bookmarks } else { &[] };
        if !bookmarks.is_empty() || dialect.always_configure {
            pairs.list("bookmarks", bookmarks.iter().map(String::as_str));
        }
        if let Some(timeout) = self.timeout_ms {
            pairs.next("tx_timeout").integer(timeout);
        }
        if dialect.ends_by_tag {
            tagged(&mut pairs.next("tx_metadata"), self.metadata, tag);
        } else if let Some(metadata) = self.metadata {
            pairs.next("tx_metadata").raw(metadata);
        }
        if capabilities.notification_filter {
            if let Some(severity) = self.minimum_severity {
                pairs.string("notifications_minimum_severity", severity);
            }
            if let Some(categories) = self.disabled_categories {
                let key = if capabilities.classifications {
                    "notifications_disabled_classifications"
                } else {
                    "notifications_disabled_categories"
                };
                pairs.list(key, categories.iter().copied());
            }
        }
        if self.implicit {
            pairs.string("tx_type", "IMPLICIT");
        }
        pairs.close();
    }
}

/// Writes the caller's metadata, preceded by the connection's tag.
fn tagged(writer: &mut Writer<'_>, metadata: Option<&[u8]>, tag: &str) {
    let mut reader = Reader::new(metadata.unwrap_or(&[0xA0]));
    let pairs = reader.expect_map().unwrap_or(0);
    writer.map(pairs + 1);
    writer.string(TAG_KEY);
    writer.string(tag);
    writer.raw(reader.rest());
}

/// A small map, whose pairs are counted as they are written.
struct Pairs<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    count: usize,
}

impl<'a> Pairs<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        let start = super::packstream::open_collection(out);
        Self { out, start, count: 0 }
    }

    fn next(&mut self, key: &str) -> Writer<'_> {
        self.count += 1;
        let mut writer = Writer::new(self.out);
        writer.string(key);
        writer
    }

    fn string(&mut self, key: &str, value: &str) {
        self.next(key).string(value);
    }

    fn list<'v>(&mut self, key: &str, values: impl ExactSizeIterator<Item = &'v str>) {
        let mut writer = self.next(key);
        writer.list(values.len());
        for value in values {
            writer.string(value);
        }
    }

    fn close(self) {
        super::packstream::close_collection(self.out, self.start, self.count, true);
    }
}

pub(super) fn hello(out: &mut Vec<u8>, version: Version, auth: &AuthToken) {
    let capabilities = Capabilities::of(version);
    message(out, HELLO, 1, |out| {
        let mut pairs = Pairs::new(out);
        pairs.string("user_agent", AGENT);
        if capabilities.bolt_agent {
            let mut writer = pairs.next("bolt_agent");
            writer.map(1);
            writer.string("product");
            writer.string(AGENT);
        }
        if capabilities.patch_utc {
            pairs.list("patch_bolt", ["utc"].into_iter());
        }
        if !capabilities.logon {
            for (key, value) in auth.entries() {
                pairs.string(key, value);
            }
        }
        pairs.close();
    });
}

pub(super) fn logon(out: &mut Vec<u8>, auth: &AuthToken) {
    message(out, LOGON, 1, |out| {
        let mut writer = Writer::new(out);
        writer.map(auth.entries().count());
        auth.write_pairs(&mut writer);
    });
}

/// The size in bytes from which the buffer is grown before a message is written: growing by doubling would need three
/// times as much memory in between.
const LARGE: usize = 64 * 1024;

pub(super) fn run(out: &mut Vec<u8>, statement: &str, parameters: &[u8], extra: Option<(&Extra<'_>, Session<'_>)>) {
    let large = statement.len() + parameters.len();
    if large > LARGE {
        out.reserve(framed_size(large) + LARGE);
    }
    message(out, RUN, 3, |out| {
        let mut writer = Writer::new(out);
        writer.string(statement);
        writer.raw(parameters);
        match extra {
            Some((extra, session)) => extra.write(out, session),
            None => Writer::new(out).map(0),
        }
    });
}

pub(super) fn begin(out: &mut Vec<u8>, extra: &Extra<'_>, session: Session<'_>) {
    message(out, BEGIN, 1, |out| extra.write(out, session));
}

/// Writes a PULL of at most `rows` rows. It has no `qid`, which crashes Memgraph, because one result is open at a time.
pub(super) fn pull(out: &mut Vec<u8>, rows: i64) {
    counted(out, PULL, rows);
}

/// Writes a DISCARD of all remaining rows.
pub(super) fn discard(out: &mut Vec<u8>) {
    counted(out, DISCARD, -1);
}

fn counted(out: &mut Vec<u8>, tag: u8, rows: i64) {
    message(out, tag, 1, |out| {
        let mut writer = Writer::new(out);
        writer.map(1);
        writer.string("n");
        writer.integer(rows);
    });
}

pub(super) fn commit(out: &mut Vec<u8>) {
    message(out, COMMIT, 0, |_| {});
}

pub(super) fn rollback(out: &mut Vec<u8>) {
    message(out, ROLLBACK, 0, |_| {});
}

pub(super) fn reset(out: &mut Vec<u8>) {
    message(out, RESET, 0, |_| {});
}

pub(super) fn logoff(out: &mut Vec<u8>) {
    message(out, LOGOFF, 0, |_| {});
}

pub(super) fn goodbye(out: &mut Vec<u8>) {
    message(out, GOODBYE, 0, |_| {});
}

fn message(out: &mut Vec<u8>, tag: u8, fields: u8, write: impl FnOnce(&mut Vec<u8>)) {
    frame(out, |out| {
        Writer::new(out).structure(tag, fields);
        write(out);
    });
}

#[cfg(test)]
mod tests {
    use super::{super::dialect, *};

    const TAG: &str = "t1";

    fn session<'a>(capabilities: &'a Capabilities, dialect: &'a Dialect) -> Session<'a> {
        Session { capabilities, dialect, tag: TAG }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn bytes(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        hex(&out)
    }

    /// Vectors that were replayed against a stub server of the Neo4j drivers' test kit.
    #[test]
    fn fixed_messages_are_byte_exact() {
        assert_eq!(bytes(reset), "0002B00F0000");
        assert_eq!(bytes(goodbye), "0002B0020000");
        assert_eq!(bytes(commit), "0002B0120000");
        assert_eq!(bytes(rollback), "0002B0130000");
        assert_eq!(bytes(logoff), "0002B06B0000");
        assert_eq!(bytes(|out| pull(out, 1000)), "0008B13FA1816EC903E80000");
        assert_eq!(bytes(discard), "0006B12FA1816EFF0000");
    }

    #[test]
    fn logins_are_byte_exact() {
        assert_eq!(
            bytes(|out| logon(out, &AuthToken::basic("u", "p"))),
            "002AB16AA386736368656D65856261736963897072696E636970616C81758B63726564656E7469616C7381700000"
        );
        assert_eq!(
            bytes(|out| logon(out, &AuthToken::bearer("tok"))),
            "0021B16AA286736368656D65866265617265728B63726564656E7469616C7383746F6B0000"
        );
    }

    #[test]
    fn a_statement_outside_a_transaction_is_byte_exact() {
        let extra = Extra { database: Some("neo4j"), ..Extra::default() };
        let capabilities = Capabilities::of(Version::new(5, 8));
        assert_eq!(
            bytes(|out| run(
                out,
                "RETURN $x",
                &[0xA1, 0x81, b'x', 1],
                Some((&extra, session(&capabilities, &dialect::NEO4J)))
            )),
            "001AB3108952455455524E202478A1817801A1826462856E656F346A0000"
        );
        let extra = Extra { database: Some("memgraph"), ..Extra::default() };
        assert_eq!(
            bytes(|out| run(out, "RETURN 1", &[0xA0], Some((&extra, session(&capabilities, &dialect::STRICT))))),
            "0024B3108852455455524E2031A0A2826462886D656D677261706889626F6F6B6D61726B73900000"
        );
    }

    #[test]
    fn a_begin_omits_absent_entries() {
        let capabilities = Capabilities::of(Version::new(5, 0));
        let bookmarks = ["bm1".to_owned()];
        let extra = Extra {
            database: Some("neo4j"),
            impersonated_user: Some("bob"),
            read_only: true,
            bookmarks: &bookmarks,
            timeout_ms: Some(5000),
            minimum_severity: Some("WARNING"),
            ..Extra::default()
        };
        assert_eq!(
            bytes(|out| begin(out, &extra, session(&capabilities, &dialect::NEO4J))),
            "003DB111A5826462856E656F346A88696D705F7573657283626F62846D6F6465817289626F6F6B6D61726B739183626D31\
             8A74785F74696D656F7574C913880000"
        );
    }

    #[test]
    fn a_tag_joins_the_callers_metadata() {
        let capabilities = Capabilities::of(Version::new(5, 2));
        let extra = Extra { metadata: Some(&[0xA1, 0x81, b'a', 1]), ..Extra::default() };
        let mut out = Vec::new();
        begin(&mut out, &extra, session(&capabilities, &dialect::MEMGRAPH));
        let text = String::from_utf8_lossy(&out);
        let expected = [&b"tx_metadata\xA2\x88boltgate\x82t1\x81a\x01"[..]].concat();
        assert!(out.windows(expected.len()).any(|window| window == expected), "{text}");
    }

    #[test]
    fn hello_depends_on_the_version() {
        let hello_of = |major, minor| {
            let mut out = Vec::new();
            hello(&mut out, Version::new(major, minor), &AuthToken::basic("u", "p"));
            String::from_utf8_lossy(&out).into_owned()
        };
        assert!(hello_of(4, 4).contains("patch_bolt") && hello_of(4, 4).contains("credentials"));
        assert!(!hello_of(4, 1).contains("patch_bolt"));
        assert!(hello_of(5, 0).contains("credentials") && !hello_of(5, 1).contains("credentials"));
        assert!(!hello_of(5, 2).contains("bolt_agent") && hello_of(5, 3).contains("bolt_agent"));
    }
}
