//! The other side of a Bolt connection, for tests: a scripted peer and two behavioural fakes.
//!
//! Nothing in here uses the crate under test, so an error in its encoding or framing cannot cancel
//! itself out.
//!
//! - [`issuer::Issuer`] signs JWTs.
//! - [`peer::Peer`] plays a script, byte for byte if need be, and reports the first difference.
//! - [`raw::RawClient`] sends what it is told and shows what comes, for testing the fakes themselves
//!   and for asking a real server the same.
//! - [`fake_neo4j::FakeNeo4j`] and [`fake_memgraph::FakeMemgraph`] behave as the servers do, over
//!   TCP (`uri()`) and in memory (`connect()`); their `control` counts, waits, breaks things, and
//!   lists what a correct client never does (`violations()`).
//!
//! # The directive language
//!
//! The fakes do not know Cypher. A statement is one directive; keywords in any case, one trailing
//! semicolon allowed. `n`, `ms`, `bytes` are numbers or `$parameters`. Anything else is a syntax
//! error, unless the test registered it with `control.answer(text, rows)`.
//!
//! | statement | what happens |
//! |---|---|
//! | `RETURN item [AS name], …`, `ECHO item, …` | one row; items are literals (`1`, `-1.5`, `'text'`, `true`, `null`) or `$parameters` |
//! | `UNWIND range(1, n) AS i RETURN i` | n rows |
//! | `ROWS n` · `ROWS n WIDE bytes` | n rows: column `n` from 1, and `pad` |
//! | `WIDE bytes` | one row with a string of that number of bytes |
//! | `TYPE all` · `TYPE name` | a row of every value (or one), in the shape of the protocol version; columns `null`, `integer`, `node`, `path`, `datetime`, `vector`, … (`samples`) |
//! | `RAW hex` | one row whose only value is these bytes, valid or not |
//! | `WHOAMI` | `principal, imp_user, db, mode, tx_timeout, tx_metadata, bookmarks, connection` as in force (Memgraph adds `session`: what `SET SESSION` left, and `roles`: what the login granted) |
//! | `FAIL code message` | FAILURE of RUN |
//! | `FAILPULL n code message` | rows without end; FAILURE of PULL after n of them |
//! | `FAILCOMMIT code message` | FAILURE when the transaction commits |
//! | `CONFLICT n` | a retryable conflict the first n times this very text is run, then one row |
//! | `SLEEP ms` · `SLEEPRUN ms` | takes that long in PULL (RUN), one row; a RESET interrupts it on Neo4j, TERMINATE TRANSACTIONS on Memgraph |
//! | `WRITE key [value] [ROWS n]` | sets a key (1 by default); with n rows it writes at the first PULL |
//! | `ADD key [n] [ROWS n]` · `DELETE key` | adds to a number · removes a key |
//! | `WRITE … AFTER ms` · `ADD … AFTER ms` | the same, once it has slept that long in PULL |
//! | `READ key` | one row `value`, null if there is none |
//! | `BATCHED n key` | adds n to the key; needs an implicit transaction on Neo4j, as `CALL {…} IN TRANSACTIONS` |
//! | `STATS` · `NOTIFY` | a summary with every counter · with two notifications |
//! | `EXPLAIN …` · `PROFILE …` | the plan of the rest, in the server's own way |
//! | `ADMIN what`, `CREATE INDEX …`, `SHOW VERSION`, … | administrative: type `s` on Neo4j, forbidden in explicit transactions on Memgraph |
//!
//! Memgraph only: `SHOW TRANSACTIONS`, `TERMINATE TRANSACTIONS "id", …`, `USE DATABASE name`,
//! `SET SESSION …`, `SET NEXT …`, and `BEGIN`, `COMMIT`, `ROLLBACK` as text.
//!
//! `control.fail_statements` lets the next so many statements of a text fail, in RUN, among their rows or when they
//! commit; `control.fail_next` does so with messages. Whether a write was applied, and how often, is what `ADD key` is
//! for: each application adds one, and `store().committed(db, key)` or `READ key` says how many there were.
//!
//! Reads and writes are transactional: on Neo4j a write waits for the lock of its key and reads see
//! what is committed; on Memgraph a transaction has a snapshot and a concurrent write is a conflict.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test binary uses a part of this")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

pub mod accounts;
pub mod control;
pub mod directive;
pub mod fake_memgraph;
pub mod fake_neo4j;
pub mod frame;
pub mod host;
pub mod issuer;
pub mod message;
pub mod orders;
pub mod packstream;
pub mod peer;
pub mod raw;
pub mod samples;
pub mod store;
pub mod value;
