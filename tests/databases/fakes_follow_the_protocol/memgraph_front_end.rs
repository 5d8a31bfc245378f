//! FakeMemgraph: what was seen on Memgraph's genuine front-end of August 2026.

use std::time::Duration;

use super::memgraph::{CLIENT, CLOSED, MOMENT, anyone, client, extra, tagged, tried};
use crate::support::{
    bolt::fake_memgraph::{FakeMemgraph, Options},
    bolt::message::*,
    bolt::raw::RawClient,
    bolt::value::*,
};

#[tokio::test]
async fn honours_the_mode_in_begin_only() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    let reading = || extra([("mode", v("r"))]);
    let automatic = client.talk(&[run("WRITE k 1", map([]), reading()), pull(-1)]).await;
    assert_eq!(automatic, ["SUCCESS", "SUCCESS"]);
    assert_eq!(fake.store().committed("memgraph", "k"), Some(v(1)), "an automatic RUN ignores it");
    for statement in ["WRITE k 2", "BATCHED 1 k"] {
        let told = client.talk(&[begin(reading()), run_plain(statement), pull(-1), commit(), reset()]).await;
        let misaligned = format!("{CLIENT}Accessor type READ and query type WRITE are misaligned!");
        assert_eq!(told, ["SUCCESS", &misaligned, "IGNORED", "IGNORED", "SUCCESS"]);
    }
    let told = client.talk(&[begin(reading()), run_plain("READ k"), pull(-1), commit()]).await;
    assert_eq!(told, ["SUCCESS", "SUCCESS", "RECORD [1]", "SUCCESS", "SUCCESS"], "all in one write");
}

