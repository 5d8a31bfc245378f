//! Requests that are dropped after k polls, for every k until they complete. After each: the next request gets its
//! own answer, no connection stays lent, no transaction stays open, and the database has nothing to complain about.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stand::{Fake, Kind, POOL, Polled, Stand};
use crate::support::bolt::value::v;

/// Every message takes a few polls, on each side.
const NARROW: usize = 7;

/// A request that is dropped.
struct Case {
    /// Run in a transaction before, whose path goes in front of `path`.
    inside: bool,
    method: &'static str,
    path: &'static str,
    body: Value,
    /// What a request that was dropped may have left in the store.
    may_commit: bool,
}

fn statement(text: &str) -> Value {
    json!({ "statement": text })
}

/// Drops `case` after 1, 2, 3, … polls, until it completes.
async fn drop_everywhere(kind: Kind, width: usize, warm: bool, case: Case) {
    let fake = Fake::start(kind).await;
    for polls in 1.. {
        let key = format!("k{polls}");
        let what = format!("{kind:?}, {} {}, {polls} polls", case.method, case.path);
        let stand = Stand::new(&fake, width, POOL);
        if warm {
            assert_eq!(stand.run("", "ECHO 0").await.status, 202);
        }
        let outer = if case.inside { stand.begin(&format!("ADD {key}")).await } else { String::new() };
        let body: Value = serde_json::from_str(&case.body.to_string().replace("KEY", &key)).unwrap();
        let request = stand.send(case.method, &format!("{outer}{}", case.path), &body);
        let completed = Polled::new(request, polls).await;

        let fresh = 1000 + i64::try_from(polls).unwrap();
        let next = stand.run("", &format!("ECHO {fresh}")).await;
        assert_eq!(next.values(), &json!([[fresh]]), "{what}");
        let left_open = completed.as_ref().is_some_and(|answer| answer.body["transaction"]["id"].is_string());
        if left_open || case.inside {
            let path = if left_open { completed.as_ref().unwrap().transaction() } else { outer };
            let ended = stand.send("DELETE", &path, &json!({})).await;
            assert!(if left_open { ended.status == 200 } else { [200, 404].contains(&ended.status) }, "{what}");
        }
        stand.quiet(&what).await;
        nothing_is_left(&fake, &what).await;
        assert_eq!(stand.engine.open_transactions(), 0, "{what}");
        let committed = fake.committed(&key);
        match &completed {
            // The same request, undisturbed, does what it says.
            Some(answer) => {
                assert!([200, 202].contains(&answer.status) && answer.body.get("errors").is_none(), "{answer:?}");
                assert_eq!(committed.is_some(), case.may_commit, "{what}");
                assert!(polls > if width > 1000 { 1 } else { 4 }, "{what}: that was no test");
                return;
            }
            None => {
                let once = [Some(v(1)), Some(v(2))].contains(&committed);
                assert!(committed.is_none() || (case.may_commit && once), "{what}: {committed:?}");
            }
        }
    }
}

async fn nothing_is_left(fake: &Arc<Fake>, what: &str) {
    let control = fake.control();
    control.wait_for(what, |counts| counts.transactions == 0 && counts.running == 0).await;
    assert_eq!(control.violations(), [""; 0], "{what}");
}

/// Both databases; wires that are narrow or not, and that are there already or not.
async fn drop_on_all(case: fn() -> Case) {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        for (width, warm) in [(64 * 1024, false), (NARROW, true)] {
            drop_everywhere(kind, width, warm, case()).await;
        }
    }
}

#[tokio::test]
async fn recovers_from_an_abandoned_write() {
    let case = || Case { inside: false, method: "POST", path: "", body: statement("ADD KEY ROWS 2"), may_commit: true };
    drop_on_all(case).await;
    drop_everywhere(Kind::Neo4j, NARROW, false, case()).await;
    drop_everywhere(Kind::Memgraph, NARROW, false, case()).await;
}

#[tokio::test]
async fn recovers_from_an_abandoned_result_of_several_batches() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let body = statement("ROWS 1500");
        let case = Case { inside: false, method: "POST", path: "", body, may_commit: false };
        drop_everywhere(kind, 96, true, case).await;
    }
}

#[tokio::test]
async fn recovers_from_an_abandoned_begin() {
    drop_on_all(|| Case { inside: false, method: "POST", path: "/tx", body: json!({}), may_commit: false }).await;
}

#[tokio::test]
async fn recovers_from_an_abandoned_begin_with_a_statement() {
    drop_on_all(|| Case {
        inside: false,
        method: "POST",
        path: "/tx",
        body: statement("ADD KEY ROWS 2"),
        may_commit: false,
    })
    .await;
}

#[tokio::test]
async fn recovers_from_an_abandoned_statement_in_a_transaction() {
    drop_on_all(|| Case {
        inside: true,
        method: "POST",
        path: "",
        body: statement("ADD KEY ROWS 2"),
        may_commit: false,
    })
    .await;
}

#[tokio::test]
async fn recovers_from_an_abandoned_commit() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let case = Case { inside: true, method: "POST", path: "/commit", body: json!({}), may_commit: true };
        drop_everywhere(kind, 2, true, case).await;
    }
}

#[tokio::test]
async fn recovers_from_an_abandoned_commit_with_a_statement() {
    drop_on_all(|| Case {
        inside: true,
        method: "POST",
        path: "/commit",
        body: statement("ADD KEY ROWS 2"),
        may_commit: true,
    })
    .await;
}

#[tokio::test]
async fn recovers_from_an_abandoned_rollback() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let case = Case { inside: true, method: "DELETE", path: "", body: json!({}), may_commit: false };
        drop_everywhere(kind, 2, true, case).await;
    }
}

#[tokio::test]
async fn recovers_from_an_abandoned_refused_statement() {
    // Completes with an error, so it is dropped at fixed places only.
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let fake = Fake::start(kind).await;
        for polls in 1..200 {
            let stand = Stand::new(&fake, NARROW, POOL);
            let refused = Polled::new(stand.run("", "NONSENSE"), polls).await;
            let next = stand.run("", &format!("ECHO {polls}")).await;
            assert_eq!(next.values(), &json!([[polls]]));
            stand.quiet("a refused statement").await;
            nothing_is_left(&fake, "a refused statement").await;
            if refused.is_some() {
                break;
            }
        }
    }
}
