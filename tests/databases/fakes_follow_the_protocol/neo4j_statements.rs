//! FakeNeo4j: results, transactions, failures, and their shapes by version.

use super::neo4j::{MOMENT, client};
use crate::support::{
    bolt::control::When,
    bolt::fake_neo4j::{FakeNeo4j, Options},
    bolt::message::*,
    bolt::raw::Reply,
    bolt::value::*,
};

#[tokio::test]
async fn returns_results_in_batches() {
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
async fn lets_transactions_commit_roll_back_and_wait() {
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
async fn reports_a_deadlock_as_transient() {
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
async fn fails_statements_where_told_to() {
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
async fn shapes_failures_by_version() {
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
async fn filters_and_shapes_notifications_by_version() {
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
async fn returns_every_value_in_every_version() {
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

#[tokio::test(start_paused = true)]
async fn waits_for_an_unknown_bookmark_until_the_timeout() {
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
async fn fails_statements_as_ordered() {
    let fake = FakeNeo4j::start().await;
    let mut client = client(&fake, (5, 8)).await;
    for (when, replies) in [
        (When::Run, &["FAILURE Some.Code: no", "IGNORED"][..]),
        (When::Rows(2), &["SUCCESS", "RECORD [1]", "RECORD [2]", "FAILURE Some.Code: no"]),
        (When::Commit, &["SUCCESS", "RECORD [1]", "RECORD [2]", "RECORD [3]", "FAILURE Some.Code: no"]),
    ] {
        fake.control.fail_statements("ADD k", 2, when, "Some.Code", "no");
        for explicit in [false, true] {
            if explicit {
                client.ask(&[begin(map([]))]).await;
            }
            assert_eq!(client.cell("READ other", map([]), 0).await, Value::Null, "it is not meant");
            let mut told = client.talk(&[run_plain("ADD k 1 ROWS 3"), pull(-1)]).await;
            if explicit && when == When::Commit {
                assert_eq!(told.pop().unwrap(), "SUCCESS");
                told.extend(client.talk(&[commit()]).await);
            }
            assert_eq!(told, replies, "{when:?}");
            assert_eq!(client.talk(&[reset()]).await, ["SUCCESS"]);
        }
        assert_eq!(fake.store().committed("neo4j", "k"), None, "{when:?}");
    }
    client.ask(&[run_plain("ADD k 1 ROWS 3"), pull(-1)]).await;
    assert_eq!(fake.store().committed("neo4j", "k"), Some(v(1)), "nothing else was ordered");
    assert_eq!(fake.control.violations(), [""; 0]);
}
