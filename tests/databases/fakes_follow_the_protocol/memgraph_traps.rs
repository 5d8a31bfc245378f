//! FakeMemgraph: what it changes, forgets, cuts, glues, leaks, and dies of.

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

use super::memgraph::{CLIENT, CLOSED, MOMENT, TRANSIENT, anyone, client, extra, tagged, tried};
use crate::support::{
    bolt::control::{Answer, User},
    bolt::fake_memgraph::{FakeMemgraph, Options},
    bolt::frame::Frame,
    bolt::message::*,
    bolt::raw::{RawClient, Reply},
    bolt::value::*,
};

#[tokio::test]
async fn closes_on_qid_and_zero() {
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
async fn closes_on_or_changes_certain_parameters() {
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
        structure(b't', [v(-1000)]),
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
        (structure(b't', [v(-1)]), structure(b't', [v(0)])),
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
async fn reuses_cached_database_and_user() {
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
async fn cuts_records_and_glues_late_failures() {
    let fake = FakeMemgraph::start().await;
    let mut c = client(&fake).await;
    c.ask(&[tagged("ROWS 100 WIDE 4000")]).await;
    c.send(&[pull(-1)]).await;
    let frames = pulled(&mut c).await;
    assert_eq!(frames.len(), 101);
    let cut: Vec<_> = frames.iter().filter(|(_, chunks)| chunks.len() == 2).collect();
    assert_eq!(cut.len(), 6, "400 KB fill the buffer six times");
    assert!(frames.iter().all(|(payload, _)| Value::decode(payload).is_ok()));

    fake.control.answer("LATE", Answer::rows(&["pad"], [vec![v("x".repeat(300_000))]]));
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
    assert_eq!(
        Value::decode(failure).unwrap(),
        crate::support::bolt::message::failure("Memgraph.TransientError.X.Y", "late",)
    );
    assert!(frames.len() < 15_000, "what was not written is dropped");
    assert_eq!(c.talk(&[pull(-1), reset()]).await, ["IGNORED", "SUCCESS"], "still in sync");

    let fixed = FakeMemgraph::start_with(Options::newest()).await;
    let mut c = client(&fixed).await;
    c.ask(&[tagged(&late(15_000))]).await;
    let replies = c.ask(&[pull(-1)]).await;
    assert_eq!(replies.last().unwrap().brief(), "FAILURE Memgraph.TransientError.X.Y: late");
    assert!(replies[..replies.len() - 1].iter().all(|r| r.brief().starts_with("RECORD")));
}

#[tokio::test(start_paused = true)]
async fn defers_replies_until_the_input_is_exhausted() {
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
async fn leaks_session_state() {
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

#[tokio::test(start_paused = true)]
async fn blocks_the_worker_of_a_slow_reader() {
    let fake = FakeMemgraph::start_with(Options { workers: 1, ..Options::default() }).await;
    let (mut slow, mut other) = (client(&fake).await, client(&fake).await);
    slow.send(&[tagged("ROWS 1000 WIDE 1000"), pull(-1)]).await;
    slow.replies(1).await;
    fake.control.wait_for("the worker is taken", |counts| counts.running == 1).await;
    other.send(&[tagged("RETURN 1"), pull(-1)]).await;
    assert!(!other.ends_within(MOMENT).await, "nobody else is served");
    let logged_in = client(&fake).await.talk(&[reset()]).await;
    assert_eq!(logged_in, ["SUCCESS"], "logins and RESET need no worker");
    let mut urgent = client(&fake).await;
    let seen = urgent.rows("SHOW TRANSACTIONS", extra([])).await;
    assert_eq!(seen.len(), 4, "the slow one, the caller's own, and the background");
    slow.replies(1).await;
    assert_eq!(other.briefs(2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
}
