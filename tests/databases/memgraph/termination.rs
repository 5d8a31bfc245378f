//! Statements that nobody waits for any more: they are ended by name on another connection, under the same login and
//! as the same user, and nothing else is.

use std::collections::BTreeSet;

use serde_json::json;

use super::stand::{ANN, BOB, ROOT, Stand, all_versions};
use crate::support::{
    bolt::{
        control::{Control, Fault, Seen},
        fake_memgraph::{Listed, Options},
        value,
    },
    http::Connection,
    query::{body, transaction_id},
};

const PATH: &str = "/db/memgraph/query/v2";
/// Longer than any test.
const FOR_AGES: &str = "SLEEP 600000";

/// What a request is that runs a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Automatic,
    Transaction,
    Batch,
}

/// How it comes that nobody waits any more.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Gone,
    Cancelled,
}

/// Who asks: the header, the name in it, and the user acted as.
type Who = ((&'static str, &'static str), &'static str, Option<&'static str>);

const ANN_HERSELF: Who = (ANN, "ann", None);
const ROOT_AS_BOB: Who = (ROOT, "root", Some("bob"));

impl Mode {
    /// A client that has sent a statement for ages, alone or behind a write.
    async fn start(self, stand: &Stand, (header, _, as_whom): Who) -> Connection {
        let write = json!({ "statement": "WRITE k 1", "impersonatedUser": as_whom });
        let (path, request) = match self {
            Self::Automatic => (PATH.to_owned(), json!({ "statement": FOR_AGES, "impersonatedUser": as_whom })),
            Self::Batch => {
                let statements = json!([{ "statement": "WRITE k 1" }, { "statement": FOR_AGES }]);
                (format!("{PATH}/batch"), json!({ "statements": statements, "impersonatedUser": as_whom }))
            }
            Self::Transaction => {
                let begun = stand.post_as(header, &format!("{PATH}/tx"), &write).await;
                (format!("{PATH}/tx/{}", transaction_id(&begun)), json!({ "statement": FOR_AGES }))
            }
        };
        let mut client = Connection::open(stand.gateway.address()).await;
        let headers = [("Content-Type", "application/json"), header];
        client.request("POST", &path, &headers, &request.to_string()).await;
        client
    }
}

