//! FakeNeo4j: RESET, what is never ignored, what closes, limits, and what tests can order.

use std::time::Duration;

use super::neo4j::{INVALID, MOMENT, client, neo4j};
use crate::support::{
    bolt::control::{Answer, Counts, Fault},
    bolt::fake_neo4j::{FakeNeo4j, Options},
    bolt::frame::Frame,
    bolt::message::*,
    bolt::raw::{RawClient, Reply},
    bolt::value::*,
};

#[tokio::test]
async fn lets_a_reset_overtake_waiting_messages() {
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
async fn interrupts_a_running_statement_by_reset() {
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
async fn never_ignores_logoff_logon_and_begin() {
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
async fn names_the_state_and_closes_on_illegal_messages() {
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
async fn fails_without_closing_on_malformed_fields() {
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

#[tokio::test(start_paused = true)]
async fn sends_noops_only_while_processing() {
    let options = Options { keep_alive: Duration::from_millis(10), ..Options::default() };
    let fake = FakeNeo4j::start_with(options).await;
    let mut client = client(&fake, (5, 8)).await;
    assert!(!client.ends_within(MOMENT).await, "nothing comes while idle");
    client.send(&[run_plain("SLEEP 100"), pull(-1)]).await;
    client.replies(1).await;
    assert_eq!(client.frame().await, Some(Frame::Noop));
    assert_eq!(client.briefs(1).await, ["RECORD [100]", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn reports_a_timed_out_transaction_at_the_next_message() {
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
async fn runs_out_of_threads() {
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
async fn rolls_back_on_close_and_buffers_unread_rows() {
    let fake = FakeNeo4j::start().await;
    let mut reader = client(&fake, (5, 8)).await;
    reader.send(&[run_plain("ROWS 5000 WIDE 1000"), pull(-1)]).await;
    let piled = |counts: &Counts| counts.peak_unread > 4_000_000;
    fake.control.wait_for("rows that nobody reads", piled).await;
    let mut writer = client(&fake, (5, 8)).await;
    writer.ask(&[begin(map([])), run_plain("WRITE k"), pull(-1)]).await;
    drop((reader, writer));
    fake.control.wait_for("both are gone", |c| c.open == 0 && c.transactions == 0).await;
    assert_eq!(fake.store().committed("neo4j", "k"), None);
}

#[tokio::test]
async fn injects_faults_answers_and_ends() {
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
