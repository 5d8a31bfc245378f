//! FakeMemgraph: its recorded bytes, its closures and traps, its transactions.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

use crate::bolt::control::{Fault, User};
use crate::bolt::fake_memgraph::{FakeMemgraph, Options};
use crate::bolt::frame::Frame;
use crate::bolt::message::*;
use crate::bolt::raw::{RawClient, Reply};
use crate::bolt::value::*;

const MOMENT: Duration = Duration::from_millis(100);
const CLOSED: &str = "FAILURE Memgraph.ExecutionException: Something went wrong while executing \
                      the query! Check the server logs for more details.";
const CLIENT: &str = "FAILURE Memgraph.ClientError.MemgraphError.MemgraphError: ";
const TRANSIENT: &str = "FAILURE Memgraph.TransientError.MemgraphError.MemgraphError: ";

fn anyone() -> Value {
    map([("scheme", v("none"))])
}

/// An extra map that defeats the cache.
fn extra<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    map(pairs).with("tx_metadata", map([]))
}

fn tagged(statement: &str) -> Value {
    run(statement, map([]), extra([]))
}

async fn client(fake: &FakeMemgraph) -> RawClient<DuplexStream> {
    RawClient::login(fake.connect(), (5, 2), anyone()).await
}

#[tokio::test]
async fn the_recorded_conversation_has_the_recorded_bytes() {
    let fake = FakeMemgraph::start().await;
    let mut client = RawClient::new(fake.connect());
    client.send_raw(&hex("6060B017 00080805 00020404 00000104 00000000")).await;
    assert_eq!(client.bytes(4).await, hex("00000205"));
    let hello = hex("0015 B101 A1 8A\"user_agent\" 86\"gw/0.1\" 0000");
    let logon = hex("002A B16A A3 86\"scheme\" 85\"basic\" 89\"principal\" 81\"u\" \
                     8B\"credentials\" 81\"p\" 0000");
    client.send_raw(&[hello, logon].concat()).await;
    let greeting = hex("005A B170A2 8D\"connection_id\" 86\"bolt-1\" 86\"server\" \
                        D039\"Neo4j/v5.11.0 compatible graph database server - Memgraph\" 0000");
    assert_eq!(client.bytes(greeting.len()).await, greeting);
    assert_eq!(client.bytes(greeting.len()).await, greeting);

    let statement = run("RETURN 1 AS x", map([]), extra([("db", v("memgraph"))]));
    client.send(&[reset(), statement, pull(-1)]).await;
    let start = hex("0003 B170A0 0000 | 000D B170A1 86\"fields\" 91 8178 0000 | 0004 B1719101 0000");
    assert_eq!(client.bytes(start.len()).await, start);
    let Reply::Message(Value::Struct { fields, .. }) = client.reply().await else { panic!() };
    let keys: Vec<&str> = fields[0].as_map().unwrap().iter().map(|(key, _)| &**key).collect();
    let sorted = [
        "cost_estimate",
        "db",
        "has_more",
        "number_of_hops",
        "parsing_time",
        "plan_execution_time",
        "planning_time",
        "run_id",
        "type",
    ];
    assert_eq!(keys, sorted);
    client.send(&[tagged("NONSENSE"), pull(-1), reset()]).await;
    assert!(client.reply().await.brief().starts_with(CLIENT));
    for payload in [hex("B07E"), hex("B170A0")] {
        let chunks = vec![payload.len()];
        assert_eq!(client.frame().await, Some(Frame::Message { payload, chunks }));
    }
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn slots_are_read_as_the_server_reads_them() {
    let none = [0; 4];
    let manifest = [0, 0, 1, 0xFF];
    let failure = "00 86 B1 7F A2 84 \"code\" D0 1B \"Memgraph.ExecutionException\" 87 \"message\" \
                   D0 57 \"Something went wrong while executing the query! Check the server logs \
                   for more details.\" 00 00";
    let cases: [([[u8; 4]; 4], &str); 11] = [
        ([manifest, [0, 8, 8, 5], [0, 2, 4, 4], [0, 0, 0, 3]], "00000205"),
        ([[0, 4, 8, 5], [0, 3, 5, 4], none, none], "00000404"),
        ([[0, 0, 0, 5], [0, 3, 0, 4], none, none], "00000004"),
        ([[0, 3, 4, 5], none, none, none], "00000205"),
        ([[0, 1, 2, 4], none, none, none], "00000104"),
        ([[0, 0, 0, 3], [0, 5, 0, 5], [7, 7, 7, 7], [0, 0, 1, 4]], "00000104"),
        ([none, [0, 0, 2, 5], none, none], failure),
        ([[0, 0, 0, 5], none, [0, 0, 2, 5], none], failure),
        ([[0, 0, 3, 5], none, none, none], failure),
        ([[0, 4, 8, 5], none, none, none], failure),
        ([none, none, none, none], failure),
    ];
    let fake = FakeMemgraph::start().await;
    for (offer, answer) in cases {
        let (mut client, mut answered) = RawClient::shake(fake.connect(), offer).await;
        let answer = hex(answer);
        answered.extend(client.bytes(answer.len() - 4).await);
        assert_eq!(show_hex(&answered, 200), show_hex(&answer, 200), "{offer:?}");
        if answer.len() > 4 {
            assert_eq!(client.reply().await, Reply::End);
        }
    }
    let old = FakeMemgraph::start_with(Options::old()).await;
    let offer = [[0, 2, 4, 4], none, none, none];
    assert_eq!(RawClient::shake(old.connect(), offer).await.1, hex("00000304"));
    assert_eq!(fake.violations(), [""; 0]);

    let mut endless = RawClient::new(fake.connect());
    endless.send_raw(&hex("6060B017 00FF0805 00000205 00000000 00000000")).await;
    assert!(!endless.ends_within(MOMENT).await, "it gets no answer at all");
    assert_eq!(fake.violations(), ["fatal: handshake slot with range byte FF"]);
}

#[tokio::test]
async fn logins_are_refused_with_the_exact_texts() {
    let fake = FakeMemgraph::start().await;
    let garbage = basic("whoever", "whatever");
    let mut open = RawClient::login(fake.connect(), (5, 2), garbage).await;
    assert_eq!(open.cell("WHOAMI", extra([]), 0).await, v(""), "nobody is asked");

    fake.control.set_user("u", User { password: "p".to_owned(), ..User::default() });
    fake.control.set_token("oidc-custom", "access_token=a", "sso");
    let refused = "FAILURE Memgraph.ClientError.Security.Unauthenticated: Authentication failure";
    let cases = [
        (basic("u", "x"), refused),
        (anyone(), refused),
        (map([("scheme", v("bearer")), ("credentials", v("t"))]), refused),
        (map([("scheme", v("oidc-custom")), ("credentials", v("b"))]), refused),
        (map([("scheme", v("oidc-custom"))]), CLOSED),
    ];
    for (auth, text) in cases {
        let mut client = RawClient::open(fake.connect(), (5, 2)).await;
        let replies = client.talk(&[hello(), logon(auth), reset()]).await;
        assert_eq!(replies, ["SUCCESS", text, "END"]);
    }
    let auth = map([("scheme", v("oidc-custom")), ("credentials", v("access_token=a"))]);
    let mut sso = RawClient::login(fake.connect(), (5, 2), auth).await;
    assert_eq!(sso.cell("WHOAMI", extra([]), 0).await, v("sso"));
    RawClient::login(fake.connect(), (4, 3), basic("u", "p")).await;

    let mut rude = RawClient::open(fake.connect(), (5, 2)).await;
    assert_eq!(rude.talk(&[logon(basic("u", "p")), reset()]).await, ["SUCCESS", "END"]);
}

/// Sends `before` one by one, then `message`: what came and whether the connection ended.
async fn tried(fake: &FakeMemgraph, before: &[Value], message: Value) -> Vec<String> {
    let mut client = client(fake).await;
    for one in before {
        client.ask(std::slice::from_ref(one)).await;
    }
    client.send(&[message]).await;
    client.briefs(2).await
}

#[tokio::test]
async fn the_whole_state_table() {
    let fake = FakeMemgraph::start().await;
    let closed = [CLOSED, "END"];
    let idle: &[Value] = &[];
    let result: &[Value] = &[tagged("ROWS 2")];
    let error: &[Value] = &[tagged("NONSENSE")];
    let route = structure(ROUTE, [map([]), list([]), map([])]);
    for message in [tagged("ROWS 1"), begin(extra([])), commit(), rollback()] {
        assert_eq!(tried(&fake, result, message).await, closed);
    }
    for message in [pull(-1), discard(-1)] {
        assert_eq!(tried(&fake, idle, message).await, closed);
    }
    for message in [hello(), logon(anyone()), telemetry(1), structure(0x0E, [])] {
        assert_eq!(tried(&fake, idle, message.clone()).await, closed);
        assert_eq!(tried(&fake, result, message).await, closed);
    }
    for message in [
        tagged("ROWS 1"),
        pull(-1),
        begin(extra([])),
        commit(),
        rollback(),
        route,
        logoff(),
        goodbye(),
        hello(),
        logon(anyone()),
        telemetry(1),
    ] {
        let mut client = client(&fake).await;
        client.ask(error).await;
        assert_eq!(client.talk(&[message, reset()]).await, ["IGNORED", "SUCCESS"]);
    }
    for state in [idle, result] {
        let mut client = client(&fake).await;
        for one in state {
            client.ask(std::slice::from_ref(one)).await;
        }
        let swap = [logoff(), hello(), logon(anyone()), reset(), goodbye()];
        assert_eq!(client.talk(&swap).await, ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "END"]);
    }
    let violations = fake.violations();
    assert_eq!(violations.len(), 4 + 2 + 8, "every closure is one: {violations:#?}");
    assert!(violations.iter().any(|what| what.contains("TELEMETRY 1 in this state")));
}

