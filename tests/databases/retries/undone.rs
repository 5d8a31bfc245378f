//! Conflicts at every point of a statement's course: it is carried out once in the end, and shown once.

use serde_json::{Value, json};

use super::stand::{Stand, at_once, attempts, error, memgraph, stands, statements, with};
use crate::support::{
    bolt::control::When,
    gateway::Gateway,
    http::Response,
    query::{body, values},
};

const WHEN: [When; 4] = [When::Run, When::Rows(0), When::Rows(2), When::Commit];
const FORMATS: [&str; 3] = ["application/json", "application/jsonl", "application/vnd.neo4j.query"];

/// What is shown of the rows, in any format.
fn shown(answer: &Response) -> Value {
    let text = answer.text();
    if answer.header("Content-Type").is_some_and(|format| format.contains("jsonl")) {
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let events: Vec<_> = events.map(|event| (event["$event"].clone(), event["_body"].clone())).collect();
        let names: Vec<_> = events.iter().map(|(name, _)| name.as_str().unwrap()).collect();
        assert_eq!((names[0], names[names.len() - 1]), ("Header", "Summary"), "{answer}");
        return events[1..events.len() - 1].iter().map(|(_, row)| row.clone()).collect();
    }
    values(answer)
}

fn one_to_three(format: &str) -> Value {
    if format.contains("vnd") {
        return ["1", "2", "3"].iter().map(|n| json!([{ "$type": "Integer", "_value": n }])).collect();
    }
    json!([[1], [2], [3]])
}

