//! FakeNeo4j: handshake, login limits, RESET, what closes, transactions, shapes by version.

use std::time::Duration;

use tokio::io::DuplexStream;

use crate::bolt::control::{Answer, Fault, User};
use crate::bolt::fake_neo4j::{FakeNeo4j, Options};
use crate::bolt::frame::Frame;
use crate::bolt::message::*;
use crate::bolt::raw::{RawClient, Reply};
use crate::bolt::value::*;

const MANIFEST: [u8; 4] = [0, 0, 1, 0xFF];
const MOMENT: Duration = Duration::from_millis(100);
const INVALID: &str = "FAILURE Neo.ClientError.Request.Invalid: ";

fn neo4j() -> Value {
    basic("neo4j", "password")
}

async fn client(fake: &FakeNeo4j, version: (u8, u8)) -> RawClient<DuplexStream> {
    RawClient::login(fake.connect(), version, neo4j()).await
}

#[tokio::test]
async fn the_manifest_has_the_real_bytes() {
    let cases = [
        (Options::default(), "04 00040404 00040405 00020805 00010106 00"),
        (Options::neo4j_5_26(), "03 00040404 00040405 00020805 00"),
    ];
    for (options, entries) in cases {
        let fake = FakeNeo4j::start_with(options).await;
        let offer = [MANIFEST, [0, 8, 8, 5], [0, 2, 4, 4], [0, 0, 1, 4]];
        let (mut client, answer) = RawClient::shake(fake.connect(), offer).await;
        assert_eq!(answer, MANIFEST);
        assert_eq!(client.bytes(hex(entries).len()).await, hex(entries));
        client.send_raw(&hex("00000805 00")).await;
        let greeting = client.ask(&[hello()]).await;
        assert_eq!(greeting[0].get("protocol_version"), Some(&v("5.8")));
    }
}

#[tokio::test]
async fn bad_manifest_choices_end_the_connection() {
    for choice in ["00010106 00", "00000505 00", "00000106 01", "00000206 00"] {
        let fake = FakeNeo4j::start().await;
        let (mut client, _) = RawClient::shake(fake.connect(), [MANIFEST, [0; 4], [0; 4], [0; 4]]).await;
        client.bytes(18).await;
        client.send_raw(&hex(choice)).await;
        assert_eq!(client.ask(&[hello()]).await, [Reply::End], "{choice}");
    }
}