#[tokio::test]
async fn init_takes_hello_and_logon_only() {
    let fake = FakeMemgraph::start().await;
    for message in [reset(), tagged("ROWS 1"), goodbye(), logoff(), hello_with(map([]))] {
        let mut client = RawClient::open(fake.connect(), (5, 2)).await;
        assert_eq!(client.talk(&[message, hello()]).await, [CLOSED, "END"]);
    }
    for bytes in ["0000", "0002 B00F 0000 0000", "0004 B1018101 0000"] {
        let mut client = RawClient::login(fake.connect(), (5, 2), anyone()).await;
        client.send_raw(&hex(bytes)).await;
        let last = client.briefs(3).await;
        assert_eq!(last[last.len() - 2..], [CLOSED, "END"], "{bytes}");
    }
    let mut silent = client(&fake).await;
    silent.ask(&[tagged("ROWS 1")]).await;
    assert_eq!(silent.talk(&[structure(PULL, [v(1)])]).await, ["END"]);
}

#[tokio::test]
async fn qid_and_zero_are_fatal() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    client.ask(&[tagged("ROWS 3"), pull(1)]).await;
    assert_eq!(client.talk(&[pull(0)]).await, ["RECORD [2]", "SUCCESS"], "the rest is lost");
    assert_eq!(fake.violations(), ["PULL or DISCARD with n = 0"]);
    let huge = 1_i64 << 31;
    client.ask(&[tagged("ROWS 3")]).await;
    let negative = format!("{CLIENT}Invalid arguments sent: n - Cannot fetch negative number of results!");
    assert_eq!(client.talk(&[pull(huge)]).await, [negative]);
    client.ask(&[reset(), tagged("ROWS 3")]).await;
    let narrowed = client.talk(&[pull((1_i64 << 32) + 1)]).await;
    assert_eq!(narrowed, ["RECORD [1]", "SUCCESS"]);
    client.ask(&[reset(), begin(extra([]))]).await;
    client.ask(&[run_plain("ROWS 2")]).await;
    assert_eq!(client.talk(&[pull_qid(1, 0)]).await, ["RECORD [1]", "SUCCESS"]);
    let unknown = client.talk(&[pull_qid(1, 7)]).await;
    assert!(unknown[0].contains("Query with specified ID does not exist!"), "{unknown:?}");
    client.ask(&[reset(), tagged("ROWS 3")]).await;
    assert_eq!(client.talk(&[pull_qid(1, 0)]).await, ["END"]);
    assert!(fake.violations()[1].starts_with("fatal, the server process dies: qid outside"));
    assert_eq!(RawClient::new(fake.connect()).reply().await, Reply::End, "it is dead");
}

