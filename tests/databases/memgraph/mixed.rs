//! Ten thousand requests of several people at once, refusals among them, over a few connections: nobody is ever served as
//! somebody else, or in another place, and nobody has to log in again.

use serde_json::{Value, json};

use super::stand::{ANN, BOB, ROOT};
use crate::support::{
    bolt::{
        control::User,
        fake_memgraph::{FakeMemgraph, Options},
    },
    gateway,
    http::{Connection, Response},
    query::{body, transaction_id, values},
};

const CLIENTS: usize = 9;
const REQUESTS: usize = 1120;

/// The next one in a fixed sequence that looks like none.
struct Chance(u64);

impl Chance {
    fn of<T: Copy>(&mut self, several: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        several[usize::try_from(self.0 >> 33).unwrap() % several.len()]
    }
}

struct Client {
    http: Connection,
    header: (&'static str, &'static str),
    name: &'static str,
}

impl Client {
    async fn post(&mut self, path: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json"), self.header];
        self.http.request("POST", path, &headers, &body.to_string()).await;
        self.http.answer().await
    }

    /// One request of any kind. True if it was refused, as it had to be.
    async fn go(&mut self, chance: &mut Chance) -> bool {
        let database = chance.of(&["memgraph", "a", "b", "bad"]);
        let user = chance.of(&[None, None, Some("ann"), Some("bob"), Some("nobody")]);
        let mode = chance.of(&["READ", "WRITE"]);
        let path = format!("/db/{database}/query/v2");
        let who = json!({ "statement": "WHOAMI", "impersonatedUser": user, "accessMode": mode });
        let may = user.is_none_or(|user| self.name == "root" && user != "nobody");
        let row = match chance.of(&[0, 1, 2]) {
            0 => {
                let answer = self.post(&path, &who).await;
                if !may || database == "bad" {
                    return refused(&answer);
                }
                values(&answer)[0].clone()
            }
            1 => {
                let begun = self.post(&format!("{path}/tx"), &who).await;
                if !may || database == "bad" {
                    return refused(&begun);
                }
                let commit = format!("{path}/tx/{}/commit", transaction_id(&begun));
                assert_eq!(self.post(&commit, &json!({})).await.status, 202);
                values(&begun)[0].clone()
            }
            _ => {
                let statements = json!([{ "statement": "RETURN 1" }, { "statement": "WHOAMI" }]);
                let batch = json!({ "statements": statements, "impersonatedUser": user, "accessMode": mode });
                let answer = self.post(&format!("{path}/batch"), &batch).await;
                if !may || database == "bad" {
                    return refused(&answer);
                }
                body(&answer)["results"][1]["data"]["values"][0].clone()
            }
        };
        assert_eq!(json!([row[0], row[1], row[2]]), json!([self.name, user, database]));
        false
    }
}

fn refused(answer: &Response) -> bool {
    assert!(matches!(answer.status, 400 | 403 | 404), "{answer}");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolates_ten_thousand_mixed_requests() {
    let fake = FakeMemgraph::start_with(Options::default().with_databases(["a", "b"])).await;
    for name in ["root", "ann", "bob"] {
        fake.control.set_user(name, User { password: "pw".into(), admin: name == "root", ..User::default() });
    }
    // Each of the three has two, so that nobody has to make room for anybody.
    const CONNECTIONS: usize = 6;
    let settings = [
        ("database.max_connections", "10"),
        ("database.caller_share", "20"),
        // No login grows too old, and no connection is thought to be dead, however slow the machine.
        ("database.login_age", "1h"),
        ("database.liveness_after", "1h"),
        ("transactions.max", "9"),
        ("transactions.caller_share", "100"),
        ("admin.listen", "127.0.0.1:0"),
    ];
    let gateway = gateway::start_for_with(&fake.uri(), &settings).await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let (header, name) = [(ROOT, "root"), (ANN, "ann"), (BOB, "bob")][number % 3];
        let http = Connection::open(gateway.address()).await;
        let mut client = Client { http, header, name };
        clients.push(tokio::spawn(async move {
            let mut chance = Chance(u64::try_from(number).unwrap());
            let mut refusals = 0;
            for _ in 0..REQUESTS {
                refusals += usize::from(client.go(&mut chance).await);
            }
            refusals
        }));
    }
    let mut refusals = 0;
    for client in clients {
        refusals += client.await.unwrap();
    }
    assert!((CLIENTS * REQUESTS / 4..CLIENTS * REQUESTS).contains(&refusals), "{refusals}");
    // A connection that takes more than four seconds to clean up is given up, as on a machine that stands still for so long.
    let given_up = gateway.metrics().await.value("boltgate_pool_discarded_total", &[("reason", "abandoned")]);
    let counts = fake.control.counts();
    assert!(given_up <= 2.0 * CONNECTIONS as f64, "connections are given up time and again: {given_up}");
    assert!(
        counts.logons as f64 <= CONNECTIONS as f64 + given_up && counts.failed_logons == 0,
        "{counts:?} {given_up}"
    );
    assert_eq!(fake.control.violations(), [""; 0]);
}
