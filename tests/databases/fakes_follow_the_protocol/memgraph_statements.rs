//! FakeMemgraph: results, transactions, cancelling, and the shapes of values.

use std::time::Duration;

use super::memgraph::{CLIENT, MOMENT, TRANSIENT, anyone, client, extra, tagged};
use crate::support::{
    bolt::control::{Fault, When},
    bolt::fake_memgraph::{FakeMemgraph, Options},
    bolt::message::*,
    bolt::raw::RawClient,
    bolt::value::*,
};

#[tokio::test]
async fn looks_ahead_for_the_end_of_a_result() {
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

#[tokio::test(start_paused = true)]
async fn waits_with_reset_and_terminates_from_another_session() {
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

#[tokio::test(start_paused = true)]
async fn applies_the_lower_timeout() {
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
async fn isolates_transactions_by_snapshot_and_conflicts() {
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

#[tokio::test(start_paused = true)]
async fn commits_for_a_vanished_client() {
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
async fn refuses_administration_in_explicit_transactions() {
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
async fn encodes_values_in_this_servers_shapes() {
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
async fn fails_statements_as_ordered() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    for (when, replies) in [
        (When::Run, &["FAILURE Some.Code: no", "IGNORED"][..]),
        // Rows that fit the buffer are dropped with it.
        (When::Rows(2), &["SUCCESS", "FAILURE Some.Code: no"]),
        (When::Commit, &["SUCCESS", "FAILURE Some.Code: no"]),
    ] {
        fake.control.fail_statements("ADD k", 2, when, "Some.Code", "no");
        for explicit in [false, true] {
            if explicit {
                client.ask(&[begin(extra([]))]).await;
            }
            assert_eq!(client.cell("READ other", extra([]), 0).await, Value::Null, "it is not meant");
            let mut told = client.talk(&[tagged("ADD k 1 ROWS 3"), pull(-1)]).await;
            if explicit && when == When::Commit {
                assert_eq!(told, ["SUCCESS", "RECORD [1]", "RECORD [2]", "RECORD [3]", "SUCCESS"]);
                told.truncate(1);
                told.extend(client.talk(&[commit()]).await);
            }
            assert_eq!(told, replies, "{when:?}");
            assert_eq!(client.talk(&[reset()]).await, ["SUCCESS"]);
        }
        assert_eq!(fake.store().committed("memgraph", "k"), None, "{when:?}");
    }
    client.ask(&[tagged("ADD k 1 ROWS 3"), pull(-1)]).await;
    assert_eq!(fake.store().committed("memgraph", "k"), Some(v(1)), "nothing else was ordered");
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn hides_a_transaction_that_is_being_inspected() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    fake.hide_transactions(1);
    let names = ["snapshot", "gc"].map(v);
    let id = |rows: &[Vec<Value>]| rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>();
    let rows = client.rows("SHOW TRANSACTIONS", extra([])).await;
    assert_eq!(id(&rows), names);
    let rows = client.rows("SHOW TRANSACTIONS", extra([])).await;
    assert!(rows.len() == 3 && id(&rows)[1..] == names, "{rows:?}");
}

#[tokio::test]
async fn ignores_timeouts_in_some_statements() {
    let fake = FakeMemgraph::start_with(Options { heeds_timeouts: false, ..Options::default() }).await;
    let mut client = client(&fake).await;
    let replies = client.talk(&[run("SLEEP 60", map([]), extra([("tx_timeout", v(1))])), pull(-1)]).await;
    assert_eq!(replies, ["SUCCESS", "RECORD [60]", "SUCCESS"]);
}