#[tokio::test]
async fn look_ahead_knows_the_end() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    let replies = client.ask(&[tagged("ROWS 3"), pull(2)]).await;
    assert_eq!(replies[3].get("has_more"), Some(&v(true)));
    assert!(replies[3].get("run_id").is_some() && replies[3].get("type").is_none());
    let end = client.ask(&[pull(1)]).await;
    assert_eq!(end[1].get("has_more"), Some(&v(false)));
    let replies = client.talk(&[tagged("FAILPULL 2 Some.Code late"), pull(2)]).await;
    assert_eq!(replies.last().unwrap(), "FAILURE Some.Code: late", "the look-ahead fails already");
}

#[tokio::test]
async fn parameters_close_or_change() {
    let fake = FakeMemgraph::start().await;
    let twice = Value::Map(vec![("a".to_owned(), v(1)), ("a".to_owned(), v(2))]);
    let day = 86_400_i64;
    let exceptions = [
        v(vec![1_u8]),
        structure(b'T', [v(1), v(0)]),
        structure(b'N', [v(1), list([]), map([]), v("1")]),
        structure(b'F', [v(1), v(1), v(1)]),
        structure(b'X', [v(7203), v(1), v(2)]),
        structure(b'X', [v(1), v(1.0), v(2.0)]),
        structure(b'Y', [v(7203), v(1.0), v(2.0), v(3.0)]),
        twice,
        Value::Uuid([0; 16]),
    ];
    let silent = [
        structure(b't', [v(-1)]),
        structure(b't', [v(day * 1_000_000_000)]),
        structure(b'D', [v(2_932_897)]),
        structure(b'd', [v(0), v(-1)]),
        structure(b'd', [v(-1), v(0)]),
        structure(b'i', [v(0), v(0), v("Z")]),
        structure(b'i', [v(0), v(0), v("europe/berlin")]),
        structure(b'I', [v(0), v(0), v(64_861)]),
    ];
    let send = |value: Value| run("RETURN $x", map([("x", value)]), extra([]));
    for value in &exceptions {
        assert_eq!(tried(&fake, &[], send(value.clone())).await, [CLOSED, "END"], "{value:?}");
    }
    for value in &silent {
        let mut client = client(&fake).await;
        assert_eq!(client.talk(&[send(value.clone())]).await, ["END"], "{value:?}");
    }
    assert_eq!(fake.violations().len(), exceptions.len() + silent.len());

    let changed = [
        (structure(b'D', [v(1_i64 << 32)]), structure(b'D', [v(0)])),
        (structure(b'd', [v(-day), v(500_000_001)]), structure(b'd', [v(-86_399), v(-500_000_000)])),
        (structure(b'I', [v(-1), v(500_000_000), v(61)]), structure(b'I', [v(0), v(-500_000_000), v(60)])),
        (structure(b'i', [v(1), v(0), v("UTC")]), structure(b'i', [v(1), v(0), v("Etc/UTC")])),
        (structure(b'E', [v(1), v(0), v(0), v(0)]), structure(b'E', [v(0), v(30), v(37_746), v(0)])),
        (structure(b'E', [v(0), v(0), v(-2), v(500_000_000)]), structure(b'E', [v(0), v(0), v(-1), v(-500_000_000)])),
        (map([("b", v(1)), ("a", v(2))]), map([("a", v(2)), ("b", v(1))])),
        (structure(b'Y', [v(9757), v(1.0), v(2.0), v(3.0)]), structure(b'Y', [v(9157), v(1.0), v(2.0), v(3.0)])),
    ];
    let mut client = client(&fake).await;
    for (sent, back) in changed {
        let replies = client.ask(&[send(sent), pull(-1)]).await;
        assert_eq!(replies[1].field(), Some(&list([back])));
    }
    let mut old = RawClient::login(fake.connect(), (4, 3), anyone()).await;
    let node = structure(b'N', [v(1), list([]), map([])]);
    let refused = old.talk(&[send(node), reset()]).await;
    assert!(refused[0].contains("Unsupported conversion from Value"), "{refused:?}");
    let legacy = structure(b'F', [v(1), v(1000), v(60)]);
    assert_eq!(old.ask(&[send(legacy.clone()), pull(-1)]).await[1].field(), Some(&list([legacy])));
}