/// More than the buffers of a socket hold: the last of the answer is still to be written when all has been executed.
#[tokio::test]
async fn blocks_workers_while_clients_do_not_read() {
    const WORKERS: usize = 2;
    let fake = FakeMemgraph::start_with(Options { workers: WORKERS, ..Options::default() }).await;
    let over_tcp = async || {
        let stream = tokio::net::TcpStream::connect(fake.addr()).await.unwrap();
        RawClient::login(stream, (5, 2), anyone()).await
    };
    let mut slow = Vec::new();
    for _ in 0..WORKERS {
        let mut client = over_tcp().await;
        client.send(&[tagged("ROWS 600 WIDE 100000"), pull(-1)]).await;
        client.replies(1).await;
        slow.push(client);
    }
    let mut other = over_tcp().await;
    other.send(&[tagged("RETURN 1"), pull(-1)]).await;
    assert!(!other.ends_within(MOMENT).await, "nobody else is served");
    // A limit does not help: what is executed is the writing.
    assert_eq!(slow.pop().unwrap().replies(1).await.len(), 601, "until one of them reads");
    assert_eq!(other.briefs(2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn blocks_on_small_answers_when_buffers_are_full() {
    let fake = FakeMemgraph::start_with(Options { workers: 1, ..Options::default() }).await;
    let (mut slow, mut other) = (client(&fake).await, client(&fake).await);
    let small = [tagged("WIDE 40000"), pull(-1)];
    slow.send(&[small.clone(), small].concat()).await;
    other.send(&[tagged("RETURN 1"), pull(-1)]).await;
    assert!(!other.ends_within(MOMENT).await, "the second answer is executed, and cannot be written");
    slow.replies(4).await;
    assert_eq!(other.briefs(2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn ignores_a_termination_that_comes_too_late() {
    let fake = FakeMemgraph::start_with(Options { heeds_terminations: false, ..Options::default() }).await;
    let (mut writer, mut other) = (client(&fake).await, client(&fake).await);
    writer.send(&[tagged("WRITE k 1 AFTER 400"), pull(-1)]).await;
    fake.control.wait_for("the write", |counts| counts.transactions == 1).await;
    let id = fake.transactions()[0].id.clone();
    let killed = other.rows(&format!("TERMINATE TRANSACTIONS \"{id}\""), extra([])).await;
    assert_eq!(killed, [[v(&*id), v(true)]], "it was asked to end");
    assert_eq!(writer.briefs(2).await, ["SUCCESS", "SUCCESS"], "and did not");
    assert_eq!(fake.store().committed("memgraph", "k"), Some(v(1)));

    let heeding = FakeMemgraph::start().await;
    let (mut writer, mut other) = (client(&heeding).await, client(&heeding).await);
    writer.send(&[tagged("WRITE k 1 AFTER 400"), pull(-1)]).await;
    heeding.control.wait_for("the write", |counts| counts.transactions == 1).await;
    let id = heeding.transactions()[0].id.clone();
    tokio::time::sleep(Duration::from_millis(399)).await;
    other.rows(&format!("TERMINATE TRANSACTIONS \"{id}\""), extra([])).await;
    let told = writer.briefs(2).await;
    assert!(told[1].contains("asked to abort by another user"), "{told:?}");
    assert_eq!(heeding.store().committed("memgraph", "k"), None);
}

#[tokio::test]
async fn does_not_commit_a_terminated_transaction() {
    let fake = FakeMemgraph::start().await;
    let (mut writer, mut other) = (client(&fake).await, client(&fake).await);
    writer.talk(&[begin(extra([])), run_plain("WRITE k 1"), pull(-1)]).await;
    let id = fake.transactions()[0].id.clone();
    other.rows(&format!("TERMINATE TRANSACTIONS \"{id}\""), extra([])).await;
    let told = writer.talk(&[commit(), reset()]).await;
    assert!(told[0].contains("Aborting transaction commit because the transaction was requested to stop"), "{told:?}");
    assert_eq!(fake.store().committed("memgraph", "k"), None);
}

#[tokio::test]
async fn mentions_replicas_in_commit_errors() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    fake.lag(true);
    let replies = client.ask(&[begin(extra([])), run_plain("WRITE k 1"), pull(-1), commit()]).await;
    assert_eq!(replies[2].get("notifications"), None);
    let notifications = replies[3].get("notifications").unwrap().as_list().unwrap().to_vec();
    assert_eq!(notifications[0].get("code"), Some(&v("SyncReplicationFailure")));
    assert!(replies[3].get("run_id").is_some());
    let replies = client.ask(&[tagged("WRITE k 2"), pull(-1)]).await;
    assert_eq!(replies[1].get("notifications"), Some(&v(notifications)));
    let replies = client.ask(&[tagged("READ k"), pull(-1)]).await;
    assert_eq!(replies[2].get("notifications"), None, "nothing was committed");
    fake.lag(false);
    let replies = client.ask(&[begin(extra([])), run_plain("WRITE k 3"), pull(-1), commit()]).await;
    assert_eq!(replies[3].field(), Some(&map([])));
}

#[tokio::test]
async fn changes_only_the_name_of_the_server() {
    let fake = FakeMemgraph::start().await;
    for (name, told) in [("Neo4j/5.2.0", Some(v("Neo4j/5.2.0"))), ("", None)] {
        fake.rename(name);
        let mut client = RawClient::open(fake.connect(), (5, 2)).await;
        for reply in client.ask(&[hello(), logon(anyone())]).await {
            assert_eq!(reply.get("server"), told.as_ref());
            assert_eq!(reply.get("connection_id"), Some(&v("bolt-1")), "it gives itself away");
        }
        let replies = client.ask(&[tagged("ROWS 2"), pull(1), pull(1)]).await;
        for summary in [&replies[2], &replies[4]] {
            assert!(summary.get("run_id").is_some(), "here too");
        }
    }
}

#[tokio::test]
async fn answers_and_closes_on_fields_of_the_wrong_type() {
    let fake = FakeMemgraph::start().await;
    let malformed = [
        structure(RUN, [v("RETURN 1"), Value::Null, map([])]),
        structure(RUN, [v("RETURN 1"), map([]), Value::Null]),
        structure(RUN, [v(1), map([]), map([])]),
        structure(RUN, [v("RETURN 1"), map([])]),
        structure(BEGIN, [Value::Null]),
        structure(BEGIN, []),
        structure(COMMIT, [map([])]),
    ];
    for message in malformed {
        assert_eq!(tried(&fake, &[], message.clone()).await, [CLOSED, "END"], "{message:?}");
    }
    for message in [structure(PULL, []), structure(PULL, [map([]), map([])])] {
        assert_eq!(tried(&fake, &[tagged("ROWS 1")], message.clone()).await, [CLOSED, "END"], "{message:?}");
    }
}

#[tokio::test]
async fn returns_canonical_time_zone_names() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    for (name, proper) in [
        ("CET", "Europe/Brussels"),
        ("EST5EDT", "America/New_York"),
        ("Japan", "Asia/Tokyo"),
        ("GMT", "Etc/GMT"),
        ("UTC", "Etc/UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
    ] {
        let moment = |zone: &str| structure(b'i', [v(1), v(0), v(zone)]);
        let statement = run("RETURN $x", map([("x", moment(name))]), extra([]));
        let replies = client.ask(&[statement, pull(-1)]).await;
        assert_eq!(replies[1].field(), Some(&list([moment(proper)])), "{name}");
    }
}

#[tokio::test]
async fn warns_of_logins_without_a_name() {
    let fake = FakeMemgraph::start().await;
    client(&fake).await;
    assert_eq!(fake.warnings().len(), 2, "{:?}", fake.warnings());
    let empty = map([("scheme", v("none")), ("principal", v("")), ("credentials", v(""))]);
    RawClient::login(fake.connect(), (5, 2), empty).await;
    assert_eq!(fake.warnings().len(), 2);
}

#[tokio::test]
async fn lists_the_callers_own_transaction() {
    let fake = FakeMemgraph::start().await;
    let mut client = client(&fake).await;
    let mine = map([("tx_metadata", map([("gw", v("mine"))]))]);
    let rows = client.rows("SHOW TRANSACTIONS", mine).await;
    let ids: Vec<_> = rows.iter().map(|row| row[1].as_str().unwrap()).collect();
    assert_eq!((rows.len(), &ids[1..]), (3, &["snapshot", "gc"][..]));
    assert_eq!((rows[0][2].clone(), rows[0][4].get("gw")), (strings(&["SHOW TRANSACTIONS"]), Some(&v("mine"))));
}