#[tokio::test]
async fn retries_a_statement_wherever_it_conflicts() {
    for stand in stands(&[]).await {
        let mut applied = 0;
        for when in WHEN {
            for (times, format) in (1..).zip(FORMATS) {
                let before = stand.control.counts();
                stand.conflicts("ADD a", times, when);
                let request = json!({ "statement": "ADD a 1 ROWS 3", "retry": at_once() });
                let answer = stand.post("", &[("Accept", format)], &request).await;
                let what = format!("{}, {when:?}, {times} times: {answer}", stand.name);
                assert_eq!((answer.status, attempts(&answer)), (202, Some(times + 1)), "{what}");
                assert_eq!(shown(&answer), one_to_three(format), "{what}");
                applied += 1;
                assert_eq!(stand.committed("a"), applied, "{what}");
                let after = stand.control.counts();
                assert_eq!((after.commits, after.rollbacks), (before.commits + 1, before.rollbacks + times), "{what}");
            }
        }
        assert_eq!(stand.control.counts().accepted, 1, "a conflict costs no connection");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn retries_a_batch_wherever_it_conflicts() {
    for stand in stands(&[]).await {
        let mut applied = 0;
        for when in WHEN.map(Some).into_iter().chain([None]) {
            for (part, times) in [("ADD a", 1), ("ADD b", 2), ("READ b", 3)] {
                let of_message = || stand.control.fail_next("BEGIN", stand.conflict.0, stand.conflict.1);
                match when {
                    // A result of one row does not get there.
                    Some(When::Rows(2)) if part == "READ b" => stand.conflicts(part, times, When::Rows(0)),
                    Some(when) => stand.conflicts(part, times, when),
                    None => (0..times).for_each(|_| of_message()),
                }
                let more = json!({ "retry": at_once() });
                let answer = stand.batch(&["ADD a 1 ROWS 3", "ADD b 1 ROWS 3", "READ b"], &more).await;
                let what = format!("{}, {part}, {when:?}, {times} times: {answer}", stand.name);
                assert_eq!((answer.status, attempts(&answer)), (202, Some(times + 1)), "{what}");
                applied += 1;
                let body = body(&answer);
                let shown: Vec<_> = (0..3).map(|at| body["results"][at]["data"]["values"].clone()).collect();
                assert_eq!(json!(shown), json!([[[1], [2], [3]], [[1], [2], [3]], [[applied]]]), "{what}");
                assert_eq!(body["attempts"], times + 1, "{what}");
                assert_eq!((stand.committed("a"), stand.committed("b")), (applied, applied), "{what}");
            }
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn retries_a_bulk_load_transaction_wherever_it_conflicts() {
    for stand in stands(&[]).await {
        let mut applied = 0;
        for when in WHEN {
            for times in 1..=3 {
                stand.conflicts("ADD a", times, when);
                let head = json!({ "statement": "ADD a $n ROWS 3", "transactionSize": 1, "retry": at_once() });
                let rows = [1, 10, 100, 1000].map(|n| json!({ "n": n }).to_string());
                let lines = format!("{head}\n{}", rows.join("\n"));
                let headers = [("Content-Type", "application/x-ndjson")];
                let answer = stand.gateway.send("POST", &stand.path("/batch"), &headers, &lines).await;
                let what = format!("{}, {when:?}, {times} times: {answer}", stand.name);
                let body = body(&answer);
                assert_eq!(
                    (answer.status, &body["committed"]),
                    (202, &json!({ "rows": 4, "transactions": 4 })),
                    "{what}"
                );
                assert_eq!(body["attempts"], times + 4, "{what}");
                applied += 1111;
                assert_eq!(stand.committed("a"), applied, "{what}");
            }
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn omits_attempts_after_a_single_attempt() {
    for stand in stands(&[]).await {
        assert_eq!(attempts(&stand.query("RETURN 1", &json!({})).await), None);
        assert_eq!(attempts(&stand.query("NONSENSE", &json!({})).await), None);
        assert_eq!(attempts(&stand.batch(&["RETURN 1"], &json!({})).await), None);
    }
}

#[tokio::test]
async fn reports_the_attempts_of_a_final_failure() {
    for stand in stands(&[]).await {
        stand.conflicts("ADD a", 2, When::Commit);
        stand.control.fail_statements("ADD a", 1, When::Run, "A.ClientError.C.D", "no");
        let answer = stand.query("ADD a 1 ROWS 1", &json!({ "retry": at_once() })).await;
        assert_eq!((answer.status, attempts(&answer), &error(&answer)["message"]), (400, Some(3), &json!("no")));
        assert_eq!(stand.committed("a"), 0);
        stand.is_content().await;
    }
}

/// Waits for as many failed attempts as show that somebody is in the way.
async fn until_it_has_failed(stand: &Stand, times: usize) {
    let before = stand.control.counts().rollbacks;
    stand.control.wait_for("attempts that fail", |counts| counts.rollbacks >= before + times).await;
}

#[tokio::test]
async fn retries_until_a_lock_is_released() {
    let stand = memgraph(&[]).await;
    let path = stand.begin().await;
    assert_eq!(stand.post(&path, &[], &json!({ "statement": "ADD a 1" })).await.status, 202);
    let retry = json!({ "retry": at_once() });
    let request = stand.query("ADD a 1", &retry);
    let leave = async {
        until_it_has_failed(&stand, 5).await;
        assert_eq!(stand.post(&format!("{path}/commit"), &[], &json!({})).await.status, 202);
    };
    let (answer, ()) = tokio::join!(request, leave);
    assert!(answer.status == 202 && attempts(&answer) > Some(5), "{answer}");
    assert_eq!(stand.committed("a"), 2);
    stand.is_content().await;
}

/// One request after the other, each of which moves one from an account to another.
async fn transfers(gateway: &Gateway, path: &str, from: &str, to: &str, count: usize) -> usize {
    // The first is locked for a while before the second is asked for.
    let texts = [format!("ADD {from} -1"), "SLEEP 1".to_owned(), format!("ADD {to} 1")];
    let request = with(statements(&texts.each_ref().map(String::as_str)), &json!({ "retry": at_once() }));
    let mut tries = 0;
    for _ in 0..count {
        let answer = gateway.post(path, &request.to_string()).await;
        assert_eq!(answer.status, 202, "{answer}");
        tries += usize::try_from(body(&answer)["attempts"].as_u64().unwrap()).unwrap();
    }
    tries
}

/// Writers in each other's way, both ways round, so that Neo4j finds deadlocks and Memgraph conflicts.
#[tokio::test]
async fn retries_many_writers_of_the_same_values() {
    for stand in stands(&[]).await {
        let path = stand.path("/batch");
        let pairs = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a"), ("a", "c"), ("c", "b"), ("a", "b"), ("b", "c")];
        let writers = pairs.map(|(from, to)| transfers(&stand.gateway, &path, from, to, 10));
        let [a, b, c, d, e, f, g, h] = writers;
        let tries: [usize; 8] = tokio::join!(a, b, c, d, e, f, g, h).into();
        assert!(tries.iter().sum::<usize>() > 80, "nobody was in anybody's way: {tries:?}");
        // From a and to a: 10 + 10 + 10 and 10 + 10, and so on.
        assert_eq!(["a", "b", "c"].map(|key| stand.committed(key)), [-10, 0, 10], "{}", stand.name);
        stand.is_content().await;
    }
}