/// `principal, imp_user, db` as in force.
async fn identity(client: &mut RawClient<DuplexStream>, extra: Value) -> [Value; 3] {
    let rows = client.rows("WHOAMI", extra).await;
    [rows[0][0].clone(), rows[0][1].clone(), rows[0][2].clone()]
}

#[tokio::test]
async fn the_cache_runs_statements_in_the_wrong_place_and_as_the_wrong_user() {
    let fake = FakeMemgraph::start_with(Options::default().with_databases(["a", "b"])).await;
    let user = |home: Option<&str>, admin| User {
        password: "p".to_owned(),
        home: home.map(str::to_owned),
        admin,
        ..User::default()
    };
    fake.control.set_user("u", user(None, true));
    fake.control.set_user("v", user(Some("b"), false));
    let log_in = || RawClient::login(fake.connect(), (5, 2), basic("u", "p"));
    let db = |name: &str| map([("db", v(name))]);
    let unknown = format!("{TRANSIENT}Tried to retrieve an unknown database \"bad\".");

    let mut c = log_in().await;
    assert_eq!(identity(&mut c, db("a")).await[2], v("a"));
    assert_eq!(c.talk(&[run("WHOAMI", map([]), db("bad")), reset()]).await, [&*unknown, "SUCCESS"]);
    assert_eq!(identity(&mut c, db("a")).await[2], v("memgraph"), "not a");
    assert_eq!(identity(&mut c, extra([("db", v("a"))])).await[2], v("a"), "defeated");

    let mut c = log_in().await;
    identity(&mut c, map([])).await;
    let leak = map([("imp_user", v("v")), ("db", v("bad"))]);
    c.talk(&[run("WHOAMI", map([]), leak), reset()]).await;
    assert_eq!(identity(&mut c, map([])).await, [v("u"), v("v"), v("b")], "runs as v");
    assert_eq!(identity(&mut c, extra([])).await, [v("u"), Value::Null, v("memgraph")]);

    let mut c = log_in().await;
    identity(&mut c, db("a")).await;
    c.talk(&[logoff(), logon(basic("v", "p"))]).await;
    assert_eq!(identity(&mut c, db("a")).await[2], v("b"), "the new user's own");

    let violations = fake.violations();
    assert_eq!(violations.len(), 8, "one for each bare extra: {violations:#?}");
    assert!(violations[0].contains("no list or map"), "{violations:?}");
    let mut other = RawClient::login(fake.connect(), (5, 2), basic("v", "p")).await;
    let as_u = run("WHOAMI", map([]), extra([("imp_user", v("u"))]));
    let null = run("WHOAMI", map([]), extra([("db", Value::Null)]));
    let refused = other.talk(&[as_u, reset(), null]).await;
    assert!(refused[0].contains("Failed to impersonate user 'u'"), "{refused:?}");
    assert_eq!(refused[2], format!("{CLIENT}Malformed config input."));
}

