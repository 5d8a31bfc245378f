//! Every limit on a statement holds while nobody reads its rows.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::unread::{PROTOCOLS, Protocol, Unread, shut};
use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
    },
    gateway::{Gateway, start_memory},
    query::{body, values},
};

/// Rows enough to fill whatever lies between the database and the client.
const FLOOD: &str = "ROWS 1000000 WIDE 5000";
/// Settings under which nothing but what is being tested ends a statement.
const PATIENT: [(&str, &str); 3] =
    [("server.write_stall_timeout", "1h"), ("database.max_connections", "4"), ("transactions.max", "3")];

struct Stand {
    gateway: Gateway,
    control: Control,
    path: &'static str,
}

async fn stands(changes: &[(&'static str, &str)]) -> [Stand; 2] {
    let settings: Vec<_> = PATIENT.into_iter().chain(changes.iter().copied()).collect();
    let neo4j = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
    let memgraph = FakeMemgraph::start_with(MemgraphOptions::default()).await;
    let (one, other) = (neo4j.control.clone(), memgraph.control.clone());
    [
        Stand {
            gateway: start_memory(move || neo4j.connect(), &settings).await,
            control: one,
            path: "/db/neo4j/query/v2",
        },
        Stand {
            gateway: start_memory(move || memgraph.connect(), &settings).await,
            control: other,
            path: "/db/memgraph/query/v2",
        },
    ]
}

impl Stand {
    /// Asks for rows without end, and leaves them unread.
    async fn flood(&self, protocol: Protocol, path: &str, members: Value) -> Unread {
        let mut request = json!({ "statement": FLOOD });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let unread = protocol.ask(self.gateway.address(), &format!("{}{path}", self.path), &request).await;
        self.control.wait_for("the statement", |counts| counts.transactions > 0).await;
        unread
    }

    /// Waits until the database has nothing left to do, and the gateway has its connections back.
    async fn is_free(&self, protocol: Protocol, why: &str) {
        let what = format!("{}, {protocol:?}: the statement ends, {why}", self.path);
        self.control.wait_for(&what, |counts| counts.transactions == 0 && counts.running == 0).await;
        let request = r#"{"statement":"RETURN 1"}"#;
        let answer = self.gateway.post(self.path, request).await;
        assert_eq!(values(&answer), json!([[1]]));
    }

    async fn running(&self) -> Vec<Value> {
        let answer = self.gateway.send("GET", &format!("{}/running", self.path), &[], "").await;
        body(&answer)["running"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enforces_the_execution_time() {
    for protocol in PROTOCOLS {
        for stand in stands(&[("database.termination_grace", "100ms")]).await {
            let unread = stand.flood(protocol, "", json!({ "maxExecutionTime": 2 })).await;
            stand.is_free(protocol, "since its time is over").await;
            drop(unread);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_a_statement() {
    for protocol in PROTOCOLS {
        for stand in stands(&[]).await {
            let unread = stand.flood(protocol, "", json!({})).await;
            let running = stand.running().await;
            let path = format!("{}/running/{}", stand.path, running[0]["id"].as_str().unwrap());
            assert_eq!(stand.gateway.send("DELETE", &path, &[], "").await.status, 200);
            stand.is_free(protocol, "since it was cancelled").await;
            let gone = async {
                while !stand.running().await.is_empty() {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(Duration::from_secs(60), gone).await.expect("it is listed no more");
            drop(unread);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_a_transaction_at_its_maximum_age() {
    for protocol in PROTOCOLS {
        for stand in stands(&[("transactions.max_lifetime", "2s"), ("transactions.idle_timeout", "2s")]).await {
            let unread = stand.flood(protocol, "/tx", json!({})).await;
            stand.is_free(protocol, "since its transaction is too old").await;
            drop(unread);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enforces_the_execution_time_of_a_batch() {
    for protocol in PROTOCOLS {
        for stand in stands(&[("database.termination_grace", "100ms")]).await {
            let request = json!({ "statements": [{ "statement": FLOOD }], "maxExecutionTime": 2 });
            let path = format!("{}/batch", stand.path);
            let unread = protocol.ask(stand.gateway.address(), &path, &request).await;
            stand.is_free(protocol, "since the time of the batch is over").await;
            drop(unread);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_off_a_client_that_reads_nothing() {
    for protocol in PROTOCOLS {
        for stand in stands(&[("server.write_stall_timeout", "1s")]).await {
            let unread = stand.flood(protocol, "", json!({})).await;
            stand.is_free(protocol, "since nobody reads").await;
            let (text, whole) = unread.read().await;
            assert!(!whole, "an answer that was cut off does not look whole: {} bytes", text.len());
        }
    }
}

/// Sixteen such streams on one connection once kept everybody else from the database.
#[tokio::test(flavor = "multi_thread")]
async fn serves_others_beside_a_connection_of_stalled_streams() {
    for stand in stands(&[("server.write_stall_timeout", "1s"), ("database.acquire_timeout", "1m")]).await {
        let address = stand.gateway.address();
        let requests = shut(address).await;
        let mut streams = Vec::new();
        for _ in 0..3 {
            let request = json!({ "statement": FLOOD });
            streams.push(Unread::http2(requests.clone(), address, stand.path, &request).await);
        }
        // The others wait for a connection to the database until the first ones are cut off.
        let more = (0..13).map(|_| {
            let (requests, address, path) = (requests.clone(), address.to_owned(), stand.path);
            tokio::spawn(async move {
                let request = json!({ "statement": FLOOD });
                Unread::http2(requests, &address, path, &request).await
            })
        });
        let more: Vec<_> = more.collect();
        for _ in 0..20 {
            let answer = stand.gateway.post(stand.path, r#"{"statement":"RETURN 1"}"#).await;
            assert_eq!(values(&answer), json!([[1]]));
        }
        for stream in more {
            streams.push(stream.await.unwrap());
        }
        stand.is_free(Protocol::Http2, "each of them").await;
        for stream in streams {
            assert!(!stream.read().await.1, "the stream was reset");
        }
        // The connection itself is good for more.
        let request = json!({ "statement": "RETURN 1" });
        let _ = Unread::http2(requests, address, stand.path, &request).await;
    }
}

/// What is small enough to be whole at once waits for its reader no longer than a stream does.
#[tokio::test(flavor = "multi_thread")]
async fn drops_a_small_answer_that_nobody_reads() {
    let [stand, _] = stands(&[("server.write_stall_timeout", "1s")]).await;
    let request = json!({ "statement": "ROWS 100" });
    let unread = Protocol::Http2.ask(stand.gateway.address(), stand.path, &request).await;
    let Unread::Http2 { mut body, .. } = unread else { unreachable!("HTTP/2 was asked for") };
    let ended = timeout(Duration::from_secs(60), body.data()).await.expect("the stream ends");
    assert!(ended.is_some_and(|piece| piece.is_err()), "the stream was reset");
}

/// A client that reads slowly gets all of it.
#[tokio::test(flavor = "multi_thread")]
async fn does_not_cut_off_a_slow_reader() {
    let [stand, _] = stands(&[("server.write_stall_timeout", "10s")]).await;
    let requests = {
        let stream = tokio::net::TcpStream::connect(stand.gateway.address()).await.unwrap();
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(16 * 1024)
            .handshake::<_, bytes::Bytes>(stream)
            .await
            .unwrap();
        tokio::spawn(connection);
        requests.ready().await.unwrap()
    };
    let request = json!({ "statement": "ROWS 6000 WIDE 200" });
    let unread = Unread::http2(requests, stand.gateway.address(), stand.path, &request).await;
    let Unread::Http2 { mut body, _requests } = unread else { unreachable!("HTTP/2 was asked for") };
    let mut length = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.expect("it is not cut off");
        length += piece.len();
        // Each time the whole window is shut for a while; all of it takes longer than the limit.
        sleep(Duration::from_millis(150)).await;
        body.flow_control().release_capacity(piece.len()).unwrap();
    }
    assert!(length > 6000 * 200, "all of it came");
}