/// The identifiers of what the caller runs.
async fn running(stand: &Stand, header: (&str, &str)) -> BTreeSet<String> {
    let answer = stand.gateway.send("GET", &format!("{PATH}/running"), &[header], "").await;
    let list = body(&answer)["running"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// A connection on which a transaction was ended: as whom, and which.
#[derive(Debug, PartialEq)]
struct Ending {
    connection: u64,
    principal: Option<String>,
    as_whom: Option<String>,
    text: String,
}

fn text(seen: &Seen) -> &str {
    seen.field(0).and_then(value::Value::as_str).unwrap_or_default()
}

fn as_whom(run: &Seen) -> Option<String> {
    run.field(2).and_then(|extra| extra.get("imp_user")).and_then(|user| user.as_str()).map(str::to_owned)
}

/// The statements that have listed or ended transactions, in order.
fn endings(control: &Control) -> Vec<Ending> {
    let seen = control.seen();
    let principal = |connection: u64| {
        let logins = seen.iter().filter(|seen| seen.connection == connection);
        logins.filter_map(|seen| seen.field(0)?.get("principal")?.as_str()).next_back().map(str::to_owned)
    };
    let statements = seen.iter().filter(|seen| seen.name() == "RUN");
    statements
        .filter(|seen| text(seen).starts_with("SHOW TRANSACTIONS") || text(seen).starts_with("TERMINATE"))
        .map(|seen| Ending {
            connection: seen.connection,
            principal: principal(seen.connection),
            as_whom: as_whom(seen),
            text: text(seen).to_owned(),
        })
        .collect()
}

/// One of several equal statements is left, and that one ends.
async fn ends_its_own(options: Options, mode: Mode, how: How, who: Who) {
    let what = format!("{mode:?}, {how:?}, {}", who.1);
    let stand = Stand::with_users(options).await;
    let control = &stand.fake.control;
    let mut bystanders = Vec::new();
    for bystander in [ANN_HERSELF, (BOB, "bob", None), (ROOT, "root", None), ROOT_AS_BOB] {
        bystanders.push(Mode::Automatic.start(&stand, bystander).await);
    }
    control.wait_for("the bystanders", |counts| counts.running == 4).await;
    let (others, other_requests) = (stand.fake.transactions(), running(&stand, who.0).await);

    let client = mode.start(&stand, who).await;
    control.wait_for("the statement", |counts| counts.running == 5).await;
    let left = |all: Vec<Listed>| all.into_iter().find(|one| !others.contains(one));
    let left = left(stand.fake.transactions()).unwrap();
    assert_eq!(left.user, who.2.unwrap_or(who.1), "{what}");
    let connection = control.seen().iter().rfind(|seen| text(seen) == FOR_AGES).unwrap().connection;
    control.forget_messages();
    match how {
        How::Gone => drop(client),
        How::Cancelled => {
            let mut requests = running(&stand, who.0).await;
            requests.retain(|id| !other_requests.contains(id));
            let path = format!("{PATH}/running/{}", requests.first().unwrap());
            let answer = stand.gateway.send("DELETE", &path, &[who.0], "").await;
            assert_eq!((answer.status, requests.len()), (200, 1), "{what}: {answer}");
            let mut client = client;
            let answer = client.answer().await;
            assert_eq!(
                body(&answer)["errors"][0]["code"],
                "Neo.ClientError.Transaction.Terminated",
                "{what}: {answer}"
            );
        }
    }
    control.wait_for("its end", |counts| counts.running == 4 && counts.transactions == 4).await;

    assert_eq!(stand.fake.transactions(), others, "{what}");
    let [show, terminate] = &endings(control)[..] else { panic!("{what}: {:?}", endings(control)) };
    assert_eq!(
        (&*show.text, &*terminate.text),
        ("SHOW TRANSACTIONS", &*format!("TERMINATE TRANSACTIONS \"{}\"", left.id))
    );
    for side in [show, terminate] {
        assert_eq!((side.principal.as_deref(), side.as_whom.as_deref()), (Some(who.1), who.2), "{what}");
        assert!(side.connection == show.connection && side.connection != connection, "{what}");
    }
    assert_eq!(stand.committed("k"), None, "{what}");
    // The connection serves the same caller again, as nobody else.
    stand.lent(4).await;
    let answer = stand.post_as(who.0, PATH, &json!({ "statement": "WHOAMI" })).await;
    let next = Stand::who_am_i(&answer);
    assert_eq!(
        json!([next["principal"], next["imp_user"], next["connection"]]),
        json!([who.1, null, connection]),
        "{what}"
    );
    assert_eq!(stand.fake.violations(), [""; 0], "{what}");
}

#[tokio::test]
async fn terminates_only_the_intended_statement() {
    for mode in [Mode::Automatic, Mode::Transaction, Mode::Batch] {
        for how in [How::Gone, How::Cancelled] {
            ends_its_own(Options::default(), mode, how, ANN_HERSELF).await;
        }
    }
}

#[tokio::test]
async fn terminates_only_the_statement_of_an_impersonated_user() {
    for mode in [Mode::Automatic, Mode::Transaction, Mode::Batch] {
        for how in [How::Gone, How::Cancelled] {
            ends_its_own(Options::default(), mode, how, ROOT_AS_BOB).await;
        }
    }
}

#[tokio::test]
async fn finds_columns_in_every_version() {
    for options in all_versions() {
        ends_its_own(options, Mode::Automatic, How::Gone, ROOT_AS_BOB).await;
    }
}

#[tokio::test]
async fn delegates_time_limits_to_the_database() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        for mode in ["", "/batch"] {
            let mut request = match mode {
                "" => json!({ "statement": FOR_AGES }),
                _ => json!({ "statements": [{ "statement": "WRITE k 1" }, { "statement": FOR_AGES }] }),
            };
            request["maxExecutionTime"] = json!(1);
            let headers = [("Content-Type", "application/json"), ("Boltgate-Statuses", "precise")];
            let answer = stand.gateway.send("POST", &format!("{PATH}{mode}"), &headers, &request.to_string()).await;
            let error = &body(&answer)["errors"][0];
            assert_eq!((answer.status, &error["retryable"]), (504, &json!(false)), "{answer}");
            assert_eq!(error["code"], "Neo.ClientError.Transaction.TransactionTimedOut", "{answer}");
            assert_eq!(error["message"], "Transaction was asked to abort because of transaction timeout.", "{answer}");
        }
        assert_eq!(endings(&stand.fake.control), []);
        let who = Stand::who_am_i(&stand.query("WHOAMI").await);
        assert_eq!((&who["connection"], stand.fake.control.counts().accepted), (&json!(0), 1));
        assert_eq!(stand.committed("k"), None);
        stand.is_content().await;
    }
}

/// How many connections were busy with ending statements at a time, at most: from the list to the last word.
fn most_at_once(control: &Control) -> usize {
    let (mut busy, mut saying_it, mut most) = (BTreeSet::new(), BTreeSet::new(), 0);
    for seen in control.seen() {
        match seen.name() {
            "RUN" if text(&seen) == "SHOW TRANSACTIONS" => drop(busy.insert(seen.connection)),
            "RUN" if text(&seen).starts_with("TERMINATE") => drop(saying_it.insert(seen.connection)),
            "PULL" if saying_it.contains(&seen.connection) => drop(busy.remove(&seen.connection)),
            _ => {}
        }
        most = most.max(busy.len());
    }
    most
}

#[tokio::test]
async fn terminates_two_statements_at_a_time() {
    const MANY: usize = 12;
    let stand = Stand::start_with(Options { workers: MANY, ..Options::default() }).await;
    let control = &stand.fake.control;
    let mut clients = Vec::new();
    for _ in 0..MANY {
        clients.push(Mode::Automatic.start(&stand, ANN_HERSELF).await);
    }
    control.wait_for("the statements", |counts| counts.running == MANY).await;
    let ids: BTreeSet<_> = stand.fake.transactions().into_iter().map(|one| one.id).collect();
    control.forget_messages();
    // Long enough that all would be at it together if they could.
    for _ in 0..4 * MANY {
        control.on_next("TRANSACTIONS", Fault::Delay(std::time::Duration::from_millis(30)));
    }
    drop(clients);
    control.wait_for("the end of all", |counts| counts.running == 0 && counts.transactions == 0).await;
    assert!(most_at_once(control) <= 2, "{:?}", endings(control));
    let ended = endings(control).into_iter().filter_map(|one| {
        let id = one.text.strip_prefix("TERMINATE TRANSACTIONS \"")?.strip_suffix('"')?.to_owned();
        Some(id)
    });
    let ended: Vec<_> = ended.collect();
    assert_eq!((ended.len(), ended.into_iter().collect::<BTreeSet<_>>()), (MANY, ids), "each once");
    assert_eq!(stand.fake.violations(), [""; 0]);
}