/// The frames up to the reply of a PULL, with the chunk lengths of each.
async fn pulled<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> Vec<(Vec<u8>, Vec<usize>)> {
    let mut all = Vec::new();
    loop {
        let Some(Frame::Message { payload, chunks }) = client.frame().await else {
            return all;
        };
        let last = chunks.iter().try_fold(0, |at, len| {
            let summary = matches!(payload[at..], [0xB1, 0x70 | 0x7F, 0xA0..=0xAF, ..]);
            if summary { Err(()) } else { Ok(at + len) }
        });
        all.push((payload, chunks));
        if last.is_err() {
            return all;
        }
    }
}

#[tokio::test]
async fn records_are_cut_and_late_failures_are_glued() {
    let fake = FakeMemgraph::start().await;
    let mut c = client(&fake).await;
    c.ask(&[tagged("ROWS 100 WIDE 4000")]).await;
    c.send(&[pull(-1)]).await;
    let frames = pulled(&mut c).await;
    assert_eq!(frames.len(), 101);
    let cut: Vec<_> = frames.iter().filter(|(_, chunks)| chunks.len() == 2).collect();
    assert_eq!(cut.len(), 6, "400 KB fill the buffer six times");
    assert!(frames.iter().all(|(payload, _)| Value::decode(payload).is_ok()));

    fake.control.answer("LATE", crate::bolt::control::Answer::rows(&["pad"], [vec![v("x".repeat(300_000))]]));
    c.ask(&[tagged("LATE")]).await;
    c.send(&[pull(-1)]).await;
    let frames = pulled(&mut c).await;
    assert_eq!(frames[0].1[..4], [65_535; 4], "a long record takes full chunks");

    let late = |n: u32| format!("FAILPULL {n} Memgraph.TransientError.X.Y late");
    // So many that the buffer was last written out inside a record, not between two.
    c.ask(&[tagged(&late(15_000))]).await;
    c.send(&[pull(-1)]).await;
    let frames = pulled(&mut c).await;
    let (payload, chunks) = frames.last().unwrap();
    assert!(payload.starts_with(&[0xB1, 0x71]), "a record begins the message");
    let failure = &payload[payload.len() - chunks.last().unwrap()..];
    assert!(failure.starts_with(&hex("B17F A2 84 \"code\"")), "a chunk of it is the FAILURE");
    assert_eq!(Value::decode(failure).unwrap(), crate::bolt::message::failure("Memgraph.TransientError.X.Y", "late",));
    assert!(frames.len() < 15_000, "what was not written is dropped");
    assert_eq!(c.talk(&[pull(-1), reset()]).await, ["IGNORED", "SUCCESS"], "still in sync");

    let fixed = FakeMemgraph::start_with(Options::newest()).await;
    let mut c = client(&fixed).await;
    c.ask(&[tagged(&late(15_000))]).await;
    let replies = c.ask(&[pull(-1)]).await;
    assert_eq!(replies.last().unwrap().brief(), "FAILURE Memgraph.TransientError.X.Y: late");
    assert!(replies[..replies.len() - 1].iter().all(|r| r.brief().starts_with("RECORD")));
}