#[tokio::test]
async fn slots_are_read_as_the_server_reads_them() {
    let none = [0; 4];
    let cases: [([[u8; 4]; 4], &str); 10] = [
        ([[0, 8, 8, 5], none, none, none], "00000805"),
        ([[0, 20, 20, 5], none, none, none], "00000805"),
        ([[0, 5, 5, 5], none, none, none], "00000405"),
        ([[0, 0, 5, 5], none, none, none], "00000000"),
        ([[0, 0, 4, 4], [0, 0, 8, 5], none, none], "00000404"),
        ([none, none, [9, 1, 1, 6], none], "00000106"),
        ([[0, 0, 2, 0xFF], none, none, none], "00000000"),
        ([[0, 0xFF, 1, 0xFF], none, none, none], ""),
        ([[0, 9, 8, 5], none, none, none], ""),
        ([none, none, none, none], "00000000"),
    ];
    let fake = FakeNeo4j::start().await;
    for (offer, answer) in cases {
        let (mut client, answered) = RawClient::shake(fake.connect(), offer).await;
        assert_eq!(answered, hex(answer), "{offer:?}");
        if answer == "00000000" || answer.is_empty() {
            assert_eq!(client.reply().await, Reply::End);
        }
    }
    let mut http = RawClient::new(fake.connect());
    http.send_raw(b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(http.bytes(200).await.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn greetings_differ_by_version() {
    let fake = FakeNeo4j::start().await;
    let keys = |reply: &Reply| -> Vec<String> {
        let pairs = reply.field().and_then(Value::as_map).unwrap_or_default().to_vec();
        pairs.into_iter().map(|(key, _)| key).collect()
    };
    let mut old = RawClient::open(fake.connect(), (4, 4)).await;
    let patched = neo4j().with("patch_bolt", strings(&["utc"])).with("user_agent", "t/1");
    let greeting = old.ask(&[hello_with(patched)]).await;
    assert_eq!(keys(&greeting[0]), ["server", "connection_id", "hints", "patch_bolt"]);
    let date_time = old.cell("TYPE datetime", map([]), 0).await;
    assert!(matches!(date_time, Value::Struct { tag: b'I', .. }), "{date_time:?}");

    let mut unpatched = client(&fake, (4, 4)).await;
    let date_time = unpatched.cell("TYPE datetime", map([]), 0).await;
    assert!(matches!(date_time, Value::Struct { tag: b'F', .. }), "{date_time:?}");

    let mut new = RawClient::open(fake.connect(), (6, 1)).await;
    let replies = new.ask(&[hello(), logon(neo4j())]).await;
    assert_eq!(keys(&replies[0]), ["server", "connection_id", "hints"]);
    assert_eq!(replies[0].get("hints").unwrap().get("ssr.enabled"), Some(&v(true)));
    assert_eq!(keys(&replies[1]), ["advertised_address"]);
}

#[tokio::test]
async fn messages_before_the_login_are_small() {
    let fake = FakeNeo4j::start().await;
    let padded = |size: usize| {
        let agent = map([("product", v("t/1"))]);
        let extra = map([("user_agent", v("t/1")), ("bolt_agent", agent)]);
        let make = |n: usize| hello_with(extra.clone().with("x", "a".repeat(n)));
        let empty = make(1000).encode().len() - 1000;
        make(size - empty)
    };
    assert_eq!(padded(8192).encode().len(), 8192);
    let mut fits = RawClient::open(fake.connect(), (5, 4)).await;
    assert_eq!(fits.talk(&[padded(8192)]).await, ["SUCCESS"]);
    let mut long = RawClient::open(fake.connect(), (5, 4)).await;
    let refused = format!("{INVALID}Value of size 8193 exceeded limit of 8192");
    assert_eq!(long.talk(&[padded(8193)]).await, [refused]);
    assert!(!long.ends_within(MOMENT).await, "it stays open, out of sync");
    long.send(&[logon(neo4j())]).await;
    assert!(long.reply().await.brief().starts_with(&format!("{INVALID}Value of size")));

    let nested = |depth: usize| (0..depth).fold(v(1), |inner, _| list([inner]));
    let wide = |n: usize| v(vec![v(1); n]);
    for (value, fine) in [(wide(64), true), (wide(65), false), (nested(2), true), (nested(3), false)] {
        let mut client = RawClient::open(fake.connect(), (5, 4)).await;
        let Value::Struct { fields, .. } = hello() else { panic!() };
        let reply = client.talk(&[hello_with(fields[0].clone().with("x", value))]).await;
        assert_eq!(reply, [if fine { "SUCCESS" } else { "END" }]);
    }
    let mut inside = client(&fake, (5, 4)).await;
    let big = run("RETURN $x", map([("x", wide(10_000))]), map([]));
    assert_eq!(inside.talk(&[big]).await, ["SUCCESS"]);
}

#[tokio::test]
async fn logins_are_refused_with_the_exact_texts() {
    let fake = FakeNeo4j::start().await;
    let wrong = "The client is unauthorized due to authentication failure.";
    let unsupported = |what: &str| format!("Unsupported authentication token, {what}");
    let scheme = |name: &str| map([("scheme", v(name))]);
    let cases = [
        (basic("alice", "x"), wrong.to_owned()),
        (basic("nobody", "x"), wrong.to_owned()),
        (scheme("none"), unsupported("scheme 'none' is only allowed when auth is disabled.")),
        (scheme("bearer"), unsupported("scheme 'bearer' is not supported.")),
        (map([]), unsupported("missing key `scheme`")),
        (scheme("basic"), unsupported("missing key `principal`")),
        (scheme("basic").with("principal", "x"), unsupported("missing key `credentials`")),
        (
            scheme("basic").with("principal", 1).with("credentials", "x"),
            unsupported(
                "the value associated with the key `principal` must be a String but was: \
                         Long",
            ),
        ),
    ];
    for (auth, text) in cases {
        let mut client = RawClient::open(fake.connect(), (5, 8)).await;
        let failure = format!("FAILURE Neo.ClientError.Security.Unauthorized: {text}");
        let replies = client.talk(&[hello(), logon(auth), logon(neo4j())]).await;
        assert_eq!(replies, ["SUCCESS", &failure, "END"]);
    }
    let mut null = RawClient::open(fake.connect(), (5, 8)).await;
    let realm = neo4j().with("realm", Value::Null);
    assert_eq!(null.talk(&[hello(), logon(realm)]).await, ["SUCCESS", "END"]);
    assert_eq!(fake.control.counts().failed_logons, 8);

    let mut old = RawClient::open(fake.connect(), (5, 0)).await;
    let refused = old.ask(&[hello_with(basic("bob", "x").with("user_agent", "t"))]).await;
    assert_eq!(refused[0].get("code"), Some(&v("Neo.ClientError.Security.Unauthorized")));
    assert_eq!(old.reply().await, Reply::End);
}

#[tokio::test]
async fn three_bad_passwords_lock_the_user_out() {
    let options = Options { lock_time: MOMENT, ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    for _ in 0..3 {
        let mut client = RawClient::open(fake.connect(), (5, 8)).await;
        client.talk(&[hello(), logon(basic("bob", "x"))]).await;
    }
    let mut right = RawClient::open(fake.connect(), (5, 8)).await;
    let replies = right.talk(&[hello(), logon(basic("bob", "builder"))]).await;
    assert!(replies[1].contains("Security.AuthenticationRateLimit"), "{replies:?}");
    tokio::time::sleep(MOMENT).await;
    RawClient::login(fake.connect(), (5, 8), basic("bob", "builder")).await;
}

#[tokio::test]
async fn tokens_and_impersonation_need_the_enterprise_edition() {
    let options = Options { enterprise: true, ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    fake.control.set_token("bearer", "tok", "alice");
    let bearer = map([("scheme", v("bearer")), ("credentials", v("tok"))]);
    let mut alice = RawClient::login(fake.connect(), (5, 8), bearer).await;
    assert_eq!(alice.cell("WHOAMI", map([]), 0).await, v("alice"));
    let as_bob = map([("imp_user", v("bob"))]);
    let refused = alice.talk(&[run("WHOAMI", map([]), as_bob.clone())]).await;
    assert!(refused[0].contains("Security.Forbidden"), "{refused:?}");
    assert_eq!(alice.reply().await, Reply::End);
    let mut admin = client(&fake, (5, 8)).await;
    assert_eq!(admin.cell("WHOAMI", as_bob.clone(), 1).await, v("bob"));

    let community = FakeNeo4j::start().await;
    let mut admin = client(&community, (5, 8)).await;
    let refused = admin.talk(&[run("WHOAMI", map([]), as_bob)]).await;
    let text = "FAILURE Neo.ClientError.Statement.ArgumentError: Impersonation is not supported \
                in community edition.";
    assert_eq!(refused, [text]);
    assert_eq!(admin.talk(&[reset()]).await, ["SUCCESS"]);
}

#[tokio::test]
async fn expired_credentials_let_in_and_run_nothing() {
    let fake = FakeNeo4j::start().await;
    let user = User { password: "old".to_owned(), expired: true, ..User::default() };
    fake.control.set_user("new", user);
    let mut client = RawClient::open(fake.connect(), (5, 8)).await;
    let replies = client.ask(&[hello(), logon(basic("new", "old"))]).await;
    assert_eq!(replies[1].get("credentials_expired"), Some(&v(true)));
    let refused = client.talk(&[run_plain("RETURN 1")]).await;
    assert!(refused[0].contains("Security.CredentialsExpired"), "{refused:?}");
}

#[tokio::test]
async fn reset_overtakes_what_waits_and_counts() {
    let fake = FakeNeo4j::start().await;
    let mut client = client(&fake, (5, 8)).await;
    client.talk(&[run_plain("BAD")]).await;
    let overtaken = client.talk(&[run_plain("RETURN 1"), pull(-1), reset(), run_plain("RETURN 2"), pull(-1)]).await;
    assert_eq!(overtaken, ["IGNORED", "IGNORED", "SUCCESS", "SUCCESS", "RECORD [2]", "SUCCESS"]);
    let counted = client.talk(&[reset(), reset(), reset()]).await;
    assert_eq!(counted, ["IGNORED", "IGNORED", "SUCCESS"]);
    assert_eq!(fake.control.counts().resets, 2);
}

#[tokio::test]
async fn reset_interrupts_a_running_statement() {
    let fake = FakeNeo4j::start().await;
    let mut client = client(&fake, (5, 8)).await;
    client.send(&[run_plain("SLEEP 3600000"), pull(-1)]).await;
    assert_eq!(client.briefs(1).await, ["SUCCESS"]);
    fake.control.wait_for("a running statement", |counts| counts.running == 1).await;
    client.send(&[run_plain("RETURN 1"), reset()]).await;
    let replies = client.briefs(3).await;
    assert!(replies[0].starts_with("FAILURE Neo.ClientError.Transaction.Terminated: "));
    assert_eq!(replies[1..], ["IGNORED", "SUCCESS"]);
    assert_eq!(client.cell("RETURN 1", map([]), 0).await, v(1));
}

#[tokio::test]
async fn logoff_logon_and_begin_are_never_ignored() {
    let fake = FakeNeo4j::start().await;
    let failed = |message: Value| vec![run_plain("BAD"), message];
    let interrupted = |message: Value| vec![message, reset()];
    for message in [logoff(), logon(neo4j()), begin(map([]))] {
        for (conversation, before) in [(failed(message.clone()), 1), (interrupted(message), 0)] {
            let mut client = client(&fake, (5, 8)).await;
            client.send(&conversation).await;
            client.replies(before).await;
            let replies = client.briefs(2).await;
            let text = "cannot be handled by session in the READY state";
            assert!(replies[0].starts_with(INVALID) && replies[0].contains(text), "{replies:?}");
            assert_eq!(replies[1], "END");
        }
    }
    let mut fine = client(&fake, (5, 8)).await;
    let swapped = fine.talk(&[reset(), logoff(), logon(basic("bob", "builder"))]).await;
    assert_eq!(swapped, ["SUCCESS", "SUCCESS", "SUCCESS"]);
    assert_eq!(fine.cell("WHOAMI", map([]), 0).await, v("bob"));
}

#[tokio::test]
async fn illegal_messages_name_the_state_and_close() {
    let fake = FakeNeo4j::start().await;
    let one = || run_plain("RETURN 1");
    let cases: [(&[Value], Value, &str, &str); 9] = [
        (&[], pull(-1), "PullMessage", "READY"),
        (&[], commit(), "CommitMessage", "READY"),
        (&[], hello(), "HelloMessage", "READY"),
        (&[], logon(neo4j()), "LogonMessage", "READY"),
        (&[one()], one(), "RunMessage", "AUTO_COMMIT"),
        (&[one(), pull(1)], pull(1), "PullMessage", "READY"),
        (&[begin(map([]))], begin(map([])), "BeginMessage", "IN_TRANSACTION"),
        (&[begin(map([]))], telemetry(1), "TelemetryMessage", "IN_TRANSACTION"),
        (&[logoff()], one(), "RunMessage", "AUTHENTICATION"),
    ];
    for (before, message, class, state) in cases {
        let mut client = client(&fake, (5, 8)).await;
        client.ask(before).await;
        client.send(&[message]).await;
        let text = format!("{INVALID}Message of type {class} cannot be handled by a session in the {state} state.");
        assert_eq!(client.briefs(2).await, [text, "END".to_owned()]);
    }
    for unknown in [structure(0x55, []), structure(TELEMETRY, [v(1)])] {
        let mut client = client(&fake, (5, 3)).await;
        assert_eq!(client.talk(&[unknown]).await, ["END"]);
    }
}

#[tokio::test]
async fn malformed_fields_fail_without_closing() {
    let fake = FakeNeo4j::start().await;
    let param = |value: Value| run("RETURN $x", map([("x", value)]), map([]));
    let extra = |key: &str, value: Value| run("RETURN 1", map([]), map([(key, value)]));
    let node = structure(b'N', [v(1), list([]), map([]), v("a")]);
    let twice = Value::Map(vec![("p".to_owned(), v(1)), ("p".to_owned(), v(2))]);
    let cases = [
        (extra("mode", v("x")), "\"mode\": Expecting access mode value to be 'r' or 'w'"),
        (extra("tx_timeout", v("1")), "\"tx_timeout\": Expected long"),
        (extra("db", v(1)), "\"db\": Expected string"),
        (run("RETURN 1", Value::Null, map([])), "\"params\": Unexpected type"),
        (param(node), "\"params\": Unexpected struct tag: 0x4E"),
        (param(structure(b'F', [v(1), v(1), v(1)])), "Unexpected struct tag: 0x46"),
        (param(structure(b'i', [v(1), v(1), v("Mars/X")])), "Illegal zone identifier: \"Mars/X\""),
        (param(structure(b'X', [v(1), v(1.0), v(1.0)])), "coordinate reference system: \"1\""),
        (param(Value::Uuid([7; 16])), "but got RESERVED"),
        (run("RETURN $p", twice, map([])), "Duplicate map key: \"p\""),
        (structure(RUN, [v("RETURN 1")]), "Expected struct to be 3 fields but got 1"),
        (pull(0), "Expecting size to be at least 1, but got: 0"),
        (structure(PULL, [map([])]), "\"n\": Expected value to be non-null"),
    ];
    for (message, text) in cases {
        let mut client = client(&fake, (5, 8)).await;
        let replies = client.talk(&[message]).await;
        assert!(replies[0].contains(text), "{replies:?} has no {text}");
        assert_eq!(client.talk(&[pull(-1)]).await, ["IGNORED"], "2026.09 fails the session");
        assert_eq!(client.talk(&[reset()]).await, ["SUCCESS"]);
    }
    let mut time = client(&fake, (5, 8)).await;
    assert_eq!(time.talk(&[param(structure(b'T', [v(1), v(64_801)]))]).await, ["END"]);

    let older = FakeNeo4j::start_with(Options::neo4j_5_26()).await;
    let mut client = client(&older, (5, 8)).await;
    let replies = client.talk(&[extra("mode", v("x")), pull(-1)]).await;
    assert!(replies[1].contains("PullMessage cannot be handled"), "5.26 does not: {replies:?}");
    assert_eq!(client.reply().await, Reply::End);
}

#[tokio::test]
async fn results_are_pulled_in_batches() {
    let fake = FakeNeo4j::start().await;
    let mut client = client(&fake, (5, 8)).await;
    let replies = client.ask(&[run_plain("ROWS 3"), pull(2)]).await;
    assert_eq!(replies[0].field(), Some(&map([("t_first", v(0)), ("fields", strings(&["n"])), ("db", v("neo4j")),])));
    assert_eq!(replies[3].field(), Some(&map([("has_more", v(true))])));
    let end = client.ask(&[pull(1)]).await;
    assert_eq!(end[0].brief(), "RECORD [3]");
    assert_eq!(end[1].get("type"), Some(&v("r")), "the last row and the end come together");
    assert!(end[1].get("bookmark").is_some() && end[1].get("has_more").is_none());

    client.ask(&[begin(map([]))]).await;
    let runs = client.ask(&[run_plain("ROWS 3"), run_plain("ROWS 2")]).await;
    assert_eq!(runs[1].get("qid"), Some(&v(1)));
    let nested = client.talk(&[pull_qid(1, 0), pull(-1), pull_qid(-1, 0)]).await;
    let last = ["RECORD [1]", "SUCCESS", "RECORD [1]", "RECORD [2]", "SUCCESS"];
    assert_eq!(nested[..5], last);
    assert_eq!(nested[5..], ["RECORD [2]", "RECORD [3]", "SUCCESS"]);
    let gone = client.talk(&[pull_qid(1, 5), commit()]).await;
    let text = "FAILURE Neo.ClientError.Request.InvalidFormat: No such statement: 5";
    assert_eq!(gone, [text, "IGNORED"]);
    assert_eq!(client.talk(&[reset()]).await, ["SUCCESS"]);
}

#[tokio::test]
async fn transactions_commit_roll_back_and_wait_for_each_other() {
    let fake = FakeNeo4j::start().await;
    let (mut a, mut b) = (client(&fake, (5, 8)).await, client(&fake, (5, 8)).await);
    a.ask(&[begin(map([])), run_plain("WRITE k 7"), pull(-1)]).await;
    assert_eq!(a.ask(&[run_plain("READ k"), pull(-1)]).await[1].brief(), "RECORD [7]");
    assert_eq!(b.cell("READ k", map([]), 0).await, Value::Null, "not committed yet");
    b.send(&[run_plain("ADD k 1"), pull(-1)]).await;
    fake.control.wait_for("b waits for the lock", |counts| counts.running == 1).await;
    let committed = a.ask(&[commit()]).await;
    assert!(committed[0].get("bookmark").is_some());
    assert_eq!(b.briefs(2).await, ["SUCCESS", "SUCCESS"]);
    assert_eq!(fake.store().committed("neo4j", "k"), Some(v(8)));

    a.ask(&[begin(map([])), run_plain("WRITE k 0"), pull(-1), rollback()]).await;
    a.ask(&[run_plain("WRITE k 0 ROWS 3"), pull(1)]).await;
    a.ask(&[reset()]).await;
    drop(a);
    assert_eq!(b.cell("READ k", map([]), 0).await, v(8));
    let counts = fake.control.wait_for("no transaction", |c| c.transactions == 0).await;
    assert_eq!((counts.commits, counts.rollbacks), (4, 2));
}

#[tokio::test]
async fn a_deadlock_is_a_transient_failure() {
    let fake = FakeNeo4j::start().await;
    let (mut a, mut b) = (client(&fake, (5, 8)).await, client(&fake, (5, 8)).await);
    a.ask(&[begin(map([])), run_plain("WRITE x"), pull(-1)]).await;
    b.ask(&[begin(map([])), run_plain("WRITE y"), pull(-1)]).await;
    a.send(&[run_plain("WRITE y")]).await;
    fake.control.wait_for("a waits", |counts| counts.running == 1).await;
    let cycle = b.talk(&[run_plain("WRITE x")]).await;
    assert!(cycle[0].contains("Neo.TransientError.Transaction.DeadlockDetected"), "{cycle:?}");
    b.ask(&[reset()]).await;
    assert_eq!(a.briefs(1).await, ["SUCCESS"], "the other one goes on");
}

#[tokio::test]
async fn statements_fail_where_they_are_told_to() {
    let fake = FakeNeo4j::start().await;
    let mut client = client(&fake, (5, 8)).await;
    let at_run = client.talk(&[run_plain("FAIL Neo.X.Y.Z it is bad"), pull(-1)]).await;
    assert_eq!(at_run, ["FAILURE Neo.X.Y.Z: it is bad", "IGNORED"]);
    client.ask(&[reset()]).await;
    let failing = client.talk(&[run_plain("FAILPULL 2 Neo.X.Y.Z"), pull(-1)]).await;
    assert_eq!(failing, ["SUCCESS", "RECORD [1]", "RECORD [2]", "FAILURE Neo.X.Y.Z: "]);
    client.ask(&[reset()]).await;
    let commit_fails = [begin(map([])), run_plain("FAILCOMMIT Neo.A.B.C no"), pull(-1), commit()];
    assert_eq!(client.talk(&commit_fails).await[3], "FAILURE Neo.A.B.C: no");
    client.ask(&[reset()]).await;
    for attempt in 0..3 {
        let replies = client.talk(&[run_plain("CONFLICT 2"), pull(-1)]).await;
        assert_eq!(replies[1].contains("DeadlockDetected"), attempt < 2, "{replies:?}");
        client.ask(&[reset()]).await;
    }
    let missing = client.talk(&[run_plain("RETURN $x")]).await;
    let text = "FAILURE Neo.ClientError.Statement.ParameterMissing: Expected parameter(s): x";
    assert_eq!(missing, [text]);
    client.ask(&[reset()]).await;
    let nowhere = client.talk(&[begin(map([("db", v("foo"))]))]).await;
    let text = "FAILURE Neo.ClientError.Database.DatabaseNotFound: Graph not found: foo";
    assert_eq!(nowhere, [text]);
    client.ask(&[reset()]).await;
    let batched = client.talk(&[begin(map([])), run_plain("BATCHED 2 k")]).await;
    assert!(batched[1].contains("can only be executed in an implicit transaction"));
    client.ask(&[reset()]).await;
    let implicit = map([("tx_type", v("implicit"))]);
    let batched = client.talk(&[begin(implicit), run_plain("BATCHED 2 k")]).await;
    assert_eq!(batched, ["SUCCESS", "SUCCESS"]);
    client.ask(&[reset()]).await;
    let reading = client.talk(&[run("WRITE k", map([]), map([("mode", v("r"))]))]).await;
    assert!(reading[0].contains("Writing in read access mode not allowed"), "{reading:?}");
}

#[tokio::test]
async fn failures_take_the_shape_of_the_version() {
    let fake = FakeNeo4j::start().await;
    for (version, old, gql) in [((4, 4), true, false), ((5, 6), true, false), ((5, 7), false, true)] {
        let mut client = client(&fake, version).await;
        let reply = &client.ask(&[run_plain("BAD")]).await[0];
        assert_eq!(reply.get("code").is_some(), old);
        assert_eq!(reply.get("neo4j_code").is_some(), !old);
        assert_eq!(reply.get("diagnostic_record").is_some(), gql);
    }
    let older = FakeNeo4j::start_with(Options::neo4j_5_26()).await;
    let mut client = client(&older, (5, 8)).await;
    let reply = &client.ask(&[run_plain("BAD")]).await[0];
    assert_eq!(reply.get("gql_status"), Some(&v("50N42")));
    assert_eq!(reply.get("diagnostic_record"), None);
}

#[tokio::test]
async fn notifications_are_filtered_and_shaped_by_version() {
    let fake = FakeNeo4j::start().await;
    let count = |reply: &Reply, key: &str| {
        let list = reply.get(key).and_then(Value::as_list).map(<[Value]>::to_vec);
        list.map(|all| all.iter().filter(|s| s.get("title").is_some()).count())
    };
    let asked = |extra: Value| [run("NOTIFY", map([]), extra), pull(-1)];
    let minimum = |level: &str| map([("notifications_minimum_severity", v(level))]);
    let categories = map([("notifications_disabled_categories", strings(&["UNRECOGNIZED"]))]);
    let classes = map([("notifications_disabled_classifications", strings(&["UNRECOGNIZED"]))]);
    let cases = [
        ((4, 4), minimum("OFF"), 2),
        ((5, 4), map([]), 2),
        ((5, 4), minimum("warning"), 1),
        ((5, 4), categories.clone(), 1),
        ((5, 4), classes.clone(), 2),
        ((5, 6), classes, 1),
        ((5, 6), categories, 2),
        ((6, 1), map([]), 2),
    ];
    for (version, extra, wanted) in cases {
        let mut client = client(&fake, version).await;
        let end = client.ask(&asked(extra.clone())).await.pop().unwrap();
        let key = if version >= (5, 6) { "statuses" } else { "notifications" };
        assert_eq!(count(&end, key), Some(wanted), "{version:?} {extra:?}");
    }
    let mut client = client(&fake, (5, 4)).await;
    let end = client.ask(&asked(minimum("OFF"))).await.pop().unwrap();
    assert_eq!(end.get("notifications"), None);
}

#[tokio::test]
async fn every_value_is_there_in_every_version() {
    let fake = FakeNeo4j::start().await;
    for version in [(4, 1), (4, 4), (5, 0), (5, 8), (6, 0), (6, 1)] {
        let mut client = client(&fake, version).await;
        let replies = client.ask(&[run_plain("TYPE all"), pull(-1)]).await;
        let names = replies[0].get("fields").unwrap().as_list().unwrap().to_vec();
        let row = replies[1].field().unwrap().as_list().unwrap().to_vec();
        assert_eq!(names.len(), row.len());
        let value = |name: &str| &row[names.iter().position(|n| *n == v(name)).unwrap()];
        let Value::Struct { fields, .. } = value("node") else { panic!() };
        assert_eq!(fields.len(), if version >= (5, 0) { 4 } else { 3 });
        assert_eq!(matches!(value("uuid"), Value::Uuid(_)), version >= (6, 1));
        assert_eq!(matches!(value("vector"), Value::Struct { tag: b'V', .. }), version >= (6, 0));
        assert_eq!(matches!(value("datetime"), Value::Struct { tag: b'I', .. }), version >= (5, 0));
    }
}

#[tokio::test]
async fn noops_come_only_while_something_is_processed() {
    let options = Options { keep_alive: Duration::from_millis(10), ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    let mut client = client(&fake, (5, 8)).await;
    assert!(!client.ends_within(MOMENT).await, "nothing comes while idle");
    client.send(&[run_plain("SLEEP 100"), pull(-1)]).await;
    client.replies(1).await;
    assert_eq!(client.frame().await, Some(Frame::Noop));
    assert_eq!(client.briefs(1).await, ["RECORD [100]", "SUCCESS"]);
}

#[tokio::test]
async fn a_timed_out_transaction_says_so_at_the_next_message() {
    let fake = FakeNeo4j::start().await;
    let mut client = client(&fake, (5, 8)).await;
    let short = || map([("tx_timeout", v(20))]);
    client.ask(&[begin(short())]).await;
    tokio::time::sleep(MOMENT).await;
    let late = client.talk(&[run_plain("RETURN 1")]).await;
    assert!(late[0].contains("TransactionTimedOutClientConfiguration"), "{late:?}");
    client.ask(&[reset()]).await;
    let slow = client.talk(&[run("SLEEP 3600000", map([]), short()), pull(-1)]).await;
    assert!(slow[1].contains("TransactionTimedOutClientConfiguration"), "{slow:?}");
}

#[tokio::test]
async fn threads_run_out() {
    let fake = FakeNeo4j::start_with(Options { threads: 1, ..Options::default() }).await;
    let mut idle = client(&fake, (5, 8)).await;
    let mut holder = client(&fake, (5, 8)).await;
    holder.ask(&[begin(map([]))]).await;
    let refused = idle.talk(&[run_plain("RETURN 1")]).await;
    assert!(refused[0].contains("Neo.TransientError.Request.NoThreadsAvailable"), "{refused:?}");
    assert_eq!(idle.reply().await, Reply::End);
    let answers = holder.talk(&[run_plain("RETURN 1"), pull(-1), commit()]).await;
    assert_eq!(answers, ["SUCCESS", "RECORD [1]", "SUCCESS", "SUCCESS"]);
    client(&fake, (5, 8)).await;
}

#[tokio::test]
async fn closing_rolls_back_and_unread_rows_pile_up_in_the_server() {
    let fake = FakeNeo4j::start().await;
    let mut reader = client(&fake, (5, 8)).await;
    reader.send(&[run_plain("ROWS 5000 WIDE 1000"), pull(-1)]).await;
    let piled = |counts: &crate::bolt::control::Counts| counts.peak_unread > 4_000_000;
    fake.control.wait_for("rows that nobody reads", piled).await;
    let mut writer = client(&fake, (5, 8)).await;
    writer.ask(&[begin(map([])), run_plain("WRITE k"), pull(-1)]).await;
    drop((reader, writer));
    fake.control.wait_for("both are gone", |c| c.open == 0 && c.transactions == 0).await;
    assert_eq!(fake.store().committed("neo4j", "k"), None);
}

#[tokio::test]
async fn an_unknown_bookmark_is_waited_for_in_vain() {
    let options = Options { bookmark_timeout: MOMENT, ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    let mut client = client(&fake, (5, 8)).await;
    let bookmark = client.ask(&[run_plain("WRITE k"), pull(-1)]).await[1].get("bookmark").cloned();
    let after = |bookmark: Value| begin(map([("bookmarks", list([bookmark]))]));
    assert_eq!(client.talk(&[after(bookmark.unwrap()), rollback()]).await, ["SUCCESS", "SUCCESS"]);
    let late = client.talk(&[after(v("FB:fake:99"))]).await;
    assert!(late[0].contains("Neo.TransientError.Transaction.BookmarkTimeout"), "{late:?}");
}

#[tokio::test]
async fn faults_answers_and_ends_are_the_tests_choice() {
    let fake = FakeNeo4j::start().await;
    let control = &fake.control;
    let mut a = client(&fake, (5, 8)).await;
    control.answer("MATCH (n) RETURN n.x", Answer::rows(&["n.x"], [vec![v(1)], vec![v(2)]]));
    assert_eq!(a.rows("MATCH (n) RETURN n.x", map([])).await, [[v(1)], [v(2)]]);
    control.fail_next("COMMIT", "Neo.TransientError.X.Y", "again");
    let failed = a.talk(&[begin(map([])), run_plain("WRITE k"), pull(-1), commit()]).await;
    assert_eq!(failed[3], "FAILURE Neo.TransientError.X.Y: again");
    a.ask(&[reset()]).await;
    control.on_next("COMMIT", Fault::CloseAfter);
    a.ask(&[begin(map([])), run_plain("WRITE k"), pull(-1)]).await;
    assert_eq!(a.talk(&[commit()]).await, ["END"]);
    assert_eq!(fake.store().committed("neo4j", "k"), Some(v(1)), "lost, but done");
    assert_eq!(control.count("COMMIT"), 2);
    assert_eq!(control.names(0)[..4], ["HELLO", "LOGON", "RUN", "PULL"]);

    let mut b = client(&fake, (5, 8)).await;
    control.close_all();
    assert_eq!(b.reply().await, Reply::End);
    control.refuse_new(true);
    assert_eq!(RawClient::new(fake.connect()).reply().await, Reply::End);
    control.refuse_new(false);
    let stream = tokio::net::TcpStream::connect(fake.addr()).await.unwrap();
    RawClient::login(stream, (5, 8), neo4j()).await;
    assert_eq!(control.counts().accepted, 3);
    control.wait_for("the last one is gone", |counts| counts.open == 0).await;
}