#[tokio::test]
async fn acks_are_deferred_until_the_input_is_exhausted() {
    for (options, early) in [(Options::default(), true), (Options::newest(), false)] {
        let fake = FakeMemgraph::start_with(options).await;
        let mut c = client(&fake).await;
        c.send(&[tagged("SLEEP 3600000"), pull(-1)]).await;
        fake.control.wait_for("a running statement", |counts| counts.running == 1).await;
        match early {
            true => assert_eq!(c.briefs(1).await, ["SUCCESS"]),
            false => assert!(!c.ends_within(MOMENT).await, "the reply to RUN waits"),
        }
    }
}

#[tokio::test]
async fn reset_waits_and_termination_comes_from_elsewhere() {
    let fake = FakeMemgraph::start().await;
    let mut victim = client(&fake).await;
    let tag = extra([]).with("tx_timeout", 60_000);
    let tag = Value::Map(tag.as_map().unwrap().iter().filter(|(key, _)| key != "tx_metadata").cloned().collect());
    let tag = tag.with("tx_metadata", map([("gw", v("42"))]));
    victim.send(&[run("SLEEP 3600000", map([]), tag), pull(-1), reset()]).await;
    assert_eq!(victim.briefs(1).await, ["SUCCESS"]);
    fake.control.wait_for("a running statement", |counts| counts.running == 1).await;
    assert!(!victim.ends_within(MOMENT).await, "RESET is not answered");

    let mut other = client(&fake).await;
    let replies = other.ask(&[tagged("SHOW TRANSACTIONS"), pull(-1)]).await;
    let columns = replies[0].get("fields").unwrap().as_list().unwrap().to_vec();
    let at = |name: &str| columns.iter().position(|column| *column == v(name)).unwrap();
    let rows: Vec<Vec<Value>> =
        replies[1..replies.len() - 1].iter().map(|reply| reply.field().unwrap().as_list().unwrap().to_vec()).collect();
    let ours = rows.iter().find(|row| row[at("metadata")].get("gw") == Some(&v("42"))).unwrap();
    let id = ours[at("transaction_id")].as_str().unwrap();
    assert_eq!(id.parse::<u64>().map(|id| id > i64::MAX as u64), Ok(true));
    assert_eq!(ours[at("query")], strings(&["SLEEP 3600000"]));
    assert!(rows.iter().any(|row| row[at("transaction_id")] == v("gc")), "background work too");

    let kill = format!("TERMINATE TRANSACTIONS \"{id}\"");
    let killed = other.rows(&kill, extra([])).await;
    assert_eq!(killed, [[v(id), v(true)]]);
    let text = format!("{TRANSIENT}Transaction was asked to abort by another user.");
    assert_eq!(victim.briefs(2).await, [&*text, "SUCCESS"]);
    let cases = [
        ("TERMINATE TRANSACTIONS \"x\"", "'x' is not a valid transaction id."),
        ("TERMINATE TRANSACTIONS $id", "parsing error"),
    ];
    for (statement, text) in cases {
        let refused = other.talk(&[tagged(statement), reset()]).await;
        assert!(refused[0].contains(text), "{refused:?}");
    }
    assert_eq!(other.rows("TERMINATE TRANSACTIONS \"77\"", extra([])).await[0][1], v(false));
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn timeouts_are_the_lower_one_or_none() {
    let options = Options { query_timeout: Duration::from_millis(30), ..Options::default() };
    let fake = FakeMemgraph::start_with(options).await;
    let mut client = client(&fake).await;
    let text = format!("{TRANSIENT}Transaction was asked to abort because of transaction timeout.");
    for timeout in [None, Some(20), Some(60_000)] {
        let extra = timeout.map_or_else(|| extra([]), |ms: i64| extra([("tx_timeout", v(ms))]));
        let replies = client.talk(&[run("SLEEP 3600000", map([]), extra), pull(-1), reset()]).await;
        assert_eq!(replies, ["SUCCESS", &text, "SUCCESS"]);
    }
    assert_eq!(fake.violations(), [""; 0]);
    client.ask(&[run("SLEEP 60", map([]), extra([("tx_timeout", v(0))])), pull(-1)]).await;
    assert!(fake.violations()[0].starts_with("tx_timeout of zero"), "it ran without any limit");
}

#[tokio::test]
async fn transactions_see_a_snapshot_and_conflict() {
    let fake = FakeMemgraph::start().await;
    let (mut a, mut b) = (client(&fake).await, client(&fake).await);
    a.ask(&[begin(extra([])), run_plain("WRITE k 1"), pull(-1)]).await;
    b.ask(&[begin(extra([]))]).await;
    let conflict = b.talk(&[run_plain("ADD k 1"), pull(-1), commit(), reset()]).await;
    assert!(conflict[1].starts_with(&format!("{TRANSIENT}Cannot resolve conflicting")));
    assert_eq!(conflict[2..], ["IGNORED", "SUCCESS"]);
    b.ask(&[begin(extra([]))]).await;
    let committed = a.ask(&[commit()]).await;
    assert_eq!(committed[0].field(), Some(&map([])), "no bookmark");
    let snapshot = b.talk(&[run_plain("READ k"), pull(-1), run_plain("ADD k 1"), pull(-1)]).await;
    assert_eq!(snapshot[1], "RECORD [null]", "as when it began");
    assert!(snapshot[4].contains("Cannot resolve conflicting transactions"), "{snapshot:?}");
    b.ask(&[reset()]).await;
    assert_eq!(b.cell("READ k", extra([]), 0).await, v(1));

    let lazy = b.ask(&[tagged("WRITE k 5")]).await;
    assert_eq!(lazy[0].brief(), "SUCCESS");
    b.ask(&[reset()]).await;
    assert_eq!(fake.store().committed("memgraph", "k"), Some(v(1)), "nothing acts before PULL");
    let stats = b.ask(&[tagged("WRITE k 5"), pull(-1)]).await;
    assert_eq!(stats[1].get("stats").unwrap().as_map().unwrap().len(), 7, "all or none");
    for attempt in 0..3 {
        let replies = b.talk(&[tagged("CONFLICT 2"), pull(-1), reset()]).await;
        assert_eq!(replies[1].contains("Cannot resolve"), attempt < 2, "{replies:?}");
    }
}

#[tokio::test]
async fn a_vanished_client_still_commits() {
    let fake = FakeMemgraph::start().await;
    let mut c = client(&fake).await;
    fake.control.on_next("PULL", Fault::Delay(MOMENT));
    c.send(&[tagged("WRITE k 1"), pull(-1)]).await;
    c.replies(1).await;
    drop(c);
    fake.control.wait_for("it is gone", |counts| counts.open == 0).await;
    assert_eq!(fake.store().committed("memgraph", "k"), Some(v(1)));
}

#[tokio::test]
async fn what_is_forbidden_in_explicit_transactions() {
    let fake = FakeMemgraph::start().await;
    let mut c = client(&fake).await;
    let cases = [
        ("CREATE INDEX ON :A(b)", "Index manipulation"),
        ("SHOW VERSION", "Version information query"),
        ("SHOW TRANSACTIONS", "Querying transaction status"),
        ("PROFILE RETURN 1", "Query profiling"),
        ("ADMIN Dropping the graph", "Dropping the graph"),
    ];
    for (statement, what) in cases {
        let replies = c.talk(&[begin(extra([])), run_plain(statement), reset()]).await;
        let text = format!("{CLIENT}{what} is not allowed in multicommand transactions. A ");
        assert!(replies[1].starts_with(&text) && replies[1].contains("particularquery"));
        assert_eq!(c.talk(&[tagged(statement), discard(-1)]).await, ["SUCCESS", "SUCCESS"]);
    }
    let nested = c.talk(&[begin(extra([])), begin(extra([])), reset(), commit(), reset()]).await;
    assert!(nested[1].ends_with("Nested transactions are not supported."));
    assert!(nested[3].ends_with("No current transaction to commit."));
    let profile = c.ask(&[tagged("PROFILE RETURN 1"), pull(-1)]).await;
    let json = profile.last().unwrap().get("profile").and_then(Value::as_str);
    assert!(json.is_some_and(|json| json.starts_with('{')), "a profile is text");
    let reading = c.talk(&[begin(extra([("mode", v("r"))])), run_plain("WRITE k"), reset()]).await;
    assert!(reading[1].contains("misaligned"), "{reading:?}");
}

#[tokio::test]
async fn session_state_leaks_as_it_does() {
    let fake = FakeMemgraph::start_with(Options::default().with_databases(["a"])).await;
    let mut c = client(&fake).await;
    let setting = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    c.ask(&[tagged(setting), pull(-1), logoff(), logon(anyone()), reset()]).await;
    let leaked = c.cell("WHOAMI", extra([]), 8).await;
    assert_eq!(leaked, strings(&["SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"]));

    let bare = c.ask(&[tagged("BEGIN"), pull(-1)]).await;
    assert_eq!(bare[1].get("type"), None);
    c.ask(&[run_plain("WRITE k"), pull(-1), reset()]).await;
    assert_eq!(fake.store().committed("memgraph", "k"), None, "RESET rolled it back");
    c.ask(&[tagged("BEGIN"), pull(-1), run_plain("WRITE k"), pull(-1)]).await;
    c.ask(&[run_plain("COMMIT"), pull(-1)]).await;
    assert_eq!(fake.store().committed("memgraph", "k"), Some(v(1)));

    let switched = [tagged("USE DATABASE a"), pull(-1), run_plain("WRITE k"), pull(-1)];
    c.ask(&switched).await;
    assert_eq!(fake.store().committed("a", "k"), None, "an extra without cache starts over");
    let prohibited = run("USE DATABASE a", map([]), extra([("db", v("memgraph"))]));
    let refused = c.talk(&[prohibited, reset()]).await;
    assert!(refused[0].contains("Database switching is prohibited"), "{refused:?}");
}

#[tokio::test]
async fn values_have_this_servers_shapes() {
    let fake = FakeMemgraph::start_with(Options::old()).await;
    let mut new = client(&fake).await;
    let mut old = RawClient::login(fake.connect(), (4, 3), anyone()).await;
    let before = new.cell("TYPE before1970", extra([]), 0).await;
    assert_eq!(before, structure(b'd', [v(0), v(-500_000_000)]));
    let point = new.cell("TYPE point3d", extra([]), 0).await;
    assert!(matches!(&point, Value::Struct { fields, .. } if fields[0] == v(9757)));
    let kind = new.cell("TYPE enum", extra([]), 0).await;
    assert_eq!(kind, map([("__type", v("mg_enum")), ("__value", v("Status::Good"))]));
    let Value::Struct { fields, .. } = new.cell("TYPE node", extra([]), 0).await else { panic!() };
    assert_eq!(fields[3], v("9"), "a decimal element id");
    let Value::Struct { fields, .. } = old.cell("TYPE node", extra([]), 0).await else { panic!() };
    assert_eq!(fields.len(), 3);
    let date_time = old.cell("TYPE datetime", extra([]), 0).await;
    assert!(matches!(date_time, Value::Struct { tag: b'F', .. }));
    let graph = new.cell("TYPE graph", extra([]), 0).await;
    let keys: Vec<&str> = graph.as_map().unwrap().iter().map(|(key, _)| &**key).collect();
    assert_eq!(keys, ["edges", "nodes"]);
    let columns = old.ask(&[tagged("SHOW TRANSACTIONS"), pull(-1)]).await;
    let four = strings(&["username", "transaction_id", "query", "metadata"]);
    assert_eq!(columns[0].get("fields"), Some(&four));
}

#[tokio::test]
async fn routing_is_for_coordinators() {
    let fake = FakeMemgraph::start().await;
    let route = || structure(ROUTE, [map([]), list([]), map([])]);
    let mut c = client(&fake).await;
    let refused = c.talk(&[route()]).await;
    let text = "You cannot fetch routing table from an instance which is not part of a cluster.";
    assert_eq!(refused, [format!("{CLIENT}{text}")]);
    let routing = Some(vec![("WRITE".to_owned(), "a:7687".to_owned())]);
    let fake = FakeMemgraph::start_with(Options { routing, ..Options::default() }).await;
    let mut c = client(&fake).await;
    let table = c.ask(&[route()]).await;
    let servers = table[0].get("rt").unwrap().get("servers").unwrap().as_list().unwrap().len();
    assert_eq!(servers, 1, "empty roles are absent");
}

#[tokio::test]
async fn a_slow_reader_blocks_its_worker() {
    let fake = FakeMemgraph::start_with(Options { workers: 1, ..Options::default() }).await;
    let (mut slow, mut other) = (client(&fake).await, client(&fake).await);
    slow.send(&[tagged("ROWS 1000 WIDE 1000"), pull(-1)]).await;
    slow.replies(1).await;
    fake.control.wait_for("the worker is taken", |counts| counts.running == 1).await;
    other.send(&[tagged("RETURN 1"), pull(-1)]).await;
    other.replies(1).await;
    assert!(!other.ends_within(MOMENT).await, "nobody else gets rows");
    let mut urgent = client(&fake).await;
    let seen = urgent.rows("SHOW TRANSACTIONS", extra([])).await;
    assert_eq!(seen.len(), 4, "three transactions and the background");
    slow.replies(1).await;
    assert_eq!(other.briefs(1).await, ["RECORD [1]", "SUCCESS"]);
}
